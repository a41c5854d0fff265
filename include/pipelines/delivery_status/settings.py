"""What the delivery analysis may be told: threshold, checks, which statuses are errors."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from extracts.errors import UsageError

ERROR_STATUSES = frozenset({"failed", "returned", "lost", "damaged", "cancelled_by_carrier"})
KNOWN_STATUSES = frozenset({"created", "accepted", "in_transit", "out_for_delivery", "delivered"})


def exact(number: Decimal | float) -> Fraction:
    """The number as it is written: 0.1 is a tenth, not the binary fraction nearest to it."""
    return Fraction(Decimal(str(number)))


def normal(statuses: Collection[str]) -> frozenset[str]:
    """Statuses as they are compared: trimmed, in lower case, without empty ones."""
    return frozenset(status.strip().lower() for status in statuses) - {""}


@dataclass(frozen=True)
class Settings:
    """How a verdict is found. Shares are 0 to 1.

    Attributes:
        threshold: an error share strictly over it is an alert.
        min_rows: fewer usable rows are no verdict.
        max_reject_share: a larger share of rejected rows is no verdict.
        error_statuses: the statuses that are errors.
        known_statuses: the statuses that are not; any other one is not an error either, but reported.
        timezone: of times that are written without one.

    Raises UsageError for a value that cannot be.
    """

    threshold: Decimal | float = 0.10
    min_rows: int = 1
    max_reject_share: Decimal | float = 0.01
    error_statuses: frozenset[str] = field(default=ERROR_STATUSES)
    known_statuses: frozenset[str] = field(default=KNOWN_STATUSES)
    timezone: str = "Europe/Moscow"

    def __post_init__(self) -> None:
        for name in ("threshold", "max_reject_share"):
            value = getattr(self, name)
            try:
                fits = 0 <= exact(value) <= 1
            except (InvalidOperation, ValueError, OverflowError):
                fits = False
            if not fits:
                raise UsageError(
                    f"{name} {value} is no share: give a number from 0 to 1, such as 0.1 for 10%"
                )
        if not isinstance(self.min_rows, int) or self.min_rows < 0:
            raise UsageError(f"min_rows {self.min_rows} is no number of rows: give 0 or more")
        for name in ("error_statuses", "known_statuses"):
            object.__setattr__(self, name, normal(getattr(self, name)))
        if not self.error_statuses:
            raise UsageError("error_statuses is empty: name at least one status that is an error")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UsageError(
                f"timezone {self.timezone!r} is unknown: give a name such as Europe/Moscow"
            ) from None
