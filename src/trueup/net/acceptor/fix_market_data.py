"""Market data by FIX (KalshiMD): books, trades and the state of markets.

A subscription is answered by a snapshot of every market, then by what changes, one message
for each step of the exchange.  A change *replaces* its level.  The state of a market is
told only when it changes, and nothing follows after settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from trueup.core import announcements as a
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, Instant, to_datetime
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT
from trueup.net.acceptor.fix_terms import Subscriber
from trueup.sim import events as e
from trueup.sim.announcing import announcements, snapshot
from trueup.sim.exchange import Exchange
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.market_data import (
    MarketDataIncrementalRefresh,
    MarketDataRequest,
    MarketDataRequestReject,
    MarketDataSnapshotFullRefresh,
    SecurityStatus,
    SecurityStatusRequest,
    SnapshotEntry,
    UpdateEntry,
)
from trueup.wire.fix.words import EntryType, Subscription, TradingStatus, UpdateAction

SYMBOLS_PER_REQUEST: Final = 1_000
SYMBOLS_PER_SESSION: Final = 100_000
_TOO_MANY: Final = "2"
_UNSUPPORTED: Final = "4"
_BLOCK: Final = "1"
_ENTRY: Final = {Side.YES: EntryType.BID, Side.NO: EntryType.OFFER}
_AGGRESSOR: Final = {Side.YES: "1", Side.NO: "2"}
_STATUSES: Final = {
    a.MarketChange.ACTIVATED: TradingStatus.RESUME,
    a.MarketChange.DEACTIVATED: TradingStatus.HALT,
    a.MarketChange.DETERMINED: TradingStatus.DETERMINED,
    a.MarketChange.SETTLED: TradingStatus.SETTLED,
}

Send = Callable[[Message], None]


@dataclass(slots=True)
class Watched:
    """What one client follows."""

    books: set[Ticker] = field(default_factory=set[Ticker])
    states: set[Ticker] = field(default_factory=set[Ticker])


def answer_request(
    asked: MarketDataRequest, watched: Watched, exchange: Exchange, *, send: Send
) -> None:
    """MarketDataRequest (V): snapshots, or why not."""
    tickers = [Ticker(each.symbol) for each in asked.symbols]
    if asked.subscription is Subscription.UNSUBSCRIBE:
        watched.books.difference_update(tickers)
        return
    followed = watched.books.union(tickers)
    is_too_many = len(tickers) > SYMBOLS_PER_REQUEST or len(followed) > SYMBOLS_PER_SESSION
    if is_too_many or not tickers:
        words = "too many symbols" if is_too_many else "no symbol was named"
        reason = _TOO_MANY if is_too_many else _UNSUPPORTED
        send(MarketDataRequestReject(reason=reason, text=words))
        return
    for ticker in tickers:
        send(_snapshot(exchange, ticker))
    if asked.subscription is Subscription.SUBSCRIBE:
        watched.books = followed


def answer_status_request(asked: SecurityStatusRequest, watched: Watched) -> None:
    """SecurityStatusRequest (e): only changes are told, so there is no answer."""
    ticker = Ticker(asked.symbol)
    if asked.subscription is Subscription.UNSUBSCRIBE:
        watched.states.discard(ticker)
    else:
        watched.states.add(ticker)


def tell(
    exchange: Exchange,
    events: Iterable[e.Event],
    watchers: Iterable[tuple[Subscriber, Watched, Send]],
) -> None:
    """Tell every client what a step changed of what it follows."""
    watchers = list(watchers)
    if not any(watched.books or watched.states for _, watched, _ in watchers):
        return
    told = [news for event in events for news in _news(exchange, event)]
    for subscriber, watched, send in watchers:
        entries = tuple(
            _own(event, entry, subscriber)
            for event, entry in told
            if isinstance(entry, UpdateEntry) and entry.symbol in watched.books
        )
        if entries:
            send(MarketDataIncrementalRefresh(entries=entries))
        for _, status in told:
            if isinstance(status, SecurityStatus) and status.symbol in watched.states:
                send(status)
                if status.status is TradingStatus.SETTLED:
                    watched.states.discard(Ticker(status.symbol))
                    watched.books.discard(Ticker(status.symbol))


def _news(
    exchange: Exchange, event: e.Event
) -> Iterable[tuple[e.Event, UpdateEntry | SecurityStatus]]:
    match event:
        case e.BookChanged():
            yield event, _level(event)
        case e.TradeMade():
            yield event, _trade(event)
        case e.MarketMoved():
            for announced in announcements(exchange, event):
                value = announced.value
                if isinstance(value, a.MarketAnnounced) and value.change in _STATUSES:
                    yield event, SecurityStatus(symbol=value.ticker, status=_STATUSES[value.change])
        case _:
            return


def _snapshot(exchange: Exchange, ticker: Ticker) -> MarketDataSnapshotFullRefresh:
    """The book of a market; empty for one that is not known."""
    state = exchange.books.listings.markets.get(ticker)
    if state is None:
        return MarketDataSnapshotFullRefresh(symbol=ticker)
    book, (day, clock) = snapshot(state), _date_and_time(exchange.now)
    return MarketDataSnapshotFullRefresh(
        symbol=ticker,
        entries=tuple(
            SnapshotEntry(
                entry_type=kind,
                price=level.price,
                size=level.count,
                utc_date=day,
                utc_time=clock,
            )
            for kind, levels in ((EntryType.BID, book.bids), (EntryType.OFFER, book.asks))
            for level in levels
        ),
    )


def _level(event: e.BookChanged) -> UpdateEntry:
    day, clock = _date_and_time(event.at)
    if event.count == ZERO_COUNT:
        action = UpdateAction.DELETE
    else:
        action = UpdateAction.NEW if event.count == event.delta else UpdateAction.CHANGE
    return UpdateEntry(
        action=action,
        symbol=event.ticker,
        entry_type=_ENTRY[event.side],
        price=event.price,
        size=event.count,
        utc_date=day,
        utc_time=clock,
    )


def _own(event: e.Event, entry: UpdateEntry, subscriber: Subscriber) -> UpdateEntry:
    """The entry with the names of the order that made it, for the member whose order that was."""
    if not isinstance(event, e.BookChanged):
        return entry
    terms = event.terms
    if not subscriber.sees(terms.member, terms.subaccount):
        return entry
    return msgspec.structs.replace(
        entry,
        client_order_id=terms.client_order_id or None,
        subaccount=terms.subaccount or None,
    )


def _trade(event: e.TradeMade) -> UpdateEntry:
    day, clock = _date_and_time(event.at)
    return UpdateEntry(
        action=UpdateAction.NEW,
        symbol=event.ticker,
        entry_type=EntryType.TRADE,
        price=event.price,
        size=event.count,
        utc_date=day,
        utc_time=clock,
        aggressor=_AGGRESSOR[event.taker_side],
        trade_type=_BLOCK if event.is_block else None,
        trade_id=event.trade_id,
    )


def _date_and_time(at: Instant) -> tuple[date, int]:
    """A UTC date and the microseconds since its midnight."""
    return to_datetime(at).date(), at % DAY
