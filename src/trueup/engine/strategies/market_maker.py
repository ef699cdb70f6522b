"""Quote both sides and earn the spread.

**Idea.**  A bid and an ask rest `half_spread` around the fair price (the middle of
the book), shifted against the inventory: long, it quotes lower, to sell; short,
higher, to buy.  Each quote is a slot, so a new tick amends it instead of piling
orders up.  Quotes are post-only; they expire by themselves, and the mandate's
order group lets the exchange cancel all of them when too much fills at once.

**Limits.**  `inventory_max` per market; no quote where the spread is narrower than
`spread_min` (nothing to earn) or the book is one-sided.  A maker loses to those
who know more: keep away from markets minutes before their news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trueup.core.ids import Ticker
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio
from trueup.engine.market import Top
from trueup.engine.pegging import ceiled, floored
from trueup.engine.strategy import Desk, FairValue, Strategy, Universe
from trueup.engine.wishes import Order, Style, Wish, Withdraw


class MarketMaker(Strategy):
    """Keeps one bid and one ask in every market of its universe."""

    name = "market-maker"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        half_spread: Ratio | None = None,
        skew: Ratio | None = None,
        count: Count | None = None,
        inventory_max: Count | None = None,
        spread_min: Ratio | None = None,
    ) -> None:
        self.universe = Universe(busiest=5) if universe is None else universe
        self.half_spread = Ratio(2, 100) if half_spread is None else half_spread
        self.skew = Ratio(3, 100) if skew is None else skew
        self.count = Count.of_contracts(10) if count is None else count
        self.inventory_max = Count.of_contracts(50) if inventory_max is None else inventory_max
        self.spread_min = Ratio(2, 100) if spread_min is None else spread_min

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "half_spread": str(self.half_spread),
            "skew": str(self.skew),
            "count": str(self.count),
            "inventory_max": str(self.inventory_max),
            "spread_min": str(self.spread_min),
        }

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        """Quote again where the book moved."""
        for ticker in moved:
            yield from self._quotes(desk, ticker, desk.top(ticker))

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        """What it quotes around."""
        top = desk.top(ticker)
        value = self._center(top, desk.net(ticker))
        if value is None:
            return None
        return FairValue(value=value, as_of=top.at, source="middle of the book, by inventory")

    def _center(self, top: Top, net: Count) -> Ratio | None:
        mid = top.mid
        return None if mid is None else mid - self.skew * Ratio(net.units, self.inventory_max.units)

    def _quotes(self, desk: Desk, ticker: Ticker, top: Top) -> Iterable[Wish]:
        net, grid, spread = desk.net(ticker), desk.listing(ticker).grid, top.spread
        fair = self._center(top, net)
        if fair is None or spread is None or spread < self.spread_min:
            if desk.orders(ticker):
                words = "one side is empty" if spread is None else f"the spread is only {spread}"
                yield Withdraw(ticker=ticker, reason=words)
            return
        bid = floored(fair - self.half_spread, grid)
        ask = ceiled(fair + self.half_spread, grid)
        for side, price, room in (
            (Side.YES, bid, self.inventory_max - net),
            (Side.NO, ask, self.inventory_max + net),
        ):
            if price is None or room <= ZERO_COUNT or _crosses(side, price, top):
                yield Withdraw(ticker=ticker, reason="no room or no price", slot=side.value)
                continue
            yield Order(
                ticker=ticker,
                side=side,
                count=min(self.count, room),
                limit=price,
                reason=f"quote around {int(fair * 10_000) / 10_000:.4f}, holding {net}",
                style=Style.POST,
                slot=side.value,
                reference=price,
            )


def _crosses(side: Side, price: Price, top: Top) -> bool:
    opposite = top.opposite(side)
    if opposite is None:
        return False
    return price >= opposite if side is Side.YES else price <= opposite
