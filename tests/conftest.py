"""What every test may ask for: a real PostgreSQL, started once, and a database of its own.

Some tests import Airflow into their own process: it reads its configuration when it is first imported, so
that is set here, before any test is.
"""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from demo.postgres import EmbeddedServer
from tests.faulty_proxy import FaultyProxy, faulty_proxy
from tests.s3_server import Bucket, S3Server

ROOT = Path(__file__).resolve().parents[1]

if "AIRFLOW_HOME" not in os.environ:
    # Removed when the tests' process ends.
    temporary = tempfile.TemporaryDirectory(prefix="airflow-home-")
    home = temporary.name
    os.environ |= {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path_factory.mktemp("postgres") / "data", settings={"fsync": "off"})
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _administer(server: EmbeddedServer, statement: str, name: str) -> None:
    connection = psycopg2.connect(server.dsn())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
    connection.close()


@pytest.fixture
def database(postgres_server: EmbeddedServer) -> Iterator[str]:
    """The DSN of a new, empty database, dropped when the test ends."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _administer(postgres_server, "CREATE DATABASE {}", name)
    yield postgres_server.dsn(name)
    _administer(postgres_server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server, started once; tests make buckets of their own in it."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A new bucket, and the variables by which this process's clients find it."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return s3_server.new_bucket()


@pytest.fixture
def proxy(bucket: Bucket, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """As `bucket`, with a proxy between it and this process's clients, which does as a test says."""
    with faulty_proxy(s3_server.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        yield proxy


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line that names what this machine could not run, and why."""
    reasons = sorted({report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])})
    missing = "; ".join(reason.removeprefix("Skipped: ") for reason in reasons)
    terminalreporter.write_line(
        f"not run here: {missing}" if missing else "not run here: nothing, all of it ran"
    )
