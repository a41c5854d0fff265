"""Publishing in a folder: `extracts.publication` and `extracts.catalog` as a storage."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from extracts import catalog, folder
from extracts.errors import UsageError
from extracts.publication import Publication, Published


class FolderStorage:
    """A root folder, which must exist; stages are made in it, beside what they become."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        return str(self.root)

    def publication(self, dataset: str, day: date) -> Publication:
        return Publication(self.root, dataset, day)

    def days(self, dataset: str) -> list[date]:
        return catalog.days(self.root, dataset)

    def last(self, dataset: str, *, upto: date) -> Published | None:
        return catalog.last(self.root, dataset, upto=upto)

    @contextmanager
    def maintained(self, dataset: str) -> Iterator[None]:
        with Publication(self.root, dataset, date.min).maintained():
            yield

    def check(self) -> None:
        with folder.storage_errors(self.root):
            if not self.root.is_dir():
                raise UsageError(f"no folder {self.root} to publish in: create it, or mount its volume")
            # What a write says is true where rights alone are not: read-only mounts, full disks, root.
            with tempfile.TemporaryFile(dir=self.root) as probe:
                probe.write(b"\n")

    def free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self.root).free
        except OSError:
            return None
