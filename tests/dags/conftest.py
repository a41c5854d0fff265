"""One real Airflow for all tests that need it."""

import shutil
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from demo.stack import Stack
from tests.dags.jobs import DAG, DEADLINE_MINUTES, ORDERS, PRICE_LIST_DEADLINE_MINUTES, PRICE_LISTS, Jobs


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    root = tmp_path_factory.mktemp("airflow here")
    environment = {
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "DELIVERY_STATUS_DEADLINE_MINUTES": str(DEADLINE_MINUTES),
        "PRICE_LIST_DEADLINE_MINUTES": str(PRICE_LIST_DEADLINE_MINUTES),
        # A killed process cannot remove its work folder.
        "TMPDIR": str(tmp_path_factory.mktemp("work")),
    }
    with Stack(root, environment=environment, sql_scale=ORDERS / 1_000_000) as stack:
        with psycopg2.connect(stack.dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*), max(order_id) FROM shop.orders")
            assert cursor.fetchone() == (ORDERS, ORDERS)
        for dag in (DAG, PRICE_LISTS):
            stack.api("PATCH", f"/dags/{dag}", {"is_paused": False})
        folder = tmp_path_factory.mktemp("statuses")
        yield Jobs(stack, folder)


@pytest.fixture(scope="session")
def price_lists(jobs: Jobs) -> Jobs:
    """The runs of the price lists."""
    return jobs.of(PRICE_LISTS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real headless browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="browser: playwright is not installed")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("browser: there is no Chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
