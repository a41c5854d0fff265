"""When each dataset is made, and by when it must be there: written once, here.

The DAGs take their timetables and deadlines from this table, and the page of deliverables tells by it what
is late; what must repeat it (the README, diagrams, the CronJob of `logistics`, which is no DAG) is held to it
by tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

MOSCOW = "Europe/Moscow"


@dataclass(frozen=True)
class Schedule:
    """A daily job: the local time at which it starts, and how long after that its set must be there."""

    at: time
    deadline: timedelta
    timezone: str = MOSCOW

    @property
    def cron(self) -> str:
        """The schedule as five fields of cron, in `timezone`."""
        return f"{self.at.minute} {self.at.hour} * * *"

    @property
    def deadline_minutes(self) -> int:
        """The deadline in whole minutes."""
        return int(self.deadline.total_seconds() // 60)

    def starts(self, day: date) -> datetime:
        """The instant, in UTC, at which the run of `day` starts."""
        return datetime.combine(day, self.at, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    def last_start(self, now: datetime) -> datetime:
        """The latest instant, in UTC, at which a run starts that is not after `now`, an aware time."""
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        start = self.starts(today)
        return start if start <= now else self.starts(today - timedelta(days=1))

    def due(self, day: date) -> datetime:
        """The instant, in UTC, by which the set of `day` must be there."""
        return self.starts(day) + self.deadline


SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "price_list_export": Schedule(time(6, 0), timedelta(minutes=15)),
        "delivery_status_analysis": Schedule(time(7, 0), timedelta(hours=1)),
        "logistics": Schedule(time(20, 0), timedelta(minutes=45)),
    }
)
