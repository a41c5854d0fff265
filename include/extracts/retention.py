"""Removing the oldest days of a dataset, so that storage does not grow for ever."""

from contextlib import suppress
from datetime import date
from pathlib import Path

from extracts.errors import DataRefused, UsageError
from extracts.storage import Storage, of_dataset


def prune_days(url: str | Path, *, keep: int) -> list[date]:
    """Remove all days of the dataset at `url` but the newest `keep`; returns those removed, newest first.

    Only days with a readable package are counted, so the one that `latest.json` names always stays, and so
    does any day newer than the oldest one kept. A day vanishes for readers in one step, and what a killed
    prune left is removed by the next run. Raises DataRefused when nothing was published, and TransientError
    when a run holds the dataset's folder.
    """
    if keep < 1:
        raise UsageError(f"keep {keep}: at least one day, the newest, has to stay")
    storage, dataset = of_dataset(url)
    if not storage.days(dataset):
        raise DataRefused(f"nothing is published in {url}: is the place right, and did the export ever run?")
    with storage.maintained(dataset):
        return [day for day in _behind(storage, dataset, keep) if storage.publication(dataset, day).remove()]


def _behind(storage: Storage, dataset: str, keep: int) -> list[date]:
    """The days that are older than the newest `keep` with a package."""
    days = storage.days(dataset)
    found = 0
    for number, day in enumerate(days, start=1):
        with suppress(DataRefused):
            found += storage.publication(dataset, day).current() is not None
        if found == keep:
            return days[number:]
    return []
