"""When a set is due: by the clock of its zone, whatever the zone does and wherever this runs."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta

import pytest

from extracts.window import business_day
from pipelines.schedules import SCHEDULES, Schedule

SIX_IN_BERLIN = Schedule(time(6, 0), timedelta(minutes=15), "Europe/Berlin")


def test_the_jobs_of_the_table_start_and_are_due_by_moscow_time():
    day = date(2026, 11, 21)
    lists, verdict = SCHEDULES["price_list_export"], SCHEDULES["delivery_status_analysis"]
    assert lists.starts(day) == datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    assert lists.due(day) == datetime(2026, 11, 21, 3, 15, tzinfo=UTC)
    assert (lists.cron, lists.deadline_minutes) == ("0 6 * * *", 15)
    assert verdict.starts(day) == datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
    assert verdict.due(day) == datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
    assert (verdict.cron, verdict.deadline_minutes) == ("0 7 * * *", 60)
    export = SCHEDULES["logistics"]
    assert export.starts(day) == datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert export.due(day) == datetime(2026, 11, 21, 17, 45, tzinfo=UTC)
    assert (export.cron, export.deadline_minutes) == ("0 20 * * *", 45)


def test_the_export_starts_when_its_business_day_ends():
    for day in (date(2026, 11, 21), date(2026, 3, 29)):
        assert SCHEDULES["logistics"].starts(day) == business_day(day).end


def test_the_table_cannot_be_changed_by_those_who_read_it():
    with pytest.raises(TypeError):
        SCHEDULES["another"] = SIX_IN_BERLIN  # type: ignore[index]


def test_minutes_come_before_hours_in_cron():
    assert Schedule(time(23, 5), timedelta(hours=1)).cron == "5 23 * * *"


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2026, 3, 28), 5),
        (date(2026, 3, 29), 4),
        (date(2026, 3, 30), 4),
        (date(2026, 10, 24), 4),
        (date(2026, 10, 25), 5),
        (date(2026, 10, 26), 5),
    ],
)
def test_due_follows_the_switches_of_daylight_saving(day, hour):
    start = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    assert SIX_IN_BERLIN.starts(day) == start
    assert SIX_IN_BERLIN.due(day) == start + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 21, 2, 59, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 21, 3, 0, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 22, 0, tzinfo=UTC), date(2026, 11, 21)),
    ],
)
def test_the_last_start_is_the_latest_that_has_come(now, day):
    schedule = SCHEDULES["price_list_export"]
    assert schedule.last_start(now) == schedule.starts(day)


def test_a_deadline_that_spans_a_switch_is_as_long_as_ever():
    # At 02:00 the clocks go to 03:00: an hour and a half later it is 04:00 there.
    early = Schedule(time(1, 30), timedelta(minutes=90), "Europe/Berlin")
    assert early.starts(date(2026, 3, 29)) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert early.due(date(2026, 3, 29)) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_hosts_zone_does_not_matter(zone):
    asked = "from datetime import date; from pipelines.schedules import SCHEDULES; "
    asked += "print(SCHEDULES['price_list_export'].due(date(2026, 11, 21)).isoformat())"
    answer = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "2026-11-21T03:15:00+00:00"
