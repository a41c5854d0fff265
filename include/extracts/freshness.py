"""How old the newest published day of a dataset is: what an alert watches."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from extracts.errors import DataRefused
from extracts.package import Descriptor
from extracts.storage import of_dataset


@dataclass(frozen=True)
class Freshness:
    """The newest published day, and how long ago its business day ended. As text, one line."""

    package: str
    day: date
    age: timedelta
    max_age: timedelta

    @property
    def ok(self) -> bool:
        return self.age <= self.max_age

    def __str__(self) -> str:
        verdict = "fresh" if self.ok else "too old"
        return f"{self.package}: {verdict}, {_shown(self.age)} old (at most {_shown(self.max_age)})"


def freshness(url: str | Path, *, max_age: timedelta, now: datetime | None = None) -> Freshness:
    """The newest day of the dataset at `url`, a folder or in a bucket, and its age at `now` (default: now).

    The age counts from the end of the day's window; for a set without one, from when it was published. Raises
    DataRefused when nothing was published, or the newest package is damaged.
    """
    storage, dataset = of_dataset(url)
    newest = storage.last(dataset, upto=date.max)
    if newest is None:
        raise DataRefused(f"nothing is published in {url}: is the place right, and did the export ever run?")
    try:
        day = date.fromisoformat(str(newest.descriptor.get("day")))
        age = (now or datetime.now(UTC)) - _told_by(newest.descriptor)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataRefused(
            f"{newest.package} does not say which time it is of: {error}; publish this day again"
        ) from error
    return Freshness(str(newest.package), day, age, max_age)


def _told_by(descriptor: Descriptor) -> datetime:
    window = descriptor.get("window")
    return datetime.fromisoformat(str(window.get("end") if window else descriptor.get("created")))


def _shown(age: timedelta) -> str:
    sign, minutes = ("-" if age < timedelta() else ""), int(abs(age).total_seconds()) // 60
    return f"{sign}{minutes // 60} h {minutes % 60:02} min"
