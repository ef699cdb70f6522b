"""What a market asks, and how it ends.

A question knows its odds at any instant and its outcome once it is decided.
`InRange` asks where a hidden number ends.  `Foretold` has its ending written
down beforehand: for scenarios in which a market must end in a certain way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.units import ONE_DOLLAR, Price
from trueup.sim.living.hidden import Hidden, Range, final_number, odds

HALF: Final = Price(5_000)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a market ends, and what one YES contract pays."""

    result: MarketResult
    value: Price

    def reversed(self) -> Outcome:
        """The other way round."""
        return outcome_of(self.value.complement())


def outcome_of(value: Price) -> Outcome:
    """The outcome that pays `value` per YES contract."""
    if value == ONE_DOLLAR:
        return Outcome(MarketResult.YES, value)
    if not value.units:
        return Outcome(MarketResult.NO, value)
    return Outcome(MarketResult.SCALAR, value)


class Question(Protocol):
    """What a market asks.  Instants must be asked for in time order."""

    def odds(self, at: Instant) -> int:
        """How likely YES is, in 1/10,000, to whoever knows everything that can be known."""
        ...

    def outcome(self, at: Instant) -> Outcome:
        """How it ends; ask from the decision on."""
        ...


@dataclass(frozen=True, slots=True)
class InRange:
    """Will the hidden number end inside `wanted`?  At the number `tie` every side gets half."""

    hidden: Hidden
    wanted: Range
    tie: int | None = None

    def odds(self, at: Instant) -> int:
        """By the distance to the edges, and what can still happen."""
        return odds(self.hidden, at, self.wanted)

    def outcome(self, at: Instant) -> Outcome:
        """Where the number ended."""
        number = final_number(self.hidden, at)
        if number == self.tie:
            return outcome_of(HALF)
        return outcome_of(ONE_DOLLAR if number in self.wanted else Price(0))


@dataclass(frozen=True, slots=True)
class Foretold:
    """It will pay `value`.  The odds go there from `fair` in a straight line."""

    fair: int
    value: Price
    begins: Instant
    ends: Instant

    def odds(self, at: Instant) -> int:
        """The odds on the way."""
        whole = max(1, self.ends - self.begins)
        passed = max(0, min(whole, at - self.begins))
        return self.fair + (self.value.units - self.fair) * passed // whole

    def outcome(self, at: Instant) -> Outcome:
        """What was written down."""
        del at
        return outcome_of(self.value)
