"""Where sets are published: a folder, or a bucket of S3 or of Google Cloud Storage, behind one interface.

    storage = open_storage("s3://bucket/prefix")
    with storage.publication("logistics", day).stage() as stage:
        …  # write files into stage.folder, and stage.add() each
        published = stage.publish(window=window)

The layout is the same everywhere, and so is what a reader may rely on: see `extracts.publication`. What
differs is how a step is made to last, and the guard against two runs at once: a folder has a lock, a bucket
has none (see `extracts.storage.buckets`).
"""

import tempfile
from contextlib import AbstractContextManager, suppress
from datetime import date
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from extracts import catalog
from extracts.errors import TransientError, UsageError
from extracts.package import Descriptor
from extracts.publication import is_dataset
from extracts.stage import Staging
from extracts.storage.folders import FolderStorage
from extracts.storage.locations import UPLOADING, Location

BUCKETS = ("s3", "gs")


class PublishedSet(Protocol):
    """A version of a day's set. `package` as text is the path or the URL of its `datapackage.json`.

    `changed` is False when the data was the same as before, and nothing new was published.
    """

    @property
    def package(self) -> Path | Location: ...
    @property
    def version(self) -> str: ...
    @property
    def changed(self) -> bool: ...
    @property
    def descriptor(self) -> Descriptor: ...


# What a caller writes into, wherever it is published.
Stage = Staging[PublishedSet]


class SetPublication(Protocol):
    """One day's set of a dataset, as `extracts.publication.Publication` has it for a folder."""

    def current(self) -> PublishedSet | None: ...
    def stage(self, *, wait: float = 0) -> AbstractContextManager[Stage]: ...
    def prune(self, keep: int) -> list[str]: ...
    def remove(self) -> bool: ...


class Storage(Protocol):
    """A root below which datasets are published. All methods raise UsageError for what no retry helps."""

    @property
    def url(self) -> str: ...

    def publication(self, dataset: str, day: date) -> SetPublication: ...

    def days(self, dataset: str) -> list[date]:
        """The days of `dataset` that somebody began to publish, newest first."""

    def last(self, dataset: str, *, upto: date) -> PublishedSet | None:
        """The newest published day that is not after `upto`. Raises DataRefused when it is damaged."""

    def maintained(self, dataset: str) -> AbstractContextManager[None]:
        """Days may be removed within: what killed runs left is gone, and a folder's lock is held."""

    def check(self) -> None:
        """Raise UsageError or TransientError unless the root is there and may be written to."""

    def free_bytes(self) -> int | None:
        """How many bytes may be staged, on the local disk; None when it cannot be told."""


def open_storage(url: str, *, work: Path | None = None) -> Storage:
    """The storage at `url`: a path, `file:///path`, `s3://bucket/prefix` or `gs://bucket/prefix`.

    `work` is the local folder in which sets for a bucket are staged (default: that of temporary files).
    Nothing is opened yet: `check` does that. Raises UsageError for a URL that names no storage.
    """
    place = locate(url)
    if isinstance(place, Path):
        return FolderStorage(place)
    from extracts.storage.buckets import BucketStorage

    return BucketStorage(place, work or Path(tempfile.gettempdir()))


def locate(url: str | Path) -> Path | Location:
    """What `url` names: a local path, or a place in a bucket."""
    if isinstance(url, Path):
        return url
    if "://" not in url:
        if not url:
            raise UsageError(
                "no place to publish in: name a folder, s3://bucket/prefix or gs://bucket/prefix"
            )
        return Path(url)
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return Path(unquote(parts.path))
    if parts.scheme not in BUCKETS:
        raise UsageError(f"{url}: no such kind of storage; use a folder, s3://bucket/prefix or gs://…")
    if "@" in parts.netloc:
        raise UsageError(
            f"{parts.scheme}://… has keys in it: name the bucket alone, and set the keys as variables"
        )
    folders = [name for name in parts.path.split("/") if name]
    if not parts.hostname or parts.query or parts.fragment or {".", ".."} & {*folders}:
        raise UsageError(f"{url} names no bucket: write {parts.scheme}://bucket/prefix")
    # obstore is loaded by those who need it: an exporter that writes into a folder does not.
    from extracts.storage.objects import open_bucket

    return Location(open_bucket(parts.scheme, parts.netloc), "/".join(folders))


def of_dataset(url: str | Path) -> tuple[Storage, str]:
    """The storage and the name of the dataset at `url`. Raises UsageError for a root of datasets."""
    place = locate(url)
    if isinstance(place, Path):
        place = place.absolute()
    storage = open_storage(str(place.parent))
    if not is_dataset(place.name) or not storage.days(place.name):
        if names := datasets_in(place):
            raise UsageError(
                f"{url} is a root of datasets, and none itself: name one, such as {place / names[0]}"
            )
        if not is_dataset(place.name):
            raise UsageError(f"{url} names no dataset: write the one that was exported behind its root")
    return storage, place.name


def datasets_in(place: Path | Location) -> list[str]:
    """The datasets with days below a root; none where nothing can be read."""
    if isinstance(place, Path):
        with suppress(UsageError, TransientError):
            return catalog.datasets(place)
        return []
    return [name for name in place.folders() if is_dataset(name) and _has_days(place / name)]


def days_being_published(dataset: Location) -> set[str]:
    """The folders' names of the days of which a version is being uploaded, or was when its run was killed."""
    return {name.partition("/")[0] for name in (dataset / UPLOADING).sizes()}


def _has_days(dataset: Location) -> bool:
    return any(catalog.day_of_name(name) for name in dataset.folders())
