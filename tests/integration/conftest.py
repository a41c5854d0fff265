"""What several of the integration tests ask for."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import EmbeddedServer
from extracts.postgres import connect
from pipelines.price_lists import exporting
from tests.integration.delivery import Command
from tests.integration.exports import TABLES, Carrier
from tests.integration.price_lists import Here, Shop, make_tables
from tests.integration.sql import execute


@pytest.fixture
def orders(database: str) -> str:
    """The DSN of a database with a small table."""
    with connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (id bigint PRIMARY KEY, note text)")
        cursor.execute("INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 3) AS n")
    connection.close()
    return database


@pytest.fixture
def command(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The delivery analysis as a command, on an empty database."""
    monkeypatch.chdir(tmp_path)
    return Command(database, tmp_path, capsys)


@pytest.fixture
def schema(postgres_server: EmbeddedServer) -> Iterator[str]:
    """The DSN of a new, empty schema, dropped when the test ends; sooner made than a database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    execute(postgres_server.dsn(), f"CREATE SCHEMA {name}")
    yield postgres_server.dsn(options=f"-csearch_path={name}")
    execute(postgres_server.dsn(), f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def shop(
    schema: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """Three clients, 40 products, ten contract prices a client; lists are made in this process."""
    make_tables(schema)
    root = tmp_path / "published"
    root.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exporting, "ProcessPoolExecutor", Here)
    return Shop(schema, root, capsys)


@pytest.fixture
def carrier(schema: str, tmp_path: Path) -> Carrier:
    """Two shipments with an event each, and two drivers."""
    execute(schema, TABLES)
    return Carrier(schema, tmp_path)
