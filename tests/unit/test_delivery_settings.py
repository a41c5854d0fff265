"""Settings and the judgement on the query's answer."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from extracts.errors import DataRefused, UsageError
from pipelines.delivery_status import Settings
from pipelines.delivery_status.source import Fingerprint
from pipelines.delivery_status.verdict import Counts, judge


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": -0.01},
        {"threshold": 1.01},
        {"threshold": float("nan")},
        {"threshold": "ten"},
        {"threshold": None},
        {"max_reject_share": 2},
        {"min_rows": -1},
        {"min_rows": 1.5},
        {"error_statuses": frozenset()},
        {"error_statuses": frozenset({" "})},
        {"timezone": "Europe/Nowhere"},
        {"timezone": ""},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Settings(**wrong)


def test_statuses_are_compared_trimmed_and_in_lower_case():
    assert Settings(error_statuses=frozenset({" Failed ", "LOST", ""})).error_statuses == {"failed", "lost"}


def verdict(*rows, **settings):
    return judge(
        rows,
        counts=Counts(10, 0),
        settings=Settings(**settings),
        input=Fingerprint("s.csv", 1, "00"),
        snapshot_time=datetime(2026, 11, 20, tzinfo=UTC),
        rejects=None,
    )


def total(orders, with_status, errors, without_order=0, rows=None):
    return ("total", None, None, None, orders, with_status, errors, without_order, rows or with_status)


@pytest.mark.parametrize("threshold", [0.1, Decimal("0.1"), Decimal("0.10")])
def test_strictly_over(threshold):
    assert not verdict(total(30, 30, 3), threshold=threshold).over_threshold
    assert verdict(total(30, 30, 4), threshold=threshold).over_threshold
    assert not verdict(total(10**15, 10**15, 10**14), threshold=threshold).over_threshold
    assert verdict(total(10**15, 10**15, 10**14 + 1), threshold=threshold).over_threshold


def test_threshold_of_nothing_and_of_all():
    assert not verdict(total(9, 9, 0), threshold=0).over_threshold
    assert verdict(total(9, 9, 1), threshold=0).over_threshold
    assert not verdict(total(9, 9, 9), threshold=1).over_threshold


def test_no_order_with_a_status_is_no_verdict():
    with pytest.raises(DataRefused, match=r"none of the 5 orders has a status in s\.csv \(3 other"):
        verdict(total(5, 0, 0, 3))


def test_evidence():
    found = verdict(
        total(10, 6, 2, without_order=1, rows=9),
        ("status", None, None, "failed", 2, 2, 2, 0, 9),
        ("status", None, None, "odd", 3, 3, 0, 0, 9),
        ("status", None, None, "delivered", 1, 1, 0, 0, 9),
        ("status", None, None, "of no order", 0, 0, 0, 1, 9),
        ("status", None, None, None, 4, 0, 0, 0, 9),
        ("place", "b", None, None, 4, 0, 0, 0, 9),
        ("place", "a", "y", None, 6, 6, 2, 0, 9),
        ("place", None, None, None, 0, 0, 0, 1, 9),
    )
    assert found.duplicates_folded == 2
    assert found.orders_without_status == 4
    assert found.unknown_statuses == {"odd": 3}
    assert [(place.carrier, place.region, place.orders) for place in found.breakdown] == [
        ("a", "y", 6),
        ("b", None, 4),
    ]
    assert found.as_dict()["breakdown"][1]["error_share"] is None


def test_the_most_frequent_unknown_statuses_are_named():
    rows = [("status", None, None, f"s{i}", i, i, 0, 0, 0) for i in range(1, 5000)]
    found = verdict(total(5, 5, 0), *rows)
    assert list(found.unknown_statuses.items())[:2] == [("s4999", 4999), ("s4998", 4998)]
    assert len(found.unknown_statuses) == 20
