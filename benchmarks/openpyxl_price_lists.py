"""The peer of `benchmarks/price_lists.py`: the same lists by openpyxl in write-only mode and the csv module.

`python benchmarks/openpyxl_price_lists.py DSN DAY DIR CLIENT …`, clients by id. The rows come from the same
query, and are in memory before the clock starts: only the writing is timed. Prints the seconds as JSON.
"""

import csv
import json
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import psycopg2
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

NAMES = [
    "Артикул",
    "Наименование",
    "Категория",
    "Ед. изм.",
    "Цена, руб.",
    "Вид цены",
    "Остаток",
    "Действует до",
]
FORMATS = [None, None, None, None, "#,##0.00", None, "#,##0", "dd.mm.yyyy"]
WIDTHS = [18, 42, 38, 9, 14, 13, 10, 14]


def rows_of(dsn: str, day: date, client: int) -> list[tuple[object, ...]]:
    """A client's rows as Python values."""
    from extracts import queries
    from pipelines.resources import folder

    query = queries.load("price_list", folder("sql"))
    params = {"clients": [client], "day": day, "assortment": "full"}
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(queries.bind(query, params, connection))
        rows = cursor.fetchall()
    connection.close()
    return [(*row[1:6], "договорная" if row[6] else "базовая", *row[7:]) for row in rows]


def write_xlsx(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """What our sheets have: typed cells, number formats, a frozen bold header, widths, filters."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Прайс-лист")
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGH", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.auto_filter.ref = f"A1:H{len(rows) + 1}"
    bold = Font(bold=True)
    header = [WriteOnlyCell(sheet, name) for name in NAMES]
    for cell in header:
        cell.font = bold
    sheet.append(header)
    for row in rows:
        cells = []
        for value, number_format in zip(row, FORMATS, strict=True):
            cell = WriteOnlyCell(sheet, value)
            if number_format:
                cell.number_format = number_format
            elif value is not None:
                cell.data_type = "s"  # or a name that begins with = would become a formula
            cells.append(cell)
        sheet.append(cells)
    book.save(path)


def write_csv(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(NAMES)
        for row in rows:
            *texts, price, kind, stock, until = row
            writer.writerow(
                [*texts, str(price).replace(".", ","), kind, stock, f"{until:%d.%m.%Y}" if until else None]
            )


def main(dsn: str, day: str, target: str, *clients: str) -> None:
    seconds = 0.0
    for client in clients:
        rows = rows_of(dsn, date.fromisoformat(day), int(client))
        started = time.perf_counter()
        write_csv(Path(target) / f"{client}.csv", rows)
        write_xlsx(Path(target) / f"{client}.xlsx", rows)
        seconds += time.perf_counter() - started
    print(json.dumps({"clients": len(clients), "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
