"""Business days tile time, whatever the clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from extracts.errors import UsageError
from extracts.window import business_day, day_of

ZONES = ["Europe/Moscow", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
# 02:30 is left out on one day a year and comes twice on another in New York and Berlin, 02:15 on Lord Howe.
ENDS = [time(20, 0), time(0, 0), time(2, 30), time(2, 15), time(1, 45), time(23, 59, 59, 999999)]
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize("day_ends", ENDS, ids=str)
@pytest.mark.parametrize("timezone", ZONES)
def test_days_tile_without_gap_or_overlap(timezone, day_ends):
    day = date(2009, 12, 1)
    window = business_day(day, timezone=timezone, day_ends=day_ends)
    for _ in range(3 * 366):
        following = business_day(day + timedelta(days=1), timezone=timezone, day_ends=day_ends)
        assert window.end == following.start
        assert window.start < window.end or timezone == "Pacific/Apia"
        for instant in (
            window.start,
            window.start + (window.end - window.start) / 2,
            window.end - MICROSECOND,
        ):
            if instant in window:
                assert day_of(instant, timezone=timezone, day_ends=day_ends) == day
        day, window = following.day, following


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("Europe/Moscow", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
    ],
)
def test_a_day_is_as_long_as_its_clock_made_it(timezone, day, hours):
    window = business_day(day, timezone=timezone)
    assert window.end - window.start == timedelta(hours=hours)
    assert window.end.astimezone(ZoneInfo(timezone)).time() == time(20, 0)


def test_the_logistics_day_of_moscow():
    window = business_day(date(2026, 11, 21))
    assert window.start == datetime(2026, 11, 20, 17, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 21, 17, tzinfo=UTC)
    assert window.start in window
    assert window.end not in window


def test_midnight_means_the_calendar_day():
    window = business_day(date(2026, 11, 21), day_ends=time(0, 0))
    assert window.start == datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert window.end == datetime(2026, 11, 21, 21, tzinfo=UTC)
    assert day_of(window.start, day_ends=time(0, 0)) == date(2026, 11, 21)


def test_an_end_that_does_not_exist_comes_as_much_later_as_the_clock_moved():
    window = business_day(date(2026, 3, 29), timezone="Europe/Berlin", day_ends=time(2, 30))
    assert window.end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_of_two_ends_with_one_local_time_the_first_counts():
    window = business_day(date(2026, 10, 25), timezone="Europe/Berlin", day_ends=time(2, 30))
    assert window.end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = business_day(date(2026, 10, 25), timezone="Europe/Berlin", day_ends=time(2, 30, fold=1))
    assert second == window


def test_a_repeated_hour_belongs_to_the_day_that_its_instant_is_in():
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    ends = {"timezone": "Europe/Berlin", "day_ends": time(2, 30)}
    assert day_of(first, **ends) == date(2026, 10, 25)
    # An hour later the clock shows 02:15 again, before the end by the wall, after it in fact.
    assert day_of(first + timedelta(hours=1), **ends) == date(2026, 10, 26)


def test_the_zone_of_the_instant_does_not_matter():
    instant = datetime(2026, 11, 21, 17, tzinfo=UTC)
    assert day_of(instant) == day_of(instant.astimezone(ZoneInfo("Asia/Tokyo"))) == date(2026, 11, 22)


@pytest.mark.parametrize("timezone", ["Europe/Moskau", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_named(timezone):
    with pytest.raises(UsageError, match="time zone"):
        business_day(date(2026, 11, 21), timezone=timezone)


def test_what_has_no_answer_is_refused():
    with pytest.raises(UsageError, match="no zone"):
        day_of(datetime(2026, 11, 21, 17))
    with pytest.raises(UsageError, match="outside the calendar"):
        business_day(date.min)
