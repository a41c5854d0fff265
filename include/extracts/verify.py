"""Checking published sets against what their packages say, as a reader would find them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from extracts import folder
from extracts.errors import DataRefused, UsageError
from extracts.formats import count_rows
from extracts.package import PACKAGE, Descriptor, load

_ATTEMPTS = 3


@dataclass(frozen=True)
class Problem:
    """What is wrong with a package, or with one of its resources."""

    package: Path
    resource: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.package}{f', {self.resource}' if self.resource else ''}: {self.text}"


@dataclass
class Report:
    """What was checked, and what was found wrong. As text, a line for each problem and one of totals."""

    path: Path
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


def verify(path: Path) -> Report:
    """Check a package (`datapackage.json`, or the folder of its day) or every day of a dataset's folder.

    Sizes, checksums, numbers of rows, files that are missing or that nothing describes, and paths that lead
    out of the set. Problems are reported, not raised.
    """
    path = Path(path)
    report = Report(path)
    days = sorted(path.glob("dt=*/"))
    packages = [day / PACKAGE for day in days] or [path if path.name == PACKAGE else path / PACKAGE]
    for package in packages:
        _check_package(package, report)
    return report


def _check_package(package: Path, report: Report) -> None:
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


def _problems(package: Path, report: Report) -> Iterator[Problem]:
    try:
        descriptor = load(package)
    except DataRefused as error:
        yield Problem(package, None, str(error))
        return
    except OSError as error:
        yield Problem(
            package, None, f"no package can be read there ({error.strerror}): publish this day again"
        )
        return
    report.packages += 1
    described: set[Path] = set()
    for item in descriptor["resources"]:
        for text in _resource_problems(package.parent, item, report, described):
            yield Problem(package, str(item.get("name", item["path"])), text)
    for directory in {path.parent for path in described if path.parent.is_dir()}:
        for extra in sorted(set(directory.iterdir()) - described):
            yield Problem(package, None, f"{extra.relative_to(package.parent)} is not described: remove it")


def _resource_problems(day: Path, item: Descriptor, report: Report, described: set[Path]) -> Iterator[str]:
    path = day / item["path"]
    if not _is_inside(day, str(item["path"])):
        yield f"path {item['path']!r} leads out of the set: it was not opened"
        return
    described.add(path)
    if not path.is_file():
        yield f"{item['path']} is missing"
        return
    size = path.stat().st_size
    report.files += 1
    report.bytes += size
    if size != item.get("bytes"):
        yield f"{item['path']} has {size} bytes, and not {item.get('bytes')}"
        return
    if (digest := folder.sha256(path)) != item.get("hash"):
        yield f"{item['path']} has checksum {digest}, and not {item.get('hash')}"
        return
    if item.get("format") == "csv" and item.get("compression") in (None, "gz"):
        yield from _row_problems(path, item, report)


def _row_problems(path: Path, item: Descriptor, report: Report) -> Iterator[str]:
    try:
        rows = count_rows(path)
    except UsageError as error:
        yield str(error)
        return
    report.rows += rows
    if rows != item.get("rows"):
        yield f"{item['path']} has {rows} rows, and not {item.get('rows')}"


def _is_inside(day: Path, path: str) -> bool:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in path or ":" in path:
        return False
    try:
        return (day / path).resolve().is_relative_to(day.resolve())
    except ValueError:
        # Characters that no file's name can have.
        return False


def _bytes_of(package: Path) -> bytes | None:
    try:
        return package.read_bytes()
    except OSError:
        return None
