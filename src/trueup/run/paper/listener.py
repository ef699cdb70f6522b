"""Listens to a real exchange for a paper account, in a thread of its own.  It cannot write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final, TypeVar

from trueup.core.announcements import TradeAnnounced
from trueup.core.errors import (
    ConfigError,
    ExchangeRefused,
    OutcomeUnknown,
    ProtocolBroken,
    TrueupError,
)
from trueup.core.ids import Ticker, TradeId
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orderbook import BookDelta, BookSnapshot
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.session import Options
from trueup.net.signer import Signer
from trueup.net.streams import StreamOptions
from trueup.net.venues import Endpoint
from trueup.net.watch import Watch
from trueup.net.ws import LineEvent, LineOptions
from trueup.run.archive.archived_markets import ArchivedMarket, MarketReader
from trueup.run.bot.live_feeds import Scope
from trueup.run.clients import sleep_on_the_loop
from trueup.run.clock import SystemClock, unseeded
from trueup.sim.living.mirrored_book import BookSeen, GapSeen, LevelSeen, TradeSeen
from trueup.sim.living.paper_world import MarketTold, News
from trueup.wire.rest.rows.full import FullMarket
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel

T = TypeVar("T")

WHY_READ_ONLY: Final = "this client listens for a paper account, whose orders never leave"
MARKETS_MAX: Final = 500
"""So many books can be mirrored by one listener."""

_LISTINGS: Final = 30 * SECOND
_BATCH: Final = 100
_WAITING_MAX: Final = 200_000
_FIRST_SECONDS_MAX: Final = 120
_OVERLAP: Final = 5 * SECOND
_HEARD_MAX: Final = 100_000
_NOTHING: Final = Price(0)
_PASSES_BY: Final = (OutcomeUnknown, ExchangeRefused, ProtocolBroken)


def listening_client(endpoint: Endpoint, signer: Signer) -> AsyncClient:
    """The only client of a paper account that knows the real exchange: it refuses to write."""
    return open_async_client(
        endpoint,
        signer,
        clock=SystemClock().now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
        options=Options(why_read_only=lambda: WHY_READ_ONLY),
    )


@dataclass
class PaperListener:
    """Tells a paper world what the real exchange says of the markets of a scope.

    `tell` may be called from the listener's thread.  `held` are the markets of the
    paper account, which are looked at whatever the scope.
    """

    endpoint: Endpoint
    signer: Signer
    scope: Scope
    held: Callable[[], tuple[Ticker, ...]] = tuple
    tell: Callable[[News], None] = lambda _: None
    since: Instant | None = None
    """Since when trades count that nobody heard of here; `None`: the account is new."""
    first: tuple[MarketTold, ...] = ()
    _broken: bool = False
    _heard: dict[TradeId, None] = field(default_factory=dict[TradeId, None])
    _known: dict[Ticker, ArchivedMarket] = field(default_factory=dict[Ticker, ArchivedMarket])
    _followed: set[Ticker] = field(default_factory=set[Ticker])
    _last_trade: dict[Ticker, Instant] = field(default_factory=dict[Ticker, Instant])
    _listed: Event = field(default_factory=Event)
    _may_tell: Event = field(default_factory=Event)
    _failure: Exception | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _stopping: asyncio.Event | None = None
    _thread: Thread | None = None

    # -- from outside ----------------------------------------------------------------------

    def start(self) -> tuple[MarketTold, ...]:
        """Start the thread, and return the markets of the scope once they were read.

        Raises what the exchange refuses, and `ConfigError` where there is nothing to mirror.
        """
        self._thread = Thread(target=self._run, name="trueup-paper-listener", daemon=True)
        self._thread.start()
        if not self._listed.wait(_FIRST_SECONDS_MAX):
            raise ConfigError("the exchange did not list its markets in time", remedy="Try again.")
        if self._failure is not None:
            raise self._failure
        return self.first

    def follow(self, tell: Callable[[News], None], held: Callable[[], tuple[Ticker, ...]]) -> None:
        """Tell everything from now on."""
        self.tell, self.held = tell, held
        self._may_tell.set()

    def stop(self) -> None:
        """End the thread."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        self._may_tell.set()
        if loop is not None and stopping is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        if thread is not None:
            thread.join()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._listen())
        except TrueupError as error:
            self._failure = error
        finally:
            self._listed.set()

    async def _listen(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        client = listening_client(self.endpoint, self.signer)
        client.stream_with(
            StreamOptions(
                line=LineOptions(tells_books=True), waiting_max=_WAITING_MAX, on_event=self._note
            )
        )
        async with client:
            reader = MarketReader(client)
            markets = await self._read(client, reader)
            self.first = tuple(markets)
            self._listed.set()
            await asyncio.to_thread(self._may_tell.wait)
            tasks = [
                asyncio.create_task(self._relist(client, reader)),
                asyncio.create_task(self._follow(client)),
            ]
            try:
                await self._stopping.wait()
            finally:
                for each in tasks:
                    each.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, event: LineEvent) -> None:
        if isinstance(event, e.BookLost):
            self.tell(GapSeen(SystemClock().now(), event.ticker))
        elif isinstance(event, e.Live | e.Gap) and event.channel is Channel.TRADE:
            self._broken = True

    # -- markets ---------------------------------------------------------------------------

    async def _relist(self, client: AsyncClient, reader: MarketReader) -> None:
        while True:
            await asyncio.sleep(_LISTINGS / SECOND)
            with suppress(*_PASSES_BY):
                for told in await self._read(client, reader):
                    self.tell(told)

    async def _read(self, client: AsyncClient, reader: MarketReader) -> list[MarketTold]:
        """The markets of the scope, and those that were followed and are open no more."""
        seen = [market async for market in self._scoped(client)]
        names = {market.ticker for market in seen}
        gone = sorted((self._followed | set(self.held())) - names)
        for batch in _batches(gone):
            seen += [market async for market in client.markets.list(tickers=batch)]
        if len(seen) > MARKETS_MAX:
            raise ConfigError(
                f"{len(seen)} markets are too many to mirror their books",
                remedy=f"Name markets or series, at most {MARKETS_MAX} markets: --ticker, --series.",
            )
        told: list[MarketTold] = []
        for market in seen:
            one = await reader.read(market)
            self._known[one.ticker] = one
            told.append(_told(one, market))
        return told

    async def _scoped(self, client: AsyncClient) -> AsyncIterator[FullMarket]:
        scope = self.scope
        for batch in _batches(sorted(scope.tickers)):
            async for market in client.markets.list(tickers=batch):
                yield market
        for series in sorted(scope.series):
            async for market in client.markets.list(series_ticker=series, status="open"):
                yield market
        if not scope.tickers and not scope.series:
            async for market in client.markets.list(status="open", combos=False, limit=1000):
                yield market

    # -- streams ---------------------------------------------------------------------------

    async def _follow(self, client: AsyncClient) -> None:
        """Follow what is open, and whatever opens later; after a break, read what was missed."""
        tasks: list[asyncio.Task[None]] = []
        try:
            while True:
                active = {
                    ticker
                    for ticker, one in self._known.items()
                    if one.status is MarketStatus.ACTIVE
                }
                if fresh := sorted(active - self._followed):
                    self._followed |= active
                    await self._catch_up(client, fresh)
                    books = client.watch_book_changes(fresh)
                    trades = client.watch_trades(fresh)
                    tasks.append(asyncio.create_task(self._take(books, self._book)))
                    tasks.append(asyncio.create_task(self._take(trades, self._trade)))
                if self._broken:
                    self._broken = False
                    await self._catch_up(client, sorted(self.held()))
                await asyncio.sleep(1)
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _catch_up(self, client: AsyncClient, tickers: list[Ticker]) -> None:
        """The trades that nobody heard of here, in markets in which something rests or is held."""
        held = set(self.held())
        for ticker in tickers:
            since = self._last_trade.get(ticker, self.since)
            if ticker not in held or since is None:
                continue
            with suppress(*_PASSES_BY):
                found = [
                    trade
                    async for trade in client.markets.trades(
                        ticker=ticker, min_at=Instant(since - _OVERLAP)
                    )
                ]
                for trade in sorted(found, key=lambda each: each.at):
                    self._trade(trade.announced())

    async def _take(self, watch: Watch[T], take: Callable[[T], None]) -> None:
        # One market that is not streamed must not end the others.
        with suppress(ExchangeRefused):
            async for value in watch:
                take(value)

    def _book(self, told: BookSnapshot | BookDelta) -> None:
        now = SystemClock().now()
        if isinstance(told, BookDelta):
            at = now if told.at is None else told.at
            is_bid = told.side is Side.YES
            self.tell(LevelSeen(at, told.ticker, is_bid, told.price.units, told.change.units))
            return
        self.tell(
            BookSeen(
                now,
                told.ticker,
                {each.price.units: each.count.units for each in told.bids},
                {each.price.units: each.count.units for each in told.asks},
            )
        )

    def _trade(self, told: TradeAnnounced) -> None:
        # A block trade was agreed off the book: no order could have met it.
        if told.is_block or told.trade_id in self._heard:
            return
        self._heard[told.trade_id] = None
        if len(self._heard) > _HEARD_MAX:
            del self._heard[next(iter(self._heard))]
        self._last_trade[told.ticker] = max(told.at, self._last_trade.get(told.ticker, told.at))
        self.tell(
            TradeSeen(
                told.at,
                told.ticker,
                told.trade_id,
                told.price.units,
                told.count.units,
                told.taker_side is Side.YES,
            )
        )


def _told(one: ArchivedMarket, market: FullMarket) -> MarketTold:
    return MarketTold(
        market=one.market,
        event=one.event,
        series=one.series,
        grid=one.grid,
        status=one.status,
        result=one.result,
        value=one.value,
        volume_24h=market.volume_24h,
        last=None if market.last_price == _NOTHING else market.last_price,
    )


def _batches(tickers: list[Ticker]) -> list[list[Ticker]]:
    return [tickers[begin : begin + _BATCH] for begin in range(0, len(tickers), _BATCH)]
