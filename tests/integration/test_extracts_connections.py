"""Where a connection leads, and what is told, and not told, when there is none."""

import io
from urllib.parse import urlsplit

import pytest

from extracts.errors import TransientError, UsageError
from extracts.postgres import Snapshot, connect
from tests.integration.sql import execute


def test_the_environment_of_libpq_is_enough(database, monkeypatch):
    url = urlsplit(database)
    for variable, value in {
        "PGHOST": url.hostname,
        "PGPORT": str(url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.path[1:],
        "PGOPTIONS": "-c search_path=elsewhere,public",
    }.items():
        monkeypatch.setenv(variable, value)
    with Snapshot(application_name="the test") as snapshot:
        sink = io.BytesIO()
        query = "SELECT count(*), current_setting('application_name'), current_setting('search_path')"
        snapshot.copy_out(query, None, sink)
    assert sink.getvalue().decode().endswith('1,the test,"elsewhere,public"\n')
    monkeypatch.setenv("PGDATABASE", "absent")
    with pytest.raises(UsageError, match=rf"{url.hostname}:{url.port}, database 'absent'"):
        connect()


def replaced(dsn, **parts):
    url = urlsplit(dsn)
    given = {"user": url.username, "password": url.password, "port": url.port, "path": url.path} | parts
    return "postgresql://{user}:{password}@127.0.0.1:{port}{path}".format(**given)


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"password": "wr0ng-secret"}, UsageError, "password authentication failed"),
        ({"user": "nobody_here"}, UsageError, "user 'nobody_here'"),
        ({"path": "/absent"}, UsageError, "database 'absent'"),
        ({"port": 1}, TransientError, "127.0.0.1:1, .*cannot be reached: .*refused"),
        ({"path": "/x?sslmode=require"}, UsageError, "SSL"),
        ({"path": "/postgres?options=-c%20no_such_setting%3D1"}, UsageError, "no_such_setting"),
    ],
)
def test_a_refused_connection_names_the_place_and_no_password(database, parts, error, message):
    dsn = replaced(database, **parts)
    with pytest.raises(error, match=message) as raised:
        connect(dsn)
    assert urlsplit(dsn).password not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:s3cr@t@127.0.0.1/db",
        "postgresql://user:s3cr/t@127.0.0.1/db",
        "postgresql://user:s3cr%t@127.0.0.1/db",
        "host=127.0.0.1 password=s3cr t",
        "host=127.0.0.1 port=s3cr",
    ],
)
def test_a_dsn_that_libpq_misreads_is_not_quoted(dsn):
    with pytest.raises(UsageError, match="percent-encoded") as raised:
        connect(dsn)
    assert "s3cr" not in repr(raised.value)


def test_too_many_connections_pass_on_a_retry(database):
    name = urlsplit(database).path[1:]
    execute(database, f"CREATE ROLE {name} LOGIN PASSWORD 'pw' CONNECTION LIMIT 0")
    try:
        with pytest.raises(TransientError, match="too many connections"):
            connect(replaced(database, user=name, password="pw"))
    finally:
        execute(database, f"DROP ROLE {name}")
