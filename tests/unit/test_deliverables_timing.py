"""Days against their schedule."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from deliverables.timing import Clock, Punctuality, shown
from pipelines.schedules import Schedule

DAY = date(2026, 11, 21)
SIX = Schedule(time(6, 0), timedelta(minutes=15))


def moscow(hour, minute=0, second=0):
    return datetime(2026, 11, 21, hour - 3, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "now", "judged", "late"),
    [
        (moscow(6, 5), moscow(12), Punctuality.ON_TIME, 0),
        (moscow(6, 15), moscow(12), Punctuality.ON_TIME, 0),
        (moscow(6, 16), moscow(12), Punctuality.LATE, 1),
        (None, moscow(6, 15), Punctuality.AWAITED, 0),
        (None, moscow(6, 15, 1), Punctuality.MISSING, 0),
        (None, moscow(6, 15) + timedelta(days=9), Punctuality.MISSING, 0),
        (moscow(6, 15) + timedelta(days=2), moscow(12) + timedelta(days=9), Punctuality.LATE, 2880),
    ],
)
def test_a_day_is_on_time_until_it_is_due(first, now, judged, late):
    assert Clock(now, SIX).judge(DAY, first) == (judged, timedelta(minutes=late))


@pytest.mark.parametrize("first", [None, moscow(6)])
def test_without_a_schedule_nothing_is_late(first):
    assert Clock(moscow(12), None).judge(DAY, first) == (Punctuality.BY_HAND, timedelta())


@pytest.mark.parametrize(
    ("day", "hour"), [(date(2026, 3, 28), 5), (date(2026, 3, 29), 4), (date(2026, 10, 25), 5)]
)
def test_a_day_is_due_by_the_clocks_of_its_zone(day, hour):
    berlin = Schedule(time(6, 0), timedelta(minutes=15), "Europe/Berlin")
    due = datetime(day.year, day.month, day.day, hour, 15, tzinfo=UTC)
    assert Clock(due, berlin).judge(day, due)[0] is Punctuality.ON_TIME
    assert Clock(due, berlin).judge(day, due + timedelta(minutes=1)) == (
        Punctuality.LATE,
        timedelta(minutes=1),
    )


def test_today_is_the_date_where_the_schedule_is():
    almost_midnight = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
    assert Clock(almost_midnight, SIX).today == DAY
    assert Clock(almost_midnight, None).today == DAY
    auckland = Schedule(time(6, 0), timedelta(), "Pacific/Auckland")
    new_york = Schedule(time(6, 0), timedelta(), "America/New_York")
    assert Clock(moscow(15), auckland).today == date(2026, 11, 22)
    assert Clock(moscow(7), new_york).today == date(2026, 11, 20)


def days(*numbers):
    return [date(2026, 11, number) for number in numbers]


@pytest.mark.parametrize(
    ("present", "first", "count", "expected", "total"),
    [
        ([], 0, 5, [], 0),
        ([21], 0, 5, [21], 1),
        ([20], 0, 5, [21, 20], 2),
        ([21, 18], 0, 5, [21, 20, 19, 18], 4),
        ([21, 18], 1, 2, [20, 19], 4),
        ([21, 18], 3, 2, [18], 4),
        ([21, 18], 4, 2, [], 4),
        ([25, 23, 20], 0, 9, [25, 23, 21, 20], 4),
        ([25, 23, 20], 1, 2, [23, 21], 4),
        ([25, 23], 0, 9, [25, 23, 21], 3),
    ],
)
def test_gaps_are_shown_up_to_today_and_later_days_only_when_there(present, first, count, expected, total):
    assert shown(days(*present), Clock(moscow(12), SIX), first, count) == (days(*expected), total)


def test_without_a_schedule_there_are_no_gaps():
    present = days(21, 18, 2)
    assert shown(present, Clock(moscow(12), None), 1, 5) == (days(18, 2), 3)


@pytest.mark.parametrize("strange", [date.min, date.max])
def test_the_ends_of_the_calendar_are_shown_too(strange):
    clock = Clock(moscow(12), SIX)
    listed, total = shown(sorted([DAY, strange], reverse=True), clock, 0, 2)
    assert DAY in listed
    assert total > 1
    for zone in ("America/New_York", "Pacific/Auckland"):
        clock = Clock(moscow(12), Schedule(time(6, 0), timedelta(), zone))
        assert clock.judge(strange, moscow(6))[0] is Punctuality.BY_HAND
