"""Checking published sets against what their packages say, as a reader would find them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from extracts import folder
from extracts.errors import DataRefused, UsageError
from extracts.formats.machine import count_rows
from extracts.package import PACKAGE, Descriptor, load
from extracts.storage import datasets_in, days_being_published, locate
from extracts.storage.locations import Location

Place = Path | Location

_ATTEMPTS = 3


@dataclass(frozen=True)
class Problem:
    """What is wrong with a package, or with one of its resources."""

    package: Place
    resource: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.package}{f', {self.resource}' if self.resource else ''}: {self.text}"


@dataclass
class Report:
    """What was checked, and what was found wrong. As text, a line for each problem and one of totals."""

    path: Place
    packages: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def raise_for_problems(self) -> None:
        """Raise DataRefused with the whole report unless all is well."""
        if self.problems:
            raise DataRefused(str(self))

    def __str__(self) -> str:
        verdict = f"problems: {len(self.problems)}" if self.problems else "all as described"
        checked = f"packages: {self.packages}, files: {self.files}, rows: {self.rows}, bytes: {self.bytes}"
        total = f"{self.path}: {verdict} ({checked})"
        return "\n".join([*map(str, self.problems), total])


def verify(path: Path | str) -> Report:
    """Check a package (`datapackage.json`, or the folder of its day) or every day of a dataset's folder.

    `path` may be the URL of any of these in a bucket, whose files are fetched one by one. Checked are sizes,
    checksums, numbers of rows, files that are missing or that nothing describes, and paths that lead out of
    the set. Problems are reported, not raised; UsageError is raised for a root of several datasets,
    TransientError when a bucket does not answer.
    """
    place = locate(path)
    report = Report(place)
    for package in _packages(place):
        _check_package(package, report)
    return report


def _packages(place: Place) -> list[Place]:
    if place.name == PACKAGE:
        return [place]
    if isinstance(place, Path):
        days = sorted(day.name for day in place.glob("dt=*/"))
    else:
        # A first version takes minutes to upload, and is nothing to complain of meanwhile.
        begun = days_being_published(place)
        days = [
            day
            for day in place.folders()
            if day.startswith("dt=")
            and (_bytes_of(place / day / PACKAGE) is not None or (day not in begun and (place / day).sizes()))
        ]
    if days:
        return [place / day / PACKAGE for day in days]
    if _bytes_of(place / PACKAGE) is None and (names := datasets_in(place)):
        raise UsageError(
            f"{place} is a root of datasets, and none itself: name one, such as {place / names[0]}"
        )
    return [place / PACKAGE]


def _check_package(package: Place, report: Report) -> None:
    for _ in range(_ATTEMPTS):
        found = Report(package)
        before = _bytes_of(package)
        problems = list(_problems(package, found))
        # Replaced and pruned while it was being read: what counts is the set that is current now.
        if not problems or _bytes_of(package) == before:
            break
    report.packages += found.packages
    report.files += found.files
    report.rows += found.rows
    report.bytes += found.bytes
    report.problems += problems


def _problems(package: Place, report: Report) -> Iterator[Problem]:
    try:
        descriptor = load(package)
    except DataRefused as error:
        yield Problem(package, None, str(error))
        return
    except OSError as error:
        yield Problem(
            package,
            None,
            f"no package can be read there ({error.strerror}): is the place right? then publish it again",
        )
        return
    report.packages += 1
    day = package.parent
    inside = [str(item["path"]) for item in descriptor["resources"] if _is_inside(day, str(item["path"]))]
    present = _present(day, {path.rpartition("/")[0] for path in inside})
    for item in descriptor["resources"]:
        for text in _resource_problems(day, item, report, present):
            yield Problem(package, str(item.get("name", item["path"])), text)
    for extra in sorted(present.keys() - inside):
        yield Problem(package, None, f"{extra} is not described: remove it")


def _present(day: Place, folders: set[str]) -> dict[str, int | None]:
    """The bytes of all that is in these folders of a day, by names from there; None for what is no file."""
    if isinstance(day, Location):
        starts = tuple(f"{folder}/" for folder in folders)
        return {name: size for name, size in day.sizes().items() if name.startswith(starts)}
    return {
        str(path.relative_to(day)): path.stat().st_size if path.is_file() else None
        for folder in folders
        if (day / folder).is_dir()
        for path in (day / folder).iterdir()
    }


def _resource_problems(
    day: Place, item: Descriptor, report: Report, present: dict[str, int | None]
) -> Iterator[str]:
    path = item["path"]
    if not _is_inside(day, path):
        yield f"path {path!r} leads out of the set: it was not opened"
        return
    if (size := present.get(path)) is None:
        yield f"{path} is missing"
        return
    report.files += 1
    report.bytes += size
    if size != item.get("bytes"):
        yield f"{path} has {size} bytes, and not {item.get('bytes')}"
        return
    with _local(day / path) as file:
        if (digest := folder.sha256(file)) != item.get("hash"):
            yield f"{path} has checksum {digest}, and not {item.get('hash')}"
        elif item.get("format") == "csv":
            yield from _row_problems(file, item, report)


def _row_problems(file: Path, item: Descriptor, report: Report) -> Iterator[str]:
    try:
        rows = count_rows(file)
    except UsageError as error:
        yield str(error).replace(str(file), item["path"])
        return
    report.rows += rows
    if rows != item.get("rows"):
        yield f"{item['path']} has {rows} rows, and not {item.get('rows')}"


@contextmanager
def _local(file: Place) -> Iterator[Path]:
    if isinstance(file, Path):
        yield file
    else:
        with file.fetched() as local:
            yield local


def _is_inside(day: Place, path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in path or ":" in path:
        return False
    if isinstance(day, Location):
        return True
    try:
        return (day / path).resolve().is_relative_to(day.resolve())
    except ValueError:
        # Characters that no file's name can have.
        return False


def _bytes_of(package: Place) -> bytes | None:
    try:
        return package.read_bytes()
    except OSError:
        return None
