"""What one run of the price lists was asked for, and the folder that it works in until it has published.

The folder stands below the root that it publishes in, so that finished files need not be copied, in
`.work`, which no reader looks into.
"""

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from extracts import folder
from extracts.errors import UsageError
from pipelines.price_lists.settings import Bounds

DATASETS: Mapping[str, str] = {"full": "price_list_export", "contract": "price_list_export_contract"}
"""The dataset of each assortment: a list is only ever compared with, and replaces, one of its own kind."""

FORMATS = ("csv", "xlsx")

_WORK = ".work"
_KEPT_SECONDS = 2 * 24 * 3600


@dataclass(frozen=True)
class Export:
    """What was asked for. `codes` None means all clients; `release` may be `("*",)`, which is all of them.

    Raises UsageError for what cannot be asked for.
    """

    day: date
    assortment: str = "full"
    formats: tuple[str, ...] = FORMATS
    codes: tuple[str, ...] | None = None
    release: tuple[str, ...] = ()
    released_by: str | None = None
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self) -> None:
        if self.assortment not in DATASETS:
            raise UsageError(f"assortment {self.assortment!r} is none: use {' or '.join(DATASETS)}")
        if unknown := sorted(set(self.formats) - set(FORMATS)):
            raise UsageError(
                f"format {', '.join(unknown)} is none of a price list: use {' or '.join(FORMATS)}"
            )
        if not self.formats:
            raise UsageError(f"no format was named: use {' or '.join(FORMATS)}")
        if self.codes is not None and not self.codes:
            raise UsageError("no client was named: leave the field empty for all of them")
        if self.release and not (self.released_by or "").strip():
            raise UsageError("a release is recorded with the name of who released: give it (released_by)")
        if self.codes and (others := sorted(set(self.release) - {*self.codes, "*"})):
            raise UsageError(f"to be released, but not among the clients of this run: {', '.join(others)}")

    @property
    def dataset(self) -> str:
        return DATASETS[self.assortment]

    def releases(self, code: str) -> bool:
        """Whether the operator lets this client's list go out whatever the guard finds."""
        return code in self.release or "*" in self.release


class Work:
    """The work folder of a run, and the small tables in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = path / "files"

    @classmethod
    def of_run(cls, root: Path, key: str) -> "Work":
        """The folder of the run `key` below `root`; nothing is made yet."""
        return cls(Path(root) / _WORK / key)

    def begin(self, export: Export) -> None:
        """Make the folder anew, and write down what was asked for; what long ended runs left is removed.

        Raises UsageError when the root cannot be used, TransientError for a full disk.
        """
        with folder.storage_errors(self.root):
            if not self.root.is_dir():
                raise UsageError(f"no folder {self.root} to publish in: create it, or mount its volume")
            folder.make_folder(self.path.parent)
            for other in self.path.parent.iterdir():
                with suppress(FileNotFoundError):
                    if other == self.path or other.stat().st_mtime < time.time() - _KEPT_SECONDS:
                        shutil.rmtree(other)
            self.files.mkdir(parents=True)
            self.save("export", {**asdict(export), "day": export.day.isoformat()})

    @property
    def root(self) -> Path:
        return self.path.parents[1]

    def records(self, batch: int) -> Path:
        """The file of a batch's records."""
        return self.path / f"batch-{batch}.records"

    def save(self, name: str, content: object) -> None:
        """Write a small table down, in one step. Raises TransientError for a full disk."""
        data = json.dumps(content, ensure_ascii=False, default=str).encode()
        with folder.storage_errors(self.path):
            folder.replace_file(self.path / f"{name}.json", data)

    def load(self, name: str) -> Any:
        """Read a table back. Raises UsageError when it is not there."""
        try:
            return json.loads((self.path / f"{name}.json").read_bytes())
        except FileNotFoundError:
            raise UsageError(
                f"{self.path} holds no {name}: the run's folder is gone or was begun anew; start a new run"
            ) from None

    def load_export(self) -> Export:
        """What the run was asked for."""
        content = self.load("export")
        return Export(
            **{
                **content,
                "day": date.fromisoformat(content["day"]),
                "formats": tuple(content["formats"]),
                "codes": None if content["codes"] is None else tuple(content["codes"]),
                "release": tuple(content["release"]),
                "bounds": Bounds(**content["bounds"]),
            }
        )

    def save_reading(self, reading: Any) -> None:
        """Write down that all was read: from then on the batches may be published."""
        self.save("reading", vars(reading))

    def remove_records(self) -> None:
        """Give the space back that only a repeated batch would need."""
        for file in self.path.glob("batch-*.records"):
            file.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
