"""Statuses and orders into DuckDB, with every row that was read accounted for."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from extracts.errors import DataRefused, TransientError
from pipelines.delivery_status.header import Header
from pipelines.delivery_status.lines import NUMBERED_COLUMNS, Numbering
from pipelines.delivery_status.source import Part
from pipelines.delivery_status.verdict import Counts
from pipelines.resources import folder

# A million orders need little more than half of it, ten million go to the disk; a larger one is no faster.
_MEMORY = "300MB"


def text_of(name: str) -> str:
    """The query `name` of the project."""
    return (folder("sql") / f"{name}.sql").read_text(encoding="utf-8")


def connect(work: Path, timezone: str) -> duckdb.DuckDBPyConnection:
    """An empty database in memory that spills into `work`, with the tables of the verdict."""
    connection = duckdb.connect(
        config={
            "memory_limit": _MEMORY,
            "temp_directory": str(work / "spilled"),
            "TimeZone": timezone,
            "autoinstall_known_extensions": "false",
        }
    )
    # It would be drawn on stdout, into the answer, as soon as a query takes two seconds.
    connection.execute("SET enable_progress_bar = false")
    connection.execute(text_of("delivery_tables"))
    return connection


@contextmanager
def engine_errors(work: Path) -> Iterator[None]:
    """DuckDB's lack of disk or memory as TransientError."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise TransientError(f"no room to work in {work}, or no memory: {error}") from None


def read_statuses(
    connection: duckdb.DuckDBPyConnection, parts: list[tuple[Part, Header]], work: Path
) -> Counts:
    """All files into `statuses`, their bad rows into `rejects`."""
    for number, (part, header) in enumerate(parts):
        _read_part(connection, number, part, header, work)
    return _counts(connection)


def _counts(connection: duckdb.DuckDBPyConnection) -> Counts:
    [(rows_read, rows_rejected)] = connection.table("statuses_counted").fetchall()
    return Counts(rows_read, rows_rejected)


def _read_part(
    connection: duckdb.DuckDBPyConnection, number: int, part: Part, header: Header, work: Path
) -> None:
    rejected = _counts(connection).rows_rejected
    connection.begin()
    try:
        _load(connection, "delivery_statuses_read", path=str(part.csv), columns=header.duckdb_columns())
        if _counts(connection).rows_rejected == rejected:
            connection.commit()
            return
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        pass  # some row is no CSV: the numbered copy will say which
    connection.rollback()

    numbered = work / "numbered.csv"
    with part.csv.open("rb") as source, numbered.open("wb") as target:
        Numbering(header.names, header.needed).copy(source, target)
    columns = {name: "BIGINT" if name == "line" else "VARCHAR" for name in NUMBERED_COLUMNS}
    _load(connection, "delivery_statuses_read", path=str(numbered), columns=columns)
    _load(
        connection,
        "delivery_statuses_rejects",
        path=str(numbered),
        columns=columns,
        part=number,
        file=part.name,
    )
    numbered.unlink()


def write_rejects(connection: duckdb.DuckDBPyConnection, counts: Counts, target: Path) -> Path | None:
    """The rejected rows as CSV; None when there are none."""
    if not counts.rows_rejected:
        return None
    connection.table("rejects").write_csv(str(target), header=True)
    return target


def first_rejects(connection: duckdb.DuckDBPyConnection, number: int) -> list[str]:
    """The first rejected rows, each as a line for a person."""
    return [
        f"{file} line {line}" + (f", column {column}" if column else "") + f": {reason} ({value or ''!r:.60})"
        for file, line, column, reason, value in connection.table("rejects").limit(number).fetchall()
    ]


def read_orders(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """The orders from COPY's CSV; returns how many. Raises DataRefused when one is there twice."""
    _load(connection, "delivery_orders_read", path=str(path))
    [(rows, repeated)] = connection.table("orders_counted").fetchall()
    if repeated:
        raise DataRefused(
            f"orders has {repeated} rows too many: each must have an order_id of its own;"
            " is it a view that joins something?"
        )
    return int(rows)


def verdict_rows(
    connection: duckdb.DuckDBPyConnection, error_statuses: Collection[str]
) -> Iterator[tuple[Any, ...]]:
    """The rows of `delivery_verdict.sql` on what was read."""
    connection.executemany(
        text_of("delivery_error_statuses"), [[status] for status in sorted(error_statuses)]
    )
    answer = connection.execute(text_of("delivery_verdict"))
    return iter(answer.fetchone, None)


def _load(connection: duckdb.DuckDBPyConnection, query: str, **values: Any) -> None:
    connection.execute(text_of(query), values)
