"""Trade on news that somebody has classified.

**Idea.**  A signal with a direction and a confidence above `confidence_min` buys
YES (positive) or NO (negative) at the market, `count` contracts, once per piece
of news.  Where signals come from (RSS or Atom feeds, a webhook, a file) and how
they are classified is not this strategy's business.

**Limits.**  News that everybody has read is in the price; old signals
(`age_max`) are dropped, and at most `position_max` is held in a market.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trueup.core.instant import MINUTE
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio
from trueup.engine.pegging import pegged
from trueup.engine.signals import Direction, NewsSignal, Signal
from trueup.engine.strategy import Desk, Strategy, Universe
from trueup.engine.wishes import Wish, buy_no, buy_yes

_REMEMBERED_MAX = 10_000


class News(Strategy):
    """Buys the side that a confident piece of news speaks for."""

    name = "news"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        confidence_min: Ratio | None = None,
        count: Count | None = None,
        position_max: Count | None = None,
        age_max: int = 10 * MINUTE,
        tolerance: int = 200,
    ) -> None:
        self.universe = Universe() if universe is None else universe
        self.confidence_min = Ratio(7, 10) if confidence_min is None else confidence_min
        self.count = Count.of_contracts(5) if count is None else count
        self.position_max = Count.of_contracts(25) if position_max is None else position_max
        self.age_max = age_max
        self.tolerance = tolerance
        self._seen: dict[str, None] = {}

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "confidence_min": str(self.confidence_min),
            "count": str(self.count),
            "position_max": str(self.position_max),
            "tolerance": str(Price(self.tolerance)),
        }

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """Act on a piece of news once, if it is confident and fresh."""
        if not isinstance(signal, NewsSignal) or signal.ticker not in desk.tickers:
            return
        if signal.signal_id in self._seen or desk.now - signal.at > self.age_max:
            return
        self._seen[signal.signal_id] = None
        if len(self._seen) > _REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]
        if signal.confidence <= self.confidence_min:
            return
        top, net = desk.top(signal.ticker), desk.net(signal.ticker)
        grid = desk.listing(signal.ticker).grid
        reason = f"{signal.direction} ({signal.confidence}): {signal.headline}"[:200]
        positive = signal.direction is Direction.POSITIVE
        room = self.position_max - net if positive else self.position_max + net
        count = min(self.count, room)
        if count <= ZERO_COUNT:
            return
        if positive and top.ask is not None:
            limit = pegged(top.ask, self.tolerance, grid)
            yield buy_yes(signal.ticker, count, limit, reason=reason)
        elif not positive and top.bid is not None:
            limit = pegged(top.bid.complement(), self.tolerance, grid)
            yield buy_no(signal.ticker, count, limit, reason=reason)
