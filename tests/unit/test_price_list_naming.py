"""The file names of price lists: of any codes, on any disk, the same every day."""

import random
import re
from datetime import date
from itertools import product

import pytest

from extracts.package import resource
from pipelines.price_lists.naming import plain, stem

DAY = date(2026, 11, 21)
PLAIN = ["B2B-0006", "CON", "NUL", "COM1", "A", "7", "007", "A_B-C", "X" * 60]
DEMO = ["ООО/Ромашка", "..\\запад:1*", "опт ", "b2b-0006", 'Ёлки "и" палки']
NASTY = [
    "опт",
    " опт",
    "опт.",
    "OPT",
    "Opt",
    "con",
    "aux.txt",
    "nul.",
    "..",
    ".",
    "/",
    "-",
    "_",
    "A-",
    "_A",
    "~",
]
NASTY += [
    "😀",
    "😀😀",
    "👩‍👩‍👧",
    "é",
    "e\u0301",
    "ﬁ",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "你好",
    "a\r\nb",
    "a\nb",
    "a,b",
    "a\tb",
    "\u202e",
]
NASTY += [
    "ё" * 300,
    "ё" * 301,
    "X" * 61,
    "x" * 300,
    "&#1078;",
    "%D0%B6",
    "=1+1",
    "*",
    "C:",
    "index",
    "held",
    "v=1",
]
CODES = [*PLAIN, *DEMO, *NASTY]
# Of Windows, whatever ending follows.
RESERVED = {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name, n in product(("com", "lpt"), range(10))}


def names(codes, day=DAY):
    return [f"{stem(code, day)}.{form}" for code in codes for form in ("csv", "xlsx")]


def random_codes(count):
    chance = random.Random(2026)
    letters = "АБЯабяёЁABZabz019 -_./\\:*\"'😀\u0301ıİßﬁ\t"
    return ["".join(chance.choices(letters, k=chance.randint(1, 12))) for _ in range(count)]


def variants(codes):
    """Each code in other cases and with what a sloppy typist leaves at its end."""
    for code in codes:
        yield from (code, code.upper(), code.lower(), code.title(), code.swapcase())
        yield from (f"{code} ", f"{code}.", f" {code}", f"{code}-", f"{code}_")


def folded(name):
    return name.casefold().rstrip(". ")


@pytest.mark.parametrize("code", CODES)
def test_every_disk_and_every_package_can_carry_it(code):
    for name in names([code]):
        resource(name, rows=None, schema=None, dialect=None, title=None, description=None)
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(csv|xlsx)", name)
        assert name.partition(".")[0].casefold() not in RESERVED
        assert len(name) <= 80


def test_any_codes_have_different_names_on_a_disk_that_knows_no_case():
    codes = set(variants([*CODES, *random_codes(5000)]))
    assert len(codes) > 20_000
    assert len({folded(name) for name in names(codes)}) == 2 * len(codes)


@pytest.mark.parametrize("code", CODES)
def test_no_code_can_be_made_that_takes_the_name_of_another(code):
    """Whoever knows how names are made cannot have one that is taken."""
    taken = plain(code)
    others = {made for made in variants([taken, f"{taken}_{DAY}", taken.rpartition("-")[2]]) if made != code}
    assert folded(taken) not in {folded(plain(other)) for other in others}


@pytest.mark.parametrize("code", PLAIN)
def test_a_plain_code_stands_as_it_is(code):
    assert stem(code, DAY) == f"{code}_2026-11-21"


def test_a_name_is_the_same_every_day():
    """Whoever has downloaded lists finds the next one beside them: a change of names is a break."""
    assert [plain(code) for code in (*DEMO, "😀")] == [
        "OOO-Romashka--5f025cfd",
        "zapad-1--726e8643",
        "opt--cd9cdb59",
        "b2b-0006--64cfac46",
        "Elki-i-palki--8c70c0c7",
        "client--f0443a34",
    ]
    assert stem("ООО/Ромашка", DAY) == "OOO-Romashka--5f025cfd_2026-11-21"
    for code in CODES:
        assert stem(code, date(2027, 1, 5)) == stem(code, DAY).replace("2026-11-21", "2027-01-05")


def test_lists_of_one_client_sort_by_day():
    days = [date(2026, 1, 2), date(2026, 9, 30), date(2026, 10, 1), date(2027, 1, 1)]
    assert [stem("b2b", day) for day in days] == sorted(stem("b2b", day) for day in days)
