"""Excel CSV: for a person who opens the file by a double click in a Russian-locale Excel.

UTF-8 with BOM, semicolon, CRLF, decimal comma, dates as dd.mm.yyyy. A spreadsheet guesses what each field
is, so text that it would take for something else carries one character before it:

- an apostrophe where it could become a formula, or already begins with a character that guards;
- a tab where it would become a number, a date, a time, a truth value or an error (007, 1E5, 12.05, #N/A):
  unlike the apostrophe it does not show.

`read_excel_csv` takes them off. Numbers are never guarded; a spreadsheet keeps 15 digits of one, so a code
is to be passed as text. NULL and '' are both an empty field. Line breaks inside a text are line feeds, so
the bytes CR LF occur between records and nowhere else.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from extracts.errors import DataRefused
from extracts.formats.machine import open_output

# The standard has no word for the BOM; its readers skip it.
DIALECT = {"delimiter": ";", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True}
BOM = b"\xef\xbb\xbf"

_GUARDS = ("'", "\t")
# Of a cell, in UTF-16 units; Excel would cut off the rest of a CSV's field, or move it to another cell.
_TEXT_LIMIT = 32_767
_NEEDS_QUOTES = re.compile(r'[;"\n\t]|^\s|\s$')
_LINE_BREAK = re.compile("\r\n?")
# Spreadsheets see through what does not show, and take the full-width signs for the plain ones.
_FORMULA = re.compile("[\\s\x00-\x20\x7f\xad\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠]")
_MONTH = (
    "янв(?:ар[ья])?|фев(?:р|рал[ья])?|март?а?|апр(?:ел[ья])?|ма[йя]|июн[ья]?|июл[ья]?|авг(?:уста?)?"
    "|сен(?:т|тябр[ья])?|окт(?:ябр[ья])?|ноя(?:б|бр[ья])?|дек(?:абр[ья])?"
    "|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
# Wider than any one spreadsheet's guess, for they differ: digits with everything that numbers, money,
# shares, fractions, dates and times are written with.
_VALUE = re.compile(
    rf"""
    (?=.*\d) (?:
        [\d\s.,:/+\-−'’()%$€₽£¥]
      | (?<=[\d.,\s]) [EDT] (?=[\s+-]*\d)
      | (?: (?<=\s)[ap] | [ap]m ) (?!\w)
      | р(?:уб)? (?!\w)
      | (?<=\d{{4}})г | (?<=\d{{4}}\s)г
      | (?:{_MONTH}) (?![^\W\d])
    )+
    | \s* (?: true | false | истина | ложь ) \s*
    | \s* \# (?: n/a | н/д | [\w/]+[!?] ) \s*
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def excel_record(values: Sequence[object]) -> bytes:
    """One record with its CRLF, from any number of values.

    Values: None, str, bool, int, Decimal, float, date, datetime without a zone (fractions of a second are
    dropped: a spreadsheet would not show them).
    Raises DataRefused, naming the column by its number from 1, for a value that has no place in the file.
    """
    fields = []
    for column, value in enumerate(values, start=1):
        try:
            fields.append(_field(value))
        except DataRefused as error:
            raise DataRefused(f"column {column}: {error}") from error
    # A line without any character would be no record.
    return (";".join(fields) if fields != [""] else '""').encode() + b"\r\n"


def write_excel_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a header and the rows as excel CSV; returns the number of rows.

    Raises DataRefused, naming row and column, for a value or a row that has no place in the file.
    """
    written = 0
    with open_output(path) as file:
        file.write(BOM + excel_record(columns))
        for written, row in enumerate(rows, start=1):
            if len(row) != len(columns):
                raise DataRefused(f"{path.name}, row {written}: {len(row)} values for {len(columns)} columns")
            try:
                file.write(excel_record(row))
            except DataRefused as error:
                raise DataRefused(f"{path.name}, row {written}, {error}") from error
    return written


def read_excel_csv(path: Path) -> Iterator[list[str]]:
    """The records of an excel CSV, the header first, as texts without their guards.

    Numbers and dates are as written: a decimal comma, dd.mm.yyyy. Raises DataRefused for a broken file.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            for record in csv.reader(file, delimiter=";", strict=True):
                yield [without_guard(field) for field in record]
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataRefused(f"{path} cannot be read as excel CSV: {error}; export it again") from error


def without_guard(text: str) -> str:
    """A field's text as it was before it was guarded."""
    return text[1:] if text.startswith(_GUARDS) else text


def cell_text(text: str) -> str:
    """A text as a cell of Excel holds it, with line feeds between its lines.

    Raises DataRefused for a text that is too long for a cell or is not Unicode.
    """
    text = _LINE_BREAK.sub("\n", text)
    try:
        length = len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError as error:
        raise DataRefused(f"not Unicode text: {error}") from error
    if length > _TEXT_LIMIT:
        raise DataRefused(f"a text of {length} characters, a cell holds {_TEXT_LIMIT}: shorten it")
    return text


def _field(value: object) -> str:
    if value is None:
        return ""
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    raise DataRefused(f"a {type(value).__name__} has no CSV text; turn it into a text or a number first")


def _text(value: str) -> str:
    text = cell_text(_guarded(value))
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def _guarded(text: str) -> str:
    if text.startswith(("'", "\t", "\r", "\n", "\0")) or _FORMULA.match(text):
        return "'" + text
    return "\t" + text if _VALUE.fullmatch(text) else text


def _boolean(value: bool) -> str:
    return "ИСТИНА" if value else "ЛОЖЬ"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise DataRefused(f"{value} is no number that a spreadsheet knows; put NULL or a text there")
    return format(value, "f").replace(".", ",")


def _float(value: float) -> str:
    return _decimal(Decimal(float.__repr__(value)))


def _date(value: date) -> str:
    return f"{value.day:02}.{value.month:02}.{value.year:04}"


def _datetime(value: datetime) -> str:
    if value.tzinfo is not None:
        raise DataRefused("a time with a zone, which no cell can hold; turn it into local time first")
    return f"{_date(value)} {value:%H:%M:%S}"


# In this order: a bool is an int, a datetime is a date.
_TEXTS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, _text),
    (Decimal, _decimal),
    (bool, _boolean),
    (int, str),
    (float, _float),
    (datetime, _datetime),
    (date, _date),
)
