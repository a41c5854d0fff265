"""What is found out about a set of delivery statuses, with its evidence."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from extracts.errors import DataRefused
from pipelines.delivery_status.settings import Settings, exact
from pipelines.delivery_status.source import Fingerprint

_UNKNOWN_NAMES = 20
_NAME_LENGTH = 60
# A little under the 2 KB that may pass between tasks: a path is added to it there.
_SUMMARY_BYTES = 1600


@dataclass(frozen=True)
class Counts:
    """Rows of the input, and those of them that could not be used."""

    rows_read: int
    rows_rejected: int


@dataclass(frozen=True)
class Place:
    """The orders of one carrier in one region; either may be missing."""

    carrier: str | None
    region: str | None
    orders: int
    orders_with_status: int
    error_orders: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `error_share` is None where no order has a status."""
        return {
            "carrier": self.carrier,
            "region": self.region,
            "orders": self.orders,
            "orders_with_status": self.orders_with_status,
            "error_orders": self.error_orders,
            "error_share": self.error_orders / self.orders_with_status if self.orders_with_status else None,
        }


@dataclass(frozen=True)
class Verdict:
    """The error share of the orders, and what it rests on.

    An order is one that PostgreSQL knows: a status for any other is counted in `statuses_without_order`
    (each such order once) and not in the share.

    Attributes:
        orders: orders in PostgreSQL.
        orders_with_status: those of them that have any status.
        error_orders: those of them whose latest status is an error.
        error_share: `error_orders / orders_with_status`.
        over_threshold: whether it is strictly over `threshold`, compared exactly.
        duplicates_folded: usable rows that gave way to a later one of the same order.
        rows_read, rows_rejected: rows of the input, and those of them that could not be used.
        unknown_statuses: latest statuses that are in no list, with their orders; the 20 most frequent.
        snapshot_time: the instant that the orders are from.
        rejects: CSV of the rejected rows (file, line, column, reason, value), None when there are none.
    """

    orders: int
    orders_with_status: int
    error_orders: int
    error_share: float
    over_threshold: bool
    threshold: float
    statuses_without_order: int
    duplicates_folded: int
    rows_read: int
    rows_rejected: int
    unknown_statuses: Mapping[str, int]
    error_statuses: tuple[str, ...]
    input: Fingerprint
    snapshot_time: datetime
    breakdown: tuple[Place, ...]
    rejects: Path | None

    @property
    def orders_without_status(self) -> int:
        return self.orders - self.orders_with_status

    def as_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            "orders_with_status": self.orders_with_status,
            "error_orders": self.error_orders,
            "error_share": self.error_share,
            "threshold": self.threshold,
            "over_threshold": self.over_threshold,
            "orders_without_status": self.orders_without_status,
            "statuses_without_order": self.statuses_without_order,
            "duplicates_folded": self.duplicates_folded,
            "rows_read": self.rows_read,
            "rows_rejected": self.rows_rejected,
            "unknown_statuses": dict(self.unknown_statuses),
            "error_statuses": list(self.error_statuses),
            "input": {"name": self.input.name, "bytes": self.input.bytes, "sha256": self.input.sha256},
            "snapshot_time": self.snapshot_time.isoformat(),
            "breakdown": [place.as_dict() for place in self.breakdown],
        }

    def summary(self) -> dict[str, Any]:
        """The same without breakdown and without which statuses are errors, under 2 KB as JSON."""
        short = {key: value for key, value in self.as_dict().items() if key not in _LONG}
        short["input"]["name"] = self.input.name[:_NAME_LENGTH]
        while len(json.dumps(short)) > _SUMMARY_BYTES:
            short["unknown_statuses"].popitem()
        return short


_LONG = ("breakdown", "error_statuses")


def judge(
    answer: Iterable[tuple[Any, ...]],
    *,
    counts: Counts,
    settings: Settings,
    input: Fingerprint,
    snapshot_time: datetime,
    rejects: Path | None,
) -> Verdict:
    """The verdict from the rows of `delivery_verdict.sql`.

    Raises DataRefused when no order has a status.
    """
    places: list[Place] = []
    unknown: dict[str, int] = {}
    listed = settings.error_statuses | settings.known_statuses
    total = (0, 0, 0, 0, 0)
    for scope, carrier, region, status, *numbers in answer:
        orders, with_status, errors, without_order, rows = (int(number or 0) for number in numbers)
        if scope == "total":
            total = (orders, with_status, errors, without_order, rows)
        elif scope == "place" and orders:
            places.append(Place(carrier, region, orders, with_status, errors))
        elif scope == "status" and status is not None and with_status and status not in listed:
            unknown[status] = with_status
            if len(unknown) > 1000:
                # A column of free text has as many as there are rows; each comes once.
                unknown = _most_frequent(unknown)
    orders, with_status, errors, without_order, rows = total
    if not with_status:
        raise DataRefused(
            f"none of the {orders} orders has a status in {input.name} ({without_order} other orders have):"
            " is it the right file, and the right database and search_path?"
        )
    return Verdict(
        orders=orders,
        orders_with_status=with_status,
        error_orders=errors,
        error_share=errors / with_status,
        over_threshold=errors > exact(settings.threshold) * with_status,
        threshold=float(settings.threshold),
        statuses_without_order=without_order,
        duplicates_folded=rows - with_status - without_order,
        rows_read=counts.rows_read,
        rows_rejected=counts.rows_rejected,
        unknown_statuses={name[:_NAME_LENGTH]: number for name, number in _most_frequent(unknown).items()},
        error_statuses=tuple(sorted(settings.error_statuses)),
        input=input,
        snapshot_time=snapshot_time,
        breakdown=tuple(sorted(places, key=_by_name)),
        rejects=rejects,
    )


def _most_frequent(unknown: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(unknown.items(), key=lambda item: (-item[1], item[0]))[:_UNKNOWN_NAMES])


def _by_name(place: Place) -> tuple[bool, str, bool, str]:
    return place.carrier is None, place.carrier or "", place.region is None, place.region or ""
