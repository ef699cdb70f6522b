"""What trades prove was bid and asked, in a market whose book nobody recorded."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.instant import Instant
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.engine.market import Top
from trueup.sim.lifecycle import MarketState
from trueup.sim.living.mirrored_book import TradeSeen


@dataclass(slots=True)
class LastOffers:
    """What trades prove was bid and asked last, where no book is told."""

    bid: TradeSeen | None = None
    ask: TradeSeen | None = None

    def see(self, trade: TradeSeen) -> None:
        """A taker who bought proves an ask, one who sold a bid; the older gives way."""
        if trade.taker_is_bid:
            self.ask = trade
            if self.bid is not None and self.bid.price >= trade.price:
                self.bid = None
        else:
            self.bid = trade
            if self.ask is not None and self.ask.price <= trade.price:
                self.ask = None


def proven_top(state: MarketState, offers: LastOffers, at: Instant) -> Top:
    """What trades prove, with our own orders in it, as the exchange would show it."""
    quote = state.quotes.at(at)
    bid, bid_size = _proven(offers.bid)
    ask, ask_size = _proven(offers.ask)
    own_bid, own_ask = state.book.best_bid(), state.book.best_ask()
    if own_bid is not None and (bid is None or own_bid.price >= bid.units):
        bid_size = Count(own_bid.total) + (
            bid_size if bid is not None and bid.units == own_bid.price else ZERO_COUNT
        )
        bid = Price(own_bid.price)
    if own_ask is not None and (ask is None or own_ask.price <= ask.units):
        ask_size = Count(own_ask.total) + (
            ask_size if ask is not None and ask.units == own_ask.price else ZERO_COUNT
        )
        ask = Price(own_ask.price)
    return Top(
        ticker=state.ticker,
        at=at,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        last=state.tape.trades[-1].price if state.tape.trades else None,
        volume_24h=ZERO_COUNT if quote is None else quote.volume_24h,
    )


def _proven(trade: TradeSeen | None) -> tuple[Price | None, Count]:
    if trade is None:
        return None, ZERO_COUNT
    return Price(trade.price), Count(trade.count)
