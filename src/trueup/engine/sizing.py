"""How much to trade.  Whole contracts, always rounded down: a size never exceeds its rule.

All prices here are the price of the side that is bought, in dollars per contract.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Money, Price, Ratio


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same number of contracts."""

    count: Count

    def size(self, price: Price, portfolio: Money, probability: Ratio | None = None) -> Count:
        """The count, whatever the price."""
        del price, portfolio, probability
        return self.count


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of the portfolio's value per trade, e.g. `Ratio(2, 100)`."""

    share: Ratio

    def size(self, price: Price, portfolio: Money, probability: Ratio | None = None) -> Count:
        """As many whole contracts as the share buys at `price`."""
        del probability
        return affordable(Ratio(portfolio.units) * self.share, price)


@dataclass(frozen=True, slots=True)
class Kelly:
    """A fraction of the Kelly bet: `fraction` × (p − price) / (1 − price) of the portfolio.

    `share_max` caps it.  Without an edge, or without a probability, it is zero.
    """

    fraction: Ratio
    share_max: Ratio = field(default_factory=lambda: Ratio(2, 100))

    def size(self, price: Price, portfolio: Money, probability: Ratio | None = None) -> Count:
        """As many whole contracts as the bet buys at `price`."""
        if probability is None or not 0 < price.units < ONE_DOLLAR.units:
            return ZERO_COUNT
        own = Ratio(price.units, 10_000)
        share = min(self.share_max, self.fraction * (probability - own) / (1 - own))
        return affordable(Ratio(portfolio.units) * share, price) if share > 0 else ZERO_COUNT


Sizing = Fixed | Percent | Kelly


def affordable(budget: Ratio, price: Price) -> Count:
    """Whole contracts for `budget` (in $0.000001) at `price`; none for nothing."""
    if budget <= 0 or not price.units:
        return ZERO_COUNT
    return Count(int(budget // (price.units * 100)) * 100)
