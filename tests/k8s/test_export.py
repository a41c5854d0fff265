"""The export on a real cluster: by its schedule, by hand, and what is on the volume afterwards."""

import json
from datetime import UTC, datetime, timedelta

from tests.k8s.cluster import CRONJOB, ROOT, ended_with
from tests.manifests.tree import EXPORTER
from tests.manifests.tree import ROOT as PROJECT

SQL = PROJECT / "include" / "sql"
NEWEST = f"cat $(ls -d {ROOT}/dt=* | tail -1)/datapackage.json"


def test_a_run_by_hand_publishes_a_set_that_verifies(published):
    (pod,) = published.pods("by-hand")
    assert published.exit_codes("by-hand") == [0]
    said = published.events("by-hand")
    assert said[0]["event"] == "started"
    assert ended_with(said) == [0]
    verified = published.look("extracts", "verify", ROOT)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_rows_of_the_set_are_the_databases(published):
    package = json.loads(published.look("sh", "-c", NEWEST).stdout)
    rows = {resource["name"]: resource["rows"] for resource in package["resources"]}
    for table in ("clients", "drivers", "vehicles"):
        assert rows[table] == int(published.sql(f"SELECT count(*) FROM logistics.{table}"))
    assert rows["shipments"] > 0


def test_the_schedule_fires(published):
    """With the minute after next: the zone stays, so the hour is Moscow's."""
    soon = datetime.now(UTC) + timedelta(hours=3, minutes=1, seconds=30)
    published.patch("cronjob", CRONJOB, schedule=f"{soon.minute} {soon.hour} * * *")
    try:
        made = published.wait(
            "a job made by the schedule",
            lambda: [
                job["metadata"]["name"]
                for job in published.get("jobs")["items"]
                if job["metadata"]["name"].startswith(f"{CRONJOB}-")
            ],
        )
    finally:
        published.patch("cronjob", CRONJOB, schedule="0 20 * * *")
    assert published.ended(made[0])["type"] == "Complete"
    status = published.wait(
        "the CronJob to know of its success",
        lambda: published.get("cronjob", CRONJOB)["status"].get("lastSuccessfulTime") and
        published.get("cronjob", CRONJOB)["status"],
    )  # fmt: skip
    assert status["lastScheduleTime"] == f"{soon - timedelta(hours=3):%Y-%m-%dT%H:%M:00Z}"


def test_a_run_that_finds_nothing_new_publishes_nothing(published):
    before = published.files()
    assert published.ended(published.start("again"))["type"] == "Complete"
    assert published.files() == before
    assert {event["changed"] for event in published.events("again") if event["event"] == "published"} <= {
        False
    }


def test_a_table_more_is_a_file_more(published):
    files = [*(SQL / "logistics").glob("*.sql"), EXPORTER / "components" / "tables" / "fleet.sql"]
    queries = {file.name: file.read_text(encoding="utf-8") for file in files}
    published.start("tables", queries=queries, env={"EXTRACTS_SET": "more", "EXTRACTS_LOOKBACK": "0"})
    assert published.ended("tables")["type"] == "Complete", published.kubectl("logs", "job/tables")
    read = {event["table"] for event in published.events("tables") if event["event"] == "read"}
    assert read == {"clients", "drivers", "fleet", "shipment_events", "shipments", "vehicles"}


def test_the_pruning_runs_beside_it_and_takes_nothing_that_is_young(published):
    before = published.files()
    assert published.ended(published.start("prune", of="logistics-prune"))["type"] == "Complete"
    assert published.files() == before


def test_a_suspended_cronjob_turns_freshness_red(published):
    package = json.loads(published.look("sh", "-c", NEWEST).stdout)
    ended = datetime.fromisoformat(package["window"]["end"])

    def freshness(age):
        return published.look("extracts", "freshness", ROOT, "--max-age", f"{int(age.total_seconds())}s")

    published.patch("cronjob", CRONJOB, suspend=True, schedule="* * * * *")
    try:
        jobs = {job["metadata"]["name"] for job in published.get("jobs")["items"]}
        age = datetime.now(UTC) - ended + timedelta(seconds=70)
        assert freshness(age).returncode == 0
        # More than a minute passes: a schedule that is not suspended would have started a run.
        red = published.wait("freshness to turn red", lambda: (found := freshness(age)).returncode and found)
        assert red.returncode in (1, 3)
        assert {job["metadata"]["name"] for job in published.get("jobs")["items"]} == jobs
    finally:
        published.patch("cronjob", CRONJOB, suspend=False, schedule="0 20 * * *")
