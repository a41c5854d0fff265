"""What a day's Data Package says, read so that whatever stands in it can be shown.

A package is a file that others can write: a value of another type than expected is left out, and only a file
that stands where the publication puts it is one of the set.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from extracts import catalog, versions
from extracts.errors import DataRefused
from extracts.publication import Published


@dataclass(frozen=True)
class File:
    """A file of a set, as described; `problem` is the key of what is wrong with it, or None.

    `title` is what its package calls it or says of it.

    `place` is where it can be read, or None when it is not to be served.
    """

    name: str
    title: str
    rows: int | None
    bytes: int | None
    digest: str
    problem: str | None
    found: int | None
    place: str | None


@dataclass(frozen=True)
class Held:
    """What was held back, or released by somebody, and why."""

    name: str
    reason: str
    by: str


@dataclass(frozen=True)
class Day:
    """A day that has a package; `refused` says why it cannot be used, and then the rest is empty.

    `first` is when it was first published, `replaced` when the current version was, where that is another.
    `window` is the span of time whose rows it holds, where that is stated.
    """

    day: date
    refused: str = ""
    first: datetime | None = None
    replaced: datetime | None = None
    rows: int | None = None
    files: tuple[File, ...] = ()
    held: tuple[Held, ...] = ()
    released: tuple[Held, ...] = ()
    window: tuple[datetime, datetime] | None = None
    run: tuple[str, str] | None = None

    @property
    def bytes(self) -> int:
        """The size of all files, as described."""
        return sum(file.bytes or 0 for file in self.files)

    @property
    def whole(self) -> bool:
        """Whether every file is there at its size."""
        return not self.refused and not any(file.problem for file in self.files)


def read(root: Path, dataset: str, day: date) -> Day | None:
    """The day as its package describes it, its files looked for but not opened; None without a package."""
    try:
        found = catalog.read(root, dataset, day)
    except DataRefused as error:
        return Day(day, refused=str(error))
    if found is None:
        return None
    described = found.descriptor
    version = versions.instant(found.version)
    first = catalog.first_published(found)
    stated = described.get("firstPublished")
    # Where the package says when its day was first published, that is the time at which it was written.
    is_first = described.get("created") == stated if stated else version == first
    return Day(
        day,
        first=first,
        replaced=None if is_first else version,
        rows=_rows(described),
        files=tuple(_files(found, at_its_place=version is not None)),
        held=tuple(_held(described.get("held"))),
        released=tuple(_held(described.get("released"))),
        window=_window(described.get("window")),
        run=_run(described.get("run")),
    )


def _rows(described: dict[str, Any]) -> int | None:
    """The rows of a set: as its package says, else those of its tables, which other formats repeat."""
    stated = _count(described.get("rows"))
    if stated is not None:
        return stated
    resources = described["resources"]
    tables = [item for item in resources if item.get("type") == "table"]
    counts = [_count(item.get("rows")) for item in tables or resources]
    return sum(filter(None, counts)) if any(count is not None for count in counts) else None


def _files(found: Published, *, at_its_place: bool) -> Iterator[File]:
    present = _regular_files(found.folder) if at_its_place else {}
    for item in found.descriptor["resources"]:
        folder, _, name = item["path"].rpartition("/")
        size = _count(item.get("bytes"))
        entry = present.get(name)
        bytes_there = None
        if entry:
            with suppress(OSError):
                bytes_there = entry.stat(follow_symlinks=False).st_size
        problem = None
        if folder != found.folder.name or not name or "\\" in name:
            problem = "outside"
        elif bytes_there is None:
            problem = "gone"
        elif bytes_there != size:
            problem = "resized"
        yield File(
            name=name if problem != "outside" else item["path"],
            title=str(item.get("title") or item.get("description") or ""),
            rows=_count(item.get("rows")),
            bytes=size,
            digest=str(item.get("hash") or "").removeprefix("sha256:"),
            problem=problem,
            found=bytes_there,
            place=entry.path if entry and problem is None else None,
        )


def _regular_files(version: Path) -> dict[str, os.DirEntry[str]]:
    """The files that stand in a version's folder itself: no links, which may lead anywhere."""
    with suppress(OSError):
        if not version.is_symlink():
            with os.scandir(version) as entries:
                return {entry.name: entry for entry in entries if entry.is_file(follow_symlinks=False)}
    return {}


def _held(listed: object) -> Iterator[Held]:
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict):
            yield Held(*(str(item.get(key) or "") for key in ("name", "reason", "by")))


def _window(described: object) -> tuple[datetime, datetime] | None:
    if not isinstance(described, dict):
        return None
    with suppress(TypeError, ValueError):
        start, end = (datetime.fromisoformat(described[key]) for key in ("start", "end") if key in described)
        if start.tzinfo and end.tzinfo and start < end:
            return start, end
    return None


def _run(described: object) -> tuple[str, str] | None:
    if isinstance(described, dict):
        dag, run = described.get("dag"), described.get("id")
        if isinstance(dag, str) and isinstance(run, str) and dag and run:
            return dag, run
    return None


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
