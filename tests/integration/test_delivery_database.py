"""What the database may do to the delivery analysis, and the exit code that says whether a retry helps."""

import socket
import threading
import time

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from tests.integration.delivery import HEADER, line, make_orders
from tests.integration.sql import execute


def test_database_away(command):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    command.dsn = f"postgresql://reader:secret@127.0.0.1:{port}/test_db"
    ran = command(HEADER + line(1))
    assert ran.code == 1
    assert str(port) in ran.err
    assert "secret" not in ran.err


def test_libpq_environment(command, monkeypatch):
    make_orders(command.dsn, [(1, "a", "b")])
    given = parse_dsn(command.dsn)
    for variable, name in {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGDATABASE": "dbname",
        "PGUSER": "user",
        "PGPASSWORD": "password",
    }.items():
        monkeypatch.setenv(variable, given[name])
    (command.folder / "statuses.csv").write_text(HEADER + line(1))
    assert command.run("statuses.csv", "--json").answer["orders_with_status"] == 1


def test_table_missing(command):
    ran = command(HEADER + line(1))
    assert ran.code == 2
    assert "orders" in ran.err
    assert "search_path" in ran.err


def test_column_missing(command):
    execute(command.dsn, "CREATE TABLE orders (order_id bigint, carrier text)")
    ran = command(HEADER + line(1))
    assert ran.code == 2
    assert "region" in ran.err


def test_no_right_to_read(command, request):
    make_orders(command.dsn, [(1, "a", "b")])
    name = f"reader_{parse_dsn(command.dsn)['dbname']}"
    execute(command.dsn, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    owner = command.dsn
    request.addfinalizer(lambda: execute(owner, f"DROP ROLE {name}"))
    command.dsn = make_dsn(command.dsn, user=name, password="secret")
    ran = command(HEADER + line(1))
    assert ran.code == 2
    assert "permission denied" in ran.err or "right" in ran.err
    assert "secret" not in ran.err


def test_database_gone_in_the_middle(command):
    # Reading it takes long enough to be cut: every order waits for a moment.
    execute(
        command.dsn,
        "CREATE VIEW orders AS SELECT i::bigint AS order_id, 'a'::text AS carrier,"
        " pg_sleep(0.01)::text AS region FROM generate_series(1, 3000) AS i",
    )
    running = (
        "FROM pg_stat_activity WHERE application_name = 'delivery_status' AND query LIKE 'COPY%'"
        " AND datname = current_database()"
    )

    def cut() -> None:
        connection = psycopg2.connect(command.dsn)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for _ in range(200):
                cursor.execute(f"SELECT count(pg_terminate_backend(pid)) {running}")
                if cursor.fetchone() == (1,):
                    break
                time.sleep(0.05)
        connection.close()

    thread = threading.Thread(target=cut)
    thread.start()
    ran = command(HEADER + line(1))
    thread.join()
    assert ran.code == 1, ran.err
    assert "error:" in ran.err


def test_refused_statuses_do_not_wait_for_the_orders(command):
    execute(
        command.dsn,
        "CREATE VIEW orders AS SELECT i::bigint AS order_id, 'a'::text AS carrier,"
        " pg_sleep(1)::text AS region FROM generate_series(1, 600) AS i",
    )
    ran = command(HEADER + "x,x,x\n")
    assert ran.code == 3
    assert "1 of 1 rows were rejected" in ran.err


def test_view_that_gives_an_order_twice(command):
    execute(
        command.dsn,
        "CREATE VIEW orders AS SELECT 1::bigint AS order_id, 'a'::text AS carrier, r AS region"
        " FROM unnest(ARRAY['north', 'south']) AS r",
    )
    ran = command(HEADER + line(1))
    assert ran.code == 3
    assert "orders has 1 rows too many" in ran.err
