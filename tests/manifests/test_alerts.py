"""The alerts against the deadlines they watch, and against the runbook that they name."""

import re

import pytest

from pipelines.schedules import SCHEDULES
from tests.manifests.tree import EXPORTER, MONITORING, ROOT, documents

RULES = MONITORING / "logistics-export.rules.yaml"
ALERTS = {rule["alert"]: rule for group in next(documents(RULES))["groups"] for rule in group["rules"]}
DEADLINE = int(SCHEDULES["logistics"].deadline.total_seconds())


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_and_where_the_remedy_is_written(name):
    said = ALERTS[name]["annotations"]
    assert {"summary", "description", "runbook_url"} <= set(said)
    document, anchor = said["runbook_url"].split("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor == name.lower()
    assert anchor in {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_test(name):
    tests = next(documents(MONITORING / "logistics-export.test.yaml"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"] if case["alertname"] == name]
    assert [case for case in cases if case.get("exp_alerts")]
    assert [case for case in cases if not case.get("exp_alerts")]


def test_late_is_what_the_schedule_calls_late():
    assert re.findall(r"> (\d+)", ALERTS["LogisticsExportLate"]["expr"]) == [str(DEADLINE)] * 2
    assert ALERTS["LogisticsExportDataLate"]["expr"].strip().endswith(f"> 24 * 3600 + {DEADLINE // 60} * 60")


def test_stuck_is_what_the_deadline_should_have_ended():
    job = next(documents(EXPORTER / "base" / "cronjob.yaml"))["spec"]["jobTemplate"]["spec"]
    longest = job["activeDeadlineSeconds"] + job["template"]["spec"]["terminationGracePeriodSeconds"]
    (limit,) = re.findall(r"> (\d{2,})", ALERTS["LogisticsExportStuck"]["expr"])
    assert int(limit) > longest


def test_the_alerts_watch_the_cronjob_that_there_is():
    cronjob = next(documents(EXPORTER / "base" / "cronjob.yaml"))["metadata"]["name"]
    namespace = next(documents(EXPORTER / "base" / "namespace.yaml"))["metadata"]["name"]
    text = RULES.read_text(encoding="utf-8")
    assert set(re.findall(r'cronjob="([^"]+)"', text)) == {cronjob}
    assert set(re.findall(r'namespace="([^"]+)"', text)) == {namespace}
    assert set(re.findall(r'job_name=~"([^"]+)"', text)) == {f"{cronjob}-.+"}
