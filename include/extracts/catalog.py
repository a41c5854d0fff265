"""What is published below a root folder: its datasets, their days, and the package of a day.

Names come from folder names alone, so that a dataset of many years is listed without opening a package.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from extracts import folder, versions
from extracts.errors import UsageError
from extracts.publication import Publication, Published, is_dataset

_DAY = "dt="


def datasets(root: Path) -> list[str]:
    """The names of the folders in `root` that hold days, sorted. Raises UsageError when it cannot be read."""
    root = Path(root)
    with folder.storage_errors(root):
        names = sorted(entry.name for entry in os.scandir(root) if is_dataset(entry.name) and entry.is_dir())
        return [name for name in names if any(True for _ in _days(root / name))]


def days(root: Path, dataset: str) -> list[date]:
    """The days of `dataset` that have a folder, newest first; none where it has never been published.

    A folder says that somebody began to publish: `read` tells whether there is a package. Raises UsageError
    for a name that is none, and when `root` cannot be read, which is not the same as nothing in it.
    """
    root = Path(root)
    if not is_dataset(dataset):
        raise UsageError(f"dataset {dataset!r} is no name of a dataset: nothing is looked for under it")
    with folder.storage_errors(root):
        try:
            return sorted(_days(root / dataset), reverse=True)
        except FileNotFoundError:
            root.stat()
            return []


def read(root: Path, dataset: str, day: date) -> Published | None:
    """The current version of a day, or None. Raises DataRefused when its package is damaged."""
    return Publication(root, dataset, day).current()


def last(root: Path, dataset: str, *, upto: date) -> Published | None:
    """The newest published day that is not after `upto`, or None when there is none.

    Raises DataRefused, naming it, when that day's package is damaged: an older one is not the last one.
    """
    for day in days(root, dataset):
        if day <= upto and (found := read(root, dataset, day)):
            return found
    return None


def first_published(found: Published) -> datetime | None:
    """When the day had its first version, in UTC: as its package says, else by the oldest version kept."""
    with suppress(ValueError, OverflowError):
        instant = datetime.fromisoformat(str(found.descriptor.get("firstPublished")))
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    kept = versions.present(found.package.parent)
    return versions.instant(kept[0] if kept else found.version)


def day_of_name(name: str) -> date | None:
    """The day that a folder named `name` holds, or None for a folder of something else."""
    with suppress(ValueError):
        day = date.fromisoformat(name.removeprefix(_DAY))
        # fromisoformat also reads other ways of writing a date, under which no reader looks.
        return day if name == f"{_DAY}{day}" else None
    return None


def _days(dataset: Path) -> Iterator[date]:
    with os.scandir(dataset) as entries:
        for entry in entries:
            if (day := day_of_name(entry.name)) and entry.is_dir():
                yield day
