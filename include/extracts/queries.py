"""Queries that live in `.sql` files, one query a file.

A parameter is written as psql writes a quoted variable, `:'name'`, so the same file runs by hand:

    psql -v start=2026-11-20T17:00:00Z -v end=2026-11-21T17:00:00Z -f shipments.sql

Here the driver quotes the value for its type. Nothing else in the text is touched: `%` and `::` need no
escape, and what looks like a parameter inside a string, a quoted name or a comment is none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from extracts.errors import UsageError

_TOKEN = re.compile(
    r"""
      :'(?P<parameter>[A-Za-z_]\w*)'
    | (?P<end>;)
    | --[^\n]* | /\*.*?\*/
    | \bE'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_NOTHING = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """One statement: its name for messages, its text without a closing semicolon, its parameters' names."""

    name: str
    text: str
    parameters: frozenset[str]


def load(name: str, folder: Path) -> Query:
    """The query `folder/name.sql`; `name` may have folders in it, as in `logistics/shipments`.

    Raises UsageError when there is no such file, when it is empty, not UTF-8, or has several statements.
    """
    relative = PurePosixPath(f"{name}.sql")
    if relative.is_absolute() or ".." in relative.parts:
        raise UsageError(f"query {name!r} is not a name inside {folder}: use one like logistics/shipments")
    path = folder / relative
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        known = sorted(str(found.relative_to(folder).with_suffix("")) for found in folder.rglob("*.sql"))
        raise UsageError(f"no query {name!r} in {folder}; there are: {', '.join(known) or 'none'}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"query {path} cannot be read as UTF-8 text: {error}") from error
    return parse(text, name=f"{name}.sql")


def parse(text: str, *, name: str = "query") -> Query:
    """The query that stands in `text`. Raises UsageError when that is not exactly one statement."""
    tokens = list(_TOKEN.finditer(text))
    end = next((token.start() for token in tokens if token["end"]), len(text))
    if not _NOTHING.fullmatch(text, end + 1):
        raise UsageError(f"{name} has several statements: keep one query in a file")
    if _NOTHING.fullmatch(text, 0, end):
        raise UsageError(f"{name} is empty: write one query into it")
    return Query(name, text[:end].strip(), frozenset(token["parameter"] for token in tokens) - {None})


def bind(query: Query, params: Mapping[str, Any], connection: Connection) -> str:
    """The query's text with every `:'name'` replaced by its value, quoted by the driver for `connection`.

    Raises UsageError when a parameter is missing, is not one of the query's, or has no SQL form.
    """
    if missing := sorted(query.parameters - params.keys()):
        raise UsageError(f"{query.name} needs a value for: {', '.join(missing)}")
    if unknown := sorted(params.keys() - query.parameters):
        known = ", ".join(sorted(query.parameters)) or "none"
        raise UsageError(f"{query.name} has no parameter {', '.join(unknown)}; it has: {known}")
    literals = {name: _literal(query, name, params[name], connection) for name in query.parameters}
    return _TOKEN.sub(lambda token: literals.get(token["parameter"] or "", token[0]), query.text)


def _literal(query: Query, name: str, value: object, connection: Connection) -> str:
    with connection.cursor() as cursor:
        try:
            return cursor.mogrify("%s", (value,)).decode("utf-8")
        except (psycopg2.ProgrammingError, ValueError) as error:
            raise UsageError(
                f"{query.name}, parameter {name}: no SQL form of a {type(value).__name__}: {error}"
            ) from error
