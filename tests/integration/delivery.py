"""What the tests of the delivery analysis share: orders in a database, a statuses file, and runs of both."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import execute_values

from pipelines.delivery_status.command import main

HEADER = "order_id,status,updated_at\n"


def make_orders(dsn: str, orders: Iterable[Sequence[object]]) -> None:
    """Table `orders` with rows (order_id, carrier, region)."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS orders; CREATE TABLE orders (order_id bigint, region text, carrier text)"
        )
        execute_values(
            cursor, "INSERT INTO orders (order_id, carrier, region) VALUES %s", list(orders), page_size=10_000
        )
    connection.close()


def line(order_id: object, status: str = "delivered", updated_at: str = "2026-11-20T10:00:00") -> str:
    return f"{order_id},{status},{updated_at}\n"


@dataclass
class Ran:
    """One run of the command: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Command:
    """`python -m pipelines.delivery_status`, in this process, in a folder of its own."""

    def __init__(self, dsn: str, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.dsn, self.folder, self._capture = dsn, folder, capture

    def __call__(self, statuses: str | bytes | Path, *options: str, name: str = "statuses.csv") -> Ran:
        """Run it on a file with these contents, or on a path; `--json` unless an option says otherwise."""
        if not isinstance(statuses, Path):
            path = self.folder / name
            path.write_bytes(statuses.encode() if isinstance(statuses, str) else statuses)
            statuses = path
        return self.run(str(statuses), "--dsn", self.dsn, "--json", *options)

    def run(self, *arguments: str) -> Ran:
        self._capture.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as stop:
            code = int(str(stop.code))
        out, err = self._capture.readouterr()
        return Ran(code, out, err)
