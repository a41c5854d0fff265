"""The breakdown as an XLSX file: typed cells, a header that stays in view, and no text that computes."""

import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

_EPOCH = datetime(2000, 1, 1)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_FORMATS = {"orders": "#,##0", "orders_with_status": "#,##0", "error_orders": "#,##0", "error_share": "0.00%"}
_WIDEST = 50


def write_sheet(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write one sheet, `breakdown`. Equal rows make equal bytes, so that unchanged data is seen as such."""
    book = Workbook()
    sheet = book.active
    sheet.title = "breakdown"
    sheet.freeze_panes = "A2"
    for column, name in enumerate(columns, start=1):
        sheet.cell(1, column, name).font = Font(bold=True)
    for line, row in enumerate(rows, start=2):
        for column, (name, value) in enumerate(zip(columns, row, strict=True), start=1):
            cell = sheet.cell(line, column)
            if isinstance(value, str):
                cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
                cell.data_type = "s"  # a text that begins with = is none of Excel's business
            else:
                cell.value = value
                cell.number_format = _FORMATS.get(name, "General")
    for column, name in enumerate(columns, start=1):
        longest = max(
            (len(str(row[column - 1])) for row in rows if isinstance(row[column - 1], str)), default=0
        )
        sheet.column_dimensions[get_column_letter(column)].width = min(_WIDEST, max(longest, len(name)) + 2)
    if rows:
        sheet.auto_filter.ref = sheet.dimensions
    book.properties.created = _EPOCH
    made = BytesIO()
    book.save(made)
    _without_times(made, path)


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
