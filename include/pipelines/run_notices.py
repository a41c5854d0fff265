"""What every job's mails say about its run, and the two mails that are the same for all: failure and late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.notices import Notice


@dataclass(frozen=True)
class Run:
    """The run that a mail is about. `tries`: tasks that needed more than one, with their number of tries.

    An instance of a mapped task is named with its index: `make_lists[2]`.
    """

    job: str
    day: str
    run_id: str
    url: str
    tries: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A task that failed for good. `error` is empty when its process left none (killed, out of memory)."""

    task: str
    tries: int | None
    error: str
    log_url: str


def recovery(run: Run) -> str:
    """Which tasks needed more than one try, for a mail about a run that went well; empty when none did."""
    tries = ", ".join(f"{task} after {number} tries" for task, number in sorted(run.tries.items()))
    return f"recovered: {tries}" if tries else ""


def failure(failures: Sequence[Failure], run: Run) -> Notice:
    """The run failed: which task, after how many tries, with what error, and where its log is."""
    names = ", ".join(item.task for item in failures)
    values = {"failures": failures, "run": run}
    return Notice("failure", f"{run.job} failed on {run.day}: {names}", "failure", values, {}, [])


def late(run: Run, minutes: int) -> Notice:
    """The run is not done by its deadline and goes on."""
    values = {"run": run, "minutes": minutes}
    return Notice("late", f"{run.job} is late: not done after {minutes} minutes", "late", values, {}, [])
