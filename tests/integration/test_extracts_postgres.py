"""Connections, snapshots and COPY against a real PostgreSQL, and what becomes of its errors."""

import io
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context
from urllib.parse import urlsplit

import psycopg2
import pytest

from extracts import queries
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.postgres import Column, Snapshot, connect, copy_in
from tests.integration.sql import copied, execute

MANY = "SELECT n, repeat('x', 200) AS text FROM generate_series(1, 300000) AS n"


def test_rows_come_out_as_csv(orders):
    rows, text = copied(orders, "SELECT id, nullif(note, 'order 2') AS note FROM orders ORDER BY id -- all")
    assert rows == 3
    assert text == "id,note\n1,order 1\n2,\n3,order 3\n"


def test_an_empty_result_is_a_header(orders):
    assert copied(orders, "SELECT * FROM orders WHERE false") == (0, "id,note\n")


def test_the_server_does_not_decide_how_values_look(orders):
    for setting in ("timezone = 'Asia/Tokyo'", "datestyle = 'German'", "extra_float_digits = -5"):
        execute(orders, f"ALTER DATABASE {urlsplit(orders).path[1:]} SET {setting}")
    query = "SELECT '2026-11-21 20:00+03'::timestamptz AS a, 0.1::float8 + 0.2 AS b, interval '26h' AS c"
    assert copied(orders, query)[1] == "a,b,c\n2026-11-21 17:00:00+00,0.30000000000000004,PT26H\n"


def test_the_server_notices_within_minutes_that_a_client_is_lost(orders):
    """Or the lock of a run that is no more would turn away all others for as long as its system waits."""
    with Snapshot(orders) as snapshot, snapshot.connection.cursor() as cursor:
        names = ("idle", "interval", "count")
        cursor.execute(
            "SELECT " + ", ".join(f"current_setting('tcp_keepalives_{name}')::int" for name in names)
        )
        idle, interval, count = cursor.fetchone()
    # 0 would mean: as the operating system has it.
    assert 0 < idle + interval * count <= 120


def test_parameters_are_bound_by_the_driver(orders):
    query = queries.parse(
        "SELECT count(*) AS n FROM orders WHERE note = :'note' OR id = ANY (:'ids') AND 1 % 2 = 1"
    )
    assert copied(orders, query, {"note": "x'; DROP TABLE orders; --", "ids": [2, 3]})[1] == "n\n2\n"
    with connect(orders) as connection:
        literal = queries.bind(
            queries.parse("SELECT :'t', :'d', :'n', ':''t', $$:'t'$$"),
            {"t": datetime(2026, 11, 21, tzinfo=UTC), "d": Decimal("1.50"), "n": None},
            connection,
        )
        assert literal == "SELECT '2026-11-21T00:00:00+00:00'::timestamptz, 1.50, NULL, ':''t', $$:'t'$$"
        with pytest.raises(UsageError, match="needs a value for: ids"):
            queries.bind(query, {"note": "x"}, connection)
        with pytest.raises(UsageError, match="has no parameter day; it has: ids, note"):
            queries.bind(query, {"note": "x", "ids": [], "day": 1}, connection)
        for value in (object(), "a\0b"):
            with pytest.raises(UsageError, match="parameter note: no SQL form of a"):
                queries.bind(query, {"note": value, "ids": []}, connection)
    connection.close()


def test_the_same_file_runs_in_psql(orders, tmp_path):
    from demo.postgres import binaries

    (tmp_path / "orders.sql").write_text("SELECT id FROM orders WHERE note = :'note'; -- by psql too\n")
    answer = subprocess.run(
        [binaries() / "psql", orders, "-X", "-At", "-v", "note=order 2", "-f", tmp_path / "orders.sql"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "2\n"
    query = queries.load("orders", tmp_path)
    assert copied(orders, query, {"note": "order 2"})[1] == "id\n2\n"


def test_readers_share_one_instant(orders):
    with Snapshot(orders) as snapshot, snapshot.join() as reader:
        execute(orders, "INSERT INTO orders VALUES (4, 'late')")
        assert reader.id == snapshot.id
        assert reader.time == snapshot.time
        with snapshot.join() as late_reader:
            for each in (snapshot, reader, late_reader):
                assert each.copy_out("SELECT * FROM orders", None, io.BytesIO()) == 3
    assert copied(orders, "SELECT * FROM orders")[0] == 4


def test_the_time_of_a_snapshot_is_the_servers(orders):
    with connect(orders) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
        with Snapshot(orders) as snapshot:
            assert snapshot.time.utcoffset() == timedelta(0)
            connection.rollback()
            cursor.execute("SELECT clock_timestamp()")
            (after,) = cursor.fetchone()
            assert before <= snapshot.time <= after
    connection.close()


def rows_seen(reader):
    with reader:
        return reader.copy_out("SELECT * FROM orders", None, io.BytesIO())


def test_readers_of_other_processes_share_it_too(orders):
    with Snapshot(orders) as snapshot:
        execute(orders, "INSERT INTO orders VALUES (4, 'late')")
        with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
            assert list(pool.map(rows_seen, [snapshot.join(), snapshot.join()])) == [3, 3]
        assert pickle.loads(pickle.dumps(snapshot.join())).id == snapshot.id


def test_a_snapshot_reads_only_and_can_be_taken_again(orders):
    snapshot = Snapshot(orders)
    with pytest.raises(UsageError, match="not taken yet"):
        snapshot.join()
    with snapshot:
        first = snapshot.time
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction), snapshot.connection.cursor() as cursor:
            cursor.execute("DELETE FROM orders")
    with snapshot:
        assert snapshot.time > first


def test_a_reader_cannot_join_a_snapshot_that_is_gone(orders):
    with Snapshot(orders) as snapshot:
        reader = snapshot.join()
    with pytest.raises(TransientError, match="is gone from database"), reader:
        pass


def test_columns_are_described_by_the_server(orders):
    query = """SELECT 1::int2 AS a, 1::numeric(12,2) AS b, 1::numeric AS c, now() AS d, '{}'::jsonb AS e,
               ARRAY['x'] AS f, 'x'::varchar(20) AS g, NULL AS h FROM orders WHERE id = :'id' -- described"""
    with Snapshot(orders) as snapshot:
        assert snapshot.columns(query, {"id": 1}) == [
            Column("a", "smallint"),
            Column("b", "numeric(12,2)"),
            Column("c", "numeric"),
            Column("d", "timestamp with time zone"),
            Column("e", "jsonb"),
            Column("f", "text[]"),
            Column("g", "character varying"),
            Column("h", "text"),
        ]


def test_no_row_is_read_to_describe_columns(orders):
    with Snapshot(orders, statement_timeout=5) as snapshot:
        columns = snapshot.columns("SELECT pg_sleep(60)::text AS slept, 1 / (id - id) AS broken FROM orders")
        assert columns == [Column("slept", "text"), Column("broken", "bigint")]


def test_rows_go_in_as_they_came_out(orders):
    nasty = "E'a,b', E'\"', E'two\\nlines', E'\\r', '', NULL, '\\.', ' да ', E'\\t'"
    execute(
        orders, f"CREATE TABLE texts AS SELECT unnest(ARRAY[{nasty}]) AS text; CREATE TABLE copy (LIKE texts)"
    )
    sink = io.BytesIO()
    with Snapshot(orders) as snapshot:
        rows = snapshot.copy_out("SELECT text FROM texts", None, sink)
    sink.seek(0)
    with connect(orders) as connection:
        assert copy_in(connection, "public.copy", ["text"], sink) == rows == 9
    connection.close()
    difference = "(TABLE texts EXCEPT ALL TABLE copy) UNION ALL (TABLE copy EXCEPT ALL TABLE texts)"
    assert copied(orders, difference)[0] == 0
    assert copied(orders, "TABLE copy")[0] == 9


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("id,note\nx,y\n", DataRefused, "invalid input syntax for type bigint"),
        ("id,note\n1,again\n", DataRefused, "duplicate key"),
        ("id,note\n7\n", DataRefused, "missing data"),
        ("note,id\n7,x\n", DataRefused, "column name mismatch"),
        ('id,note\n7,"x\n', DataRefused, "unterminated CSV quoted field"),
    ],
)
def test_rows_that_do_not_fit_are_refused(orders, text, error, message):
    connection = connect(orders)
    with pytest.raises(error, match=f"table orders: {message}"):
        copy_in(connection, "orders", ["id", "note"], io.BytesIO(text.encode()))
    connection.close()


MEMORY = """
import resource, sys
from extracts.postgres import Snapshot, connect, copy_in

def peak_kilobytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

dsn, path, query = sys.argv[1:]
with Snapshot(dsn) as snapshot, open(path, "wb") as file:
    snapshot.copy_out("SELECT 1 AS n, 'x' AS text", None, file)
    before = peak_kilobytes()
    file.seek(0)
    rows = snapshot.copy_out(query, None, file)
connection = connect(dsn)
connection.cursor().execute("CREATE TEMP TABLE many (n int, text text)")
with open(path, "rb") as file:
    assert copy_in(connection, "many", ["n", "text"], file) == rows == 300_000
print(peak_kilobytes() - before)
"""


def test_memory_does_not_grow_with_the_rows(database, tmp_path):
    path = tmp_path / "many.csv"
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, database, path, MANY], capture_output=True, text=True, check=True
    )
    assert path.stat().st_size > 60_000_000
    assert int(run.stdout) < 8_000
