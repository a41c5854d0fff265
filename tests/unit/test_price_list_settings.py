"""The bounds that price lists are held to: what they may be, and how they are read."""

import json
from decimal import Decimal

import pytest

from extracts.errors import UsageError
from pipelines.price_lists.settings import Bounds, bounds


def test_defaults():
    assert bounds({}) == Bounds()
    assert Bounds() == Bounds(
        max_price_factor=3,
        price_move=0.30,
        max_moved_share=0.10,
        max_shrink=0.10,
        min_category_rows=5,
        max_vanished_share=0.20,
        max_left_share=0.20,
    )


def test_numbers_are_kept_as_they_are_written():
    read = bounds(json.loads('{"max_shrink": 0.1, "max_price_factor": 2, "min_category_rows": 8}'))
    assert (read.max_shrink, read.max_price_factor, read.min_category_rows) == (Decimal("0.1"), 2, 8)
    assert bounds({"price_move": "0.15"}).price_move == Decimal("0.15")


@pytest.mark.parametrize("share", ["max_moved_share", "max_shrink", "max_vanished_share", "max_left_share"])
@pytest.mark.parametrize(
    ("value", "fits"), [(0, True), (1, True), (-0.001, False), (1.001, False), (10, False)]
)
def test_shares_are_from_0_to_1(share, value, fits):
    if fits:
        assert getattr(bounds({share: value}), share) == value
    else:
        with pytest.raises(UsageError, match=f"{share} {value} is no share: give a number from 0 to 1"):
            bounds({share: value})


@pytest.mark.parametrize(
    ("name", "least", "under"),
    [("max_price_factor", 1, 0.99), ("price_move", 0, -0.01), ("min_category_rows", 1, 0)],
)
def test_least_values(name, least, under):
    assert getattr(bounds({name: least}), name) == least
    with pytest.raises(UsageError, match=f"{name} {under} is no"):
        bounds({name: under})


@pytest.mark.parametrize(
    "value", [None, "ten", "", [], {}, True, float("nan"), float("inf"), Decimal("sNaN")]
)
@pytest.mark.parametrize("name", ["max_price_factor", "price_move", "max_shrink", "min_category_rows"])
def test_what_is_no_number_is_refused(name, value):
    with pytest.raises(UsageError, match=f"{name} .* is no"):
        bounds({name: value})


@pytest.mark.parametrize("value", [5.0, 1.5, "5"])
def test_a_number_of_rows_is_whole(value):
    with pytest.raises(UsageError, match=r"min_category_rows .* is no number of rows: give 1 or more"):
        bounds({"min_category_rows": value})


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(
        UsageError, match=r"unknown bound max_shrnk, zero in .*: it knows max_left_share, .*max_shrink"
    ):
        bounds({"max_shrnk": 0.1, "zero": 0, "max_shrink": 0.1})
