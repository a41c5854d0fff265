"""The role that read-only-role.sql makes: it reads the carrier's tables, and can do nothing else to them."""

import subprocess
from pathlib import Path

import psycopg2
import psycopg2.errors
import pytest

from demo.postgres import EmbeddedServer, as_user, binaries
from tests.manifests.tree import ROLE

PASSWORD = "it's a 'test'"


def apply(dsn: str, password: str) -> None:
    subprocess.run(
        [
            *(binaries() / "psql", dsn, "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1"),
            *("-v", "schema=logistics", "-v", f"password={password}", "-f", ROLE),
        ],
        check=True,
    )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory):
    """The DSN of the role, on a server of its own: roles belong to the whole server."""
    folder: Path = tmp_path_factory.mktemp("role")
    server = EmbeddedServer(folder / "data", settings={"fsync": "off"})
    server.start()
    try:
        with psycopg2.connect(server.dsn()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA logistics; CREATE TABLE logistics.shipments (id int)")
            cursor.execute("CREATE TABLE public.other (id int)")
        connection.close()
        apply(server.dsn(), "the first")
        apply(server.dsn(), PASSWORD)
        with psycopg2.connect(server.dsn()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE logistics.shipment_events (id int)")
        connection.close()
        yield as_user(server.dsn(options="-csearch_path=logistics"), "batch_reader", PASSWORD)
    finally:
        server.stop()


@pytest.fixture
def session(reader):
    connection = psycopg2.connect(reader)
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.mark.parametrize("table", ["shipments", "shipment_events"])
def test_it_reads_the_tables_that_are_there_and_those_that_come_later(session, table):
    session.execute(f"SELECT count(*) FROM {table}")
    assert session.fetchone() == (0,)


def test_it_may_do_what_the_export_needs(session):
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    session.execute("SELECT pg_export_snapshot(), pg_try_advisory_lock(1), pg_relation_size('shipments')")
    assert session.fetchone()[1] is True
    session.execute("ROLLBACK")


def test_its_sessions_begin_as_readers(session):
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        session.execute("CREATE TEMPORARY TABLE mine (id int); INSERT INTO shipments VALUES (1)")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO shipments VALUES (1)",
        "UPDATE shipments SET id = 2",
        "DELETE FROM shipments",
        "TRUNCATE shipments",
        "DROP TABLE shipments",
        "CREATE TABLE logistics.another (id int)",
        "CREATE ROLE another",
        "SELECT * FROM public.other",
    ],
)
def test_it_may_do_nothing_else_even_when_it_asks_to_write(session, statement):
    session.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        session.execute(statement)
