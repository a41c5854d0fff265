"""The demo's rows and files: made once by demo/*.sql, and again when those or the day change."""

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import psycopg2.errors
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn, parse_dsn

from demo.errors import DemoError
from demo.postgres import binaries

SCRIPTS = Path(__file__).parent
OVER, UNDER = "0.14", "0.06"

VOLUMES = {
    "shop.orders": 1_000_000,
    "shop.products": 10_000,
    "shop.categories": 200,
    "shop.clients": 500,
    "shop.client_prices": 20_000,
    "logistics.shipments": 200_000,
    "logistics.shipment_events": 1_000_000,
    "logistics.drivers": 5_000,
    "logistics.vehicles": 2_000,
    "logistics.clients": 50_000,
}


def statuses_file(day: date) -> str:
    """The name of a day's file of delivery statuses."""
    return f"delivery_statuses_{day}.csv"


def today() -> date:
    """The day in Moscow, where the jobs' day begins and ends."""
    return datetime.now(ZoneInfo("Europe/Moscow")).date()


def seed(dsn: str, statuses: Path, log: Path, *, scale: str = "1", day: date) -> bool:
    """Fill the database of `dsn`, and write three days' files of statuses into the folder `statuses`.

    Today's file is over the usual threshold, yesterday's is under it, and the header of the one of the day
    before names a column wrongly. False when all of this is there already.

    Raises:
        DemoError: schemas of these names are there and the demo did not make them; psql failed.
    """
    scripts = sorted(SCRIPTS.glob("[0-9]*.sql"))
    content = b"\0".join([*(file.read_bytes() for file in scripts), scale.encode(), str(day).encode()])
    fingerprint = hashlib.sha256(content).hexdigest()
    written = statuses / ".fingerprint"
    with _connect(dsn) as connection:
        rows_are_there = _fingerprint(connection) == fingerprint
        if rows_are_there and written.exists() and written.read_text() == fingerprint:
            return False
        if not rows_are_there:
            _drop(connection)
    if not rows_are_there:
        _run(scripts, dsn, log, scale=scale, today=str(day), fingerprint=fingerprint)
    statuses.mkdir(parents=True, exist_ok=True)
    written.unlink(missing_ok=True)
    files = {day: OVER, day - timedelta(days=1): UNDER}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: _write(dsn, statuses / statuses_file(item[0]), item[1]), files.items()))
    _spoil(statuses / statuses_file(day), statuses / statuses_file(day - timedelta(days=2)))
    written.write_text(fingerprint)
    return True


def counted(dsn: str) -> dict[str, int]:
    """The rows of every table at full volume. Raises DemoError when a table does not hold what it should."""
    found = {}
    with _connect(dsn) as connection, connection.cursor() as cursor:
        for name in VOLUMES:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*name.split("."))))
            found[name] = cursor.fetchone()[0]  # type: ignore[index]
    wrong = {name: rows for name, rows in found.items() if rows != VOLUMES[name]}
    if wrong:
        raise DemoError(f"tables without their full volume: {wrong}; remove .local and start again")
    return found


def create_database(dsn: str, name: str) -> bool:
    """Make the database `name` on the server of `dsn`; False when it is there already."""
    with _connect(dsn) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg2.errors.DuplicateDatabase:
            return False
    return True


def let_log_in(dsn: str, role: str, password: str) -> None:
    """Give `role` a password, so that jobs connect as it."""
    with _connect(dsn) as connection, connection.cursor() as cursor:
        statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
        cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


@contextlib.contextmanager
def _connect(dsn: str) -> Iterator[Connection]:
    try:
        connection = psycopg2.connect(dsn)
    except psycopg2.OperationalError as error:
        raise DemoError(f"PostgreSQL cannot be reached: {str(error).strip()}") from None
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def _fingerprint(connection: Connection) -> str | None:
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT fingerprint FROM demo.seed")
        except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn):
            return None
        row = cursor.fetchone()
        return row[0] if row else None


def _drop(connection: Connection) -> None:
    """Remove the rows of an earlier demo, and nobody else's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname, to_regclass('demo.seed') IS NOT NULL FROM pg_namespace "
            "WHERE nspname IN ('demo', 'shop', 'logistics') ORDER BY nspname"
        )
        found = cursor.fetchall()
        if any(not ours for _, ours in found):
            names = ", ".join(name for name, _ in found)
            database = connection.info.dbname
            raise DemoError(
                f"database {database!r} has schemas that the demo did not make ({names}), and it would have "
                "to replace them: name an empty database in DATABASE_URL, or unset it"
            )
        for name, _ in found:
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def _run(scripts: list[Path], dsn: str, log: Path, **settings: str) -> None:
    parts = parse_dsn(dsn)
    # On the command line every user of the machine could read the password.
    environment = {**os.environ, "PGPASSWORD": parts.pop("password", os.environ.get("PGPASSWORD", ""))}
    given = parts.pop("options", "")
    options = " ".join(f"-c demo.{name}={value}" for name, value in settings.items())
    # One transaction: the rows are there whole or not at all.
    command = [
        str(binaries() / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
    ]
    command += ["--dbname", make_dsn(**parts, options=f"{given} {options}".strip())]
    command += [f"--file={script}" for script in scripts]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        if subprocess.run(command, env=environment, stdout=output, stderr=subprocess.STDOUT).returncode:
            said = log.read_text(errors="replace").strip()[-800:]
            raise DemoError(f"the demo's rows could not be made, see {log}:\n{said}")


def _write(dsn: str, file: Path, error_share: str) -> None:
    unfinished = file.with_name(f".{file.name}.part")
    with _connect(dsn) as connection, connection.cursor() as cursor, unfinished.open("wb") as output:
        query = sql.SQL("COPY (SELECT * FROM demo.delivery_statuses({})) TO STDOUT (FORMAT csv, HEADER)")
        cursor.copy_expert(query.format(sql.Literal(error_share)), output)
    unfinished.rename(file)


def _spoil(good: Path, broken: Path) -> None:
    """A file as a changed export would send it: rows as ever, and `status` now called `state`."""
    with good.open("rb") as source, broken.open("wb") as target:
        target.write(source.readline().replace(b",status,", b",state,"))
        target.write(source.read(100_000).rpartition(b"\n")[0] + b"\n")
