"""A reader that knows nothing but the standard: a package, and the files that it names."""

import csv
import gzip
import hashlib
import io
import json
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from tests.s3_server import Bucket

DATASET = "demo_set"
DAY = date(2026, 11, 21)


class Place(Protocol):
    """Where sets are published, by the keys of what is there."""

    url: str

    def read(self, key: str) -> bytes: ...
    def keys(self) -> list[str]: ...


class Folder:
    """A folder as the reader of a bucket sees one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)

    def read(self, key: str) -> bytes:
        return (self.root / key).read_bytes()

    def keys(self) -> list[str]:
        files = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(str(path.relative_to(self.root)) for path in files if path.name != ".lock")


class Below:
    """A bucket below a prefix."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self.url = f"{bucket.url}/{prefix}"
        self._bucket = bucket
        self._prefix = prefix

    def read(self, key: str) -> bytes:
        return self._bucket.read(f"{self._prefix}/{key}")

    def keys(self) -> list[str]:
        return [key.removeprefix(f"{self._prefix}/") for key in self._bucket.keys(self._prefix)]


def package_of(place: Place, dataset: str, day: date) -> dict[str, Any] | None:
    """The package of a day, or None where there is none."""
    try:
        return dict(json.loads(place.read(f"{dataset}/dt={day}/datapackage.json")))
    except FileNotFoundError:
        return None


def rows_of(
    place: Place, package: dict[str, Any], dataset: str, day: date
) -> dict[str, list[dict[str, str]]]:
    """The rows of each file that a package names; each file has the size, checksum and rows that it says."""
    found = {}
    for resource in package["resources"]:
        data = place.read(f"{dataset}/dt={day}/{resource['path']}")
        assert len(data) == resource["bytes"]
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        text = (gzip.decompress(data) if resource["path"].endswith(".gz") else data).decode()
        found[resource["name"]] = list(csv.DictReader(io.StringIO(text, newline="")))
        assert len(found[resource["name"]]) == resource["rows"]
    return found


def read(place: Place | Path, day: date = DAY) -> str | None:
    """The one content of both files of a day's set, or None where there is no set."""
    place = Folder(place) if isinstance(place, Path) else place
    if (package := package_of(place, DATASET, day)) is None:
        return None
    files = rows_of(place, package, DATASET, day)
    assert len(files) == 2
    (content,) = {row["of"] for rows in files.values() for row in rows}
    return content
