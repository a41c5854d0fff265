"""What one run of the price lists was asked for, and its steps, for a scheduler.

Between the scheduler's form and the lists: what a run passes from task to task are small dicts of paths,
numbers and text; the lists stay in the run's work folder.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from extracts.errors import UsageError
from pipelines.price_lists import DATASETS, FORMATS, Export, Work, bounds, index, make_lists, publish
from pipelines.price_lists.reading import read
from pipelines.schedules import SCHEDULES

BATCHES = 4

_FIELDS = {"date", "assortment", "formats", "clients", "release", "released_by", "recipients"}


def batches(configuration: Mapping[str, Any]) -> int:
    """How many batches the job's configuration asks for. Raises UsageError for what is no number of them."""
    number = configuration.get("batches", BATCHES)
    if type(number) is not int or not 1 <= number <= 64:
        raise UsageError(f"batches {number!r} in the configuration of the price lists: give 1 to 64")
    return number


def export(params: Mapping[str, Any], *, day: date, configuration: Mapping[str, Any]) -> Export:
    """The form's fields as what is to be exported; empty ones mean the usual.

    Raises UsageError for an unknown setting, and for what `Export` refuses.
    """
    return Export(
        day=day,
        assortment=params["assortment"] or "full",
        formats=tuple(params["formats"] or FORMATS),
        codes=_codes(params["clients"]) or None,
        release=_codes(params["release"]),
        released_by=(params["released_by"] or "").strip() or None,
        bounds=bounds({name: value for name, value in configuration.items() if name != "batches"}),
    )


def _codes(lines: Sequence[str] | None) -> tuple[str, ...]:
    """Codes without the empty lines that a form's text field may end with. Spaces are part of a code."""
    return tuple(line for line in lines or () if line.strip())


def resolve(
    params: Mapping[str, Any],
    *,
    scheduled: datetime,
    run_id: str,
    root: str,
    configuration: Mapping[str, Any],
) -> dict[str, Any]:
    """Turn the form and the schedule into a request, and refuse at once what cannot be done.

    Args:
        params: the form's fields `date`, `assortment`, `formats`, `clients`, `release`, `released_by`,
            `recipients`.
        scheduled: the run's instant; its calendar day in the schedule's time zone is the usual day.
        run_id: names the run's work folder.
        root: the folder to publish in.
        configuration: the job's settings: `batches`, and the bounds of `pipelines.price_lists.settings`.

    Returns:
        `day` (ISO), `batches`, `recipients`, `work` (the path of the run's work folder, not made yet).

    Raises:
        UsageError: a field that the form does not have, a date that is none, an unknown setting, a release
            without a name.
    """
    # A run by hand is given JSON, too, and what is misspelt there would be as if it had not been said.
    if unknown := sorted(set(params) - _FIELDS):
        raise UsageError(f"unknown field {', '.join(unknown)}: the form has {', '.join(sorted(_FIELDS))}")
    zone = ZoneInfo(SCHEDULES[DATASETS["full"]].timezone)
    try:
        day = date.fromisoformat(params["date"]) if params["date"] else scheduled.astimezone(zone).date()
    except ValueError:
        raise UsageError(f"date {params['date']!r} is no day: write it as YYYY-MM-DD") from None
    asked = export(params, day=day, configuration=configuration)
    # A run's name may hold what a folder's may not.
    key = hashlib.sha256(f"{asked.dataset}/{run_id}".encode()).hexdigest()[:12]
    return {
        "day": day.isoformat(),
        "batches": batches(configuration),
        "recipients": list(params["recipients"] or ()),
        "work": str(Work.of_run(Path(root), f"{day}-{key}").path),
    }


def read_prices(
    request: Mapping[str, Any], params: Mapping[str, Any], *, dsn: str, configuration: Mapping[str, Any]
) -> list[int]:
    """Read all prices into the run's work folder, begun anew; returns the numbers of its batches.

    Raises what `pipelines.price_lists.reading` and `Work.begin` raise.
    """
    work = Work(Path(request["work"]))
    asked = export(params, day=date.fromisoformat(request["day"]), configuration=configuration)
    work.begin(asked)
    reading = read(
        work,
        dsn=dsn,
        day=asked.day,
        assortment=asked.assortment,
        codes=asked.codes,
        batches=request["batches"],
    )
    work.save_reading(reading)
    return list(range(reading.batches))


def make_batch(request: Mapping[str, Any], batch: int) -> dict[str, int]:
    """Make the lists of one batch; returns how many were published, held and released."""
    return make_lists(Work(Path(request["work"])), batch)


def publish_lists(request: Mapping[str, Any], *, dag_id: str, run_id: str) -> dict[str, Any]:
    """Publish all batches as the day's set; returns its numbers and `package`, the path of its package."""
    published = publish(Work(Path(request["work"])), run={"dag": dag_id, "id": run_id})
    return {**index.summary(published), "package": str(published.package)}
