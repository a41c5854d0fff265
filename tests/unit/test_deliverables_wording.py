"""The page's words in its languages."""

import re
import string
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import deliverables
from deliverables.texts import ENGLISH, LANGUAGES, RUSSIAN
from deliverables.wording import Wording, preferred

EN, RU = Wording("en"), Wording("ru")
MOSCOW = ZoneInfo("Europe/Moscow")
FOLDER = Path(deliverables.__file__).parent


def spaced(*texts):
    """The texts with spaces at which a line may break, as they are written here."""
    return tuple(text.replace("\N{NO-BREAK SPACE}", " ") for text in texts)


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_every_text_is_there_in_every_language_with_the_same_values():
    for texts in LANGUAGES.values():
        assert texts.keys() == ENGLISH.keys()
        for key, text in texts.items():
            assert fields(text) == fields(ENGLISH[key]), key
            assert text.strip() == text != "", key


def test_what_is_listed_has_as_many_words_in_every_language():
    for texts in LANGUAGES.values():
        assert [len(texts[key].split()) for key in ("months", "weekdays", "units")] == [12, 7, 5]


def test_the_russian_texts_are_russian():
    for key, text in RUSSIAN.items():
        words = re.sub(r"\{\w+\}", "", text)
        assert key == "checksum" or re.search("[А-Яа-яё]", words) or not re.search(r"\w", words), key


def test_no_text_is_left_over():
    used = "".join(
        path.read_text(encoding="utf-8")
        for path in FOLDER.rglob("*")
        if path.suffix in (".py", ".html") and path.name != "texts.py"
    )
    # A message's title is asked for by the name of its text.
    asked = {
        key: key.removesuffix("_title") if key.removesuffix("_title") in ENGLISH else key for key in ENGLISH
    }
    assert [key for key, name in asked.items() if not re.search(rf"""["']{name}["']""", used)] == []


def test_no_line_breaks_within_a_number_or_a_date():
    written = [
        RU.number(5_000_000),
        RU.size(5_000),
        RU.full_date(date(2026, 5, 4)),
        RU.duration(timedelta(days=9)),
    ]
    assert [text for text in written if " " in text] == []


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (5000000, "5,000,000", "5 000 000"),
        (None, "—", "—"),
    ],
)
def test_numbers(number, english, russian):
    assert spaced(EN.number(number), RU.number(number)) == (english, russian)


@pytest.mark.parametrize(
    ("size", "english", "russian"),
    [
        (None, "—", "—"),
        (0, "0 B", "0 Б"),
        (999, "999 B", "999 Б"),
        (1000, "1.0 kB", "1,0 кБ"),
        (1234567, "1.2 MB", "1,2 МБ"),
        (987654321, "987.7 MB", "987,7 МБ"),
        (5 * 10**15, "5,000.0 TB", "5 000,0 ТБ"),
    ],
)
def test_sizes(size, english, russian):
    assert spaced(EN.size(size), RU.size(size)) == (english, russian)


def test_dates_and_times_in_their_zone():
    instant = datetime(2026, 5, 3, 21, 5, tzinfo=UTC)
    assert spaced(EN.full_date(date(2026, 11, 2)), RU.full_date(date(2026, 5, 4))) == (
        "2 Nov 2026",
        "4 мая 2026",
    )
    assert (EN.weekday(date(2026, 5, 4)), RU.weekday(date(2026, 5, 4))) == ("Mon", "пн")
    assert spaced(EN.time(instant, MOSCOW)) == ("4 May 2026, 00:05",)
    assert RU.time(instant, MOSCOW, of=date(2026, 5, 4)) == "00:05"
    assert spaced(RU.time(instant, MOSCOW, of=date(2026, 5, 3))) == ("4 мая 2026, 00:05",)
    assert EN.time(None, MOSCOW) == EN.time(datetime.max.replace(tzinfo=UTC), MOSCOW) == "—"


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (1, "1 min", "1 мин"),
        (12 * 60, "12 min", "12 мин"),
        (3600, "1 h", "1 ч"),
        (2 * 3600 + 600, "2 h 10 min", "2 ч 10 мин"),
        (3 * 86400 + 3600 + 60, "3 d 1 h", "3 дн. 1 ч"),
    ],
)
def test_durations(seconds, english, russian):
    time = timedelta(seconds=seconds)
    assert spaced(EN.duration(time), RU.duration(time)) == (english, russian)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en-GB, ru;q=0.9", "en"),
        ("de-DE,ru;q=0.3", "ru"),
        ("de,fr;q=0.8,*;q=0.1", "en"),
        ("en;q=0.2, RU;q=0.9", "ru"),
        ("ru;q=0", "en"),
        ("ru;q=much,;;,=", "en"),
    ],
)
def test_the_language_that_the_browser_prefers(accepted, language):
    assert preferred(accepted) == language
