"""What goes wrong on a cluster: which exits are tried again, who is turned away, what is left behind."""

import subprocess

import pytest

from tests.k8s.cluster import ended_with, events

SHIPMENTS = "logistics.shipments"


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("wrong-option", {"args": ["export", "--workers", "none"]}, 2),
        ("wrong-password", {"env": {"PGUSER": "nobody", "PGUSER_FILE": ""}}, 2),
        ("refused", {"env": {"EXTRACTS_DATE": "2001-01-01"}}, 3),
    ],
)
def test_what_no_retry_helps_fails_at_once(published, name, change, code):
    condition = published.ended(published.start(name, **change))
    assert (condition["type"], condition["reason"]) == ("Failed", "PodFailurePolicy")
    assert published.exit_codes(name) == [code]


def test_a_database_that_is_away_is_tried_again_until_it_is_back(published):
    published.kubectl("scale", "statefulset/postgres", "--replicas=0")
    try:
        published.wait(
            "the database to be gone", lambda: published.run("get", "pod", "postgres-0").returncode
        )
        published.start("away")
        published.wait("a first try to fail", lambda: published.exit_codes("away") == [1])
    finally:
        published.kubectl("scale", "statefulset/postgres", "--replicas=1")
        published.kubectl("rollout", "status", "statefulset/postgres", "--timeout=300s")
    assert published.ended("away")["type"] == "Complete"
    codes = published.exit_codes("away")
    assert set(codes[:-1]) == {1}
    assert codes[-1] == 0


def test_a_second_run_at_the_same_time_is_turned_away(published):
    same = {"queries": slow("same"), "env": {"EXTRACTS_SET": "same"}}
    published.start("first", **same)
    try:
        published.wait("the first run to read", lambda: reads(published, "same"))
        published.start("second", backoffLimit=0, **same)
        assert published.ended("second")["type"] == "Failed"
        assert published.exit_codes("second") == [1]
        assert "another run holds the lock 'extracts:same'" in published.kubectl("logs", "job/second")
        assert published.exit_codes("first") == []
    finally:
        published.kubectl("delete", "job", "first")


def test_a_pod_that_is_deleted_while_it_reads_leaves_nothing_half_published(published):
    published.start("deleted", queries=slow("deleted"), backoffLimit=0, env={"EXTRACTS_SET": "deleted"})
    published.wait("the run to read", lambda: reads(published, "deleted"))
    assert ended_with(deleted(published, "deleted")) == [143]
    assert published.ended("deleted")["type"] == "Failed"
    assert published.look("find", "/data/deleted", "-type", "f").stdout.split() == ["/data/deleted/.lock"]
    published.wait("the server to have noticed", lambda: not reads(published, "deleted"))


def test_a_pod_that_is_deleted_while_it_waits_for_a_table_ends_within_its_grace(published):
    before = published.files()
    with published.held(SHIPMENTS):
        published.start("waiting", backoffLimit=0, env={"EXTRACTS_LOCK_TIMEOUT": "10min"})
        published.wait("the run to wait", lambda: published.waits_for(SHIPMENTS))
        assert ended_with(deleted(published, "waiting")) == [143]
    assert published.ended("waiting")["type"] == "Failed"
    assert published.files() == before


def slow(name):
    """A set of one table that takes five minutes, so that whatever happens, happens in the middle."""
    rows = f"SELECT '{name}' AS name, repeat('x', 8000) AS filler, pg_sleep(0.1)::text AS slept"
    return {f"{name}.sql": f"{rows} FROM generate_series(1, 3000)"}


def reads(cluster, name):
    """Whether the slow set of this name is being read."""
    reading = f"query LIKE 'COPY%''{name}'' AS name%' AND pid <> pg_backend_pid()"
    return cluster.sql(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE {reading}").strip() == "t"


def deleted(cluster, job):
    """Delete the Job's pod; what it said until it was gone."""
    pod = cluster.pods(job)[0]["metadata"]["name"]
    log = subprocess.Popen(cluster.command("logs", "-f", pod), stdout=subprocess.PIPE, text=True)
    cluster.kubectl("delete", "pod", pod)
    return events(log.communicate(timeout=120)[0])
