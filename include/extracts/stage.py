"""The folder that a set's files are written into before they are published, wherever that is.

The stage measures the files itself (size, checksum, rows), so that a package says what is there and not
what a job believes that it wrote.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Generic, TypeVar

from extracts import folder
from extracts.errors import UsageError
from extracts.formats.machine import count_rows
from extracts.package import Descriptor, describe, resource
from extracts.window import Window

P = TypeVar("P", covariant=True)


class Staging(Generic[P]):
    """A folder that becomes a version: write files into `folder`, `add` each, then `publish`.

    `store` takes the folder and the package that describes it to where readers find them.
    """

    def __init__(
        self, dataset: str, day: date, staging: Path, store: Callable[[Path, Descriptor], P]
    ) -> None:
        self.folder = staging
        self._dataset = dataset
        self._day = day
        self._store = store
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
    ) -> P:
        """Make the staged files the day's current set, unless they are what readers have already.

        Raises UsageError when files and descriptions disagree, TransientError for a full disk or a storage
        error: readers then have the old set, or, where the last step failed, the new one.
        """
        with folder.storage_errors(self.folder):
            resources = self._measured()
        descriptor = describe(
            self._dataset,
            self._day,
            resources,
            window=window,
            snapshot_time=snapshot_time,
            properties=properties or {},
        )
        return self._store(self.folder, descriptor)

    def _measured(self) -> list[Descriptor]:
        """The resources with size, checksum and rows, their files safely on the disk."""
        found = {path.name for path in self.folder.iterdir() if path.is_file() and not path.is_symlink()}
        if not self._resources:
            raise UsageError(f"nothing to publish in {self._dataset}: add the files first")
        if missing := sorted(self._resources.keys() - found):
            raise UsageError(f"described, but not a file in {self.folder}: {', '.join(missing)}")
        if undescribed := sorted({path.name for path in self.folder.iterdir()} - self._resources.keys()):
            raise UsageError(
                f"in {self.folder}, but not described: {', '.join(undescribed)}; add or remove it"
            )
        # The disk and the processor need not wait for each other.
        with ThreadPoolExecutor(max_workers=1) as pool:
            files = [self.folder / name for name in self._resources]
            synced = pool.map(folder.sync, [*files, self.folder])
            measured = [self._measure(name, item) for name, item in self._resources.items()]
            # What went wrong is raised here.
            list(synced)
        return measured

    def _measure(self, name: str, item: Descriptor) -> Descriptor:
        path = self.folder / name
        size = {"bytes": path.stat().st_size, "hash": folder.sha256(path)}
        if item.get("format") == "csv" and "rows" not in item:
            size["rows"] = count_rows(path)
        return {**item, **size}
