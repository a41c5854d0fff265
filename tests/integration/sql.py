"""A statement, or a query's rows as CSV, in one line of a test."""

import io
from collections.abc import Mapping
from typing import Any

import psycopg2

from extracts.postgres import Snapshot, connect
from extracts.queries import Query


def execute(dsn: str, statement: str) -> None:
    connection = connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def asked(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a query, as Python's values."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    connection.close()
    return rows


def copied(dsn: str, query: Query | str, params: Mapping[str, Any] | None = None) -> tuple[int, str]:
    """How many rows, and the CSV."""
    sink = io.BytesIO()
    with Snapshot(dsn) as snapshot:
        rows = snapshot.copy_out(query, params, sink)
    return rows, sink.getvalue().decode()
