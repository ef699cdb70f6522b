"""Trade a market against an outside probability, such as FedWatch for KXFED markets.

**Idea.**  Fed funds futures say what a rate decision is worth; when a market asks
less than that probability minus `edge_min` (fees included), YES is bought, when
its NO asks less, NO is.  The position is closed when the edge is gone.

**Limits.**  The two questions must be the same: the mapping from meeting and rate
to ticker belongs to the feed.  An anchor older than `age_max` is not an anchor.
Size is a fraction of the Kelly bet, capped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trueup.core.fees import model_fee
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio, rounded_text
from trueup.engine.market import Listing
from trueup.engine.signals import AnchorSignal, Signal
from trueup.engine.sizing import Kelly, Sizing
from trueup.engine.strategy import Desk, FairValue, Strategy, Universe
from trueup.engine.wishes import Wish, buy_no, buy_yes, sell_no, sell_yes


class Anchored(Strategy):
    """Buys what an outside probability says is too cheap, fees included."""

    name = "anchored"

    def __init__(
        self,
        universe: Universe | None = None,
        *,
        edge_min: Ratio | None = None,
        exit_edge: Ratio | None = None,
        sizing: Sizing | None = None,
        age_max: int = 24 * HOUR,
    ) -> None:
        self.universe = Universe() if universe is None else universe
        self.edge_min = Ratio(4, 100) if edge_min is None else edge_min
        self.exit_edge = Ratio(0) if exit_edge is None else exit_edge
        self.sizing: Sizing = Kelly(Ratio(1, 4)) if sizing is None else sizing
        self.age_max = age_max
        self._anchors: dict[Ticker, AnchorSignal] = {}

    def parameters(self) -> Mapping[str, str]:
        """The settings as text."""
        return {
            "edge_min": str(self.edge_min),
            "exit_edge": str(self.exit_edge),
            "sizing": repr(self.sizing),
        }

    def on_signal(self, desk: Desk, signal: Signal) -> Iterable[Wish]:
        """A new outside probability: look at its market at once."""
        if not isinstance(signal, AnchorSignal):
            return ()
        self._anchors[signal.ticker] = signal
        return self.on_markets(desk, [signal.ticker] if signal.ticker in desk.tickers else [])

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        """Compare the price with the anchor."""
        for ticker in moved:
            anchor = self._anchor(desk, ticker)
            wish = None if anchor is None else self._wish(desk, ticker, anchor)
            if wish is not None:
                yield wish

    def fair(self, desk: Desk, ticker: Ticker) -> FairValue | None:
        """The outside probability, while it is fresh."""
        anchor = self._anchor(desk, ticker)
        if anchor is None:
            return None
        return FairValue(value=anchor.probability, as_of=anchor.at, source=anchor.source)

    def _anchor(self, desk: Desk, ticker: Ticker) -> AnchorSignal | None:
        anchor = self._anchors.get(ticker)
        return None if anchor is None or desk.now - anchor.at > self.age_max else anchor

    def _wish(self, desk: Desk, ticker: Ticker, anchor: AnchorSignal) -> Wish | None:
        top, net, fair = desk.top(ticker), desk.net(ticker), anchor.probability
        words = f"{anchor.source} says {rounded_text(fair * 100, 1)} %"
        if net > ZERO_COUNT and top.bid is not None and fair - _dollars(top.bid) <= self.exit_edge:
            return sell_yes(ticker, net, top.bid, reason=f"{words}, the edge is gone")
        if net < ZERO_COUNT and top.ask is not None and _dollars(top.ask) - fair <= self.exit_edge:
            return sell_no(
                ticker, abs(net), top.ask.complement(), reason=f"{words}, the edge is gone"
            )
        if net:
            return None
        if top.ask is not None and self._edge(desk, ticker, top.ask, fair) >= self.edge_min:
            count = self.sizing.size(top.ask, desk.value, fair)
            return buy_yes(ticker, count, top.ask, reason=words) if count else None
        if top.bid is not None:
            own = top.bid.complement()
            if self._edge(desk, ticker, own, 1 - fair) >= self.edge_min:
                count = self.sizing.size(own, desk.value, 1 - fair)
                return buy_no(ticker, count, own, reason=words) if count else None
        return None

    def _edge(self, desk: Desk, ticker: Ticker, price: Price, probability: Ratio) -> Ratio:
        """What a contract is worth more than it costs, after the taker's fee."""
        return probability - _dollars(price) - taker_fee(desk.listing(ticker), price)


def taker_fee(listing: Listing, price: Price) -> Ratio:
    """The fee of taking one contract at `price`, in dollars; 7 % where the terms are unknown."""
    terms = listing.fee_terms
    one = Count.of_contracts(1)
    fee = None if terms is None else model_fee(terms, one, price, is_taker=True)
    if fee is None:
        return Ratio(7, 100) * _dollars(price) * (1 - _dollars(price))
    return fee


def _dollars(price: Price) -> Ratio:
    return Ratio(price.units, 10_000)
