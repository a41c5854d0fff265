"""What the tests of price list runs share: days, prices, gates that stop a run, and what it published."""

import csv
import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from extracts.package import Descriptor, load
from extracts.publication import Publication
from tests.dags.jobs import PRICE_LISTS, Jobs

# The demo's shop at its smallest: client 9 is inactive. Three batches, by id: 1 to 3, 4 to 6, 7 to 10.
CLIENTS = 9
B2B_0006, B2B_0008, B2B_0010 = ("B2B-0006", 6), ("B2B-0008", 8), ("B2B-0010", 10)


def wait_until(condition: Callable[[], object], *, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)


class Gate:
    """A file at which whoever reads it stops: a pipe in its place, which nobody has written into yet.

    Where there is no such file, readers find `content` in it.
    """

    def __init__(self, path: Path, content: bytes = b"") -> None:
        self._path = path
        self._aside = path.with_name(f"{path.name}.aside")
        self._content = path.read_bytes() if path.exists() else content
        self._reader = -1

    def __enter__(self) -> Self:
        if self._path.exists():
            self._path.rename(self._aside)
        os.mkfifo(self._path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader >= 0 or self._is_awaited():
            self.let_through()
        self._path.unlink()
        if self._aside.exists():
            self._aside.rename(self._path)

    def wait_for_reader(self) -> None:
        """Wait until a process stands at the gate; the next one to come will wait for another opening."""
        wait_until(self._is_awaited)

    def let_through(self) -> None:
        """Give the process at the gate what it came for."""
        os.set_blocking(self._reader, True)
        unwritten = memoryview(self._content)
        while unwritten:
            unwritten = unwritten[os.write(self._reader, unwritten) :]
        self.leave()

    def leave(self) -> None:
        """Forget the process at the gate: it was killed."""
        os.close(self._reader)
        self._reader = -1

    def _is_awaited(self) -> bool:
        try:
            self._reader = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return False
        self._path.unlink()
        os.mkfifo(self._path)
        return True


@contextmanager
def prices_locked(jobs: Jobs) -> Iterator[Callable[[], None]]:
    """While it lasts, runs wait in `read_prices`; the function given waits until one does."""
    with closing(psycopg2.connect(jobs.stack.dsn)) as holder, closing(connect(jobs)) as watcher:
        holder.cursor().execute("LOCK TABLE shop.client_prices IN ACCESS EXCLUSIVE MODE")
        waiting = "SELECT FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"

        def is_awaited() -> bool:
            cursor = watcher.cursor()
            cursor.execute(waiting, ["price lists"])
            return cursor.rowcount > 0

        yield lambda: wait_until(is_awaited)


@contextmanager
def zeroed(jobs: Jobs, client: int) -> Iterator[None]:
    """While it lasts, all contract prices of a client are 0."""
    with closing(connect(jobs)) as connection, connection.cursor() as cursor:
        of_client = "WHERE client_id = %s AND product_id = %s AND valid_from = %s"
        keys = "client_id, product_id, valid_from"
        cursor.execute(f"SELECT price, {keys} FROM shop.client_prices WHERE client_id = %s", [client])
        before = cursor.fetchall()
        cursor.execute("UPDATE shop.client_prices SET price = 0 WHERE client_id = %s", [client])
        assert cursor.rowcount == len(before) > 0
        try:
            yield
        finally:
            cursor.executemany(f"UPDATE shop.client_prices SET price = %s {of_client}", before)


def connect(jobs: Jobs) -> Connection:
    """A connection as the owner of the tables, each statement a transaction of its own."""
    connection = psycopg2.connect(jobs.stack.dsn)
    connection.autocommit = True
    return connection


def shop(jobs: Jobs) -> str:
    """The DSN of the shop's tables."""
    return make_dsn(jobs.stack.dsn, options="-c search_path=shop")


def day_before(jobs: Jobs, days: int) -> date:
    """So many days before the one that the demo's rows are of."""
    return jobs.stack.day - timedelta(days=days)


def root(jobs: Jobs) -> Path:
    return Path(jobs.stack.environment["AIRFLOW_VAR_PUBLISHED_ROOT"])


def package(jobs: Jobs, day: date) -> Path:
    return root(jobs) / PRICE_LISTS / f"dt={day}" / "datapackage.json"


def descriptor(jobs: Jobs, day: date) -> Descriptor:
    return load(package(jobs, day))


def folder(jobs: Jobs, day: date) -> Path:
    """The folder of the day's current version."""
    found = Publication(root(jobs), PRICE_LISTS, day).current()
    assert found
    return found.folder


def work(jobs: Jobs, day: date) -> Path:
    """The work folder of the only run that was for the day."""
    (found,) = (root(jobs) / ".work").glob(f"{day}-*")
    return found


def record(jobs: Jobs, day: date, batch: int) -> Path:
    """The file that `make_lists` writes when all lists of a batch are made, before it takes its name."""
    return work(jobs, day) / f".made-{batch}.json.tmp"


def files(jobs: Jobs, day: date, code: str) -> list[Path]:
    """The files of a client with a plain code that the only run for the day makes."""
    return [work(jobs, day) / "files" / f"{code}_{day}.{form}" for form in ("csv", "xlsx")]


def index(jobs: Jobs, day: date) -> dict[str, dict[str, str]]:
    """The rows of the day's `index.csv`, by the clients' codes."""
    with (folder(jobs, day) / "index.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


def statuses(jobs: Jobs, day: date) -> dict[str, str]:
    return {code: row["status"] for code, row in index(jobs, day).items()}
