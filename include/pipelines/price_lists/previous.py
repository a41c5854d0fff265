"""Reading a published list back, for the guard: from its CSV, or from its XLSX where that is all there is."""

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from extracts.errors import DataRefused
from extracts.formats.excel import BOM, without_guard
from pipelines.price_lists.columns import BY_CONTRACT, NAMES
from pipelines.price_lists.guard import Item

_MOST_LINES = 50_000


class _Lines(dict[bytes, tuple[str, Item]]):
    """SKU and item by the line of CSV that they stand in. Most lines of most lists are the same."""

    def __missing__(self, line: bytes) -> tuple[str, Item]:
        if len(self) >= _MOST_LINES:
            self.clear()
        found = self[line] = _item(line)
        return found


_LINES = _Lines()


def read_list(folder: Path, files: Mapping[str, str]) -> dict[str, Item]:
    """The list in `files` (names by format) of `folder`, by SKU; DataRefused when it cannot be read."""
    if not files:
        raise DataRefused("the files of the last list were removed or damaged")
    path = folder / (files.get("csv") or files["xlsx"])
    try:
        return _csv(path) if "csv" in files else _xlsx(path)
    except (OSError, ValueError, ArithmeticError, LookupError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not as it was published"
        raise DataRefused(f"the last list, {path.name}, cannot be read: {reason}") from None


def _csv(path: Path) -> dict[str, Item]:
    header, *lines = path.read_bytes().removeprefix(BOM).split(b"\r\n")[:-1]
    if header.decode() != ";".join(NAMES):
        raise ValueError("other columns")
    return dict(_LINES[line] for line in lines)


def _item(line: bytes) -> tuple[str, Item]:
    (fields,) = csv.reader(io.StringIO(line.decode(), newline=""), delimiter=";")
    sku, name, category, _, price, kind, _, until = map(without_guard, fields)
    return sku, Item(
        name,
        category,
        Decimal(price.replace(",", ".")) if price else None,
        kind == BY_CONTRACT,
        datetime.strptime(until, "%d.%m.%Y").date() if until else None,
    )


def _xlsx(path: Path) -> dict[str, Item]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    except CalamineError as error:
        raise ValueError(error) from None
    if header != NAMES:
        raise ValueError("other columns")
    return {
        str(sku): Item(
            str(name),
            str(category),
            # Two digits, as the cell shows it.
            round(Decimal(str(price)), 2) if price != "" else None,
            kind == BY_CONTRACT,
            until if isinstance(until, date) else None,
        )
        for sku, name, category, _, price, kind, _, until in rows
    }
