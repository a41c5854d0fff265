"""Rows to bytes: the formats that files are published in, and what a package says about them."""

from extracts.formats.excel import BOM, excel_record, read_excel_csv, without_guard, write_excel_csv
from extracts.formats.excel import DIALECT as EXCEL_DIALECT
from extracts.formats.machine import DIALECT, count_rows, open_output, write_csv
from extracts.formats.schema import table_schema
from extracts.formats.xlsx import SheetColumn, write_xlsx, xlsx_record

__all__ = [
    "BOM",
    "DIALECT",
    "EXCEL_DIALECT",
    "SheetColumn",
    "count_rows",
    "excel_record",
    "open_output",
    "read_excel_csv",
    "table_schema",
    "without_guard",
    "write_csv",
    "write_excel_csv",
    "write_xlsx",
    "xlsx_record",
]
