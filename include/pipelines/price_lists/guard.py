"""Whether a client's new price list may take the place of the last one.

The rules find what an assortment does not do of itself. Daily life passes: new products, promotions on some
rows, a few products removed, renamed categories, contracts that end on their last day.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from heapq import nlargest
from itertools import islice
from typing import NamedTuple, TypeGuard

from pipelines.price_lists.settings import Bounds

_MOST_ROWS = 20
# Enough for a price times a bound to be exact, whatever the caller's decimal context.
_DIGITS = 60


class Item(NamedTuple):
    """One row of a list. `until` is the contract's last day; None: without end, or a base price."""

    name: str
    category: str
    price: Decimal | None
    by_contract: bool
    until: date | None


@dataclass(frozen=True)
class Concerned:
    """A row that a finding rests on; `before` and `now` are prices as text, None where there was or is none.

    `sku` is None where it is no single product: a category (`product` is its name, `before` and `now` its
    rows), the list (its rows), a client (`before` is its code).
    """

    sku: str | None
    product: str | None
    before: str | None
    now: str | None


@dataclass(frozen=True)
class Finding:
    """Why a list is held: a sentence with numbers, and at most 20 of the rows concerned, the worst first."""

    reason: str
    rows: Sequence[Concerned]


class _Change(NamedTuple):
    sku: str
    was: Item
    now: Item | None


_Row = tuple[str, Item | None, Item | None]


def review(
    current: Mapping[str, Item], previous: Mapping[str, Item] | None, *, day: date, bounds: Bounds
) -> list[Finding]:
    """What speaks against publishing a client's list; nothing where it may go out.

    Args:
        current: the new list, by SKU.
        previous: the list that the client has, by SKU; None for a first list, of which only the prices
            themselves are judged. A zero or missing price that stands in it was released: it may stay.
        day: the day of the new list; a contract whose last day is before it has ended of itself.
        bounds: how far the lists may differ.
    """
    before = previous or {}
    if before and not current:
        rows = f"{len(before):,} rows"
        return [
            Finding(f"the list is empty, the one before had {rows}", [Concerned(None, None, rows, "0 rows")])
        ]
    # Nearly all rows are those of the day before: the rules look at the others alone.
    changes = [_Change(sku, was, now) for sku, was in before.items() if (now := current.get(sku)) != was]
    with localcontext(prec=_DIGITS):
        return [
            *_unusable_prices(current, before),
            *_moved_prices(changes, before, day, bounds),
            *_gone_rows(changes, before, day, bounds),
            *_vanished_contracts(changes, before, day, bounds),
        ]


def review_clients(current: Collection[str], previous: Collection[str], bounds: Bounds) -> Finding | None:
    """Whether too many clients of the last set are missing from the new one; both hold client codes."""
    left = sorted(set(previous) - set(current))
    if len(left) <= bounds.max_left_share * len(previous):
        return None
    return Finding(
        f"{len(left):,} of {len(previous):,} clients of the last set are no longer there "
        f"(allowed: {bounds.max_left_share:%})",
        [Concerned(None, None, code, None) for code in left[:_MOST_ROWS]],
    )


def _unusable_prices(current: Mapping[str, Item], before: Mapping[str, Item]) -> Iterator[Finding]:
    unusable = [
        (sku, was, now)
        for sku, now in current.items()
        if not _is_price(now.price) and not ((was := before.get(sku)) and was.price == now.price)
    ]
    if unusable:
        yield _finding(
            f"{len(unusable):,} of {len(current):,} prices are zero, negative or missing (allowed: none)",
            unusable,
        )


def _moved_prices(
    changes: Sequence[_Change], before: Mapping[str, Item], day: date, bounds: Bounds
) -> Iterator[Finding]:
    in_both = len(before) - sum(now is None for _, _, now in changes)
    beyond, moved = [], []
    for change in changes:
        _, was, now = change
        if now is None or not (_is_price(was.price) and _is_price(now.price)):
            continue
        low, high = (was.price, now.price) if was.price < now.price else (now.price, was.price)
        if high > bounds.max_price_factor * low:
            beyond.append(change)
        # The way back to the base price after a contract's last day is no move.
        if high - low > bounds.price_move * was.price and (now.by_contract or not _has_ended(was, day)):
            moved.append(change)
    if beyond:
        yield _finding(
            f"{len(beyond):,} of {in_both:,} prices rose or fell by more than a factor of "
            f"{bounds.max_price_factor:f} (allowed: none)",
            beyond,
        )
    if len(moved) > bounds.max_moved_share * in_both:
        yield _finding(
            f"{len(moved):,} of {in_both:,} prices moved by more than {bounds.price_move:%} "
            f"(allowed: {bounds.max_moved_share:%})",
            moved,
        )


def _gone_rows(
    changes: Sequence[_Change], before: Mapping[str, Item], day: date, bounds: Bounds
) -> Iterator[Finding]:
    absent = [change for change in changes if change.now is None]
    # A list of contract prices alone loses a row with the end of its contract.
    gone = [change for change in absent if not _has_ended(change.was, day)]
    if not gone:
        return
    due = len(before) - (len(absent) - len(gone))
    if len(gone) > bounds.max_shrink * due:
        yield _finding(
            f"{len(gone):,} of {due:,} rows that should still be there are gone "
            f"(allowed: {bounds.max_shrink:%})",
            gone,
        )
    had = Counter(item.category for item in before.values())
    missing = Counter(change.was.category for change in absent)
    lost = {
        category: rows
        for category, rows in Counter(change.was.category for change in gone).most_common()
        if rows >= bounds.min_category_rows and missing[category] == had[category]
    }
    if lost:
        yield Finding(
            f"{len(lost):,} of {len(had):,} categories lost every row, {sum(lost.values()):,} in all "
            f"(allowed: none that had {bounds.min_category_rows:,} or more)",
            [
                Concerned(None, category, f"{rows:,} rows", "0 rows")
                for category, rows in islice(lost.items(), _MOST_ROWS)
            ],
        )


def _vanished_contracts(
    changes: Sequence[_Change], before: Mapping[str, Item], day: date, bounds: Bounds
) -> Iterator[Finding]:
    vanished = [
        change
        for change in changes
        if _should_hold(change.was, day) and not (change.now and change.now.by_contract)
    ]
    if not vanished:
        return
    due = sum(_should_hold(item, day) for item in before.values())
    if len(vanished) > bounds.max_vanished_share * due:
        yield _finding(
            f"{len(vanished):,} of {due:,} contract prices that should still hold are gone or base prices "
            f"(allowed: {bounds.max_vanished_share:%})",
            vanished,
        )


def _is_price(price: Decimal | None) -> TypeGuard[Decimal]:
    # NaN is a value of a numeric column, and no check of a column keeps it out.
    return price is not None and price.is_finite() and price > 0


def _has_ended(item: Item, day: date) -> bool:
    return item.until is not None and item.until < day


def _should_hold(item: Item, day: date) -> bool:
    return item.by_contract and not _has_ended(item, day)


def _finding(reason: str, rows: Iterable[_Row]) -> Finding:
    return Finding(reason, [_concerned(*row) for row in nlargest(_MOST_ROWS, rows, key=_badness)])


def _badness(row: _Row) -> tuple[Decimal, Decimal]:
    """By what factor a price rose or fell, infinite where it is gone; of equal ones the dearest is worst."""
    _, was, now = row
    before = was.price if was and _is_price(was.price) else Decimal(0)
    if before and now and _is_price(now.price):
        return max(now.price / before, before / now.price), before
    return Decimal("Infinity"), before


def _concerned(sku: str, was: Item | None, now: Item | None) -> Concerned:
    item = now or was
    return Concerned(sku, item.name if item else None, _text(was), _text(now))


def _text(item: Item | None) -> str | None:
    return f"{item.price:f}" if item and item.price is not None else None
