"""One real Airflow for all tests that need it.

The tests that only load DAG files import Airflow into their own process: it reads its configuration when it
is first imported, so that is set here, before any test is.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from demo.stack import Stack
from tests.dags.jobs import DAG, DEADLINE_MINUTES, ORDERS, Jobs

ROOT = Path(__file__).resolve().parents[2]

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
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    root = tmp_path_factory.mktemp("airflow here")
    environment = {
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "DELIVERY_STATUS_DEADLINE_MINUTES": str(DEADLINE_MINUTES),
        # A killed process cannot remove its work folder.
        "TMPDIR": str(tmp_path_factory.mktemp("work")),
    }
    with Stack(root, environment=environment, sql_scale=ORDERS / 1_000_000) as stack:
        with psycopg2.connect(stack.dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*), max(order_id) FROM shop.orders")
            assert cursor.fetchone() == (ORDERS, ORDERS)
        stack.api("PATCH", f"/dags/{DAG}", {"is_paused": False})
        folder = tmp_path_factory.mktemp("statuses")
        yield Jobs(stack, folder)
