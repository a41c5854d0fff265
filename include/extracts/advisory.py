"""One run at a time, wherever the runs are: an advisory lock of the PostgreSQL that they all read.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from psycopg2.extensions import connection as Connection

from extracts.errors import TransientError
from extracts.postgres import translated_errors
from extracts.postgres_errors import place_of

_HOLDER = """
    SELECT format('process %%s of the server, %%s from %%s, since %%s', pid, application_name,
        coalesce(host(client_addr), 'a socket'), date_trunc('second', backend_start))
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND (classid::bigint << 32) | objid::bigint = hashtextextended(%s, 0)
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def hold(connection: Connection, name: str) -> None:
    """Hold the lock called `name` until `connection` ends, which it does with this process at the latest.

    Raises TransientError, saying who holds it, when another session does. A pool that gives each transaction
    another session (PgBouncer in transaction mode) cannot hold it: connect to the server itself.
    """
    with translated_errors(connection, f"the lock {name!r}"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,))
        if cursor.fetchone() == (True,):
            # Not there before PostgreSQL 14: a session that sits idle while files are uploaded must not end.
            cursor.execute(
                "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
            )
            return
        cursor.execute(_HOLDER, (name,))
        holder = cursor.fetchone() or ("a session that has just ended",)
    raise TransientError(
        f"another run holds the lock {name!r} in {place_of(connection)}: {holder[0]}; wait until it ends"
    )
