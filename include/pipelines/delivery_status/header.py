"""The first line of a statuses file: which columns it has, or why the file cannot be read at all."""

from dataclasses import dataclass

from extracts.errors import DataRefused
from pipelines.delivery_status.lines import LONGEST_RECORD, Malformed, split
from pipelines.delivery_status.source import Part

NEEDED = ("order_id", "status", "updated_at")
_OTHER_DELIMITERS = {b";": "semicolons", b"\t": "tabs", b"|": "vertical bars"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Header:
    """The columns of a file, trimmed and in lower case, and the places of the needed ones."""

    names: tuple[str, ...]
    needed: tuple[int, int, int]

    def duckdb_columns(self) -> dict[str, str]:
        """Names and types for read_csv: everything is text, and what is not needed has no name of its own."""
        names = {place: name for name, place in zip(NEEDED, self.needed, strict=True)}
        return {names.get(place, f"ignored_{place}"): "VARCHAR" for place in range(len(self.names))}


def read_header(part: Part) -> Header:
    """Raises DataRefused when the first line has not exactly one each of the needed columns."""
    with part.csv.open("rb") as file:
        raw = file.readline(LONGEST_RECORD)
    line = raw.removeprefix(_BOM).rstrip(b"\r\n")
    if b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        raise DataRefused(
            f"{part.place} is no UTF-8 text (a spreadsheet file, or UTF-16?): save it as CSV in UTF-8"
        )
    if b"\r" in line:
        raise DataRefused(
            f"{part.place} has lines that end with CR alone: save it with LF or CR LF line ends"
        )
    try:
        names = _names(line)
    except UnicodeDecodeError:
        raise DataRefused(f"{part.place} line 1 is not valid UTF-8: save the file as CSV in UTF-8") from None
    for delimiter, called in _OTHER_DELIMITERS.items():
        if not _missing(names) or _missing(_names(line.replace(delimiter, b","))):
            continue
        raise DataRefused(
            f"{part.place} is separated by {called}: expected commas; save it as comma-separated"
        )
    if missing := _missing(names):
        raise DataRefused(
            f"{part.place} line 1 lacks {_listed(missing, 'column')}: expected a header with"
            f" {', '.join(NEEDED)}, found {', '.join(names)[:200] or 'an empty line'}"
        )
    if repeated := [name for name in NEEDED if names.count(name) > 1]:
        raise DataRefused(f"{part.place} line 1 has {_listed(repeated, 'column')} more than once")
    order_id, status, updated_at = (names.index(name) for name in NEEDED)
    return Header(tuple(names), (order_id, status, updated_at))


def _names(line: bytes) -> list[str]:
    try:
        fields = split(line)
    except Malformed:
        fields = None
    return [field.decode().strip().lower() for field in (fields or [line])]


def _missing(names: list[str]) -> list[str]:
    return [name for name in NEEDED if name not in names]


def _listed(names: list[str], noun: str) -> str:
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}"
