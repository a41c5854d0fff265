"""The Data Package (version 2) that describes a published set: `datapackage.json`.

https://datapackage.org/standard/data-package/
"""

import json
import re
from datetime import UTC, date, datetime
from typing import Any, Protocol

from extracts import __version__
from extracts.errors import DataRefused, UsageError
from extracts.window import Window

PACKAGE = "datapackage.json"

_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_DISTRIBUTION = "batch-extracts"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_OWN = ("window", "snapshotTime", "firstPublished", "resources")
_MEDIATYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
    "html": "text/html",
    "txt": "text/plain",
    "parquet": "application/vnd.apache.parquet",
}

Descriptor = dict[str, Any]


class File(Protocol):
    """What a package is read from: a path, or an object in a bucket. As text, where it is."""

    def read_bytes(self) -> bytes: ...


def resource(
    file: str,
    *,
    rows: int | None,
    schema: Descriptor | None,
    dialect: Descriptor | None,
    title: str | None,
    description: str | None,
) -> Descriptor:
    """What a package says about `file`, a plain name, before its bytes are known.

    A CSV is named without its endings (`shipments`), any other file in full (`report.xlsx`).
    Raises UsageError for a name that could leave its folder or is not portable.
    """
    if not _NAME.fullmatch(file):
        raise UsageError(
            f"{file!r} cannot be published: a file's name is letters, digits, '.', '_' and '-' of ASCII, at "
            "most 200, without folders"
        )
    stem, *endings = file.lower().split(".")
    compression = endings.pop() if endings and endings[-1] in ("gz", "zst") else None
    format = endings[-1] if endings else None
    described: Descriptor = {
        "name": ".".join((stem, *endings[:-1])) if format == "csv" else file.lower(),
        "path": file,
    }
    if format == "csv":
        described["type"] = "table"
    optional = {
        "title": title,
        "description": description,
        "format": format,
        "mediatype": _MEDIATYPES.get(format or ""),
        "encoding": "utf-8" if format in ("csv", "json") else None,
        "compression": compression,
        "rows": rows,
        "dialect": dialect,
        "schema": schema,
    }
    return described | {key: value for key, value in optional.items() if value is not None}


def describe(
    dataset: str,
    day: date,
    resources: list[Descriptor],
    *,
    window: Window | None,
    snapshot_time: datetime | None,
    properties: Descriptor,
) -> Descriptor:
    """The package of one day's set, before it has a version. Raises UsageError for a property of its own."""
    described: Descriptor = {
        "$schema": _PROFILE,
        "name": dataset,
        "version": "",
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "day": day.isoformat(),
    }
    if window is not None:
        described["window"] = {"start": _instant(window.start), "end": _instant(window.end)}
    if snapshot_time is not None:
        described["snapshotTime"] = _instant(snapshot_time)
    described["producer"] = {"name": _DISTRIBUTION, "version": __version__}
    if taken := sorted(properties.keys() & {*described, *_OWN}):
        raise UsageError(f"properties of the package that are not the caller's to set: {', '.join(taken)}")
    described |= {**properties, "resources": resources}
    try:
        return dict(json.loads(json.dumps(described, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the package of {dataset} cannot be written as JSON: {error}") from error


def same_data(one: Descriptor, other: Descriptor) -> bool:
    """Whether two packages describe the same window and the same files, in whatever version's folder."""
    return one.get("window") == other.get("window") and _plain_resources(one) == _plain_resources(other)


def _plain_resources(descriptor: Descriptor) -> list[Descriptor]:
    return [{**item, "path": item["path"].rpartition("/")[2]} for item in descriptor["resources"]]


def set_version(descriptor: Descriptor, version: str, before: Descriptor) -> None:
    """Make `descriptor` the day's `version`, after the package `before`, or after none (`{}`)."""
    descriptor["version"] = version
    # Whether a day was on time is told by its first version, which may be pruned.
    first = before or descriptor
    descriptor["firstPublished"] = first.get("firstPublished") or first.get("created")
    for item in descriptor["resources"]:
        item["path"] = f"v={version}/{item['path']}"


def dump(descriptor: Descriptor) -> bytes:
    """The bytes of a package's file."""
    return (json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n").encode()


def load(path: File) -> Descriptor:
    """The package in file `path`. FileNotFoundError when there is none, DataRefused when it is none."""
    problem = "it is no Data Package"
    try:
        descriptor = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        problem = f"it is not JSON: {error}"
    else:
        resources = descriptor.get("resources") if isinstance(descriptor, dict) else None
        if isinstance(resources, list) and all(
            isinstance(item, dict) and isinstance(item.get("path"), str) for item in resources
        ):
            return dict(descriptor)
    raise DataRefused(f"{path} cannot be used: {problem}; publish this day again")


def _instant(instant: datetime) -> str:
    if instant.tzinfo is None:
        raise UsageError(f"time {instant} has no zone: give the package aware times")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
