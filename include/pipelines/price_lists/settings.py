"""How far a price list may differ from the client's last one before it is held back."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any

from extracts.errors import UsageError

_SHARE = (Decimal(0), Decimal(1), "share: give a number from 0 to 1, such as 0.1 for 10%")
_RANGES = {
    "max_price_factor": (Decimal(1), None, "factor: give a number of 1 or more, such as 3"),
    "price_move": (Decimal(0), None, "price move: give a number of 0 or more, such as 0.3 for 30%"),
    "max_moved_share": _SHARE,
    "max_shrink": _SHARE,
    "max_vanished_share": _SHARE,
    "max_left_share": _SHARE,
}


@dataclass(frozen=True)
class Bounds:
    """What a list may differ by. Shares are 0 to 1; what is exactly at its bound is allowed.

    Attributes:
        max_price_factor: how many times dearer or cheaper a single product may become.
        price_move: the share of its price by which a price may change before it counts as moved.
        max_moved_share: how many of the prices in both lists may have moved.
        max_shrink: how many rows of the last list may be gone.
        min_category_rows: a category of at least so many rows may not lose them all.
        max_vanished_share: how many contract prices may be gone before their last day.
        max_left_share: how many clients of the last set may be gone.

    Numbers are kept as they are written: 0.1 is a tenth. Raises UsageError for a value that cannot be.
    """

    max_price_factor: Decimal = Decimal(3)
    price_move: Decimal = Decimal("0.3")
    max_moved_share: Decimal = Decimal("0.1")
    max_shrink: Decimal = Decimal("0.1")
    min_category_rows: int = 5
    max_vanished_share: Decimal = Decimal("0.2")
    max_left_share: Decimal = Decimal("0.2")

    def __post_init__(self) -> None:
        for name, (least, most, wanted) in _RANGES.items():
            value = getattr(self, name)
            try:
                number = Decimal(str(value))
                fits = number.is_finite() and least <= number and (most is None or number <= most)
            except InvalidOperation:
                fits = False
            if not fits:
                raise UsageError(f"{name} {value!r} is no {wanted}")
            object.__setattr__(self, name, number)
        rows = self.min_category_rows
        if type(rows) is not int or rows < 1:
            raise UsageError(f"min_category_rows {rows!r} is no number of rows: give 1 or more")


def bounds(configuration: Mapping[str, Any]) -> Bounds:
    """The bounds from the job's configuration, as read from JSON; what it does not name has its default.

    Raises:
        UsageError: a name that is no bound, a value that cannot be.
    """
    names = {item.name for item in fields(Bounds)}
    if unknown := sorted(set(configuration) - names):
        raise UsageError(
            f"unknown bound {', '.join(unknown)} in the configuration of the price lists: "
            f"it knows {', '.join(sorted(names))}"
        )
    return Bounds(**configuration)
