"""The published datasets with their days, as they are at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from deliverables.reading import Day, File, read
from deliverables.timing import Clock, Punctuality, shown
from extracts import catalog
from extracts.folder import storage_errors
from extracts.publication import Publication, is_dataset
from extracts.verify import Report, verify
from pipelines.schedules import Schedule


@dataclass(frozen=True)
class Entry:
    """A day that is there, or that should be; `late` is by how much it came after it was due."""

    day: date
    content: Day | None
    due: datetime | None
    punctuality: Punctuality
    late: timedelta

    @property
    def files(self) -> tuple[File, ...]:
        return self.content.files if self.content else ()


@dataclass(frozen=True)
class Dataset:
    """Some days of a dataset, newest first, from the `first`-th of `total` on.

    `last` is the newest day that has a folder.
    """

    name: str
    clock: Clock
    entries: list[Entry]
    first: int
    total: int
    last: date


class Shelf:
    """What stands below a root folder at one instant; whatever is asked for is read then."""

    def __init__(self, root: Path, now: datetime, schedules: Mapping[str, Schedule]) -> None:
        self.root = root
        self._now = now
        self._schedules = schedules

    def names(self) -> list[str]:
        """The datasets. Raises UsageError or TransientError when the root folder cannot be read."""
        return catalog.datasets(self.root)

    def clock(self, dataset: str) -> Clock:
        return Clock(self._now, self._schedules.get(dataset))

    def dataset(self, name: str, *, first: int, count: int) -> Dataset | None:
        """At most `count` days of a dataset, of which only these are read; None when it has none."""
        present = catalog.days(self.root, name) if is_dataset(name) else []
        if not present:
            return None
        clock = self.clock(name)
        _, total = shown(present, clock, 0, 0)
        first = max(0, min(first, (total - 1) // count * count))
        days, _ = shown(present, clock, first, count)
        entries = [self._entry(name, clock, day) for day in days]
        return Dataset(name, clock, entries, first, total, present[0])

    def newest(self, dataset: Dataset) -> Entry | None:
        """The newest day that has a package, of the latest days of a dataset; else its last one."""
        there = (entry for entry in dataset.entries if entry.content)
        return next(there, None) or self.entry(dataset.name, dataset.last)

    def entry(self, name: str, day: date) -> Entry | None:
        """A day that has a package, or None."""
        if not is_dataset(name):
            return None
        entry = self._entry(name, self.clock(name), day)
        return entry if entry.content else None

    def check(self, dataset: str, day: date) -> Report:
        """Read every file of a day, and compare it with what its package says.

        Raises UsageError or TransientError when the files cannot be read.
        """
        package = Publication(self.root, dataset, day).package
        with storage_errors(package):
            return verify(package)

    def _entry(self, name: str, clock: Clock, day: date) -> Entry:
        content = read(self.root, name, day)
        # A package that cannot be read says nothing about when it came.
        first = content.first if content else None
        if content and first is None:
            return Entry(day, content, clock.due(day), Punctuality.BY_HAND, timedelta())
        return Entry(day, content, clock.due(day), *clock.judge(day, first))
