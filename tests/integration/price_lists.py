"""What the tests of the price lists share: a small shop, and exports of it, here and in processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.price_lists import Export, Work, make_lists
from pipelines.price_lists.command import main
from pipelines.price_lists.reading import read
from tests.integration.delivery import Ran
from tests.integration.price_list_files import Found
from tests.integration.sql import asked, execute

DAY = date(2026, 11, 21)
NEXT = DAY + timedelta(days=1)

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
        return asked(self.dsn, statement)

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

    def export(self, *options: str, day: date = DAY) -> Found:
        """Export, which must succeed; the set as readers find it."""
        ran = self.ask(*options, day=day)
        assert Path(ran.answer["package"]).parent.name == f"dt={day}"
        assert not list((self.root / ".work").iterdir())
        return Found(Path(ran.answer["package"]), ran.answer)

    def found(self, day: date = DAY, dataset: str = "price_list_export") -> Found:
        return Found(self.root / dataset / f"dt={day}" / "datapackage.json", {})


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
