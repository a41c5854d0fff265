"""The versions of one day's set: their names, and their folders kept in step with the package."""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from extracts import folder
from extracts.errors import DataRefused, UsageError
from extracts.package import PACKAGE, Descriptor, load

_NAME = re.compile(r"\d{8}T\d{6}Z")
_FORMAT = "%Y%m%dT%H%M%SZ"
_CURRENT = "current"


def path(day: Path, version: str) -> Path:
    """The folder of a version."""
    return day / f"v={version}"


def present(day: Path) -> list[str]:
    """The versions that have a folder, described or not, oldest first."""
    return sorted(found.name[2:] for found in day.glob("v=*/") if instant(found.name[2:]))


def instant(version: str) -> datetime | None:
    """When a version was made, in UTC, or None for what is no version's name."""
    if not _NAME.fullmatch(version):
        return None
    with suppress(ValueError):
        return datetime.strptime(version, _FORMAT).replace(tzinfo=UTC)
    return None


def surplus(present: Iterable[str], current: str | None, keep: int) -> list[str]:
    """Those that need not stay: older than the `current` one, and not among the newest `keep`, it counted.

    None where there is no current one. Raises UsageError for a `keep` that would not even leave that.
    """
    if keep < 1:
        raise UsageError(f"keep {keep}: at least one version, the current one, has to stay")
    older = sorted(version for version in present if current and version < current)
    return older[: max(0, len(older) - (keep - 1))]


def following(present: Iterable[str], before: Descriptor) -> str:
    """The next version's name: the time in UTC, or just after the last one where the clock is behind that.

    After all that are `present`, and after that of the package `before`, which is `{}` where there is none.

    So two versions in one second, or a clock that was set back, neither collide nor sort wrongly.
    """
    taken = [instant(version) for version in (*present, str(before.get("version")))]
    after = [time + timedelta(seconds=1) for time in taken if time]
    return f"{max([_now(), *after]):{_FORMAT}}"


def is_whole(day: Path, descriptor: Descriptor) -> bool:
    """Whether every file of the package is there, to the byte."""
    with suppress(OSError):
        return all(folder.sha256(day / item["path"]) == item.get("hash") for item in descriptor["resources"])
    return False


def tidy(day: Path) -> None:
    """Remove temporary files and versions that were never described, and set the link `current` right.

    Only what can be nothing else is removed: where a package is damaged or was lost, all versions stay.
    """
    for leftover in day.glob(folder.TEMPORARY):
        leftover.unlink()
    link = day / _CURRENT
    versions = present(day)
    # The link follows the package, so one that names the newest version says that all is well.
    if not versions or (link.is_symlink() and str(link.readlink()) == f"v={versions[-1]}"):
        return
    try:
        described: str | None = str(load(day / PACKAGE).get("version"))
    except FileNotFoundError:
        # A link says that there was a package once.
        described = None if link.is_symlink() else ""
    except DataRefused:
        described = None
    if described is None or (described and described not in versions):
        return
    for version in versions:
        if version > described:
            shutil.rmtree(path(day, version))
    if described:
        folder.replace_link(link, f"v={described}")


def _now() -> datetime:
    return datetime.now(UTC)
