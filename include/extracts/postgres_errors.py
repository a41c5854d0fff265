"""What an error of PostgreSQL means for the run: may pass on a retry, no retry helps, or bad data."""

import os
import re
from collections.abc import Mapping

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import parse_dsn

from extracts.errors import DataRefused, ExtractsError, TransientError, UsageError

# The driver passes no code for a refused connection, only the server's text, in the server's language.
# What is not listed counts as passing: retrying in vain costs minutes, giving up on a restart costs a day.
_REFUSED_FOR_GOOD = re.compile(
    "authentication failed|no password supplied|does not exist|permission denied|pg_hba.conf"
    "|not permitted to log in|not currently accepting connections|certificate|does not support SSL"
    "|не прош|не существует|нет доступа|нет прав|не разрешён|не разрешен|не принимает подключения"
    "|definition of service|requires a value|unrecognized|invalid .*(value|option)|authentication method"
)

# SQLSTATE, by class or whole: https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "40", "53", "57", "58", "72", "XX", "55P03", "25P02", "25P03", "25P04")
_BAD_DATA = ("22", "23")
_REMEDIES = {
    "42P01": "name its schema in search_path (PGOPTIONS='-c search_path=…'), or create the table",
    "42703": "the query and the table disagree: add the column, or change the query",
    "3F000": "name an existing schema in search_path (PGOPTIONS='-c search_path=…')",
    "42883": "name its schema in search_path (PGOPTIONS='-c search_path=…'), or create the function",
    "42501": "ask the owner to GRANT the right to this user",
    "42601": "correct the query",
    "57014": "it was cancelled or ran into statement_timeout: try again, or allow it more time",
    "55P03": "another session locks it: try again, or allow a longer lock_timeout",
    "53300": "too many connections: try again, or raise max_connections",
}


def options(dsn: str | None) -> dict[str, str]:
    """The connection options that `dsn` or, where it is silent, libpq's environment gives, by libpq's names.

    Raises UsageError, without quoting the text (it holds a password), when libpq could not read it.
    """
    unreadable = (
        "the DSN cannot be read: write it as postgresql://user:password@host:port/database or as "
        "host=… dbname=…, with '@', '/' and '%' of the password percent-encoded in the first form"
    )
    uri = re.fullmatch(r"\w+://(?P<before_query>[^?]*).*", dsn or "", re.DOTALL)
    # libpq would take the rest of such a password for a host or a port, and then quote it in its messages.
    if uri and re.search("[@/]", uri["before_query"].rpartition("@")[0]):
        raise UsageError(unreadable)
    try:
        given: dict[str, str] = dict(parse_dsn(dsn or ""))
    except psycopg2.ProgrammingError:
        raise UsageError(unreadable) from None
    if not re.fullmatch(r"[\d,]*", given.get("port", "")):
        raise UsageError(unreadable)
    for name, variable in _ENVIRONMENT.items():
        if name not in given and variable in os.environ:
            given[name] = os.environ[variable]
    return given


_ENVIRONMENT = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "service": "PGSERVICE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


def connect_error(error: psycopg2.Error, given: Mapping[str, str]) -> ExtractsError:
    """What a refused connection means; `given` are its options, for the place."""
    reason = " ".join(str(error).split())
    place = (
        f"{given.get('host') or given.get('hostaddr') or 'the default host'}:{given.get('port') or '5432'}, "
        f"database {given.get('dbname') or given.get('user') or 'by default'!r}, "
        f"user {given.get('user') or 'by default'!r}"
    )
    if "service" in given:
        place = f"service {given['service']!r}, {place}"
    if _REFUSED_FOR_GOOD.search(reason):
        remedy = "check address, database, user and password (PGHOST … PGPASSWORD, or the DSN)"
        return UsageError(f"PostgreSQL at {place} refuses the connection: {reason}; {remedy}")
    return TransientError(
        f"PostgreSQL at {place} cannot be reached: {reason}; check that it runs and answers there, try again"
    )


def place_of(connection: Connection) -> str:
    """Where an open connection leads, for messages: database, host and port."""
    info = connection.info
    return f"database {info.dbname!r} at {info.host}:{info.port}"


def query_error(error: psycopg2.Error, connection: Connection, *, doing: str, place: str) -> ExtractsError:
    """What an error of a statement means; `doing` names the query or table that was being worked on."""
    code = error.pgcode or ""
    # The primary message only: details and context quote whole rows of data into logs and mails.
    reason = " ".join((error.diag.message_primary or str(error)).split())
    if connection.closed or (not code and isinstance(error, psycopg2.OperationalError)):
        return TransientError(
            f"{doing}: the connection to {place} was lost: {reason or 'no reason given'}; try again"
        )
    remedy = _REMEDIES.get(code)
    text = f"{doing}: {reason} ({place})"
    if code.startswith(_PASSING):
        return TransientError(f"{text}; {remedy or 'try again'}")
    if code.startswith(_BAD_DATA):
        return DataRefused(f"{text}; {remedy or 'correct the data, or the query that meets them'}")
    return UsageError(f"{text}; {remedy or 'correct the query or the configuration'}")
