"""What the tests of exports share: a small carrier, its set, and exports of it."""

import csv
import gzip
import io
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import zstandard

from extracts.export.exporting import Exported, export
from extracts.export.settings import Settings
from extracts.package import Descriptor, load
from tests.integration.sql import asked, execute

DAY = date(2026, 11, 20)
# In Moscow, three hours ahead of UTC, the business day of the 20th.
BEGINS, ENDS = "2026-11-19 20:00+03", "2026-11-20 20:00+03"

TABLES = """
    CREATE TABLE shipments (id bigint PRIMARY KEY, status text, updated_at timestamptz NOT NULL);
    CREATE TABLE shipment_events (id bigint PRIMARY KEY, shipment_id bigint, recorded_at timestamptz);
    CREATE TABLE drivers (id integer PRIMARY KEY, name text);
    INSERT INTO shipments VALUES (1, 'created', '2026-11-20 12:00+03'), (2, 'created', '2026-11-20 19:59+03');
    INSERT INTO shipment_events VALUES (10, 1, '2026-11-20 12:00+03'), (20, 2, '2026-11-20 19:59+03');
    INSERT INTO drivers VALUES (1, 'Водитель «Первый»'), (2, 'Водитель, второй');
"""
QUERIES = {
    "shipments": "-- Shipments of the day.\n-- extracts: not-empty\n"
    "SELECT id, status, updated_at FROM shipments\n"
    "WHERE updated_at >= :'start' AND updated_at < :'end' AND ctid >= :'ctid_from' AND ctid < :'ctid_to'\n",
    "shipment_events": "SELECT id, shipment_id, recorded_at FROM shipment_events\n"
    "WHERE recorded_at >= :'start' AND recorded_at < :'end' AND ctid >= :'ctid_from' AND ctid < :'ctid_to'\n",
    "drivers": "SELECT id, name FROM drivers ORDER BY id\n",
}


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def event(self, name: str, level: str = "info", /, **fields: object) -> None:
        self.events.append({"event": name, "level": level, **fields})

    def rows(self, table: str, rows: int, /) -> None:
        pass

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


class Carrier:
    """A database, a set of queries, and a folder to publish in."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.root = folder / "published"
        self.root.mkdir()
        self.queries = folder / "queries"
        self.queries.mkdir()
        self.heard = Heard()
        for name, text in QUERIES.items():
            self.query(name, text)

    def sql(self, statement: str) -> None:
        execute(self.dsn, statement)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return asked(self.dsn, statement)

    def query(self, name: str, text: str) -> None:
        (self.queries / f"{name}.sql").write_text(text, encoding="utf-8")

    def export(self, day: date | None = DAY, **settings: Any) -> list[Exported]:
        """Export in this process; the days that were looked at, the one that was asked for first."""
        given = {"dsn": self.dsn, "lookback": 0, **settings}
        self.heard = Heard()
        return export(Settings("logistics", self.queries, str(self.root), day, **given), self.heard)

    def command(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command `extracts` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "pipelines.exports", *words],
            env={**os.environ, "EXTRACTS_DSN": self.dsn, **environment},
            capture_output=True,
            text=True,
            cwd=self.root.parent,
        )

    def folder(self, day: date = DAY) -> Path:
        return self.root / "logistics" / f"dt={day}"

    def package(self, day: date = DAY) -> Descriptor:
        return load(self.folder(day) / "datapackage.json")

    def bytes(self, table: str, day: date = DAY) -> bytes:
        """A table's file as a reader finds it, uncompressed."""
        (item,) = [item for item in self.package(day)["resources"] if item["name"] == table]
        data = (self.folder(day) / item["path"]).read_bytes()
        if item["path"].endswith(".zst"):
            return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        return gzip.decompress(data) if item["path"].endswith(".gz") else data

    def rows(self, table: str, day: date = DAY) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.bytes(table, day).decode(), newline="")))

    def ids(self, table: str, day: date = DAY) -> list[int]:
        return [int(row["id"]) for row in self.rows(table, day)]
