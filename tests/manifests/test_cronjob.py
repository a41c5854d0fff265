"""The CronJob against what the rest of the project says: schedule, deadline, exit codes, options, rights."""

import re
from datetime import timedelta

import pytest

from extracts.errors import DataRefused, TransientError, UsageError
from pipelines.schedules import SCHEDULES
from tests.manifests.tree import EXPORTER, ROLE, documents

LOGISTICS = SCHEDULES["logistics"]
FILES = ["cronjob.yaml", "prune.yaml"]


def load(name):
    return next(documents(EXPORTER / "base" / name))


def pod(cronjob):
    return cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def settings(name):
    lines = (EXPORTER / "base" / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture
def cronjob():
    return load("cronjob.yaml")


def test_it_starts_when_the_schedule_says(cronjob):
    assert (cronjob["spec"]["schedule"], cronjob["spec"]["timeZone"]) == (LOGISTICS.cron, LOGISTICS.timezone)


def test_the_business_day_ends_when_it_starts():
    asked = settings("export-settings.env")
    assert asked["EXTRACTS_DAY_ENDS"] == LOGISTICS.at.strftime("%H:%M")
    assert asked["EXTRACTS_TIMEZONE"] == LOGISTICS.timezone


def test_it_has_ended_before_its_readers_start(cronjob):
    job = cronjob["spec"]["jobTemplate"]["spec"]
    longest = job["activeDeadlineSeconds"] + pod(cronjob)["terminationGracePeriodSeconds"]
    assert timedelta(seconds=longest) < LOGISTICS.deadline


def test_a_try_that_hangs_leaves_time_for_another(cronjob):
    job = cronjob["spec"]["jobTemplate"]["spec"]
    grace = pod(cronjob)["terminationGracePeriodSeconds"]
    assert 2 * (pod(cronjob)["activeDeadlineSeconds"] + grace) <= job["activeDeadlineSeconds"]


def test_the_database_gives_up_before_the_try_is_ended(cronjob):
    minutes = re.fullmatch(r"(\d+)min", settings("database-settings.env")["EXTRACTS_STATEMENT_TIMEOUT"])[1]
    assert int(minutes) * 60 < pod(cronjob)["activeDeadlineSeconds"]


@pytest.mark.parametrize("name", FILES)
def test_what_no_retry_helps_is_not_tried_again(name):
    (container,) = pod(load(name))["containers"]
    policy = load(name)["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
    codes = policy[0]["onExitCodes"]
    assert (policy[0]["action"], codes["operator"]) == ("FailJob", "In")
    assert codes["containerName"] == container["name"]
    assert sorted(codes["values"]) == [UsageError.exit_code, DataRefused.exit_code]
    assert TransientError.exit_code not in codes["values"]


@pytest.mark.parametrize("name", FILES)
def test_a_lost_node_costs_no_try(name):
    rule = load(name)["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][1]
    # Before 1.36 a server refuses the condition without its status.
    assert rule == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def test_a_missed_start_is_made_up_for_but_never_the_next_day(cronjob):
    spec = cronjob["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert timedelta(hours=1) <= timedelta(seconds=spec["startingDeadlineSeconds"]) < timedelta(days=1)


@pytest.mark.parametrize("path", sorted(EXPORTER.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_pod_is_as_restricted_as_the_namespace_demands(path):
    for found in documents(path):
        template = found.get("spec", {}).get("jobTemplate", found).get("spec", {}).get("template")
        if not template:
            continue
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert rights["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]
            assert "cpu" not in container["resources"]["limits"]


def test_no_secret_is_a_variable(cronjob):
    (container,) = pod(cronjob)["containers"]
    assert all("secretRef" not in source for source in container["envFrom"])
    assert "env" not in container
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    for name in ("PGUSER_FILE", "PGPASSWORD_FILE"):
        assert (
            settings("database-settings.env")[name] == f"/run/secrets/database/{name.removesuffix('_FILE')}"
        )
    assert "/run/secrets/database" in mounted


def test_the_example_names_the_role_that_the_sql_makes():
    sql = ROLE.read_text(encoding="utf-8")
    assert f"CREATE ROLE {settings('database.env.example')['PGUSER']}'" in sql


def test_the_set_of_the_settings_is_installed():
    folder = EXPORTER.parents[1] / "include" / "sql" / settings("export-settings.env")["EXTRACTS_SET"]
    assert list(folder.glob("*.sql"))


@pytest.mark.parametrize(
    "field",
    [
        *("schedule", "timeZone", "concurrencyPolicy", "startingDeadlineSeconds", "suspend", "backoffLimit"),
        *("successfulJobsHistoryLimit", "activeDeadlineSeconds", "completions", "ttlSecondsAfterFinished"),
        *("podReplacementPolicy", "podFailurePolicy", "restartPolicy", "terminationGracePeriodSeconds"),
        *("automountServiceAccountToken", "enableServiceLinks", "runAsNonRoot", "fsGroup", "seccompProfile"),
        *("imagePullPolicy", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "cpu", "memory"),
    ],
)
def test_a_field_says_why(field):
    lines = (EXPORTER / "base" / "cronjob.yaml").read_text(encoding="utf-8").splitlines()
    places = [number for number, line in enumerate(lines) if line.strip().startswith(f"{field}:")]
    assert places
    assert all(lines[number - 1].strip().startswith("#") for number in places)
