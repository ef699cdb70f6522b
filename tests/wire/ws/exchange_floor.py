"""A small exchange floor: books that a test can trade on, and connections that hear of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from trueup.core.announcements import Announcement, TickerAnnounced
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot, OrderBook
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price
from trueup.wire.ws.publication import Publication
from trueup.wire.ws.server_session import ServerSession, SessionLimits

NOW = Instant(1_790_000_000_123_000)


class Floor:
    """Markets with order books.  It is the server session's `MarketSource`."""

    def __init__(self, *tickers: str) -> None:
        self.books = {Ticker(one): OrderBook(Ticker(one)) for one in tickers}
        for ticker, book in self.books.items():
            book.load(BookSnapshot(ticker=ticker))
        self.clock = 0

    def book(self, ticker: Ticker) -> BookSnapshot | None:
        return self.books[ticker].snapshot() if ticker in self.books else None

    def top(self, ticker: Ticker) -> TickerAnnounced | None:
        book = self.books.get(ticker)
        return None if book is None else self._top(book)

    def market_id(self, ticker: Ticker) -> str:
        return str(uuid5(NAMESPACE_DNS, ticker)) if ticker in self.books else ""

    tells_clock = True

    def ticker_of(self, market_id: str) -> Ticker | None:
        return next((one for one in self.books if self.market_id(one) == market_id), None)

    def change(self, ticker: str, side: Side, price: int, count: int, **more: Any) -> BookDelta:
        """Change a level by whole contracts at a price in cents; the change, applied."""
        self.clock += 1
        delta = BookDelta(
            ticker=Ticker(ticker),
            side=side,
            price=Price.of_cents(price),
            change=Count.of_contracts(count),
            at=NOW,
            clock=self.clock,
            **more,
        )
        assert self.books[delta.ticker].apply(delta)
        return delta

    def publication(self, value: Announcement, *, user: str = "") -> Publication:
        return Publication(value, self, user=user)

    @staticmethod
    def _top(book: OrderBook) -> TickerAnnounced:
        bids, asks = book.bids(1), book.asks(1)
        return TickerAnnounced(
            ticker=book.ticker,
            last=Price.of_cents(50),
            yes_bid=bids[0].price if bids else Price(0),
            yes_ask=asks[0].price if asks else ONE_DOLLAR,
            bid_count=bids[0].count if bids else ZERO_COUNT,
            ask_count=asks[0].count if asks else ZERO_COUNT,
            last_count=Count.of_contracts(3),
            volume=Count.of_contracts(100),
            open_interest=Count.of_contracts(40),
            dollar_volume=50,
            dollar_open_interest=20,
            at=NOW,
        )


class Line:
    """One connection, with frames as dictionaries."""

    def __init__(self, floor: Floor, user: str = "me", limits: SessionLimits | None = None) -> None:
        self.floor = floor
        self.session = ServerSession(user, floor, limits)

    def say(self, text: str | bytes) -> list[dict[str, Any]]:
        """Send a raw text."""
        return read(self.session.receive(text, NOW))

    def command(self, command_id: int, cmd: str, **params: Any) -> list[dict[str, Any]]:
        """Send a command."""
        return self.say(json.dumps({"id": command_id, "cmd": cmd, "params": params}))

    def hear(self, value: Announcement, *, user: str = "") -> list[dict[str, Any]]:
        """What this connection hears of an announcement."""
        return read(self.session.publish(self.floor.publication(value, user=user), NOW))


def read(frames: list[bytes]) -> list[dict[str, Any]]:
    """Frames as dictionaries; each must be one line of JSON."""
    assert all(frame.endswith(b"\n") and frame.count(b"\n") == 1 for frame in frames)
    return [json.loads(frame) for frame in frames]


def without_stamp(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame without its time of sending, which must be there."""
    assert frame["sending_ts_ms"] == NOW // 1000
    return {key: value for key, value in frame.items() if key != "sending_ts_ms"}
