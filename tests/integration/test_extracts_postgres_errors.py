"""What becomes of PostgreSQL's errors: each names query and place, and says whether a retry helps."""

import io
import re
from urllib.parse import urlsplit

import pytest

from extracts import queries
from extracts.errors import DataRefused, TransientError, UsageError
from extracts.postgres import Snapshot, connect, copy_in
from tests.integration.sql import copied, execute

MANY = "SELECT n, repeat('x', 200) AS text FROM generate_series(1, 300000) AS n"


class Interrupting(io.RawIOBase):
    """A sink that does something after the first million bytes."""

    def __init__(self, action):
        self._action, self._bytes = action, 0

    def write(self, data):
        self._bytes += len(data)
        if self._action and self._bytes > 1_000_000:
            action, self._action = self._action, None
            action()
        return len(data)


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (
            "SELECT * FROM parcels",
            UsageError,
            r'relation "parcels" does not exist .*search_path "\$user", public',
        ),
        ("SELECT weight FROM orders", UsageError, r'column "weight" does not exist .*search_path'),
        ("SELECT * FROM logistics.orders", UsageError, 'relation "logistics.orders" does not exist'),
        ("SELEC 1", UsageError, "syntax error .*correct the query"),
        ("DELETE FROM orders", UsageError, "RETURNING"),
        ("SELECT no_such_function(1)", UsageError, "no_such_function"),
        ("SELECT note::int FROM orders", DataRefused, 'invalid input syntax for type integer: "order 1"'),
        ("SELECT 1 / (id - 1) FROM orders", DataRefused, "division by zero"),
    ],
)
def test_errors_of_a_query_name_it_and_its_place(orders, query, error, message):
    parsed = queries.parse(query, name="orders.sql")
    with pytest.raises(error, match=rf"^orders\.sql: .*{message}"):
        copied(orders, parsed)
    if error is UsageError:
        with Snapshot(orders) as snapshot, pytest.raises(UsageError, match=r"^orders\.sql: "):
            snapshot.columns(parsed)


def test_a_missing_right_is_a_matter_of_configuration(orders):
    name = urlsplit(orders).path[1:]
    execute(orders, f"CREATE ROLE {name} LOGIN")
    try:
        with pytest.raises(UsageError, match=r"permission denied for table orders .*GRANT"):
            copied(f"{orders}?options=-c%20role%3D{name}", "SELECT * FROM orders")
    finally:
        execute(orders, f"DROP ROLE {name}")


def test_a_time_out_and_a_lock_pass_on_a_retry(orders):
    with (
        Snapshot(orders, statement_timeout=0.05) as snapshot,
        pytest.raises(TransientError, match=r"statement timeout.*statement_timeout"),
    ):
        snapshot.copy_out("SELECT pg_sleep(60)", None, io.BytesIO())
    holder = connect(orders)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
    with Snapshot(orders, lock_timeout=0.05) as snapshot, pytest.raises(TransientError, match="lock_timeout"):
        snapshot.copy_out("SELECT * FROM orders", None, io.BytesIO())
    holder.close()


def test_a_session_that_is_cut_off_passes_on_a_retry(orders):
    with Snapshot(orders) as snapshot:
        cut = f"SELECT pg_terminate_backend({snapshot.connection.info.backend_pid})"
        with pytest.raises(
            TransientError, match=r"^query: the connection to database .* was lost: .*try again"
        ):
            snapshot.copy_out(MANY, None, Interrupting(lambda: execute(orders, cut)))


def test_a_session_that_is_cut_off_while_rows_go_in_passes_on_a_retry(orders):
    connection = connect(orders)

    class Source(io.BytesIO):
        def read(self, size=-1):
            execute(orders, f"SELECT pg_terminate_backend({connection.info.backend_pid})")
            return b"id,note\n" + b"9,x\n" * 1000

        readline = read

    with pytest.raises(TransientError, match=r"^table orders: the connection to database .* was lost"):
        copy_in(connection, "orders", ["id", "note"], Source())
    connection.close()


def test_what_a_sink_raises_passes_through(orders):
    def fail():
        raise OSError(28, "No space left on device")

    with Snapshot(orders) as snapshot, pytest.raises(OSError, match="No space left"):
        snapshot.copy_out(MANY, None, Interrupting(fail))


def test_messages_hold_no_rows(orders):
    execute(orders, "ALTER TABLE orders ADD CHECK (note <> 'secret row')")
    connection = connect(orders)
    with pytest.raises(DataRefused) as raised:
        copy_in(connection, "orders", ["id", "note"], io.BytesIO(b"id,note\n9,secret row\n"))
    connection.close()
    assert not re.search("secret row", str(raised.value))
