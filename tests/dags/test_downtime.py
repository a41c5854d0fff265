"""Ten days without Airflow, on a host in another zone: the last slot is made up for, and no other."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from demo.stack import Stack
from pipelines.schedules import SCHEDULES
from tests.dags import price_list_runs as lists
from tests.dags.jobs import PRICE_LISTS, Jobs

pytestmark = pytest.mark.airflow

SCHEDULE = SCHEDULES[PRICE_LISTS]
DAY = timedelta(days=1)


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Jobs]:
    """An Airflow that goes by the schedule of the price lists."""
    dags = tmp_path / "dags"
    dags.mkdir()
    shutil.copy(Path(__file__).resolve().parents[2] / "dags" / f"{PRICE_LISTS}.py", dags)
    elsewhere = {"TZ": "America/New_York"}
    with Stack(
        tmp_path / "stack", dags=dags, environment=elsewhere, sql_scale=0.001, scheduled=True
    ) as stack:
        yield Jobs(stack, tmp_path, PRICE_LISTS)


def leave_as_after(jobs: Jobs, slot: datetime) -> None:
    """Make Airflow's database what it was when the run of `slot` had been done and the next was planned."""
    runs = f"/dags/{PRICE_LISTS}/dagRuns"
    jobs.stack.api("POST", runs, {"dag_run_id": "last", "logical_date": slot.isoformat()})
    jobs.stack.api("PATCH", f"{runs}/last", {"state": "success"})
    dsn = jobs.stack.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg", "")
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE dag_run SET run_type = 'scheduled', run_after = logical_date")
        cursor.execute(
            "UPDATE dag SET is_paused = false, next_dagrun = %(next)s, next_dagrun_create_after = %(next)s,"
            " next_dagrun_data_interval_start = %(next)s, next_dagrun_data_interval_end = %(next)s",
            {"next": slot + DAY},
        )


def test_after_ten_days_the_last_slot_is_run_and_no_other(scheduled):
    # The scheduler comes first, as it may: it goes by what it had planned before.
    scheduled.stack.stop_part("scheduler")
    scheduled.stack.stop_part("dag-processor")
    slot = SCHEDULE.last_start(datetime.now(UTC))
    leave_as_after(scheduled, slot - 10 * DAY)
    scheduled.stack.start_part("scheduler")

    def next_slot() -> datetime:
        dag = scheduled.stack.api("GET", f"/dags/{PRICE_LISTS}")
        return datetime.fromisoformat(dag["next_dagrun_run_after"])

    lists.wait_until(lambda: next_slot() > datetime.now(UTC))
    runs = scheduled.stack.api("GET", f"/dags/{PRICE_LISTS}/dagRuns?order_by=logical_date")["dag_runs"]
    *overtaken, last = [run["dag_run_id"] for run in runs if run["dag_run_id"] != "last"]
    assert len(overtaken) <= 1
    assert datetime.fromisoformat(scheduled.run(last)["logical_date"]) == slot
    assert next_slot() == slot + DAY

    assert scheduled.wait(last) == "success"
    for run in overtaken:
        assert {task["state"] for task in scheduled.tasks(run).values()} == {"skipped"}
        assert "success" not in scheduled.kinds(run)
    assert "success" in scheduled.kinds(last)
    day = slot.astimezone(ZoneInfo(SCHEDULE.timezone)).date()
    published = (lists.root(scheduled) / PRICE_LISTS).glob("dt=*")
    assert [path.name for path in published] == [f"dt={day}"]
    assert len(lists.index(scheduled, day)) == lists.CLIENTS
