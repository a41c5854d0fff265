"""Which days an export makes: the one that ended last, and those before it that rows reached late."""

from datetime import date, datetime, timedelta

from extracts.errors import UsageError
from extracts.export.settings import Settings
from extracts.window import Window, business_day, day_of

# The scheduler's clock may be ahead of the database's: who starts just before a day's end means that day.
_AHEAD = timedelta(minutes=5)


def window(settings: Settings, day: date) -> Window:
    """The business day `day`, as the settings cut days."""
    return business_day(day, timezone=settings.timezone, day_ends=settings.day_ends)


def until_end(settings: Settings, now: datetime) -> float:
    """Seconds from `now` to the end of a day that ends in a moment; 0 when there is nothing to wait for.

    `now` is the database server's time: by its clock rows get theirs.
    """
    if settings.day is not None:
        return 0
    remaining = window(settings, _day_of(settings, now)).end - now
    return remaining.total_seconds() if remaining <= _AHEAD else 0


def days(settings: Settings, now: datetime) -> list[Window]:
    """The day that is asked for, then those before it, newest first. UsageError for one not ended yet."""
    day = settings.day or _day_of(settings, now) - timedelta(days=1)
    try:
        wanted = [window(settings, day - timedelta(days=back)) for back in range(settings.lookback + 1)]
    except OverflowError as error:
        raise UsageError(
            f"day {day} is at the calendar's edge: choose another date, or less lookback"
        ) from error
    if wanted[0].end > now:
        raise UsageError(
            f"day {day} ends at {wanted[0].end:%Y-%m-%d %H:%M} UTC, and by the database's clock it is "
            f"{now:%Y-%m-%d %H:%M}: its rows are not all there yet; choose an earlier --date"
        )
    return wanted


def _day_of(settings: Settings, now: datetime) -> date:
    return day_of(now, timezone=settings.timezone, day_ends=settings.day_ends)
