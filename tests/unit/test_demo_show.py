"""What `make demo` makes of a run that went well, and of those that did not."""

import json
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from demo import show
from demo.errors import DemoError
from demo.jobs import Run, runs

RUN = Run("job", "a run", {"date": "2026-11-21"}, ("analyse", "rows_read"), ("success",))
BROKEN = replace(RUN, mails=("failure",), fails_in="analyse")


def mail(kind: str, run_id: str) -> EmailMessage:
    message = EmailMessage()
    message["X-Notice"] = kind
    message.set_content(f"run {run_id}")
    return message


class Mails:
    folder = Path("/mails")

    def __init__(self, *kept: EmailMessage) -> None:
        self.kept = kept

    def messages(self) -> list[EmailMessage]:
        return list(self.kept)


class FakeStack:
    """Airflow with one run that has ended already."""

    root = Path("/stack")
    published = Path("/stack/published")
    day = date(2026, 11, 21)

    def __init__(self, state: str, tasks: dict[str, tuple[str, int]], *mails: str) -> None:
        self.state, self.tasks = state, tasks
        self.mailbox = Mails(*(mail(kind, "run-1") for kind in mails), mail("alert", "another"))
        self.called: list[tuple[str, str, object]] = []

    def check(self) -> None:
        pass

    def api(self, method: str, path: str, body: object = None) -> Any:
        self.called.append((method, path, body))
        end = {"start_date": "2026-11-21T04:00:00Z", "end_date": "2026-11-21T04:00:12.34Z"}
        if path.endswith("/dagRuns") or path.endswith("/dagRuns/run-1"):
            return {"dag_run_id": "run-1", "state": self.state, **end}
        if path.endswith("/taskInstances"):
            return {
                "task_instances": [
                    {"task_id": name, "state": state, "try_number": tries, "dag_run_id": "run-1", **end}
                    for name, (state, tries) in self.tasks.items()
                ]
            }
        if path.endswith("/xcomEntries"):
            return {"xcom_entries": [{"key": "return_value"}] if self.state == "success" else []}
        if path.endswith("/return_value"):
            return {"value": {"rows_read": 1000000, "package": "/stack/published/job/dt=1/datapackage.json"}}
        return {}


def perform(stack: FakeStack, run: Run) -> show.Outcome:
    (outcome,) = show.perform(stack, [run], lambda line: None)
    return outcome


def test_a_run_that_went_well():
    stack = FakeStack("success", {"analyse": ("success", 1)}, "success")
    outcome = perform(stack, RUN)
    assert ("PATCH", "/dags/job", {"is_paused": False}) in stack.called
    assert (outcome.rows, outcome.seconds, outcome.mails) == (1_000_000, 12.3, ["success"])
    assert outcome.files == "/stack/published/job/dt=1"
    assert outcome.result == "success, as it should"
    assert outcome.problems == []


def test_a_run_that_had_to_fail_and_did():
    outcome = perform(FakeStack("failed", {"analyse": ("failed", 1)}, "failure"), BROKEN)
    assert outcome.result == "failed at the first try, as it should"
    assert outcome.rows is None


def test_a_failed_task_is_named_with_its_log():
    outcome = perform(FakeStack("failed", {"analyse": ("failed", 4)}, "failure"), RUN)
    assert outcome.result == "failed: WRONG (tries: analyse 4)"
    assert outcome.problems[0] == (
        "task analyse failed, see /stack/airflow/logs/dag_id=job/run_id=run-1/task_id=analyse/attempt=4.log"
    )


@pytest.mark.parametrize(
    ("stack", "run", "problem"),
    [
        (FakeStack("success", {"analyse": ("success", 1)}), RUN, "mails [], and they should be ['success']"),
        (
            FakeStack("success", {"analyse": ("success", 1)}, "success", "alert"),
            RUN,
            "mails ['success', 'alert'], and they should be ['success']",
        ),
        (
            FakeStack("success", {"analyse": ("success", 1)}, "failure"),
            BROKEN,
            "the run ended as success and should be failed",
        ),
        (
            FakeStack("failed", {"analyse": ("failed", 3)}, "failure"),
            BROKEN,
            "task analyse was tried 3 times, and no retry helps it",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_told(stack, run, problem):
    outcome = perform(stack, run)
    assert problem in outcome.problems
    assert "WRONG" in outcome.result


def test_a_stack_that_breaks_ends_the_wait():
    stack = FakeStack("running", {"analyse": ("running", 1)})

    def broken() -> None:
        raise DemoError("scheduler ended with exit code 1")

    stack.check = broken
    with pytest.raises(DemoError, match="scheduler"):
        perform(stack, RUN)


def test_table_and_summary_say_the_same(tmp_path):
    stack = FakeStack("success", {"analyse": ("success", 1)}, "success")
    outcomes = show.perform(stack, [RUN, BROKEN], lambda line: None)
    text = show.table(outcomes, below=Path("/stack"))
    assert "1,000,000" in text
    assert "published/job/dt=1" in text
    assert "/stack/published" not in text

    show.write_summary(outcomes, stack, tmp_path / "new" / "summary.json")
    summary = json.loads((tmp_path / "new" / "summary.json").read_text(encoding="utf-8"))
    assert summary["ok"] is False
    assert [run["rows"] for run in summary["runs"]] == [1_000_000, 1_000_000]
    assert summary["mails"] == "/mails"


def test_every_run_of_the_demo_says_what_it_must_come_to():
    for run in runs(date(2026, 11, 21)):
        assert run.mails
        assert ("failure" in run.mails) == (run.fails_in is not None)
