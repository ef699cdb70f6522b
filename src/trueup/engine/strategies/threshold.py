"""Buy what is cheap, sell what is dear: the simplest bot that can be explained.

**Idea.**  Below `buy_below` YES is bought at the ask, above `sell_above` held YES
is sold at the bid, every `every`.  **Limits.**  It has no opinion about the
event: it makes money only where prices wander between the two thresholds, and
loses the whole price where a market goes to 0.  It never holds more than
`position_max` and never goes short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trueup.core.errors import ConfigError
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.engine.strategy import Desk, Strategy, Universe
from trueup.engine.wishes import Wish, buy_yes, sell_yes


class Threshold(Strategy):
    """Buys YES at or below one price and sells it at or above another."""

    name = "threshold"

    def __init__(
        self,
        tickers: Iterable[Ticker] = (),
        *,
        buy_below: Price | None = None,
        sell_above: Price | None = None,
        count: Count | None = None,
        position_max: Count | None = None,
        every: int = 10 * SECOND,
    ) -> None:
        self.universe = Universe(tickers=frozenset(tickers))
        self.buy_below = Price.of_cents(40) if buy_below is None else buy_below
        self.sell_above = Price.of_cents(60) if sell_above is None else sell_above
        self.count = Count.of_contracts(5) if count is None else count
        self.position_max = Count.of_contracts(50) if position_max is None else position_max
        self.every = every
        if self.buy_below >= self.sell_above:
            raise ConfigError(
                f"buy_below {self.buy_below} is not below sell_above {self.sell_above}: it would "
                "buy what it sells at once, and lose the spread and the fees each time",
                remedy="Let buy_below be below sell_above.",
            )

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "buy_below": str(self.buy_below),
            "sell_above": str(self.sell_above),
            "count": str(self.count),
            "position_max": str(self.position_max),
        }

    def on_timer(self, desk: Desk) -> Iterable[Wish]:
        """Look at every market of the universe."""
        for ticker in desk.tickers:
            top, net = desk.top(ticker), desk.net(ticker)
            room = self.position_max - net
            if top.ask is not None and top.ask <= self.buy_below and room > ZERO_COUNT:
                reason = f"ask {top.ask} is at or below {self.buy_below}"
                yield buy_yes(ticker, min(self.count, room), top.ask, reason=reason)
            elif top.bid is not None and top.bid >= self.sell_above and net > ZERO_COUNT:
                reason = f"bid {top.bid} is at or above {self.sell_above}"
                yield sell_yes(ticker, min(self.count, net), top.bid, reason=reason)
