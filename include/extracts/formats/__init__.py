"""Rows to bytes: the formats that files are published in, and what a package says about them."""

from extracts.formats.machine import DIALECT, count_rows, open_output, write_csv
from extracts.formats.schema import table_schema

__all__ = ["DIALECT", "count_rows", "open_output", "table_schema", "write_csv"]
