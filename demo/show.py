"""`make demo`: run the jobs, watch them, compare with what they should have come to, and tell it."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from demo.airflow import Rest
from demo.errors import DemoError
from demo.jobs import Run
from demo.stack import MailFolder

_RUN_SECONDS = 900
_ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}
_WORTH_TELLING = {*_ENDED, "deferred", "up_for_retry"}


class Airflow(Protocol):
    """What is needed of a stack, whoever started it."""

    root: Path
    published: Path
    day: date
    mailbox: MailFolder
    api: Rest

    def check(self) -> None:
        """Raise DemoError when the stack is not whole any more."""
        ...


@dataclass
class Outcome:
    """What a run came to; `problems` says what was not as it should be."""

    job: str
    run: str
    run_id: str
    rows: int | None = None
    seconds: float = 0
    result: str = ""
    files: str = ""
    mails: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def perform(stack: Airflow, runs: Sequence[Run], tell: Callable[[str], None]) -> list[Outcome]:
    """Trigger the runs one after another and wait for each."""
    for dag in {run.dag: None for run in runs}:
        stack.api("PATCH", f"/dags/{dag}", {"is_paused": False})
    outcomes = []
    for run in runs:
        tell(f"{run.dag}, {run.title}")
        made = stack.api("POST", f"/dags/{run.dag}/dagRuns", {"logical_date": None, "conf": dict(run.conf)})
        outcomes.append(_watch(stack, run, made["dag_run_id"], tell))
        tell(f"{run.dag}, {run.title}: {outcomes[-1].result}")
    return outcomes


def _watch(stack: Airflow, run: Run, run_id: str, tell: Callable[[str], None]) -> Outcome:
    here = f"/dags/{run.dag}/dagRuns/{run_id}"
    told: dict[str, str] = {}
    deadline = time.monotonic() + _RUN_SECONDS
    while True:
        stack.check()
        state = stack.api("GET", here)
        tasks = {_name(task): task for task in stack.api("GET", f"{here}/taskInstances")["task_instances"]}
        for name, task in sorted(tasks.items(), key=lambda item: str(item[1]["end_date"])):
            if task["state"] in _WORTH_TELLING and told.get(name) != task["state"]:
                told[name] = task["state"]
                tell(f"  {name}: {task['state']}")
        if state["state"] in ("success", "failed"):
            return _judge(stack, run, state, tasks)
        if time.monotonic() > deadline:
            waiting = sorted(name for name, task in tasks.items() if task["state"] not in _ENDED)
            raise DemoError(
                f"run {run_id} of {run.dag} is still {state['state']} after {_RUN_SECONDS} s, waiting for "
                f"{', '.join(waiting)}: see the logs in {stack.root / 'logs'}"
            )
        time.sleep(1)


def _name(task: Mapping[str, Any]) -> str:
    """A task's name; those of a mapped task are told apart by their index."""
    index = task.get("map_index", -1)
    return str(task["task_id"]) if index < 0 else f"{task['task_id']}[{index}]"


def _judge(stack: Airflow, run: Run, state: dict[str, Any], tasks: dict[str, dict[str, Any]]) -> Outcome:
    outcome = Outcome(run.dag, run.title, state["dag_run_id"])
    outcome.seconds = round((_moment(state["end_date"]) - _moment(state["start_date"])).total_seconds(), 1)
    values = _returned(stack, run, state["dag_run_id"])
    outcome.rows = values.get(run.rows[1])
    if "package" in values:
        outcome.files = str(Path(values["package"]).parent)
    outcome.mails = [
        str(mail.get("X-Notice", "other"))
        for mail in stack.mailbox.messages()
        if (text := mail.get_body(("plain",))) and state["dag_run_id"] in text.get_content()
    ]
    failed = {name: task for name, task in tasks.items() if task["state"] == "failed"}
    for name, task in failed.items():
        if name != run.fails_in:
            outcome.problems.append(f"task {name} failed, see {_log(stack, run, task)}")
        elif task["try_number"] != 1:
            outcome.problems.append(
                f"task {name} was tried {task['try_number']} times, and no retry helps it"
            )
    expected = "failed" if run.fails_in else "success"
    if state["state"] != expected and not outcome.problems:
        outcome.problems.append(f"the run ended as {state['state']} and should be {expected}")
    for name, wanted in run.comes_to.items():
        if values.get(name) != wanted:
            outcome.problems.append(f"{name} is {values.get(name)}, and it should be {wanted}")
    told_before = not values.get("changed", True) and not outcome.mails
    if sorted(outcome.mails) != sorted(run.mails) and not told_before:
        outcome.problems.append(f"mails {outcome.mails}, and they should be {list(run.mails)}")
    again = [f"{name} {task['try_number']}" for name, task in tasks.items() if task["try_number"] > 1]
    tries = f" (tries: {', '.join(sorted(again))})" if again else ""
    how = f"{state['state']} at the first try" if run.fails_in and not again else state["state"]
    outcome.result = f"{how}{': WRONG' if outcome.problems else ', as it should'}{tries}"
    return outcome


def _returned(stack: Airflow, run: Run, run_id: str) -> dict[str, Any]:
    """What the task that counts rows returned; empty when it did not get there."""
    path = f"/dags/{run.dag}/dagRuns/{run_id}/taskInstances/{run.rows[0]}/xcomEntries"
    keys = [entry["key"] for entry in stack.api("GET", path)["xcom_entries"]]
    if "return_value" not in keys:
        return {}
    value = stack.api("GET", f"{path}/return_value")["value"]
    return value if isinstance(value, dict) else {}


def _log(stack: Airflow, run: Run, task: dict[str, Any]) -> Path:
    folder = stack.root / "airflow" / "logs" / f"dag_id={run.dag}" / f"run_id={task['dag_run_id']}"
    instance = folder / f"task_id={task['task_id']}"
    if task.get("map_index", -1) >= 0:
        instance /= f"map_index={task['map_index']}"
    return instance / f"attempt={task['try_number']}.log"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def table(outcomes: Sequence[Outcome], *, below: Path) -> str:
    """The outcomes as text; paths are shown as seen from the folder `below`."""
    rows = [("job", "run", "rows", "seconds", "result", "mails", "files")]
    for outcome in outcomes:
        rows.append(
            (
                outcome.job,
                outcome.run,
                f"{outcome.rows:,}" if outcome.rows is not None else "-",
                f"{outcome.seconds:.1f}",
                outcome.result,
                ", ".join(outcome.mails) or "-",
                relative(Path(outcome.files), below) if outcome.files else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    numbers = (2, 3)
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numbers else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def relative(path: Path, below: Path) -> str:
    """`path` as a person in the folder `below` would type it."""
    return str(path.relative_to(below)) if path.is_relative_to(below) else str(path)


def write_summary(outcomes: Sequence[Outcome], stack: Airflow, file: Path) -> None:
    """The same as the table for a program, with the folder of the mails and whether all went well."""
    file.parent.mkdir(parents=True, exist_ok=True)
    summary = {
        "ok": not any(outcome.problems for outcome in outcomes),
        "day": str(stack.day),
        "runs": [asdict(outcome) for outcome in outcomes],
        "mails": str(stack.mailbox.folder),
        "published": str(stack.published),
    }
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    unfinished.rename(file)
