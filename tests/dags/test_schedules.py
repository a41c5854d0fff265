"""The schedule contract: every DAG runs when `pipelines.schedules` says, by the clock of the zone it names.

What Airflow's scheduler goes by is a timetable that it reads back from its database, so that is asked here.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from pipelines.schedules import SCHEDULES, Schedule

ROOT = Path(__file__).resolve().parents[2]
# The logistics set is made by a CronJob of Kubernetes.
DAGS = {name: schedule for name, schedule in SCHEDULES.items() if name != "logistics"}
SIX_IN_BERLIN = Schedule(time(6, 0), timedelta(minutes=15), "Europe/Berlin")

# Over the days at which the clocks in Berlin go forward and back.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)

ASK_ELSEWHERE = """
import json
from tests.dags.test_schedules import AUTUMN, SIX_IN_BERLIN, SPRING, load_dags, runs_around, timetable

found = {name: dag.timetable for name, dag in load_dags().items()} | {"berlin": timetable(SIX_IN_BERLIN)}
print(json.dumps({name: runs_around(SPRING, of) + runs_around(AUTUMN, of) for name, of in found.items()}))
"""


def load_dags() -> dict:
    """The DAGs as the scheduler knows them."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    dags = DagBag(dag_folder=str(ROOT / "dags")).dags.values()
    return {dag.dag_id: DagSerialization.from_dict(DagSerialization.to_dict(dag)) for dag in dags}


def timetable(schedule: Schedule):
    """A schedule's timetable as the scheduler would know it."""
    from airflow.sdk import CronTriggerTimetable
    from airflow.serialization.decoders import decode_timetable
    from airflow.serialization.encoders import encode_timetable

    return decode_timetable(encode_timetable(CronTriggerTimetable(schedule.cron, timezone=schedule.timezone)))


def runs_around(day: date, timetable, *, days: int = 3) -> list[str]:
    """The instants, in UTC, of all runs from midnight UTC some days before `day` to that after it."""
    from airflow.timetables.base import DataInterval, TimeRestriction

    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    last = DataInterval.exact(instant(midnight - timedelta(days=days)))
    upto = TimeRestriction(earliest=None, latest=instant(midnight + timedelta(days=days)), catchup=True)
    found = []
    while info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=upto):
        assert info.run_after == info.logical_date
        found.append(info.run_after.astimezone(UTC).isoformat())
        last = info.data_interval
    return found


def starts_around(day: date, schedule: Schedule, *, days: int = 3) -> list[str]:
    """The same, as the table of schedules has it."""
    return [schedule.starts(day + timedelta(days=n)).isoformat() for n in range(-days, days)]


def instant(moment: datetime):
    from airflow._shared.timezones.timezone import coerce_datetime

    return coerce_datetime(moment)


@pytest.fixture(scope="module")
def dags() -> dict:
    return load_dags()


def test_every_dag_has_the_timetable_and_the_deadline_of_the_table(dags):
    from airflow.timetables.trigger import CronTriggerTimetable

    assert set(dags) == set(DAGS)
    for name, schedule in DAGS.items():
        assert type(dags[name].timetable) is CronTriggerTimetable
        assert dags[name].timetable.serialize() == timetable(schedule).serialize()
        assert dags[name].start_date is None, "with a start date the last slot runs when the DAG is unpaused"


def test_the_deadline_is_that_of_the_table():
    from airflow.dag_processing.dagbag import DagBag

    for name, dag in DagBag(dag_folder=str(ROOT / "dags")).dags.items():
        (deadline,) = dag.deadline
        assert deadline.interval == SCHEDULES[name].deadline


@pytest.mark.parametrize("name", DAGS)
def test_over_a_year_every_run_starts_when_the_table_says(dags, name):
    day = date(2026, 7, 1)
    assert runs_around(day, dags[name].timetable, days=183) == starts_around(day, SCHEDULES[name], days=183)


def test_over_a_year_with_daylight_saving_every_run_starts_at_six_by_the_clock():
    day = date(2026, 7, 1)
    found = runs_around(day, timetable(SIX_IN_BERLIN), days=183)
    assert found == starts_around(day, SIX_IN_BERLIN, days=183)
    assert found[0].endswith("T05:00:00+00:00")
    assert sum(run.endswith("T04:00:00+00:00") for run in found) == (AUTUMN - SPRING).days


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_hosts_zone_moves_no_run(zone):
    answer = subprocess.run(
        [sys.executable, "-c", ASK_ELSEWHERE],
        cwd=ROOT,
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(answer.stdout.splitlines()[-1])
    schedules = {**DAGS, "berlin": SIX_IN_BERLIN}
    assert found == {
        name: starts_around(SPRING, schedule) + starts_around(AUTUMN, schedule)
        for name, schedule in schedules.items()
    }
    assert "2026-03-29T03:00:00+00:00" in found["price_list_export"]
    assert {"2026-03-28T05:00:00+00:00", "2026-03-29T04:00:00+00:00"} < set(found["berlin"])
    assert {"2026-10-24T04:00:00+00:00", "2026-10-25T05:00:00+00:00"} < set(found["berlin"])


@pytest.mark.parametrize("name", DAGS)
@pytest.mark.parametrize(
    "minutes", [0, 1, 600, 24 * 60 - 1], ids=lambda minutes: f"{minutes} min after the slot"
)
def test_ten_days_of_downtime_are_made_up_for_by_one_run(dags, name, minutes, monkeypatch):
    from airflow.timetables.base import DagRunInfo

    day = date(2026, 11, 21)
    now = SCHEDULES[name].starts(day) + timedelta(minutes=minutes)
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: instant(now))
    last = DagRunInfo.exact(instant(SCHEDULES[name].starts(day - timedelta(days=10))))
    missed = []
    while (last := dags[name].next_dagrun_info(last_automated_run_info=last)).run_after <= now:
        missed.append(last.run_after)
    assert missed == [SCHEDULES[name].starts(day)]
    assert last.run_after == SCHEDULES[name].starts(day + timedelta(days=1))
