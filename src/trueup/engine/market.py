"""What the machine knows of a market: what it is, and the top of its book.

A `Listing` changes rarely and comes from the exchange's listings; a `Top` comes
with every batch of market data.  `None` is "not there" or "not known", never 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core import catalog
from trueup.core.grid import PriceGrid
from trueup.core.ids import EventTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A market with its event, its category, its price grid and its present status."""

    market: catalog.Market
    event: catalog.Event
    category: str
    grid: PriceGrid
    status: MarketStatus
    fee_terms: catalog.FeeTerms | None = None

    @property
    def ticker(self) -> Ticker:
        """The market's name."""
        return self.market.ticker

    @property
    def event_ticker(self) -> EventTicker:
        """The event's name."""
        return self.market.event_ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The top of a market's book at `at`, in YES prices.

    `volume_24h` is what traded in the last day.
    """

    ticker: Ticker
    at: Instant
    bid: Price | None = None
    ask: Price | None = None
    bid_size: Count = ZERO_COUNT
    ask_size: Count = ZERO_COUNT
    last: Price | None = None
    volume_24h: Count = ZERO_COUNT

    @property
    def mid(self) -> Ratio | None:
        """The middle of bid and ask in dollars, exact; `None` without both."""
        if self.bid is None or self.ask is None:
            return None
        return Ratio(self.bid.units + self.ask.units, 20_000)

    @property
    def spread(self) -> Ratio | None:
        """Ask minus bid in dollars; `None` without both."""
        if self.bid is None or self.ask is None:
            return None
        return Ratio(self.ask.units - self.bid.units, 10_000)

    @property
    def mark(self) -> Price | None:
        """What a position is valued at: the last price, kept within bid and ask."""
        mark = self.last
        if mark is None:
            return self.bid if self.ask is None else self.ask if self.bid is None else self.bid
        if self.bid is not None and mark < self.bid:
            return self.bid
        if self.ask is not None and mark > self.ask:
            return self.ask
        return mark

    def opposite(self, side: Side) -> Price | None:
        """The YES price at which an order of `side` would trade now."""
        return self.ask if side is Side.YES else self.bid

    def available(self, side: Side) -> Count:
        """How much an order of `side` could take at that price."""
        return self.ask_size if side is Side.YES else self.bid_size


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTrade:
    """Somebody's trade, as everybody sees it.  `taker_side` is who crossed the book."""

    ticker: Ticker
    at: Instant
    price: Price
    count: Count
    taker_side: Side
