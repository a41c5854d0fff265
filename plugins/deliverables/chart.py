"""A day's rows as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from deliverables.shelf import Entry
from deliverables.timing import Punctuality

HEIGHT = 100


@dataclass(frozen=True)
class Bar:
    """A day's bar, its height in hundredths of the highest; `rows` is None for a day without a number."""

    day: date
    rows: int | None
    height: float


@dataclass(frozen=True)
class Chart:
    """Bars, oldest first, with the least and the most rows among them."""

    bars: Sequence[Bar]
    least: int
    most: int


def chart(entries: Sequence[Entry]) -> Chart | None:
    """The chart of the days that are due by now, or None when fewer than two have a number of rows."""
    rows = {
        entry.day: entry.content.rows if entry.content else None
        for entry in reversed(entries)
        if entry.punctuality is not Punctuality.AWAITED
    }
    numbers = [number for number in rows.values() if number is not None]
    if len(numbers) < 2:
        return None
    most = max(numbers)
    bars = [
        # A day of few rows among days of many is still to be seen.
        Bar(day, number, max(1.0, round(HEIGHT * number / most, 2)) if number else 0.0)
        for day, number in rows.items()
    ]
    return Chart(bars, min(numbers), most)
