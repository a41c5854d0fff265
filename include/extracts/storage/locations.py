"""A place in a bucket, with those methods of a path by which a published set is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from extracts.folder import full_disk_errors

if TYPE_CHECKING:
    from extracts.storage.objects import Bucket

# Below a dataset: a note for each version that is being uploaded.
UPLOADING = ".uploading"


@dataclass(frozen=True)
class Location:
    """An object, or all objects below a key; as text, its URL. The empty key is the bucket."""

    bucket: Bucket
    key: str

    def __truediv__(self, name: str) -> Location:
        return Location(self.bucket, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        return f"{self.bucket.url}/{self.key}" if self.key else self.bucket.url

    @property
    def name(self) -> str:
        return PurePosixPath(self.key).name

    @property
    def parent(self) -> Location:
        return Location(self.bucket, self.key.rpartition("/")[0])

    def read_bytes(self) -> bytes:
        """The object's bytes. Raises FileNotFoundError when there is none."""
        return self.bucket.read(self.key)

    def folders(self) -> list[str]:
        """The names of the folders in this one, sorted."""
        return self.bucket.folders(self.key)

    def sizes(self) -> dict[str, int]:
        """The bytes of all objects below, by their names from here (`v=…/orders.csv`)."""
        start = len(self.key) + 1 if self.key else 0
        return {key[start:]: size for key, size in self.bucket.sizes(self.key).items()}

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """The object as a local file, removed afterwards. Raises FileNotFoundError when there is none."""
        with TemporaryDirectory(prefix="extracts-") as folder:
            path = Path(folder) / self.name
            with full_disk_errors(path.parent):
                self.bucket.fetch(self.key, path)
            yield path
