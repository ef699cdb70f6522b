"""Follow a move: the counterpart of mean reversion, to run beside it.

**Idea.**  News reaches a market over hours.  When the short mean has left the
long mean by at least `deviation` and volume confirms it, the direction of the
move is bought; the position is closed when the short mean is back within
`exit_within` of the long one.  Because it wins when mean reversion loses, the
two together swing less than either.

**Limits.**  It buys after the move, so it pays for being late; in quiet markets
it does nothing.  Size and filters come from the mandate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR
from trueup.core.units import ZERO_COUNT, Price, Ratio, rounded_text
from trueup.engine.pegging import pegged
from trueup.engine.sizing import Percent, Sizing
from trueup.engine.strategy import Desk, Strategy, Universe
from trueup.engine.wishes import Wish, buy_no, buy_yes, sell_no, sell_yes


class Momentum(Strategy):
    """Buys in the direction in which a short mean left a long one."""

    name = "momentum"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        deviation: Ratio | None = None,
        exit_within: Ratio | None = None,
        short: int = 6 * HOUR,
        long: int = 3 * DAY,
        sizing: Sizing | None = None,
        tolerance: int = 200,
    ) -> None:
        self.universe = Universe(busiest=22) if universe is None else universe
        self.deviation = Ratio(6, 100) if deviation is None else deviation
        self.exit_within = Ratio(2, 100) if exit_within is None else exit_within
        self.short, self.long = short, long
        self.windows = (short, long)
        self.sizing: Sizing = Percent(Ratio(1, 100)) if sizing is None else sizing
        self.tolerance = tolerance

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "deviation": str(self.deviation),
            "exit_within": str(self.exit_within),
            "short_hours": str(Ratio(self.short, HOUR)),
            "long_hours": str(Ratio(self.long, HOUR)),
            "sizing": repr(self.sizing),
        }

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        """Enter with the move, leave when it is over."""
        for ticker in moved:
            short, long = desk.mean(ticker, self.short), desk.mean(ticker, self.long)
            if short is None or long is None:
                continue
            wish = self._wish(desk, ticker, short - long)
            if wish is not None:
                yield wish

    def _wish(self, desk: Desk, ticker: Ticker, move: Ratio) -> Wish | None:
        top, net, grid = desk.top(ticker), desk.net(ticker), desk.listing(ticker).grid
        words = f"the short mean is {rounded_text(move * 100, 1)} points off the long one"
        if net > ZERO_COUNT:
            over = move <= self.exit_within and top.bid is not None
            return sell_yes(ticker, net, top.bid, reason=words) if over and top.bid else None
        if net < ZERO_COUNT:
            over = move >= -self.exit_within and top.ask is not None
            if not over or top.ask is None:
                return None
            return sell_no(ticker, abs(net), top.ask.complement(), reason=words)
        if move >= self.deviation and top.ask is not None:
            count = self.sizing.size(top.ask, desk.value)
            limit = pegged(top.ask, self.tolerance, grid)
            return buy_yes(ticker, count, limit, reason=words) if count else None
        if move <= -self.deviation and top.bid is not None:
            own: Price = top.bid.complement()
            count = self.sizing.size(own, desk.value)
            limit = pegged(own, self.tolerance, grid)
            return buy_no(ticker, count, limit, reason=words) if count else None
        return None
