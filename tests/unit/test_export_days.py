"""Which days an export looks at, by the database's clock and in zones that move it."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from extracts.errors import UsageError
from extracts.export.days import days, until_end
from extracts.export.settings import Settings

SETTINGS = {"dataset": "logistics", "sql": Path("sql"), "to": "published"}


def named(now, **settings):
    return [str(window.day) for window in days(Settings(**SETTINGS, **settings), now)]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 21, 17, 0, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 11, 21, 16, 54, tzinfo=UTC), "2026-11-20"),
        (datetime(2026, 11, 21, 22, 30, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "2026-11-21"),
    ],
)
def test_the_day_is_the_one_that_ended_last(now, day):
    assert named(now, lookback=0) == [day]


def test_days_before_it_come_after_it():
    now = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
    assert named(now, lookback=2) == ["2026-03-01", "2026-02-28", "2026-02-27"]


def test_windows_follow_one_another_over_a_switch_of_the_clock():
    settings = Settings(**SETTINGS, day=date(2026, 10, 26), lookback=3, timezone="Europe/Berlin")
    found = days(settings, datetime(2026, 10, 27, 12, tzinfo=UTC))
    assert [one.start for one in found[:-1]] == [other.end for other in found[1:]]
    assert [(one.end - one.start) // timedelta(hours=1) for one in found] == [24, 25, 24, 24]


@pytest.mark.parametrize(
    ("clock", "seconds"), [(time(16, 59, 58), 2), (time(16, 55), 300), (time(16, 54), 0)]
)
def test_a_run_that_starts_just_before_the_end_of_a_day_waits_for_it(clock, seconds):
    """The scheduler's clock was ahead: without waiting, it would export the day before once more."""
    now = datetime.combine(date(2026, 11, 21), clock, tzinfo=UTC)
    assert until_end(Settings(**SETTINGS), now) == seconds


def test_nobody_waits_for_a_day_that_was_named():
    now = datetime(2026, 11, 21, 16, 59, 58, tzinfo=UTC)
    assert until_end(Settings(**SETTINGS, day=date(2026, 11, 1)), now) == 0


def test_a_day_that_has_not_ended_is_refused():
    now = datetime(2026, 11, 21, 16, 59, tzinfo=UTC)
    with pytest.raises(UsageError, match="day 2026-11-21 ends at 2026-11-21 17:00 UTC"):
        named(now, day=date(2026, 11, 21))


def test_a_day_at_the_edge_of_the_calendar_is_refused():
    with pytest.raises(UsageError, match="outside the calendar"):
        named(datetime(2026, 1, 1, tzinfo=UTC), day=date(1, 1, 1))


def test_an_unknown_zone_is_named():
    with pytest.raises(UsageError, match="Europe/Moskva"):
        named(datetime(2026, 1, 1, tzinfo=UTC), timezone="Europe/Moskva")
