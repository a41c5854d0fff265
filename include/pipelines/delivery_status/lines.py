"""A CSV file line by line: what DuckDB's reader cannot tell of a file with bad rows in it.

DuckDB numbers rows, not lines, and one quote that is never closed swallows the rows after it. The copy
written here has each row's line, as an editor shows it, and the reason why a line is no row; after a bad
line reading goes on at the next one.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import IO

# A record longer than this is a quote that was opened by mistake, or no text at all.
LONGEST_RECORD = 1 << 20

_FIELD = re.compile(rb' *"((?>(?:[^"]+|"")*))" *(?=,|\Z)|(?! *")([^,]*)')
_OPEN_FIELD = re.compile(rb' *"(?>(?:[^"]+|"")*)\Z')
_NEEDS_QUOTES = re.compile(rb'[",\r\n]')
_SHOWN = 200

NUMBERED_COLUMNS = ("line", "order_id", "status", "updated_at", "column", "reason", "value")


class Malformed(Exception):
    """A record that is no row: `place` is the number of the field, from 0, or None for all of it."""

    def __init__(self, place: int | None, reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = place, reason


def split(record: bytes) -> list[bytes] | None:
    """The fields of a record without its line end; None when it ends inside quotes and goes on."""
    fields: list[bytes] = []
    at = 0
    while True:
        if found := _FIELD.match(record, at):
            quoted, plain = found.groups()
            fields.append(plain if quoted is None else quoted.replace(b'""', b'"'))
            at = found.end()
            if at == len(record):
                return fields
            at += 1
        elif _OPEN_FIELD.match(record, at):
            return None
        else:
            raise Malformed(len(fields), "has text after its closing quote")


class Numbering:
    """Writes the numbered copy of one file.

    `names` are the columns of the file and `needed` the places of order_id, status and updated_at in it.
    """

    def __init__(self, names: Sequence[str], needed: tuple[int, int, int]) -> None:
        self._names, self._needed = names, needed

    def copy(self, source: IO[bytes], target: IO[bytes]) -> None:
        """From `source`, a file whose first line is the header, into `target`; memory stays constant."""
        a, b, c = self._needed
        width = len(self._names)
        target.write(b",".join(name.encode() for name in NUMBERED_COLUMNS) + b"\n")
        again: deque[tuple[int, bytes]] = deque()  # lines to be read anew, after one before them was bad
        opened: list[tuple[int, bytes]] = []  # lines of a record whose quote is not closed yet
        opened_bytes = 0
        source.readline()
        number = 1
        while True:
            if again:
                line, raw = again.popleft()
            elif raw := source.readline(LONGEST_RECORD):
                number += 1
                line = number
            elif opened:
                self._reject(target, opened[0], self._never_closed(opened))
                again.extend(opened[1:])
                opened.clear()
                continue
            else:
                return

            text = raw.rstrip(b"\r\n")
            if not opened and b'"' not in text and len(raw) < LONGEST_RECORD:
                fields = text.split(b",")
                if len(fields) == width and b"\r" not in text:
                    values = b"%b,%b,%b" % (fields[a], fields[b], fields[c])
                    if values.isascii():
                        target.write(b"%d,%b,,,\n" % (line, values))
                        continue
                if not text:
                    continue

            opened.append((line, raw))
            opened_bytes = len(raw) if len(opened) == 1 else opened_bytes + len(raw)
            try:
                if opened_bytes >= LONGEST_RECORD:
                    if len(opened) > 1:
                        raise self._never_closed(opened)
                    _skip_line(source, raw)
                    raise Malformed(None, f"is longer than {LONGEST_RECORD} bytes")
                if len(opened) > 1 and b'"' not in text:
                    continue
                record = b"".join(raw for _, raw in opened[:-1]) + text
                found = split(record)
                if found is None:
                    continue
                self._write(target, opened[0][0], found)
            except Malformed as problem:
                self._reject(target, opened[0], problem)
                again.extendleft(reversed(opened[1:]))
            opened = []

    def _write(self, target: IO[bytes], line: int, fields: list[bytes]) -> None:
        width = len(self._names)
        # Empty fields too many at the end are harmless, and DuckDB lets them pass as well.
        if len(fields) < width or any(fields[width:]):
            raise Malformed(None, f"has {len(fields)} columns, the header has {width}")
        values = []
        for place in self._needed:
            try:
                fields[place].decode()
            except UnicodeDecodeError:
                raise Malformed(place, "is not valid UTF-8") from None
            values.append(_quoted(fields[place]))
        target.write(b"%d,%b,,,\n" % (line, b",".join(values)))

    def _never_closed(self, opened: list[tuple[int, bytes]]) -> Malformed:
        first = opened[0][1]
        # The open field is the last one that begins on the first line.
        at = place = 0
        while (found := _FIELD.match(first, at)) and found.end() < len(first):
            at = found.end() + 1
            place += 1
        return Malformed(place, "has a quote that is never closed")

    def _reject(self, target: IO[bytes], line: tuple[int, bytes], problem: Malformed) -> None:
        known = problem.place is not None and problem.place < len(self._names)
        column = self._names[problem.place or 0] if known else ""
        value = line[1].rstrip(b"\r\n").decode("utf-8", "replace")[:_SHOWN]
        texts = [_quoted(text.encode()) for text in (column, problem.reason, value)]
        target.write(b"%d,,,,%b\n" % (line[0], b",".join(texts)))


def _quoted(value: bytes) -> bytes:
    return b'"%b"' % value.replace(b'"', b'""') if _NEEDS_QUOTES.search(value) else value


def _skip_line(source: IO[bytes], raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = source.readline(LONGEST_RECORD)
