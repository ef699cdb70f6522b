"""How far this machine's clock is from the exchange's, from HTTP `Date` headers.

The header has whole seconds and the answer travels for a while, so one answer
gives an interval, not a number.  Several intervals are intersected; when they
no longer meet, a clock was set and the newest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from trueup.core.errors import NotANumber
from trueup.core.instant import MINUTE, SECOND, Instant, from_datetime

_TOO_FAR = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Skew:
    """Our clock minus theirs lies between `low` and `high` (microseconds; positive: ours is ahead)."""

    low: int
    high: int

    @property
    def estimate(self) -> int:
        """The middle of the interval."""
        return (self.low + self.high) // 2

    @property
    def at_least(self) -> int:
        """By how much the clocks differ for certain; 0 when they may agree."""
        return max(0, self.low, -self.high)

    def narrowed_by(self, newer: Skew) -> Skew:
        """Both readings together."""
        low, high = max(self.low, newer.low), min(self.high, newer.high)
        return Skew(low, high) if low <= high else newer

    def __str__(self) -> str:
        if not self.at_least:
            return "this machine's clock agrees with the exchange's to the second"
        amount = abs(self.estimate)
        shown = (
            f"{round(amount / SECOND)} s" if amount < _TOO_FAR else f"{round(amount / MINUTE)} min"
        )
        return (
            f"this machine's clock is about {shown} {'ahead of' if self.low > 0 else 'behind'} "
            "the exchange's"
        )


def measure_skew(date: str, sent_at: Instant, received_at: Instant) -> Skew | None:
    """What one answer tells; None when its `Date` header is missing or unreadable.

    The exchange wrote the header, cut to the second, between `sent_at` and
    `received_at` of our clock.
    """
    try:
        theirs = from_datetime(parsedate_to_datetime(date))
    except (TypeError, ValueError, NotANumber):
        return None
    low, high = sent_at - (theirs + SECOND), received_at - theirs
    return Skew(low, high) if low <= high else None
