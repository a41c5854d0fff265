"""A dataset's days against its schedule: which there should be, and whether each came in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pipelines.schedules import MOSCOW, Schedule


class Punctuality(StrEnum):
    """How a day's set came."""

    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"
    AWAITED = "awaited"
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class Clock:
    """An instant, and the schedule by which days are judged then; None for a dataset made by hand."""

    now: datetime
    schedule: Schedule | None

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are told."""
        return ZoneInfo(self.schedule.timezone if self.schedule else MOSCOW)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def due(self, day: date) -> datetime | None:
        """The instant by which the set of `day` must be there."""
        # The calendar's first and last day have no instant in some zones.
        if self.schedule is None or not date.min < day < date.max:
            return None
        return self.schedule.due(day)

    def judge(self, day: date, first: datetime | None) -> tuple[Punctuality, timedelta]:
        """How the set of `day` came that was first published at `first` (None: not yet), and how late."""
        due = self.due(day)
        if due is None:
            return Punctuality.BY_HAND, timedelta()
        late = (first or self.now.astimezone(UTC)) - due
        if first is None:
            return (Punctuality.AWAITED if late <= timedelta() else Punctuality.MISSING), timedelta()
        return (Punctuality.LATE, late) if late > timedelta() else (Punctuality.ON_TIME, timedelta())


def shown(present: Sequence[date], clock: Clock, first: int, count: int) -> tuple[list[date], int]:
    """The days to show from the `first`-th on, newest first, and how many there are in all.

    `present` are the days that have a folder, newest first. With a schedule there should be every day from
    the oldest one to today, so the gaps are among them; without one, nothing is missing.
    """
    if clock.schedule is None or not present:
        return list(present[first : first + count]), len(present)
    ahead = [day for day in present if day > clock.today]
    behind = range(clock.today.toordinal(), min(clock.today, present[-1]).toordinal() - 1, -1)
    start, end = (max(0, number - len(ahead)) for number in (first, first + count))
    return (
        [*ahead[first : first + count], *map(date.fromordinal, behind[start:end])],
        len(ahead) + len(behind),
    )
