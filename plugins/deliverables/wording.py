"""Words, numbers, sizes and times as a language writes them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from deliverables.texts import LANGUAGES

NO_BREAK = "\N{NO-BREAK SPACE}"
NOTHING = "\N{EM DASH}"


@dataclass(frozen=True)
class Wording:
    """One of the languages in `texts.LANGUAGES`."""

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with its values, which are written already."""
        return LANGUAGES[self.language][key].format(**values)

    def number(self, number: int | None) -> str:
        if number is None:
            return NOTHING
        return f"{number:,}".replace(",", "," if self.language == "en" else NO_BREAK)

    def size(self, size: int | None) -> str:
        """A number of bytes in the largest unit of 1000 that leaves a whole part."""
        if size is None:
            return NOTHING
        units = self("units").split()
        power = min((len(str(size)) - 1) // 3, len(units) - 1)
        value = f"{size / 1000**power:,.1f}" if power else str(size)
        if self.language != "en":
            value = value.replace(",", NO_BREAK).replace(".", ",")
        return f"{value}{NO_BREAK}{units[power]}"

    def full_date(self, day: date) -> str:
        return f"{self.short_date(day)}{NO_BREAK}{day.year}"

    def short_date(self, day: date) -> str:
        return f"{day.day}{NO_BREAK}{self('months').split()[day.month - 1]}"

    def weekday(self, day: date) -> str:
        return self("weekdays").split()[day.weekday()]

    def time(self, instant: datetime | None, zone: ZoneInfo, *, of: date | None = None) -> str:
        """An instant in `zone`; without its date where that is `of`."""
        if instant is None:
            return NOTHING
        try:
            local = instant.astimezone(zone)
        except OverflowError:
            return NOTHING
        return f"{local:%H:%M}" if local.date() == of else f"{self.full_date(local.date())}, {local:%H:%M}"

    def span(self, window: tuple[datetime, datetime], zone: ZoneInfo) -> str:
        """From one instant to another, in `zone`."""
        return " – ".join(self.time(instant, zone) for instant in window)

    def duration(self, time: timedelta) -> str:
        """The two largest of days, hours and minutes; at least a minute."""
        minutes = max(1, round(time.total_seconds() / 60))
        parts = [
            ("day_count", minutes // 1440),
            ("hours", minutes // 60 % 24),
            ("minutes", minutes % 60),
        ]
        told = [self(key, n=self.number(number)) for key, number in parts if number]
        return " ".join(told[:2]).replace(" ", NO_BREAK)


def preferred(accepted: str) -> str:
    """The page's language that an Accept-Language header ranks highest; English when it ranks none."""
    ranked = []
    for place, item in enumerate(accepted.split(",")):
        tag, _, quality = item.strip().partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0
        if language in LANGUAGES and weight > 0:
            ranked.append((-weight, place, language))
    return min(ranked)[2] if ranked else "en"
