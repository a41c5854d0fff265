"""PostgreSQL in and out: connections, one instant shared by several readers, streaming COPY.

Connections come from libpq's own environment (`PGHOST` … `PGPASSWORD`, `PGSERVICE`, `PGSSLMODE`) or from
a DSN, a URI or `key=value` text. Errors arrive as those of `extracts.errors`, with host, port and
database named and never the password.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

import psycopg2
import psycopg2.errors
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as Connection

from extracts.errors import TransientError, UsageError
from extracts.postgres_errors import connect_error, options, place_of, query_error
from extracts.queries import Query, bind, parse

_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    # The driver reads intervals in this style only; a snapshot, which is there for COPY, turns to ISO 8601.
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    # A sequential scan may otherwise join another one half-way, and the same rows come in another order.
    "synchronize_seqscans": "off",
    # The server asks for signs of life, too: left to its system, it would keep the session of a machine that
    # was lost for two hours, and with it a lock that turns every other run away.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
# Inside of a snapshot, which may sit idle for hours while others read from it. Several workers of the server
# would give the rows in an order of chance.
_INSIDE = {
    "idle_in_transaction_session_timeout": "0",
    "intervalstyle": "iso_8601",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
# A server that vanished without a word (power, network) is noticed after about a minute, not two hours.
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class BinarySink(Protocol):
    """Anything that bytes can be written to."""

    def write(self, data: bytes, /) -> object: ...


class BinarySource(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class Column:
    """A column of a query's result, and its type as PostgreSQL writes it, such as `numeric(12,2)`."""

    name: str
    type: str


def connect(
    dsn: str | None = None,
    *,
    application_name: str = "extracts",
    statement_timeout: float | None = None,
    lock_timeout: float | None = None,
) -> Connection:
    """A connection whose session writes values the same way on every server.

    `dsn` None means libpq's environment. What it says about `connect_timeout` (else 10 s), keepalives and
    `application_name` wins over this function. Timeouts are in seconds; None leaves the server's own.

    Raises TransientError when the server is away, starting or full, UsageError when it refuses for good.
    """
    given = options(dsn)
    defaults: dict[str, Any] = {"connect_timeout": 10, **_KEEPALIVES}
    settings = dict(_SESSION)
    for name, seconds in (("statement_timeout", statement_timeout), ("lock_timeout", lock_timeout)):
        if seconds is not None:
            settings[name] = f"{seconds * 1000:.0f}"
    try:
        connection: Connection = psycopg2.connect(
            dsn,
            client_encoding="UTF8",
            fallback_application_name=application_name,
            **{name: value for name, value in defaults.items() if name not in given},
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config(name, value, false) FROM unnest(%s, %s) AS setting(name, value)",
                (list(settings), list(settings.values())),
            )
        connection.commit()
    except psycopg2.Error as error:
        raise connect_error(error, given) from None
    return connection


class Snapshot:
    """One read-only view of the database, as it was at one instant, that several sessions can share.

        with Snapshot(dsn) as snapshot, path.open("wb") as file:
            rows = snapshot.copy_out(query, {"start": window.start}, file)

    All that is read through it and through the readers that `join` gives is from that instant. They join
    while it is open; a reader that has joined goes on when it ends.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        application_name: str = "extracts",
        statement_timeout: float | None = None,
        lock_timeout: float | None = None,
    ) -> None:
        self._dsn = dsn
        self._connect_options: dict[str, Any] = {
            "application_name": application_name,
            "statement_timeout": statement_timeout,
            "lock_timeout": lock_timeout,
        }
        self._joins: str | None = None
        self._id: str | None = None
        self._time: datetime | None = None
        self._connection: Connection | None = None
        self._place = ""
        self._physical: bool | None = None

    def __enter__(self) -> Self:
        self._connection = connect(self._dsn, **self._connect_options)
        try:
            self._begin(self._connection)
        except BaseException:
            self._connection.close()
            raise
        return self

    def _begin(self, connection: Connection) -> None:
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        place = place_of(connection)
        try:
            with connection.cursor() as cursor:
                # The first statement of the transaction, whichever it is, fixes what the others will see.
                if self._joins is None:
                    cursor.execute("SELECT pg_export_snapshot(), statement_timestamp()")
                    self._id, self._time = cursor.fetchone() or (None, None)
                else:
                    cursor.execute("SET TRANSACTION SNAPSHOT %s", (self._joins,))
                cursor.execute(
                    "SELECT set_config(name, value, true) FROM unnest(%s, %s) AS setting(name, value)",
                    (list(_INSIDE), list(_INSIDE.values())),
                )
            self._place = _place_and_path(connection)
        except (psycopg2.errors.InvalidParameterValue, psycopg2.errors.UndefinedObject):
            raise TransientError(
                f"snapshot {self._joins} is gone from {place}: the session that took it has ended; run again"
            ) from None
        except psycopg2.Error as error:
            raise query_error(error, connection, doing="the snapshot", place=place) from None

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def id(self) -> str:
        """PostgreSQL's name of the snapshot, as `SET TRANSACTION SNAPSHOT` takes it."""
        if self._id is None:
            raise UsageError("this snapshot is not taken yet: enter it by `with`")
        return self._id

    @property
    def time(self) -> datetime:
        """When it was taken, by the server's clock: what was committed before is in it. Aware, in UTC."""
        if self._time is None:
            raise UsageError("this snapshot is not taken yet: enter it by `with`")
        return self._time

    @property
    def connection(self) -> Connection:
        """The session inside the snapshot."""
        if self._connection is None:
            raise UsageError("this snapshot has no connection yet: enter it by `with`")
        return self._connection

    def in_physical_order(self, wanted: bool) -> None:
        """Whether rows come as they lie in their table, however they are found: index scans are off then."""
        if wanted == self._physical:
            return
        with self.connection.cursor() as cursor:
            names = ("enable_indexscan", "enable_indexonlyscan")
            cursor.execute(
                "SELECT set_config(name, %s, true) FROM unnest(%s) AS name", (str(not wanted), [*names])
            )
        self._physical = wanted

    def join(self) -> "Snapshot":
        """Another reader of this snapshot, to be entered by `with`, in this process or in another one.

        Until it is entered it can be pickled, which is how it reaches a worker process.
        """
        reader = Snapshot(self._dsn, **self._connect_options)
        reader._joins = reader._id = self.id
        reader._time = self.time
        return reader

    def copy_out(
        self, query: Query | str, params: Mapping[str, Any] | None, sink: BinarySink, *, header: bool = True
    ) -> int:
        """Stream the query's rows into `sink` as machine CSV, with a header; returns the number of rows.

        UTF-8, comma, NULL empty and '' quoted, times in UTC. The memory that it takes does not depend on
        the rows. Raises UsageError (unknown table or column, no right), TransientError (connection lost,
        time out), DataRefused (the query cannot work on the data); what `sink` raises passes through.
        """
        query = _as_query(query)
        text = bind(query, params or {}, self.connection)
        with (
            translated_errors(self.connection, query.name, self._place),
            self.connection.cursor() as cursor,
        ):
            # On lines of their own, so that a comment at the query's end does not hide the parenthesis.
            cursor.copy_expert(f"COPY (\n{text}\n) TO STDOUT (FORMAT csv, HEADER {header})", sink)
            return cursor.rowcount

    def columns(self, query: Query | str, params: Mapping[str, Any] | None = None) -> list[Column]:
        """The query's columns and their types, as the server describes them; no row is read."""
        query = _as_query(query)
        text = bind(query, params or {}, self.connection)
        with translated_errors(self.connection, query.name), self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{text}\n) AS described LIMIT 0")
            described = cursor.description or ()
            cursor.execute(
                "SELECT array_agg(format_type(oid, NULL) ORDER BY position)"
                " FROM unnest(%s::oid[]) WITH ORDINALITY AS described(oid, position)",
                ([column.type_code for column in described],),
            )
            (types,) = cursor.fetchone() or ((),)
        return [Column(c.name, _with_precision(name, c)) for c, name in zip(described, types, strict=True)]


def copy_in(connection: Connection, table: str, columns: Sequence[str], source: BinarySource) -> int:
    """Stream machine CSV from `source` into `table` (`schema.table` or by search_path); returns the rows.

    `columns` are those of the file, in its order. The transaction stays the caller's: nothing is committed.
    Raises as `Snapshot.copy_out` does; DataRefused when a row does not fit the table.
    """
    statement = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT csv, HEADER {header})").format(
        table=sql.Identifier(*table.split(".")),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        # From PostgreSQL 15 the server checks the names, so that swapped columns do not load silently.
        header=sql.SQL("MATCH" if connection.server_version >= 150000 else "true"),
    )
    with translated_errors(connection, f"table {table}"), connection.cursor() as cursor:
        cursor.copy_expert(statement, source)
        return cursor.rowcount


def _as_query(query: Query | str) -> Query:
    return parse(query) if isinstance(query, str) else query


def _with_precision(name: str, column: psycopg2.extensions.Column) -> str:
    if name == "numeric" and column.precision is not None and column.precision != 65535:
        return f"numeric({column.precision},{column.scale})"
    return name


def _place_and_path(connection: Connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path')")
        (path,) = cursor.fetchone() or ("",)
    return f"{place_of(connection)}, search_path {path}"


@contextmanager
def translated_errors(connection: Connection, doing: str, place: str | None = None) -> Iterator[None]:
    """Turn the driver's errors into this library's; `doing` names the query or table that is worked on."""
    known = place or place_of(connection)
    try:
        # Asked beforehand: in a transaction that has failed nothing can be asked any more.
        known = place or _place_and_path(connection)
        yield
    except psycopg2.Error as error:
        raise query_error(error, connection, doing=doing, place=known) from None
