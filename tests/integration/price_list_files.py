"""Published price lists, read by what knows nothing of this project."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

HEADER = [
    "Артикул",
    "Наименование",
    "Категория",
    "Ед. изм.",
    "Цена, руб.",
    "Вид цены",
    "Остаток",
    "Действует до",
]


@dataclass
class Found:
    """A published set, read by what knows nothing of this project."""

    path: Path
    answer: dict[str, Any]

    @property
    def package(self) -> dict[str, Any]:
        return json.loads(self.path.read_bytes())

    @property
    def folder(self) -> Path:
        (folder,) = {(self.path.parent / item["path"]).parent for item in self.package["resources"]}
        return folder

    @property
    def files(self) -> dict[str, bytes]:
        """Every file that the package names."""
        return {
            Path(item["path"]).name: (self.path.parent / item["path"]).read_bytes()
            for item in self.package["resources"]
        }

    @property
    def index(self) -> dict[str, dict[str, str]]:
        """The rows of index.csv, by client."""
        return {row["code"]: row for row in self._table("index.csv")}

    @property
    def held(self) -> list[dict[str, str]]:
        """The rows of held.csv."""
        return self._table("held.csv")

    @property
    def statuses(self) -> dict[str, str]:
        return {code: row["status"] for code, row in self.index.items()}

    def lists(self, code: str) -> dict[str, bytes]:
        """A client's files: name and bytes."""
        row = self.index[code]
        return {row[form]: (self.folder / row[form]).read_bytes() for form in ("csv", "xlsx") if row[form]}

    def list_of(self, code: str) -> list[list[object]]:
        """A client's list as values, from its CSV, or from its XLSX where there is no CSV."""
        row = self.index[code]
        return csv_rows(self.folder / row["csv"]) if row["csv"] else xlsx_rows(self.folder / row["xlsx"])

    def _table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def csv_rows(path: Path) -> list[list[object]]:
    """The rows of a list's CSV as values, by what is known of the format and Python's csv alone."""
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\r\n")
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";", strict=True)
    assert header == HEADER
    return [_values(row) for row in rows]


def _values(row: Sequence[str]) -> list[object]:
    texts = [text[1:] if text[:1] in ("'", "\t") else text for text in row]
    sku, name, category, unit, price, kind, stock, until = texts
    assert not price or (price[-3] == "," and price.count(",") == 1), price
    return [
        sku,
        name,
        category,
        unit or None,
        Decimal(price.replace(",", ".")) if price else None,
        kind,
        int(stock) if stock else None,
        date(*map(int, reversed(until.split(".")))) if until else None,
    ]


def xlsx_rows(path: Path) -> list[list[object]]:
    """The rows of a list's XLSX as values, by openpyxl; no cell is a formula."""
    (sheet,) = load_workbook(path).worksheets
    header, *rows = sheet.iter_rows()
    assert [cell.value for cell in header] == HEADER
    assert not [cell for row in rows for cell in row if cell.data_type == "f"]
    return [
        [
            # It leaves an underscore as the standard has it escaped.
            *(cell.value and cell.value.replace("_x005F_", "_") for cell in row[:4]),
            None if row[4].value is None else Decimal(f"{row[4].value:.2f}"),
            *(cell.value for cell in row[5:7]),
            row[7].value and row[7].value.date(),
        ]
        for row in rows
    ]


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files in a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}
