"""Publishing a set of files so that a reader sees the whole old set or the whole new one.

    <root>/<dataset>/dt=2026-11-21/
        v=20261121T170003Z/     the files; never changed once the package describes them
        datapackage.json        replaced in one step: which version is current
        current -> v=…          for people
    <root>/<dataset>/latest.json    the newest day that has a package

The files are staged beside the days, moved into place as one folder, and are invisible until
`datapackage.json` is replaced; every step is on the disk before the next. Links and `latest.json` follow,
and what a killed run left undone or behind is put right by the next one. A reader opens
`datapackage.json` and the files that it names; where such a file is gone, the set was replaced and its
old version pruned meanwhile, and the package is read again.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from extracts import folder, versions
from extracts.errors import DataRefused, UsageError
from extracts.package import PACKAGE, Descriptor, dump, load, same_data, set_version
from extracts.stage import Staging

LATEST = "latest.json"

_DATASET = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_STAGING = ".staging-"
_LOCK = ".lock"


def is_dataset(name: str) -> bool:
    """Whether `name` may be that of a dataset, which is also a folder's."""
    return _DATASET.fullmatch(name) is not None


def check_dataset(name: str) -> None:
    """Raise UsageError unless `name` may be that of a dataset."""
    if not is_dataset(name):
        raise UsageError(
            f"dataset {name!r} is no name: use small letters, digits, '.', '_' and '-', at most 100"
        )


def latest_of(dataset: str, day: str) -> bytes:
    """The bytes of `latest.json` when `day` is the newest one."""
    content = {"dataset": dataset, "day": day, "package": f"dt={day}/{PACKAGE}"}
    return (json.dumps(content, indent=2) + "\n").encode()


@dataclass(frozen=True)
class Published:
    """A version of a day's set: its folder, the package that makes it current, and what that says.

    `changed` is False when the data was the same as before, and nothing new was published.
    """

    folder: Path
    package: Path
    version: str
    changed: bool
    descriptor: Descriptor


Stage = Staging[Published]


class Publication:
    """One day's set of files of a dataset, below a root folder that must exist."""

    def __init__(self, root: Path, dataset: str, day: date) -> None:
        check_dataset(dataset)
        self.root = Path(root)
        self.dataset = dataset
        self.day = day
        self._dataset_folder = self.root / dataset
        self._folder = self._dataset_folder / f"dt={day:%Y-%m-%d}"
        self._package = self._folder / PACKAGE

    @property
    def package(self) -> Path:
        """The file that says which version is current; there is none before the first."""
        return self._package

    def current(self) -> Published | None:
        """The version that readers see now, or None. Raises DataRefused when its package is damaged."""
        with folder.storage_errors(self._package):
            try:
                descriptor = load(self._package)
            except FileNotFoundError:
                return None
        version = str(descriptor.get("version"))
        return Published(versions.path(self._folder, version), self._package, version, False, descriptor)

    @contextmanager
    def stage(self, *, wait: float = 0) -> Iterator[Stage]:
        """A new folder to write the set's files into; what is not published from it is removed.

        Raises TransientError when another run still publishes this dataset after `wait` seconds, or the
        disk is full; UsageError when the root folder is missing or may not be written.
        """
        with self.maintained(wait):
            with folder.storage_errors(self._dataset_folder):
                staging = self._dataset_folder / f"{_STAGING}{secrets.token_hex(4)}"
                folder.make_folder(staging)
            try:
                with folder.full_disk_errors(staging):
                    yield Stage(self.dataset, self.day, staging, self._publish)
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def prune(self, keep: int) -> list[str]:
        """Remove this day's old versions but the newest `keep`, the current one counted; returns their names.

        To be called after a successful publication. The current version is never removed.
        """
        with self._locked(), folder.storage_errors(self._folder):
            current = self.current()
            surplus = versions.surplus(
                versions.present(self._folder), current.version if current else None, keep
            )
            for version in surplus:
                shutil.rmtree(versions.path(self._folder, version))
            return surplus

    @contextmanager
    def maintained(self, wait: float = 0) -> Iterator[None]:
        """Hold the dataset, with what killed runs left finished or removed. Raises as `stage` does."""
        with self._locked(wait):
            with folder.storage_errors(self._dataset_folder):
                self._put_right()
            yield

    def remove(self) -> bool:
        """Remove the whole day, which readers lose in one step; False where there is none.

        To be called while the dataset is `maintained`. What a kill leaves behind is removed by the next one.
        """
        with folder.storage_errors(self._folder):
            leftover = self._dataset_folder / f"{_STAGING}{secrets.token_hex(4)}"
            try:
                folder.move_folder(self._folder, leftover)
            except FileNotFoundError:
                return False
            shutil.rmtree(leftover)
            return True

    @contextmanager
    def _locked(self, wait: float = 0) -> Iterator[None]:
        with ExitStack() as stack:
            with folder.storage_errors(self.root):
                if not self.root.is_dir():
                    raise UsageError(f"no folder {self.root} to publish in: create it, or mount its volume")
                folder.make_folder(self._dataset_folder)
                stack.enter_context(folder.lock(self._dataset_folder / _LOCK, wait=wait))
            yield

    def _publish(self, staged: Path, descriptor: Descriptor) -> Published:
        with folder.storage_errors(self._folder):
            try:
                current = self.current()
            except DataRefused:
                current = None
            if (
                current
                and same_data(current.descriptor, descriptor)
                and versions.is_whole(self._folder, current.descriptor)
            ):
                self._settle()
                return current
            version = versions.following(
                versions.present(self._folder), current.descriptor if current else {}
            )
            versioned = versions.path(self._folder, version)
            set_version(descriptor, version, current.descriptor if current else {})
            folder.make_folder(self._folder)
            folder.move_folder(staged, versioned)
            try:
                folder.replace_file(self._package, dump(descriptor))
            except BaseException:
                with suppress(OSError):
                    versions.tidy(self._folder)
                raise
            self._settle()
            return Published(versioned, self._package, version, True, descriptor)

    def _put_right(self) -> None:
        """Finish or remove what killed runs left; nothing of a live one, because the lock is held."""
        for leftover in self._dataset_folder.glob(f"{_STAGING}*"):
            shutil.rmtree(leftover)
        for leftover in self._dataset_folder.glob(folder.TEMPORARY):
            leftover.unlink()
        for day in self._dataset_folder.glob("dt=*/"):
            versions.tidy(day)
        self._point_latest()

    def _settle(self) -> None:
        """Make what only helps people and schedulers follow the package."""
        folder.sync(self._folder)
        versions.tidy(self._folder)
        self._point_latest()

    def _point_latest(self) -> None:
        """Name the newest day with a package: looked up each time, so a backfill does not move it back."""
        latest = self._dataset_folder / LATEST
        for day in sorted(self._dataset_folder.glob("dt=*/"), reverse=True):
            with suppress(FileNotFoundError, DataRefused):
                load(day / PACKAGE)
                data = latest_of(self.dataset, day.name[3:])
                if not latest.is_file() or latest.read_bytes() != data:
                    folder.replace_file(latest, data)
                return
