"""The export of `make demo`, on a PostgreSQL and rows of its own: what it tells, and what it notices."""

import os
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from demo import airflow, export
from demo.errors import DemoError
from demo.postgres import EmbeddedServer
from demo.seed import create_database, let_log_in, seed
from demo.show import Outcome
from demo.stack import DATABASE, READER
from extracts.verify import verify
from tests.integration.sql import asked, execute

DAY = date(2026, 11, 21)
SET_DAY = DAY - timedelta(days=1)


@dataclass
class Stack:
    root: Path
    published: Path
    day: date
    dsn: str


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Where `make demo` has its own: in the folder of the stack, with the jobs' role."""
    root = tmp_path_factory.mktemp("stack")
    server = EmbeddedServer(root / "postgres" / "data")
    server.start()
    try:
        create_database(server.dsn(), DATABASE)
        seed(server.dsn(DATABASE), root / "statuses", root / "seed.log", scale="0.002", day=DAY)
        let_log_in(server.dsn(DATABASE), READER, keys(root)["reader"])
        yield server
    finally:
        server.stop()


def keys(root):
    return airflow.stored_secrets(root / "airflow" / "secrets.json")


@pytest.fixture
def stack(server, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    # A person's own settings of the command are not the demo's.
    monkeypatch.setenv("EXTRACTS_COMPRESSION", "nonsense")
    published = tmp_path / "published"
    published.mkdir()
    return Stack(server.data.parents[1], published, DAY, server.dsn(DATABASE))


def perform(stack):
    told = []
    return export.perform(stack, told.append), told


def package(stack):
    return stack.published / "logistics" / f"dt={SET_DAY}"


def test_it_tells_each_table_and_what_came_of_the_whole(stack):
    outcome, told = perform(stack)
    assert outcome.problems == []
    assert (outcome.job, outcome.result) == ("logistics", "success, as it should")
    first, *tables, last = told
    assert first == "logistics, five tables of a day"
    assert last == "logistics, five tables of a day: success, as it should"
    # Of the day that is shown, and not of the one before it, which is looked at, too.
    rows = dict(re.fullmatch(r"  (\w+): ([\d,]+) rows", line).groups() for line in tables)
    assert len(tables) == len(rows)
    assert rows.keys() == export.TABLES
    assert sum(int(number.replace(",", "")) for number in rows.values()) == outcome.rows
    for table in ("clients", "drivers", "vehicles"):
        ((count,),) = asked(stack.dsn, f"SELECT count(*) FROM logistics.{table}")
        assert rows[table] == f"{count:,}"
    assert outcome.files == str(package(stack))
    assert (package(stack) / outcome.run_id).is_dir()
    report = verify(outcome.files)
    assert report.ok
    assert report.rows == outcome.rows > 1000


def test_run_again_it_finds_nothing_changed(stack):
    first, _ = perform(stack)
    second, _ = perform(stack)
    assert second.problems == []
    assert (second.run_id, second.rows) == (first.run_id, first.rows)


def test_a_command_that_fails_is_told_with_its_reason_and_its_log(stack):
    execute(stack.dsn, f"REVOKE SELECT ON logistics.drivers FROM {READER}")
    try:
        outcome, told = perform(stack)
    finally:
        execute(stack.dsn, f"GRANT SELECT ON logistics.drivers TO {READER}")
    assert outcome.result == "failed: WRONG"
    assert told[-1].endswith("failed: WRONG")
    (problem,) = outcome.problems
    log = stack.root / "logs" / "logistics-export.log"
    assert problem.startswith("the command ended with 2: ")
    assert "permission denied for table drivers" in problem
    assert problem.endswith(f", see {log}")
    assert keys(stack.root)["reader"] not in log.read_text() + problem
    assert outcome.rows is None
    assert not package(stack).exists()


def judged(stack):
    outcome = Outcome("logistics", "judged again", "")
    export._judge(outcome, stack, SET_DAY, export.reader_dsn(stack.root))
    return outcome.problems


def test_a_damaged_file_is_noticed(stack):
    perform(stack)
    assert judged(stack) == []
    file = next(package(stack).glob("v=*/shipments.csv.gz"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (problem,) = judged(stack)
    assert problem.startswith("`extracts verify` ended with 3")


def test_rows_that_the_database_has_and_the_set_has_not_are_noticed(stack):
    outcome, _ = perform(stack)
    execute(stack.dsn, f"INSERT INTO logistics.drivers SELECT 999999, {rest_of(stack.dsn, 'drivers')}")
    try:
        problems = judged(stack)
    finally:
        execute(stack.dsn, "DELETE FROM logistics.drivers WHERE id = 999999")
    assert problems == [f"{outcome.rows:,} rows, and the database has {outcome.rows + 1:,} of {SET_DAY}"]


def rest_of(dsn, table):
    """A row's other columns, for a copy of one that is there."""
    columns = asked(
        dsn,
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) "
        f"FROM information_schema.columns WHERE table_schema = 'logistics' AND table_name = '{table}' "
        "AND ordinal_position > 1",
    )[0][0]
    return f"{columns} FROM logistics.{table} LIMIT 1"


def test_a_table_too_few_is_noticed(stack):
    perform(stack)
    file = package(stack) / "datapackage.json"
    file.write_text(file.read_text().replace('"name": "vehicles"', '"name": "carts"'))
    assert any(problem.startswith("the tables are ['carts', ") for problem in judged(stack))


def test_the_jobs_role_reads_and_its_tables_are_on_the_search_path(stack):
    given = parse_dsn(export.reader_dsn(stack.root))
    assert (given["user"], given["dbname"], given["options"]) == (
        READER,
        DATABASE,
        "-c search_path=logistics",
    )
    connection = psycopg2.connect(export.reader_dsn(stack.root))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM drivers")
        assert cursor.fetchone()[0] == READER
        with pytest.raises(psycopg2.errors.lookup("25006")):
            cursor.execute("DELETE FROM drivers")
    connection.close()


def test_a_server_of_one_s_own_is_read_as_its_user_and_with_its_options(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.invalid/shop?options=-c%20work_mem%3D8MB")
    given = parse_dsn(export.reader_dsn(tmp_path))
    assert (given["user"], given["host"], given["dbname"]) == ("me", "db.invalid", "shop")
    assert given["options"] == "-c work_mem=8MB -c search_path=logistics"


def test_a_stack_without_a_database_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(DemoError, match=r"has no PostgreSQL of its own: set DATABASE_URL"):
        export.reader_dsn(tmp_path)


def test_a_server_that_has_ended_is_no_database(tmp_path, monkeypatch):
    """Its postmaster.pid may stay behind, and the number in it may be another process's by now."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n0\n5432\n")
    with pytest.raises(DemoError, match="DATABASE_URL"):
        export.reader_dsn(tmp_path)
