"""One market as it moves: its book and its trades, for a page or a program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from trueup.core.announcements import TradeAnnounced
from trueup.core.errors import BookUnknown
from trueup.core.ids import Ticker
from trueup.core.instant import format_instant
from trueup.core.orderbook import Level
from trueup.net.client import AsyncClient
from trueup.net.watch import LiveBook
from trueup.run.views import Row

FIRST_SECONDS = 30
"""How long the first snapshot of a book may take."""


async def watch_market(client: AsyncClient, ticker: str) -> AsyncGenerator[Row]:
    """What happens to a market from now on, beginning with its book.

    A row is a ``book`` (the top of it, whenever that changed; the state when it
    cannot be believed) or a ``trade``.  Raises `ExchangeRefused` for an unknown
    market, `TimeoutError` when no snapshot comes.
    """
    async with asyncio.timeout(FIRST_SECONDS):
        book = await client.watch_book(Ticker(ticker))
    trades = client.watch_trades([Ticker(ticker)])
    rows: asyncio.Queue[Row] = asyncio.Queue(maxsize=1000)
    tasks = [
        asyncio.create_task(one)
        for one in (_follow_book(client, book, rows), _follow(trades, rows))
    ]
    try:
        while True:
            asked = asyncio.create_task(rows.get())
            done, _ = await asyncio.wait({asked, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            if asked not in done:
                asked.cancel()
                for task in done:
                    task.result()
                return
            yield asked.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        book.close()
        trades.close()


async def _follow_book(client: AsyncClient, book: LiveBook, rows: asyncio.Queue[Row]) -> None:
    last: Row = {}
    while not book.bell.is_over:
        row = book_row(book)
        if row != last:
            await rows.put({"at": format_instant(client.session.now()), **row})
            last = row
        await book.changed()


async def _follow(trades: AsyncIterator[TradeAnnounced], rows: asyncio.Queue[Row]) -> None:
    async for trade in trades:
        await rows.put(trade_row(trade))


def book_row(book: LiveBook) -> Row:
    """The top of a book, or why it cannot be believed."""
    row: Row = {"kind": "book", "ticker": book.ticker, "state": book.book.state.value}
    with suppress(BookUnknown):
        bids, asks = book.bids(1), book.asks(1)
        row |= {
            "yes_bid": _price(bids),
            "yes_bid_count": _count(bids),
            "yes_ask": _price(asks),
            "yes_ask_count": _count(asks),
            "spread": book.spread,
        }
    return row


def trade_row(trade: TradeAnnounced) -> Row:
    """A public trade."""
    return {
        "at": format_instant(trade.at),
        "kind": "trade",
        "ticker": trade.ticker,
        "yes_price": trade.price,
        "count": trade.count,
        "taker_side": trade.taker_side.value,
        "is_block": trade.is_block,
    }


def _price(levels: tuple[Level, ...]) -> object:
    return levels[0].price if levels else None


def _count(levels: tuple[Level, ...]) -> object:
    return levels[0].count if levels else None
