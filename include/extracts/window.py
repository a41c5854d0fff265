"""Business days: which instants belong to which day, in any time zone.

A day is named by the date on which it ends. With `day_ends` 20:00, the day of 21 November is
[20 November 20:00, 21 November 20:00) of local time; with 00:00 it is the calendar day. One function
says when a day ends, and a day starts where the one before it ended, so days tile time without gap or
overlap whatever daylight saving does: a local end that does not exist is reached as much later as the
clock was moved forward, and of two ends with the same local time the first one counts.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from extracts.errors import UsageError

TIMEZONE = "Europe/Moscow"
DAY_ENDS = time(20, 0)
_MIDNIGHT = time(0, 0)


@dataclass(frozen=True)
class Window:
    """The instants of one business day, `[start, end)`, both aware and in UTC.

    In UTC because Python subtracts and compares two times of one local zone by their wall clocks, which
    is wrong by an hour across a daylight saving switch.
    """

    day: date
    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def business_day(day: date, *, timezone: str = TIMEZONE, day_ends: time = DAY_ENDS) -> Window:
    """The window of the business day that is named `day`.

    Raises UsageError for an unknown zone and for a date at the very edge of the calendar.
    """
    zone = _zone(timezone)
    try:
        return Window(day, start=_end(day - timedelta(days=1), zone, day_ends), end=_end(day, zone, day_ends))
    except OverflowError as error:
        raise UsageError(f"day {day} is outside the calendar: choose another date") from error


def day_of(instant: datetime, *, timezone: str = TIMEZONE, day_ends: time = DAY_ENDS) -> date:
    """The name of the business day that `instant`, an aware time, belongs to."""
    if instant.tzinfo is None:
        raise UsageError(f"time {instant} has no zone: give it one, or its day cannot be told")
    day = instant.astimezone(_zone(timezone)).date()
    window = business_day(day, timezone=timezone, day_ends=day_ends)
    # Steps, and not a comparison of wall clocks: in a repeated hour the clock shows every time twice.
    while instant >= window.end:
        day += timedelta(days=1)
        window = business_day(day, timezone=timezone, day_ends=day_ends)
    while instant < window.start:
        day -= timedelta(days=1)
        window = business_day(day, timezone=timezone, day_ends=day_ends)
    return day


def _end(day: date, zone: ZoneInfo, day_ends: time) -> datetime:
    date_of_end = day + timedelta(days=1) if day_ends == _MIDNIGHT else day
    return datetime.combine(date_of_end, day_ends.replace(fold=0), tzinfo=zone).astimezone(UTC)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ValueError, OSError, LookupError) as error:
        raise UsageError(f"time zone {timezone!r} is unknown: use a name such as Europe/Moscow") from error
