"""What several of the integration tests ask for."""

from pathlib import Path

import pytest

from extracts.postgres import connect
from tests.integration.delivery import Command


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
