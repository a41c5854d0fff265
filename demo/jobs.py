"""What `make demo` runs, and how each run should end. A new job adds its runs here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Run:
    """One run of one DAG, and what it must come to.

    `rows` names a task and the key of its return value that holds the number of rows read; `fails_in` the
    task that must fail, at its first try, when the run must fail; `mails` the kinds of mail, as their
    X-Notice header says, in any order.
    """

    dag: str
    title: str
    conf: Mapping[str, object]
    rows: tuple[str, str]
    mails: tuple[str, ...]
    fails_in: str | None = None


def runs(day: date) -> list[Run]:
    """The runs, in order; `day` is the day that the rows were made for, see `demo.seed.seed`."""
    delivery = "delivery_status_analysis"
    rows = ("analyse", "rows_read")
    return [
        Run(delivery, "over the threshold", {"date": str(day)}, rows, ("alert", "success")),
        Run(delivery, "under it", {"date": str(day - timedelta(days=1))}, rows, ("success",)),
        Run(delivery, "broken file", {"date": str(day - timedelta(days=2))}, rows, ("failure",), "analyse"),
    ]
