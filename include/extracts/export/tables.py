"""A set: a folder of `.sql` files, one a table. Adding a table is adding a file.

    -- What the table holds: becomes the resource's description.
    -- extracts: not-empty
    SELECT id, status FROM shipments
    WHERE updated_at >= :'start' AND updated_at < :'end' AND ctid >= :'ctid_from' AND ctid < :'ctid_to'

A query that uses `start` and `end` holds the rows of one business day, any other one the whole table. One
that uses `ctid_from` and `ctid_to` is read in ranges of the table that is named like the file, by several
readers; give the others an ORDER BY, so that equal rows make an equal file. `not-empty` refuses a set in
which the table has no row.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from extracts import queries
from extracts.errors import UsageError
from extracts.queries import Query

WINDOW = frozenset({"start", "end"})
RANGE = frozenset({"ctid_from", "ctid_to"})

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_HEAD = re.compile(r"\s*--[^\S\n]?([^\n]*)\n")
_DIRECTIVE = re.compile(r"extracts:\s*(.*?)\s*")
_NOT_EMPTY = "not-empty"


@dataclass(frozen=True)
class Table:
    """One file of a set: the table's name, its query, what its comment says, whether it must have rows."""

    name: str
    query: Query
    description: str | None
    not_empty: bool

    @property
    def of_a_day(self) -> bool:
        """Whether it holds the rows of one business day, and not the whole table."""
        return bool(self.query.parameters & WINDOW)

    @property
    def in_ranges(self) -> bool:
        """Whether its rows may be read in ranges."""
        return bool(self.query.parameters & RANGE)


def read_set(folder: Path) -> list[Table]:
    """The tables of the set in `folder`, by name. Raises UsageError for whatever is wrong with a file."""
    if not folder.is_dir():
        raise UsageError(f"no folder {folder} with the set's .sql files: name it by --sql, or mount it there")
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise UsageError(f"no .sql file in {folder}: a set has at least one table")
    return [_table(file) for file in files]


def _table(file: Path) -> Table:
    if not _NAME.fullmatch(file.stem):
        raise UsageError(f"{file}: a table's file is named by letters, digits, '_' and '-' of ASCII")
    query = queries.load(file.stem, file.parent)
    if unknown := sorted(query.parameters - WINDOW - RANGE):
        known = ", ".join(sorted(WINDOW | RANGE))
        raise UsageError(
            f"{file} has a parameter {', '.join(unknown)} that an export has not; it has: {known}"
        )
    for pair in (WINDOW, RANGE):
        if query.parameters & pair and not query.parameters >= pair:
            raise UsageError(f"{file} uses only one of {' and '.join(sorted(pair))}: use both, or neither")
    description, directives = _head(file.read_text(encoding="utf-8-sig"))
    if unknown := sorted(directives - {_NOT_EMPTY}):
        raise UsageError(f"{file}: 'extracts: {unknown[0]}' is no directive; there is: {_NOT_EMPTY}")
    return Table(file.stem, query, description, _NOT_EMPTY in directives)


def _head(text: str) -> tuple[str | None, frozenset[str]]:
    """The description and the directives in the comment lines that a file begins with."""
    lines, directives, position = [], set(), 0
    while line := _HEAD.match(text, position):
        position = line.end()
        if directive := _DIRECTIVE.fullmatch(line[1]):
            directives.add(directive[1])
        else:
            lines.append(line[1].strip())
    return " ".join(filter(None, lines)) or None, frozenset(directives)
