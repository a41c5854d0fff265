"""What `make demo` runs, and how each run should end. A new job adds its runs here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta


@dataclass(frozen=True)
class Run:
    """One run of one DAG, and what it must come to.

    `rows` names a task and the key of its return value that holds the number of rows read; `fails_in` the
    task that must fail, at its first try, when the run must fail; `mails` the kinds of mail, as their
    X-Notice header says, in any order. `comes_to` is what else that return value must hold. A run that says
    there that nothing `changed` may send no mail: who waits for it has had it.
    """

    dag: str
    title: str
    conf: Mapping[str, object]
    rows: tuple[str, str]
    mails: tuple[str, ...]
    fails_in: str | None = None
    comes_to: Mapping[str, object] = field(default_factory=dict)


def runs(day: date) -> list[Run]:
    """The runs, in order; `day` is the day that the rows were made for, see `demo.seed.seed`."""
    delivery = "delivery_status_analysis"
    rows = ("analyse", "rows_read")
    prices, price_rows = "price_list_export", ("publish", "rows")
    tomorrow = {"date": str(day + timedelta(days=1))}
    return [
        Run(delivery, "over the threshold", {"date": str(day)}, rows, ("alert", "success")),
        Run(delivery, "under it", {"date": str(day - timedelta(days=1))}, rows, ("success",)),
        Run(delivery, "broken file", {"date": str(day - timedelta(days=2))}, rows, ("failure",), "analyse"),
        Run(prices, "all go out", {"date": str(day)}, price_rows, ("success",), comes_to={"held": 0}),
        # From tomorrow on two contract prices are wrong, see demo/03-shop.sql.
        Run(prices, "two mistakes", tomorrow, price_rows, ("alert", "success"), comes_to={"held": 2}),
    ]
