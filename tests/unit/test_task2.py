"""Task 2's document in its two languages: the same in both, true to schedule, bounds and files."""

import re
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.price_lists.settings import Bounds
from pipelines.schedules import SCHEDULES
from tests.documents import dead_ends

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "Task2"
ENGLISH = (FOLDER / "README.md").read_text(encoding="utf-8")
RUSSIAN = (FOLDER / "README.ru.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("text", [ENGLISH, RUSSIAN], ids=["en", "ru"])
PRICES = SCHEDULES["price_list_export"]


def headings(text):
    return [line.partition(" ")[0] for line in text.splitlines() if re.match(r"#+ ", line)]


def blocks(text):
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def tables(text):
    """Tables as rows of cells."""
    found = re.findall(r"(?:^\|.*\|$\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
        for table in found
    ]


def pictures(text):
    return re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)


def links(text):
    return sorted(re.findall(r"\]\[([a-z0-9-]+)\]", text)), re.findall(
        r"^\[[a-z0-9-]+\]: .*", text, re.MULTILINE
    )


def numbers(cell, *, russian):
    """The numbers of a text, however its language writes them."""
    cell = re.sub(r"\]\[[^]]*\]|`[^`]*`", " ", cell)
    if russian:
        cell = re.sub(r"(?<=\d)[ \u00a0](?=\d{3}\b)", "", cell)
        cell = re.sub(r"(?<=\d),(?=\d)", ".", cell)
    else:
        cell = re.sub(r"(?<=\d),(?=\d{3}\b)", "", cell)
    return sorted(Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", cell))


def prose(text):
    """The document's paragraphs and list entries, tables and link targets left out."""
    without = re.sub(r"^\[[a-z0-9-]+\]: .*|^\|.*\|$", "", text, flags=re.MULTILINE)
    return [part for part in re.split(r"\n\s*\n|\n(?=- |\d+\. )", without) if part.strip()]


def test_both_languages_have_the_same_build():
    assert headings(ENGLISH) == headings(RUSSIAN)
    assert blocks(ENGLISH) == blocks(RUSSIAN)
    assert [[len(row) for row in table] for table in tables(ENGLISH)] == [
        [len(row) for row in table] for table in tables(RUSSIAN)
    ]
    assert pictures(RUSSIAN) == [picture.replace(".svg", ".ru.svg") for picture in pictures(ENGLISH)]
    assert links(ENGLISH) == links(RUSSIAN)
    assert len(prose(ENGLISH)) == len(prose(RUSSIAN))


def test_both_languages_have_the_same_numbers():
    pairs = [
        (cell, other)
        for table, its_other in zip(tables(ENGLISH), tables(RUSSIAN), strict=True)
        for row, other_row in zip(table, its_other, strict=True)
        for cell, other in zip(row, other_row, strict=True)
    ]
    assert sum(bool(numbers(cell, russian=False)) for cell, _ in pairs) > 30
    for cell, other in [*pairs, *zip(prose(ENGLISH), prose(RUSSIAN), strict=True)]:
        assert numbers(cell, russian=False) == numbers(other, russian=True), f"{cell}\n{other}"
        assert set(re.findall(r"`[^`]+`", cell)) == set(re.findall(r"`[^`]+`", other)), f"{cell}\n{other}"


@BOTH
def test_the_comparison_covers_the_criteria_of_the_assignment(text):
    table = tables(text)[0]
    names = ["Spring Batch", "Apache Airflow", "Kubernetes Job", "Spark"]
    assert all(name in head for name, head in zip(names, table[0][1:], strict=True))
    assert len(table) == 2 + 6
    for row in table[2:]:
        for cell in row[1:]:
            assert numbers(cell, russian=True) or re.search(r"\]\[", cell), cell


@BOTH
def test_the_schedule_is_that_of_the_table(text):
    minutes = PRICES.at.hour * 60 + PRICES.at.minute + PRICES.deadline_minutes
    times = {f"{PRICES.at:%H:%M}", f"{minutes // 60:02}:{minutes % 60:02}"}
    assert set(re.findall(r"\b\d\d:\d\d\b", text)) == times
    assert set(re.findall(r"\b(?:Europe|Asia|Etc)/\w+", text)) == {PRICES.timezone}
    assert f'"{PRICES.cron}", timezone="{PRICES.timezone}"' in text
    assert set(re.findall(r"\d+ \d+ \* \* \*", text)) == {PRICES.cron}
    (row,) = [row for table in tables(text) for row in table if "PRICE_LIST_DEADLINE_MINUTES" in row[0]]
    assert numbers(row[2], russian=False) == [PRICES.deadline_minutes]


@BOTH
def test_the_bounds_are_the_defaults(text):
    (table,) = [table for table in tables(text) if any("max_price_factor" in row[0] for row in table)]
    told = {}
    for row in table[3:]:
        told |= dict(zip(re.findall(r"`(\w+)`", row[0]), map(Decimal, row[1].split(", ")), strict=True))
    assert told == asdict(Bounds())


@BOTH
def test_what_it_points_at_is_there(text):
    assert dead_ends(text, FOLDER) == []
    named, targets = links(text)
    assert set(named) == {target[1:].partition("]")[0] for target in targets}
    assert not re.search(r"/(work|home|root|tmp|Users)/", text)
