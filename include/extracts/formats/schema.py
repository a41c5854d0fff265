"""Columns of PostgreSQL as a Table Schema of the Data Package standard, version 2."""

import re
from collections.abc import Iterable
from typing import Any

from extracts.errors import UsageError
from extracts.postgres import Column

_INTEGER: dict[str, Any] = {"type": "integer"}
_NUMBER: dict[str, Any] = {"type": "number"}
# `any`: COPY writes 2026-11-21 17:00:00.25+00, which is ISO 8601 but not the standard's default pattern.
_DATETIME: dict[str, Any] = {"type": "datetime", "format": "any"}

# What is not here is text: varchar, enums, inet, intervals, arrays ({1,2} is no JSON) …
_FIELDS: dict[str, dict[str, Any]] = {
    "smallint": _INTEGER,
    "integer": _INTEGER,
    "bigint": _INTEGER,
    "oid": _INTEGER,
    "numeric": _NUMBER,
    "real": _NUMBER,
    "double precision": _NUMBER,
    "boolean": {"type": "boolean", "trueValues": ["t"], "falseValues": ["f"]},
    "date": {"type": "date"},
    "timestamp with time zone": _DATETIME,
    "timestamp without time zone": _DATETIME,
    "time without time zone": {"type": "time", "format": "any"},
    "uuid": {"type": "string", "format": "uuid"},
    # Not `object`: a jsonb column may hold a list or a bare number in some rows.
    "json": {"type": "any"},
    "jsonb": {"type": "any"},
}


def table_schema(columns: Iterable[Column]) -> dict[str, Any]:
    """The Table Schema of a machine CSV with these columns; each field keeps PostgreSQL's type besides.

    Raises UsageError when two columns have one name.
    """
    columns = list(columns)
    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"columns named twice: {', '.join(twice)}; give each its own name (AS …)")
    return {"fields": [_field(column) for column in columns], "missingValues": [""]}


def _field(column: Column) -> dict[str, Any]:
    base = re.sub(r"\(.*?\)", "", column.type)
    return {"name": column.name, **_FIELDS.get(base, {"type": "string"}), "postgresType": column.type}
