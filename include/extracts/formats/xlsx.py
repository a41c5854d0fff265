"""XLSX with typed cells, from records that many sheets may share.

Written by rustpy_xlsxwriter, over ten times as fast as openpyxl. It writes a `str` as an inline string,
never as a formula or a link, and numbers as the shortest text that reads back as the same double.
"""

import io
import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from extracts.errors import DataRefused, TransientError, UsageError
from extracts.formats.excel import cell_text

_ROW_LIMIT = 1_048_575
# `@` keeps a text a text when a person edits its cell; a Russian Excel shows `,` as a space and `.` as a
# comma.
_NUMBER_FORMATS = {"text": "@", "integer": "#,##0", "money": "#,##0.00", "date": "dd.mm.yyyy"}
_DECIMAL_DIGITS = {"integer": 0, "money": 2}
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True)
class SheetColumn:
    """A column: its header, what its cells hold, and its width in characters.

    text: str. integer: whole numbers. money: Decimal or int with at most two decimal digits.
    number: int, float, Decimal. date: date. None is an empty cell in all of them.
    """

    name: str
    kind: Literal["text", "integer", "money", "date", "number"]
    width: float


def xlsx_record(columns: Sequence[SheetColumn], values: Sequence[object]) -> dict[str, object]:
    """One row as `write_xlsx` takes it; made once, it may stand in many sheets of the same columns.

    Line breaks in a text become line feeds, and what XML cannot hold becomes U+FFFD.
    Raises DataRefused, naming the column, for a value that its cell would not show exactly.
    """
    if len(values) != len(columns):
        raise DataRefused(f"{len(values)} values for {len(columns)} columns")
    record: dict[str, object] = {}
    for column, value in zip(columns, values, strict=True):
        try:
            record[column.name] = None if value is None else _cell(column.kind, value)
        except DataRefused as error:
            raise DataRefused(f"column {column.name}: {error}") from error
    return record


def write_xlsx(
    path: Path, sheet: str, columns: Sequence[SheetColumn], records: Sequence[dict[str, object]]
) -> None:
    """Write one sheet: a bold, frozen header with filters, and the records of `xlsx_record` below it.

    The file holds its time of creation, so equal records make files of different bytes.
    Raises DataRefused for records of other columns or too many of them, UsageError for a name of the sheet
    that Excel does not allow, and for two columns of one name, TransientError where the engine's temporary
    files find no room.
    """
    from rustpy_xlsxwriter import Format, write_worksheet

    names = [column.name for column in columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"columns named twice: {', '.join(twice)}; give each its own name")
    if len(records) > _ROW_LIMIT:
        raise DataRefused(f"{path.name}: {len(records)} rows, a sheet holds {_ROW_LIMIT} and a header")
    for row, record in enumerate(records, start=1):
        # The engine goes by the order of the values, whatever their keys are.
        if list(record) != names:
            raise DataRefused(f"{path.name}, row {row}: a record of other columns than {', '.join(names)}")
    # Not straight to the disk: what the engine raises there does not say whether the disk is full.
    file = io.BytesIO()
    try:
        write_worksheet(
            # The engine takes the header from the first record. An empty one leaves no cells.
            records or [dict.fromkeys(names)],
            file,
            sheet_name=sheet,
            freeze_row=1,
            bold_headers=True,
            autofilter=True,
            column_widths=[column.width for column in columns],
            column_formats={
                column.name: Format().set_num_format(_NUMBER_FORMATS[column.kind])
                for column in columns
                if column.kind in _NUMBER_FORMATS
            },
            # On paper a sheet is one page wide, with the header on each page.
            page_setup={"landscape": True, "fit_to_pages": (1, 0), "repeat_rows": 0, "paper_size": 9},
            # Codes of digits are text on purpose.
            ignore_errors=[column.name for column in columns if column.kind == "text"],
        )
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"{path.name}, sheet {sheet!r}: {error}") from error
    except BaseException as error:
        # How the engine says that it cannot write to its temporary files; it is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise TransientError(
            f"{path.name} could not be made: {error}; free some space in {tempfile.gettempdir()}, try again"
        ) from None
    with path.open("xb") as target:
        target.write(file.getbuffer())


def _cell(kind: str, value: object) -> object:
    match kind, value:
        case "text", str():
            return _NOT_IN_XML.sub("\ufffd", cell_text(value))
        case "date", date() if not isinstance(value, datetime):
            if value < _FIRST_DAY:
                raise DataRefused(f"{value} lies before 1900, where the calendar of Excel begins")
            return value
        case "integer" | "money" | "number", int() | Decimal() if not isinstance(value, bool):
            return _number(kind, value)
        case "number", float() if math.isfinite(value):
            return value
    raise DataRefused(f"{value!r} is no {kind}")


def _number(kind: str, value: int | Decimal) -> float:
    try:
        number = float(value)
    except (OverflowError, ValueError):
        number = math.nan
    # Doubles carry 15 digits, and Excel shows no more of them.
    shown = Decimal(f"{number:.15g}")
    if not shown.is_finite() or shown != value:
        raise DataRefused(f"{value} cannot be held to its last digit: a cell keeps 15")
    digits = _DECIMAL_DIGITS.get(kind)
    if digits is not None and len(f"{shown:f}".partition(".")[2]) > digits:
        raise DataRefused(f"{value} has more than the {digits} decimal digits that its cell shows")
    return number
