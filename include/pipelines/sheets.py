"""Small XLSX files for people: typed cells, a header that stays in view, and no text that computes.

Equal rows make equal bytes, so that unchanged data is seen as such.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

_EPOCH = datetime(2000, 1, 1)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_WIDEST = 50


@dataclass(frozen=True)
class Sheet:
    """A sheet's title, columns and rows; `formats` are Excel's number formats of columns that have one."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    formats: Mapping[str, str] = field(default_factory=dict)


def write_sheets(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write the sheets as one workbook."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    book.properties.created = _EPOCH
    made = BytesIO()
    book.save(made)
    _without_times(made, path)


def _fill(target: Any, sheet: Sheet) -> None:
    target.freeze_panes = "A2"
    for column, name in enumerate(sheet.columns, start=1):
        target.cell(1, column, name).font = Font(bold=True)
    for line, row in enumerate(sheet.rows, start=2):
        for column, (name, value) in enumerate(zip(sheet.columns, row, strict=True), start=1):
            cell = target.cell(line, column)
            if isinstance(value, str):
                cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
                cell.data_type = "s"  # a text that begins with = is none of Excel's business
            else:
                cell.value = value
                cell.number_format = sheet.formats.get(name, cell.number_format)
    for column, name in enumerate(sheet.columns, start=1):
        values = [row[column - 1] for row in sheet.rows]
        longest = max([len(name), *(len(value) for value in values if isinstance(value, str))])
        target.column_dimensions[get_column_letter(column)].width = min(_WIDEST, longest + 2)
    if sheet.rows:
        target.auto_filter.ref = target.dimensions


def _without_times(made: BytesIO, path: Path) -> None:
    moment = f"{_EPOCH:%Y-%m-%dT%H:%M:%SZ}".encode()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>" + moment, data)
            entry = zipfile.ZipInfo(name, _EPOCH.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, data)
