"""Publishing in a bucket: the layout and the promise of `extracts.publication`, made of single objects.

    <prefix>/<dataset>/dt=2026-11-21/
        v=20261121T170003Z/     the files, uploaded here; invisible until the package names them
        datapackage.json        replaced in one step: which version is current
    <prefix>/<dataset>/latest.json          the newest day that has a package
    <prefix>/<dataset>/.uploading/dt=…/v=…  while that version is being uploaded

The note in `.uploading` is written before the first file and removed after the package: what a killed run
left is a version that has a note, but is not the current one, and the next run of the dataset removes it. It
does so when it has published, and not sooner: by then a last request of the killed run has long been served.

There is no lock in a bucket. What keeps two runs of a dataset apart is the caller's to hold: the export's
advisory lock in PostgreSQL. Parts of uploads that were killed are kept by the bucket, hidden: let a lifecycle
rule (AbortIncompleteMultipartUpload) remove them after some days.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from extracts import catalog, folder, versions
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.package import PACKAGE, Descriptor, dump, load, same_data, set_version
from extracts.publication import LATEST, check_dataset, latest_of
from extracts.stage import Staging
from extracts.storage.locations import UPLOADING, Location

_PROBE = ".extracts-check"


@dataclass(frozen=True)
class PublishedObjects:
    """A version of a day's set in a bucket, as `extracts.publication.Published` is one in a folder."""

    folder: Location
    package: Location
    version: str
    changed: bool
    descriptor: Descriptor


class BucketStorage:
    """A root in a bucket; stages are made in the local folder `work`."""

    def __init__(self, root: Location, work: Path) -> None:
        self.root = root
        self.work = work

    @property
    def url(self) -> str:
        return str(self.root)

    def publication(self, dataset: str, day: date) -> "BucketPublication":
        return BucketPublication(self.root, dataset, day, self.work)

    def days(self, dataset: str) -> list[date]:
        check_dataset(dataset)
        return days_in(self.root / dataset)

    def last(self, dataset: str, *, upto: date) -> PublishedObjects | None:
        for day in self.days(dataset):
            if day <= upto and (found := self.publication(dataset, day).current()):
                return found
        return None

    @contextmanager
    def maintained(self, dataset: str) -> Iterator[None]:
        self.publication(dataset, date.min).put_right()
        yield

    def check(self) -> None:
        with folder.storage_errors(self.work):
            if not self.work.is_dir():
                raise UsageError(f"no folder {self.work} to stage files in: create it, or choose another one")
        probe = self.root / _PROBE
        probe.bucket.write(probe.key, b"\n")
        self.root.folders()
        probe.bucket.delete(probe.key)

    def free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self.work).free
        except OSError:
            return None


class BucketPublication:
    """One day's set of files of a dataset in a bucket."""

    def __init__(self, root: Location, dataset: str, day: date, work: Path) -> None:
        check_dataset(dataset)
        self.dataset = dataset
        self.day = day
        self._work = work
        self._bucket = root.bucket
        self._dataset_folder = root / dataset
        self._folder = self._dataset_folder / f"dt={day}"
        self._package = self._folder / PACKAGE

    @property
    def package(self) -> Location:
        """The object that says which version is current; there is none before the first."""
        return self._package

    def current(self) -> PublishedObjects | None:
        """The version that readers see now, or None. Raises DataRefused when its package is damaged."""
        try:
            descriptor = load(self._package)
        except FileNotFoundError:
            return None
        return self._published(descriptor, changed=False)

    @contextmanager
    def stage(self, *, wait: float = 0) -> Iterator[Staging[PublishedObjects]]:
        """A new local folder to write the set's files into, removed at the end.

        `wait` has no meaning here: there is no lock to wait for. Raises TransientError when the storage
        does not answer or the local disk is full.
        """
        with ExitStack() as stack:
            with folder.storage_errors(self._work):
                staging = stack.enter_context(folder.scratch(self._work))
            with folder.full_disk_errors(staging):
                yield Staging(self.dataset, self.day, staging, self._publish)

    def prune(self, keep: int) -> list[str]:
        """Remove this day's old versions but the newest `keep`, the current one counted; returns their names.

        To be called after a successful publication. The current version is never removed.
        """
        current = self.current()
        objects = self._folder.sizes()
        surplus = versions.surplus(_versions(objects), current.version if current else None, keep)
        self._bucket.delete(*(f"{self._folder.key}/{name}" for name in objects if _version(name) in surplus))
        return surplus

    def remove(self) -> bool:
        """Remove the whole day, which readers lose in one step; False where there is none.

        What a kill leaves behind is no longer described, and is removed by the next call.
        """
        objects = self._folder.sizes()
        self._bucket.delete(self._package.key)
        self._bucket.delete(*(f"{self._folder.key}/{name}" for name in objects))
        return bool(objects)

    def put_right(self) -> None:
        """Remove what killed runs uploaded for this dataset, and let `latest.json` name its newest day."""
        notes = self._dataset_folder / UPLOADING
        for name in notes.sizes():
            day, _, version = name.partition("/v=")
            try:
                described = str(load(self._dataset_folder / day / PACKAGE).get("version"))
            except FileNotFoundError:
                described = ""
            except DataRefused:
                # It cannot be told whether readers had this version: it stays until the day has a package.
                continue
            uploaded = self._dataset_folder / day / f"v={version}"
            if version != described:
                self._bucket.delete(*(f"{uploaded.key}/{file}" for file in uploaded.sizes()))
            self._bucket.delete((notes / name).key)
        self._point_latest()

    def _publish(self, staged: Path, descriptor: Descriptor) -> PublishedObjects:
        try:
            current = self.current()
        except DataRefused:
            current = None
        objects = self._folder.sizes()
        if current and same_data(current.descriptor, descriptor) and _is_whole(objects, current.descriptor):
            self.put_right()
            return current
        before = current.descriptor if current else {}
        version = versions.following(_versions(objects), before)
        files = [item["path"] for item in descriptor["resources"]]
        set_version(descriptor, version, before)
        published = self._published(descriptor, changed=True)
        note = self._dataset_folder / UPLOADING / self._folder.name / f"v={version}"
        self._bucket.write(note.key, b"")
        with folder.storage_errors(staged):
            for file in files:
                self._bucket.upload((published.folder / file).key, staged / file)
        # Another run, that no lock kept away, may have taken this one for a killed one.
        if not _is_whole(self._folder.sizes(), descriptor):
            raise TransientError(
                f"files of {published.folder} were removed while it was uploaded: is another run "
                "publishing this dataset? Let one publish at a time, and try again"
            )
        self._bucket.write(self._package.key, dump(descriptor))
        self.put_right()
        return published

    def _published(self, descriptor: Descriptor, *, changed: bool) -> PublishedObjects:
        version = str(descriptor.get("version"))
        return PublishedObjects(self._folder / f"v={version}", self._package, version, changed, descriptor)

    def _point_latest(self) -> None:
        """Name the newest day with a package: looked up each time, so a backfill does not move it back."""
        latest = self._dataset_folder / LATEST
        for day in days_in(self._dataset_folder):
            with suppress(FileNotFoundError, DataRefused):
                load(self._dataset_folder / f"dt={day}" / PACKAGE)
                data = latest_of(self.dataset, str(day))
                with suppress(FileNotFoundError):
                    if latest.read_bytes() == data:
                        return
                self._bucket.write(latest.key, data)
                return


def days_in(dataset: Location) -> list[date]:
    """The days below a dataset's place, newest first."""
    found = (catalog.day_of_name(name) for name in dataset.folders())
    return sorted((day for day in found if day), reverse=True)


def _version(name: str) -> str:
    """The version that an object of a day belongs to, or '' for one that belongs to none."""
    version = name.partition("/")[0].removeprefix("v=")
    return version if name.startswith(f"v={version}/") and versions.instant(version) else ""


def _versions(objects: Iterable[str]) -> list[str]:
    return sorted({version for name in objects if (version := _version(name))})


def _is_whole(objects: Mapping[str, int], descriptor: Descriptor) -> bool:
    return all(objects.get(item["path"]) == item.get("bytes", -1) for item in descriptor["resources"])
