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
from datetime import date, datetime
from pathlib import Path

from extracts import folder, versions
from extracts.errors import DataRefused, UsageError
from extracts.formats import count_rows
from extracts.package import PACKAGE, Descriptor, describe, dump, load, resource, same_data
from extracts.window import Window

LATEST = "latest.json"

_DATASET = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_STAGING = ".staging-"
_LOCK = ".lock"


def is_dataset(name: str) -> bool:
    """Whether `name` may be that of a dataset, which is also a folder's."""
    return _DATASET.fullmatch(name) is not None


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


class Publication:
    """One day's set of files of a dataset, below a root folder that must exist."""

    def __init__(self, root: Path, dataset: str, day: date) -> None:
        if not is_dataset(dataset):
            raise UsageError(
                f"dataset {dataset!r} is no name: use small letters, digits, '.', '_' and '-', at most 100"
            )
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
    def stage(self, *, wait: float = 0) -> Iterator["Stage"]:
        """A new folder to write the set's files into; what is not published from it is removed.

        Raises TransientError when another run still publishes this dataset after `wait` seconds, or the
        disk is full; UsageError when the root folder is missing or may not be written.
        """
        with self._locked(wait):
            with folder.storage_errors(self._dataset_folder):
                self._put_right()
                staging = self._dataset_folder / f"{_STAGING}{secrets.token_hex(4)}"
                folder.make_folder(staging)
            try:
                with folder.full_disk_errors(staging):
                    yield Stage(self, staging)
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def prune(self, keep: int) -> list[str]:
        """Remove this day's old versions but the newest `keep`, the current one counted; returns their names.

        To be called after a successful publication. The current version is never removed.
        """
        if keep < 1:
            raise UsageError(f"keep {keep}: at least one version, the current one, has to stay")
        with self._locked(), folder.storage_errors(self._folder):
            current = self.current()
            if current is None:
                return []
            older = [version for version in versions.present(self._folder) if version < current.version]
            surplus = older[: max(0, len(older) - (keep - 1))]
            for version in surplus:
                shutil.rmtree(versions.path(self._folder, version))
            return surplus

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
            version = versions.following(self._folder, current.version if current else None)
            versioned = versions.path(self._folder, version)
            descriptor["version"] = version
            # Whether a day was on time is told by its first version, which may be pruned.
            first = current.descriptor if current else descriptor
            descriptor["firstPublished"] = first.get("firstPublished") or first.get("created")
            for item in descriptor["resources"]:
                item["path"] = f"{versioned.name}/{item['path']}"
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
                content = {"dataset": self.dataset, "day": day.name[3:], "package": f"{day.name}/{PACKAGE}"}
                data = (json.dumps(content, indent=2) + "\n").encode()
                if not latest.is_file() or latest.read_bytes() != data:
                    folder.replace_file(latest, data)
                return


class Stage:
    """A folder that becomes a version: write files into `folder`, `add` each, then `publish`."""

    def __init__(self, publication: Publication, staging: Path) -> None:
        self.folder = staging
        self._publication = publication
        self._resources: dict[str, Descriptor] = {}
        self._taken: set[tuple[str, str]] = set()

    def add(
        self,
        name: str,
        *,
        rows: int | None = None,
        schema: Descriptor | None = None,
        dialect: Descriptor | None = None,
        title: str | None = None,
        description: str | None = None,
    ) -> None:
        """Describe the file `name` in the stage's folder; a CSV's rows are counted where not given."""
        item = resource(name, rows=rows, schema=schema, dialect=dialect, title=title, description=description)
        # Two names that differ by case only are one file on some of the readers' disks.
        identities = {("name", item["name"]), ("file", name.lower())}
        if identities & self._taken:
            raise UsageError(
                f"{name!r} is in the set already, as resource {item['name']!r}: choose another name"
            )
        self._taken |= identities
        self._resources[name] = item

    def publish(
        self,
        *,
        window: Window | None = None,
        snapshot_time: datetime | None = None,
        properties: Descriptor | None = None,
    ) -> Published:
        """Make the staged files the day's current set, unless they are what readers have already.

        Raises UsageError when files and descriptions disagree, TransientError for a full disk or a storage
        error: readers then have the old set, or, where the last step failed, the new one.
        """
        with folder.storage_errors(self.folder):
            resources = self._measured()
        descriptor = describe(
            self._publication.dataset,
            self._publication.day,
            resources,
            window=window,
            snapshot_time=snapshot_time,
            properties=properties or {},
        )
        return self._publication._publish(self.folder, descriptor)

    def _measured(self) -> list[Descriptor]:
        """The resources with size, checksum and rows, their files safely on the disk."""
        found = {path.name for path in self.folder.iterdir() if path.is_file() and not path.is_symlink()}
        if not self._resources:
            raise UsageError(f"nothing to publish in {self._publication.dataset}: add the files first")
        if missing := sorted(self._resources.keys() - found):
            raise UsageError(f"described, but not a file in {self.folder}: {', '.join(missing)}")
        if undescribed := sorted({path.name for path in self.folder.iterdir()} - self._resources.keys()):
            raise UsageError(
                f"in {self.folder}, but not described: {', '.join(undescribed)}; add or remove it"
            )
        measured = []
        for name, item in self._resources.items():
            path = self.folder / name
            folder.sync(path)
            size = {"bytes": path.stat().st_size, "hash": folder.sha256(path)}
            if item.get("format") == "csv" and "rows" not in item and item.get("compression") in (None, "gz"):
                size["rows"] = count_rows(path)
            measured.append({**item, **size})
        folder.sync(self.folder)
        return measured
