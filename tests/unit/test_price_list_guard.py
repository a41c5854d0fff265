"""The guard: what holds a price list back, exactly from which bound on, and what passes every day."""

import decimal
from datetime import date
from decimal import Decimal

import pytest

from pipelines.price_lists.guard import Concerned, Item, review, review_clients
from pipelines.price_lists.settings import Bounds

DAY = date(2026, 11, 21)
YESTERDAY = date(2026, 11, 20)
BASE = Item("Дрель", "Инструмент", Decimal("100.00"), False, None)
CONTRACT = BASE._replace(price=Decimal("80.00"), by_contract=True)


def rows(count, item=BASE, first=0):
    """`count` rows like `item`, by SKU."""
    return {f"{number:05}": item for number in range(first, first + count)}


def priced(*prices, item=BASE):
    """A row for each price."""
    return {f"{n:05}": item._replace(price=price and Decimal(price)) for n, price in enumerate(prices)}


def found(current, previous, **bounds):
    """The findings' reasons and rows."""
    findings = review(current, previous, day=DAY, bounds=Bounds(**bounds))
    return {finding.reason: list(finding.rows) for finding in findings}


@pytest.mark.parametrize("price", ["0.00", "-0.01", "NaN", "Infinity", None])
@pytest.mark.parametrize("with_previous", [True, False])
def test_a_price_that_is_none_holds(price, with_previous):
    previous = rows(1000) if with_previous else None
    current = rows(1000) | priced(price)
    (reason, concerned), *others = found(current, previous).items()
    assert reason == "1 of 1,000 prices are zero, negative or missing (allowed: none)"
    assert concerned == [Concerned("00000", "Дрель", "100.00" if with_previous else None, price)]
    assert not others


@pytest.mark.parametrize("price", ["0.00", "-0.01", None])
def test_a_price_that_is_none_passes_where_it_was_released_before(price):
    assert not found(priced(price, "1.00"), priced(price, "1.00"))
    assert not found(priced(price, item=CONTRACT), priced(price))
    reasons = found(priced(price, price, "1.00"), priced(price, "1.00", "1.00"))
    assert reasons == {
        "1 of 3 prices are zero, negative or missing (allowed: none)": [
            Concerned("00001", "Дрель", "1.00", price)
        ]
    }


@pytest.mark.parametrize(("was", "now"), [("0.00", None), (None, "0.00"), ("0.00", "-1.00")])
def test_another_price_that_is_none_holds_though_one_was_released(was, now):
    assert found(priced(now), priced(was))


def test_the_smallest_price_passes_and_one_that_comes_back_is_compared_with_nothing():
    assert not found(priced("0.01"), None)
    assert not found(priced("100.00", "100.00", "100.00"), priced("0.00", None, "NaN"))


@pytest.mark.parametrize(
    ("was", "now", "holds"),
    [
        ("10.00", "30.00", False),
        ("10.00", "30.01", True),
        ("30.00", "10.00", False),
        ("30.00", "9.99", True),
        ("0.01", "0.03", False),
        ("0.01", "0.04", True),
        ("12345678901234567890.01", "37037036703703703670.03", False),
        ("12345678901234567890.01", "37037036703703703670.04", True),
    ],
)
def test_one_price_beyond_the_factor_holds(was, now, holds):
    reasons = found(rows(1000) | priced(now), rows(1000) | priced(was))
    text = "1 of 1,000 prices rose or fell by more than a factor of 3 (allowed: none)"
    assert reasons == ({text: [Concerned("00000", "Дрель", was, now)]} if holds else {})


@pytest.mark.parametrize("move", ["130.01", "69.99"])
def test_too_many_moved_prices_hold(move):
    previous = rows(1000)
    assert not found(previous | priced(*[move] * 100), previous)
    reasons = found(previous | priced(*[move] * 101), previous)
    assert list(reasons) == ["101 of 1,000 prices moved by more than 30% (allowed: 10%)"]


@pytest.mark.parametrize("move", ["130.00", "70.00"])
def test_a_price_exactly_at_the_bound_has_not_moved(move):
    assert not found(priced(*[move] * 1000), rows(1000))


def test_moved_prices_are_a_share_of_the_rows_in_both_lists():
    both = rows(20)
    current, previous = both | priced("60.00", "60.00") | rows(50, first=20), both | rows(5, first=2000)
    assert not found(current, previous, max_shrink=1)
    assert list(found(current, previous, max_shrink=1, max_moved_share=0.09)) == [
        "2 of 20 prices moved by more than 30% (allowed: 9%)"
    ]


def test_bounds_are_exact_whatever_the_callers_context():
    with decimal.localcontext(prec=2):
        assert found(priced("130.01"), priced("100.00"))
        assert not found(priced("133.90"), priced("103.00"))
        assert found(priced("300.04"), priced("100.01"), max_moved_share=1)
        assert not found(priced("300.03"), priced("100.01"), max_moved_share=1)


@pytest.mark.parametrize("factor", ["100", "0.01", "90.37"])
def test_a_whole_list_in_another_unit_or_currency_holds(factor):
    previous = priced(*(f"{number}.50" for number in range(1, 41)))
    current = {sku: row._replace(price=row.price * Decimal(factor)) for sku, row in previous.items()}
    assert list(found(current, previous)) == [
        "40 of 40 prices rose or fell by more than a factor of 3 (allowed: none)",
        "40 of 40 prices moved by more than 30% (allowed: 10%)",
    ]


def test_a_list_that_shrinks_holds():
    previous = rows(1000)
    assert not found(rows(900), previous)
    reasons = found(rows(899), previous)
    assert reasons == {
        "101 of 1,000 rows that should still be there are gone (allowed: 10%)": [
            Concerned(f"{number:05}", "Дрель", "100.00", None) for number in range(899, 919)
        ]
    }


def test_new_rows_do_not_hide_those_that_are_gone():
    assert list(found(rows(1000, first=500), rows(1000))) == [
        "500 of 1,000 rows that should still be there are gone (allowed: 10%)"
    ]


def test_an_empty_list_after_one_with_rows_holds():
    assert found({}, rows(9075, CONTRACT)) == {
        "the list is empty, the one before had 9,075 rows": [Concerned(None, None, "9,075 rows", "0 rows")]
    }


@pytest.mark.parametrize("previous", [None, {}])
def test_an_empty_list_after_none_passes(previous):
    assert not found({}, previous)


@pytest.mark.parametrize(
    ("had", "left", "holds"), [(5, 0, True), (4, 0, False), (5, 1, False), (60, 1, False)]
)
def test_a_category_that_loses_every_row_holds(had, left, holds):
    lamps = BASE._replace(category="Освещение")
    previous = rows(1000) | rows(had, lamps, first=1000)
    reasons = found(rows(1000) | rows(left, lamps, first=1000), previous)
    text = "1 of 2 categories lost every row, 5 in all (allowed: none that had 5 or more)"
    assert reasons == ({text: [Concerned(None, "Освещение", "5 rows", "0 rows")]} if holds else {})


def test_the_biggest_of_the_lost_categories_comes_first():
    previous = rows(5000)
    for number in range(25):
        previous |= rows(6 + number, BASE._replace(category=f"К{number}"), first=10_000 + 100 * number)
    ((reason, concerned),) = found(rows(5000), previous).items()
    assert reason == "25 of 26 categories lost every row, 450 in all (allowed: none that had 5 or more)"
    assert [row.before for row in concerned] == [f"{count} rows" for count in range(30, 10, -1)]


def test_rows_of_ended_contracts_do_not_hide_those_that_are_gone():
    lamps = CONTRACT._replace(category="Освещение")
    stay, ended = rows(30, CONTRACT), rows(90, lamps._replace(until=YESTERDAY), first=100)
    assert list(found(stay, stay | ended | rows(5, lamps, first=200))) == [
        "5 of 35 rows that should still be there are gone (allowed: 10%)",
        "1 of 2 categories lost every row, 5 in all (allowed: none that had 5 or more)",
    ]


@pytest.mark.parametrize("until", [None, DAY, date(2027, 3, 22)])
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "base"])
def test_contract_prices_that_should_still_hold(until, gone):
    base, contract = rows(1000, first=100), rows(10, CONTRACT._replace(until=until))
    after = {} if gone else rows(10)
    now = {sku: row for sku, row in contract.items() if sku >= "00002"}
    assert not found(base | now | rows(2), base | contract)
    del now["00002"]
    reasons = found(base | after | now, base | contract)
    assert list(reasons) == [
        "3 of 10 contract prices that should still hold are gone or base prices (allowed: 20%)"
    ]
    assert reasons.popitem()[1][0] == Concerned("00000", "Дрель", "80.00", None if gone else "100.00")


def test_ended_contract_prices_do_not_hide_those_that_vanished():
    ended = rows(25, CONTRACT._replace(until=YESTERDAY))
    assert list(found(rows(26), ended | rows(1, CONTRACT, first=25))) == [
        "1 of 1 contract prices that should still hold are gone or base prices (allowed: 20%)"
    ]


def test_the_way_back_to_the_base_price_is_no_move_but_held_to_the_factor():
    ended = CONTRACT._replace(until=YESTERDAY)
    assert not found(priced("300.00"), priced("100.00", item=ended))
    assert list(found(priced("300.01"), priced("100.00", item=ended))) == [
        "1 of 1 prices rose or fell by more than a factor of 3 (allowed: none)"
    ]


def test_a_renewed_contract_is_held_to_its_last_price():
    ended = CONTRACT._replace(until=YESTERDAY)
    assert not found(priced("130.00", item=CONTRACT), priced("100.00", item=ended))
    assert found(priced("130.01", item=CONTRACT), priced("100.00", item=ended))


def test_the_worst_rows_come_first_the_dearest_of_equals():
    previous = priced("100.00", "10.00", "40.00", "50.00", "20.00", "0.00")
    moved = priced("131.00", "100.00", "4.00", "50.00", "60.00", "1.00")
    beyond, moves = found(moved, previous).values()
    assert [row.sku for row in beyond] == ["00002", "00001"]
    assert [row.sku for row in moves] == ["00002", "00001", "00004", "00000"]
    new = rows(1, BASE._replace(price=Decimal(0)), first=9)
    (unusable,) = found(priced("0", "0", None, "-1") | new, rows(2) | previous, max_shrink=1).values()
    assert [row.sku for row in unusable] == ["00000", "00003", "00002", "00001", "00009"]


def test_of_gone_and_base_prices_the_gone_come_first():
    previous = priced("50.00", "90.00", "70.00", item=CONTRACT)
    (concerned,) = (
        rows for reason, rows in found(priced("100.00", "100.00"), previous).items() if "contract" in reason
    )
    assert [row.sku for row in concerned] == ["00002", "00000", "00001"]


def test_rows_show_prices_to_the_digit_and_the_products_new_name():
    current = priced("1234567.80", item=BASE._replace(name="Дрель 2"))
    (concerned,) = found(current, priced("1.505"), max_moved_share=1).values()
    assert concerned == [Concerned("00000", "Дрель 2", "1.505", "1234567.80")]


LAMPS = rows(1000) | rows(60, BASE._replace(category="Освещение"), first=1000)


@pytest.mark.parametrize(
    ("current", "previous"),
    [
        pytest.param(rows(1000), rows(1000), id="nothing changed"),
        pytest.param(rows(1000), None, id="a first list"),
        pytest.param(rows(1000) | priced(*["60.00"] * 100), rows(1000), id="a promotion of 40%"),
        pytest.param(rows(1000), rows(1000) | priced(*["60.00"] * 70), id="the end of a promotion"),
        pytest.param(priced(*["125.00"] * 1000), rows(1000), id="all prices up by a quarter"),
        pytest.param(rows(3000), rows(1000), id="many new products"),
        pytest.param(rows(960), rows(1000), id="a seasonal removal"),
        pytest.param(
            rows(1000) | rows(60, BASE._replace(category="Свет"), first=1000), LAMPS, id="a renamed category"
        ),
        pytest.param(
            rows(1000, BASE._replace(name="Дрель ударная")), rows(1000), id="products with other names"
        ),
        pytest.param(
            rows(10),
            rows(10, CONTRACT._replace(price=Decimal("70.00"), until=YESTERDAY)),
            id="contracts that ended, in a full list",
        ),
        pytest.param(
            rows(6, CONTRACT),
            rows(6, CONTRACT) | rows(30, CONTRACT._replace(until=YESTERDAY, category="Освещение"), first=6),
            id="contracts that ended, in a list of contract prices",
        ),
        pytest.param(
            rows(10, CONTRACT),
            rows(10, CONTRACT._replace(price=Decimal("75.00"), until=YESTERDAY)),
            id="contracts that were renewed",
        ),
        pytest.param(rows(1000) | rows(40, CONTRACT), rows(1000), id="a new contract"),
        pytest.param(
            rows(25, CONTRACT._replace(until=DAY)), rows(25, CONTRACT), id="contracts that got a last day"
        ),
    ],
)
def test_daily_life_passes(current, previous):
    assert not found(current, previous)


def test_clients_that_are_no_longer_there():
    previous = [f"B2B-{number:03}" for number in range(480)]
    assert review_clients([*previous[96:], "new"], previous, Bounds()) is None
    finding = review_clients([*previous[97:], "new"], previous, Bounds())
    assert finding.reason == "97 of 480 clients of the last set are no longer there (allowed: 20%)"
    assert finding.rows == [Concerned(None, None, code, None) for code in previous[:20]]


@pytest.mark.parametrize(("current", "previous"), [([], []), (["a"], []), (["a"], ["a"])])
def test_a_first_set_and_the_same_clients_pass(current, previous):
    assert review_clients(current, previous, Bounds(max_left_share=0)) is None
