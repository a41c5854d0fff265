"""What an export is asked for, and who hears how it goes."""

from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Literal, Protocol

from extracts.formats.compression import Compression
from extracts.window import DAY_ENDS, TIMEZONE

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Settings:
    """An export of the set `dataset`, whose queries stand in `sql`, to the folder or bucket `to`.

    `day` None means the business day that ended last; `lookback` days before it are brought up to date.
    `allow_empty` and `allow_missing` name tables; timeouts are in seconds; `work` is where files are made
    that go to a bucket.
    """

    dataset: str
    sql: Path
    to: str
    day: date | None = None
    compression: Compression = "gzip"
    workers: int = 2
    lookback: int = 1
    timezone: str = TIMEZONE
    day_ends: time = DAY_ENDS
    dsn: str | None = field(default=None, repr=False)
    statement_timeout: float = 1800
    lock_timeout: float = 10
    allow_empty: frozenset[str] = frozenset()
    allow_missing: frozenset[str] = frozenset()
    keep_versions: int = 2
    work: Path | None = None
    wait: float = 0


class Listener(Protocol):
    """Hears what happens: events with their fields, and how many more rows of a table were read."""

    def event(self, name: str, level: Level = "info", /, **fields: object) -> None: ...

    def rows(self, table: str, rows: int, /) -> None: ...
