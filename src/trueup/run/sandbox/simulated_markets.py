"""The exchange's markets in the words of the trader's machine."""

from __future__ import annotations

from trueup.core import catalog
from trueup.core.ids import Ticker
from trueup.core.units import Count
from trueup.engine.market import Listing, Top
from trueup.sim import events as e
from trueup.sim.exchange import Exchange


def listings(exchange: Exchange) -> tuple[Listing, ...]:
    """Every market that is listed, as it is now."""
    return tuple(listing(exchange, ticker) for ticker in exchange.books.listings.markets)


def top_now(exchange: Exchange, ticker: Ticker) -> tuple[Top, ...]:
    """The top of a market's book now; nothing before it was ever quoted."""
    quote = exchange.books.listings.markets[ticker].quotes.at(exchange.now)
    if quote is None:
        return ()
    top = Top(
        ticker=ticker,
        at=exchange.now,
        bid=quote.yes_bid,
        ask=quote.yes_ask,
        last=quote.last,
        volume_24h=quote.volume_24h,
    )
    return (top,)


def top_after(exchange: Exchange, changed: e.TopChanged) -> Top:
    """The top of a book after it changed."""
    quote = exchange.books.listings.markets[changed.ticker].quotes.at(changed.at)
    return Top(
        ticker=changed.ticker,
        at=changed.at,
        bid=changed.bid,
        ask=changed.ask,
        bid_size=Count(changed.bid_size),
        ask_size=Count(changed.ask_size),
        last=changed.last,
        volume_24h=Count(0) if quote is None else quote.volume_24h,
    )


def listing(exchange: Exchange, ticker: Ticker) -> Listing:
    """One market, as it is now."""
    known = exchange.books.listings
    state = known.markets[ticker]
    event = known.events[state.market.event_ticker]
    series = known.series_at(event.series_ticker, exchange.now)
    terms = None
    if series is not None:
        terms = catalog.FeeTerms(series.fee_type, series.fee_multiplier, waived=False)
    return Listing(
        market=state.market,
        event=event,
        category="" if series is None else series.category,
        grid=state.grid,
        status=state.stage().status,
        fee_terms=terms,
    )
