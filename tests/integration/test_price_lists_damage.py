"""Published lists, indexes and packages that were removed or damaged since: what the next run makes of it."""

from datetime import timedelta

import pytest

from extracts.verify import verify
from tests.integration.price_lists import DAY, NEXT

THIRD = NEXT + timedelta(days=1)
BOTH = ["csv", "xlsx"]
IN_KOPECKS = "UPDATE products SET price = price * 100; UPDATE client_prices SET price = price * 100"
NAMED = ("--released-by", "the operator")


def other_digit(data):
    """A price that is another one, in a file of the same size."""
    place = data.rindex(b",00;")
    return data[: place - 1] + (b"1" if data[place - 1 : place] != b"1" else b"2") + data[place:]


def one_line_short(data):
    return data[: data.rindex(b"\n", 0, -1) + 1]


DAMAGES = {
    "removed": None,
    "emptied": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "a line short": lambda data: one_line_short(data),
    "another format": lambda data: data[::-1],
    "another digit": lambda data: other_digit(data) if b",00;" in data else data[:-1] + b"!",
}


def damage(path, how):
    """Done to this name of the file alone."""
    data = path.read_bytes()
    path.unlink()
    if DAMAGES[how]:
        path.write_bytes(DAMAGES[how](data))
        assert path.read_bytes() != data


def damage_list(found, how, forms=BOTH, code="B2B-2"):
    for form in forms:
        damage(found.folder / found.index[code][form], how)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("form", BOTH)
def test_of_two_files_one_is_enough(shop, form, how):
    """A good list goes out, one that differs too much is held, and what is damaged is published no more."""
    (other,) = {*BOTH} - {form}
    name = f"B2B-2_{DAY}.{other}"
    intact = shop.export().lists("B2B-2")[name]
    damage_list(shop.found(), how, [form])
    assert set(shop.export(day=NEXT).statuses.values()) == {"published"}
    shop.found(NEXT).path.unlink()
    shop.sql(IN_KOPECKS)
    found = shop.export(day=NEXT)
    assert set(found.statuses.values()) == {"held"}
    assert "factor of 3" in found.index["B2B-2"]["reasons"]
    assert found.lists("B2B-2") == {name: intact}
    assert len(found.lists("B2B-1")) == 2
    assert verify(found.path).ok


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("formats", ["csv,xlsx", "csv", "xlsx"])
def test_a_list_that_nothing_can_be_compared_with_is_held_until_it_is_released(shop, formats, how):
    options = ("--formats", formats)
    shop.export(*options)
    damage_list(shop.found(), how, formats.split(","))
    for day in (NEXT, THIRD):
        found = shop.export(*options, day=day)
        assert found.statuses == {"B2B-1": "published", "B2B-2": "held", "B2B-3": "published"}
        row = found.index["B2B-2"]
        assert "could not be compared" in row["reasons"]
        assert (row["csv"], row["xlsx"], row["list_date"]) == ("", "", str(DAY))
        assert [entry["code"] for entry in found.held] == ["B2B-2"]
        assert verify(found.path).ok
    found = shop.export(*options, "--release", "B2B-2", *NAMED, day=THIRD)
    assert found.statuses["B2B-2"] == "released"
    assert set(shop.export(*options, day=THIRD + timedelta(days=1)).statuses.values()) == {"published"}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("day", [DAY, NEXT], ids=["the same day", "the next day"])
def test_a_list_that_is_kept_is_not_published_damaged(shop, day, how):
    """A run for other clients says so, and leaves the file out."""
    shop.export()
    damage_list(shop.found(), how, ["csv"])
    found = shop.export("--clients", "B2B-1", day=day)
    assert found.statuses["B2B-2"] == "held"
    assert f"B2B-2_{DAY}.csv" in found.index["B2B-2"]["reasons"]
    assert found.index["B2B-2"]["csv"] == ""
    assert found.index["B2B-2"]["xlsx"] == f"B2B-2_{DAY}.xlsx"
    assert found.package["held"][0]["name"] == "B2B-2"
    assert verify(found.path).ok
    assert shop.export(day=day).statuses["B2B-2"] == "published"


@pytest.mark.parametrize("how", DAMAGES)
def test_a_list_of_the_same_day_is_made_again(shop, how):
    shop.export()
    whole = shop.found().lists("B2B-2")
    damage_list(shop.found(), how, ["csv"])
    found = shop.export()
    assert set(found.statuses.values()) == {"published"}
    assert found.lists("B2B-2")[f"B2B-2_{DAY}.csv"] == whole[f"B2B-2_{DAY}.csv"]
    assert verify(found.path).ok


def break_package(found):
    found.path.write_text("{")


def break_table(name, how):
    return lambda found: damage(found.folder / name, how)


BREAKS = {
    "the package": break_package,
    "held.csv": break_table("held.csv", "removed"),
    **{
        f"index.csv, {how}": break_table("index.csv", how)
        for how in ("removed", "emptied", "cut", "a line short", "another digit")
    },
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_damaged_set_of_the_day_itself_is_published_again(shop, case):
    shop.export()
    shop.sql("UPDATE products SET price = price * 1.2")
    shop.export(day=NEXT)
    BREAKS[case](shop.found(NEXT))
    # Who is not part of the run keeps a list that nobody knows any more.
    ran = shop.ask("--clients", "B2B-1", day=NEXT)
    assert ran.code == 3
    assert str(shop.found(NEXT).path.parent) in ran.err
    assert "all clients" in ran.err
    found = shop.export(day=NEXT)
    assert found.answer["changed"]
    assert set(found.statuses.values()) == {"published"}
    assert verify(found.path).ok


@pytest.mark.parametrize("case", BREAKS)
def test_a_damaged_set_of_the_day_before_is_refused_until_that_day_is_published_again(shop, case):
    shop.export()
    BREAKS[case](shop.found())
    for options in ([], ["--clients", "B2B-1"]):
        ran = shop.ask(*options, day=NEXT)
        assert ran.code == 3
        assert str(shop.found().path.parent) in ran.err
        assert "again" in ran.err
        assert not shop.found(NEXT).path.exists()
    assert not list((shop.root / ".work").iterdir())
    assert shop.export().answer["changed"]
    assert set(shop.export(day=NEXT).statuses.values()) == {"published"}
