"""What a price list shows: its columns, and how a record of `sql/price_list.sql` becomes a row of them.

Most rows of most lists are the same to the byte, because most clients pay the list price. So a row is made
once for each distinct record, and then shared by all lists that hold it.
"""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from extracts.errors import DataRefused
from extracts.formats.excel import cell_text, excel_record
from extracts.formats.xlsx import SheetColumn, xlsx_record
from pipelines.price_lists.guard import Item

COLUMNS = (
    SheetColumn("Артикул", "text", 18),
    SheetColumn("Наименование", "text", 42),
    SheetColumn("Категория", "text", 38),
    SheetColumn("Ед. изм.", "text", 9),
    SheetColumn("Цена, руб.", "money", 14),
    SheetColumn("Вид цены", "text", 13),
    SheetColumn("Остаток", "integer", 10),
    SheetColumn("Действует до", "date", 14),
)
NAMES = [column.name for column in COLUMNS]
BY_CONTRACT, AT_LIST_PRICE = "договорная", "базовая"

_FIELDS = 8
_MOST_ROWS = 50_000


class Row(NamedTuple):
    """A row in each of its forms: a line of CSV, a record of XLSX, the guard's item."""

    sku: str
    item: Item
    line: bytes
    record: dict[str, object]


class Rows(dict[bytes, Row]):
    """Rows by their records, CSV without the client's id; each is made when it is first asked for.

    Forgotten when they are too many, so that memory stays bounded. A record that is no row of a list raises
    DataRefused, naming the product.
    """

    def __missing__(self, record: bytes) -> Row:
        if len(self) >= _MOST_ROWS:
            self.clear()
        row = self[record] = _row(record)
        return row


ROWS = Rows()
"""Those of this process: a row depends on its record alone, so all batches share them."""


def _row(record: bytes) -> Row:
    (fields,) = csv.reader(io.StringIO(record.decode(), newline=""))
    if len(fields) != _FIELDS:
        raise DataRefused(
            f"price_list.sql gave {len(fields)} columns for article {fields[0]!r}, and a list has {_FIELDS}: "
            "set the query right"
        )
    sku, name, category, unit, price, by_contract, stock, valid_to = fields
    if not sku:
        raise DataRefused(f"product {name!r} has no SKU: give it one, or make it inactive")
    try:
        item = Item(
            name,
            category,
            Decimal(price) if price else None,
            by_contract == "t",
            date.fromisoformat(valid_to) if valid_to else None,
        )
        values = (
            sku,
            name,
            category,
            unit or None,
            item.price,
            BY_CONTRACT if item.by_contract else AT_LIST_PRICE,
            _whole(stock) if stock else None,
            item.until,
        )
        # As a reader of the files finds it.
        sku = cell_text(sku)
        return Row(sku, item, excel_record(values), xlsx_record(COLUMNS, values))
    except (DataRefused, ValueError) as error:
        raise DataRefused(f"article {sku!r}: {error}") from None


def _whole(stock: str) -> int:
    number = Decimal(stock)
    if number % 1:
        raise DataRefused(f"a stock of {stock}, where a list shows whole ones: round it, or make it NULL")
    return int(number)
