"""Sell what is unlikely: the favourite-longshot bias, as a strategy to backtest.

    trueup backtest examples/strategies/fade_longshots.py --trades TRADES.parquet --markets MARKETS.parquet

Cheap YES contracts pay less often than they cost, in many published tables of many markets.
This buys NO whenever somebody bids at most `top` for YES, once a market, and waits for the
outcome.
"""

from collections.abc import Iterable, Sequence

from trueup import Count, Price, Strategy, buy_no
from trueup.core.ids import Ticker
from trueup.engine.strategy import Desk
from trueup.engine.wishes import Order

TOP = Price.parse("0.10")
COUNT = Count.of_contracts(5)


class FadeLongshots(Strategy):
    """Buys NO against low bids."""

    name = "fade-longshots"

    def __init__(self, *, top: Price = TOP, count: Count = COUNT) -> None:
        self.top = top
        self.count = count

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Order]:
        """Look at the bids of what moved."""
        for ticker in moved:
            bid = desk.top(ticker).bid
            if bid is None or bid > self.top or desk.net(ticker) or desk.orders(ticker):
                continue
            yield buy_no(ticker, self.count, bid.complement(), reason=f"somebody bids {bid}")
