"""Between a trader and the exchange: latency, lost calls, lost and late messages.  Pure.

Every figure is drawn from the chance that is passed in, so a run repeats from its
seed.  Times are microseconds; how often something happens is in permille.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from trueup.core.instant import SECOND, Instant
from trueup.sim.chance import Chance, between

_MILLISECOND: Final = 1_000
_ALL: Final = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """A range of durations; both ends are included."""

    low: int
    high: int

    def draw(self, chance: Chance) -> int:
        """One of them."""
        return between(chance, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Outage:
    """From `begin` until `end` every call fails."""

    begin: Instant
    end: Instant


class Fate(Enum):
    """What becomes of a call."""

    ANSWERED = auto()
    LOST = auto()
    """It never arrives; an error or nothing comes back."""
    UNANSWERED = auto()
    """It arrives and takes effect; an error or nothing comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How good the line is.

    `way` is the time of a call or an answer, `feed` that of a private or public
    message, `lag` how far reads are behind, `timeout` when a caller gives up.
    Of all calls `lost` never arrive and `unanswered` take effect silently, up to
    `slow_by` later, perhaps long after the caller gave up; of all
    messages `dropped` get lost, `doubled` come twice and `late` come up to `late_by`
    later than the others.
    """

    way: Span = Span(20 * _MILLISECOND, 80 * _MILLISECOND)
    feed: Span = Span(5 * _MILLISECOND, 150 * _MILLISECOND)
    lag: Span = Span(0, 400 * _MILLISECOND)
    timeout: int = 2 * SECOND
    slow_by: int = 6 * SECOND
    lost: int = 0
    unanswered: int = 0
    dropped: int = 0
    doubled: int = 0
    late: int = 0
    late_by: int = 30 * SECOND
    outages: tuple[Outage, ...] = ()

    def fate(self, chance: Chance, at: Instant) -> Fate:
        """What becomes of a call that is sent at `at`."""
        if any(each.begin <= at < each.end for each in self.outages):
            return Fate.LOST
        drawn = chance.randrange(0, _ALL)
        if drawn < self.lost:
            return Fate.LOST
        return Fate.UNANSWERED if drawn < self.lost + self.unanswered else Fate.ANSWERED

    def arrival(self, chance: Chance, at: Instant, fate: Fate) -> Instant:
        """When a call that is sent at `at` takes effect."""
        slow = between(chance, 0, self.slow_by) if fate is Fate.UNANSWERED else 0
        return Instant(at + self.way.draw(chance) + slow)

    def deliveries(self, chance: Chance, at: Instant) -> tuple[Instant, ...]:
        """When a message of `at` arrives: never, once or twice."""
        if chance.randrange(0, _ALL) < self.dropped:
            return ()
        times = 2 if chance.randrange(0, _ALL) < self.doubled else 1
        return tuple(self._delivery(chance, at) for _ in range(times))

    def _delivery(self, chance: Chance, at: Instant) -> Instant:
        delay = self.feed.draw(chance)
        if chance.randrange(0, _ALL) < self.late:
            delay += between(chance, 0, self.late_by)
        return Instant(at + delay)


CALM: Final = Conditions()
"""An ordinary day: some latency, nothing lost."""

STORM: Final = Conditions(lost=60, unanswered=60, dropped=80, doubled=80, late=80)
"""Everything goes wrong now and then, often enough to matter within an hour."""
