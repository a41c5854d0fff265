"""What the tests of the price lists share: a small shop, exports of it, and readers that are not ours."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from openpyxl import load_workbook

from pipelines.price_lists import Export, Work, make_lists
from pipelines.price_lists.command import main
from pipelines.price_lists.reading import read
from tests.integration.delivery import Ran
from tests.integration.sql import execute

DAY = date(2026, 11, 21)
NEXT = DAY + timedelta(days=1)
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

# Nothing is held by a constraint, so that a test can put any nonsense there.
TABLES = """
    CREATE TABLE categories (id {id}, name text, active boolean);
    CREATE TABLE products (id {id}, sku text, name text, category_id {id}, unit text, price numeric(12, 2),
        stock integer, active boolean);
    CREATE TABLE clients (id {id}, code text, name text, email text, active boolean);
    CREATE TABLE client_prices (client_id {id}, product_id {id}, price numeric(12, 2), valid_from date,
        valid_to date);
"""
# Three clients and an inactive one; 40 products, the last ten in a category of their own; ten contract prices
# a client, half of them without an end.
GOODS = """
    INSERT INTO categories VALUES (1, 'Инструмент', true), (2, 'Посуда', true);
    INSERT INTO products
        SELECT n, 'SKU-' || lpad(n::text, 3, '0'), 'Товар ' || n, CASE WHEN n > 30 THEN 2 ELSE 1 END, 'шт',
            100 + n, n, true
        FROM generate_series(1, 40) AS n;
    INSERT INTO clients
        SELECT n, 'B2B-' || n, 'ООО «Клиент ' || n || '»', NULL, n < 4 FROM generate_series(1, 4) AS n;
    INSERT INTO client_prices
        SELECT client.id, n, 90 + n, '2026-01-01', CASE WHEN n % 2 = 0 THEN date '2027-12-31' END
        FROM clients AS client CROSS JOIN generate_series(1, 10) AS n;
"""


def make_tables(dsn: str, *, id: str = "integer", goods: str = GOODS) -> None:
    """The tables of a shop, and what is in them."""
    execute(dsn, TABLES.format(id=id) + goods)


class Here:
    """In place of a pool of processes: what is submitted is done at once, so that tests need not wait."""

    def __init__(self, workers: int, *others: object, **named: object) -> None:
        assert workers > 0

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **how: object) -> None:
        pass


class Shop:
    """A shop in a database of its own, and a root folder to publish its lists in."""

    def __init__(self, dsn: str, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.dsn, self.root, self._capture = dsn, root, capture

    def sql(self, statement: str) -> None:
        execute(self.dsn, statement)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            rows = cursor.fetchall()
        connection.close()
        return rows

    def run(self, *arguments: str) -> Ran:
        """The command as it is, in this process."""
        self._capture.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as stop:
            code = int(str(stop.code))
        return Ran(code, *self._capture.readouterr())

    def ask(self, *options: str, day: date = DAY) -> Ran:
        """The command on this shop for a day; `--json`."""
        common = ("--dsn", self.dsn, "--to", str(self.root), "--date", str(day), "--json", "--workers", "1")
        return self.run(*common, *options)

    def export(self, *options: str, day: date = DAY) -> "Found":
        """Export, which must succeed; the set as readers find it."""
        ran = self.ask(*options, day=day)
        assert Path(ran.answer["package"]).parent.name == f"dt={day}"
        assert not list((self.root / ".work").iterdir())
        return Found(Path(ran.answer["package"]), ran.answer)

    def found(self, day: date = DAY, dataset: str = "price_list_export") -> "Found":
        return Found(self.root / dataset / f"dt={day}" / "datapackage.json", {})


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


def read_prices(shop: Shop, work: Work, export: Export) -> int:
    """The first step of a run: all that it needs is read, for two batches; returns their number."""
    work.begin(export)
    asked = {"day": export.day, "assortment": export.assortment, "codes": export.codes}
    reading = read(work, dsn=shop.dsn, batches=2, **asked)
    work.save_reading(reading)
    return reading.batches


def made(shop: Shop, key: str, **asked: Any) -> Work:
    """A run, by default for the next day, as far as its lists are made."""
    work = Work.of_run(shop.root, key)
    for batch in range(read_prices(shop, work, Export(**{"day": NEXT, **asked}))):
        make_lists(work, batch)
    return work


@contextmanager
def started(shop: Shop, *options: str, day: date = NEXT) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, with workers of its own; killed, if need be, with all of them."""
    command = [sys.executable, "-m", "pipelines.price_lists", "--dsn", shop.dsn, "--to", str(shop.root)]
    process = subprocess.Popen(
        [*command, "--date", str(day), "--workers", "2", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


MORE_GOODS = """
    INSERT INTO products SELECT n, 'M-' || n, 'Товар ' || n, 1, 'шт', n, n, true
        FROM generate_series(1001, 3000) AS n;
    INSERT INTO clients SELECT n, 'M-' || n, 'ООО', NULL, true FROM generate_series(11, 22) AS n;
"""


def workers_of(shop: Shop, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The command's worker processes."""
    assert process.poll() is None, process.communicate()
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def wait_for_a_batch(shop: Shop, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Until the first of many batches is made, others being under way; returns the worker processes."""
    while not list(shop.root.glob(".work/*/made-*.json")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    return workers_of(shop, process)


# Whether an export waits for a table that is locked.
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'price lists' AND wait_event_type = 'Lock' AND datname = current_database()
"""
