"""`trueup record`: market data from the streams (or by polling) into the archive.

Only loops.  Every minute what was heard is written: a kill loses at most that
minute, and no file is ever half written.  A broken connection, a missing message
or a slow disk is recorded as a gap.  Markets that end are read until their result
is known, so that a recording can be replayed to its settlement.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from trueup.core.announcements import TickerAnnounced
from trueup.core.errors import (
    ConfigError,
    ExchangeRefused,
    NotAuthorized,
    OutcomeUnknown,
    ProtocolBroken,
)
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.core.orderbook import BookSnapshot
from trueup.core.units import ZERO_COUNT
from trueup.net.client import AsyncClient
from trueup.net.streams import StreamOptions
from trueup.net.watch import Watch
from trueup.net.ws import Disconnected, LineEvent, LineOptions
from trueup.run.archive.archived_markets import ArchivedMarket, MarketReader
from trueup.run.archive.recorder import Recorded, Recorder
from trueup.run.clock import Clock
from trueup.wire.rest.rows.full import FullMarket
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel

T = TypeVar("T")

WAITING_MAX: Final = 500_000
"""How many messages may wait while a file is written."""

_TICKER_CHANNEL: Final = Channel.TICKER
_BATCH: Final = 100
_OVERLAP: Final = MINUTE
_PASSES_BY: Final = (OutcomeUnknown, ExchangeRefused, ProtocolBroken)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """What is recorded and how.  Times in microseconds.

    Without `tickers`, `series` and `categories` there is nothing to record.  With
    `poll` books, trades and tickers are read by REST, so often.
    """

    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    categories: frozenset[str] = frozenset()
    poll: int | None = None
    flush: int = MINUTE
    listings: int = MINUTE
    leave_after: int | None = None

    def __post_init__(self) -> None:
        if not (self.tickers or self.series or self.categories):
            raise ConfigError(
                "nothing was named that could be recorded",
                remedy="Name markets, series or categories: --ticker, --series, --category.",
            )


Told = Callable[[Recorded, int], None]
"""Hears, now and then, how much was recorded, and of how many markets."""


@dataclass
class Recording:
    """One recording, from its start to its end."""

    client: AsyncClient
    recorder: Recorder
    clock: Clock
    options: RecordOptions
    told: Told
    markets: dict[Ticker, ArchivedMarket] = field(default_factory=dict[Ticker, ArchivedMarket])
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _failure: NotAuthorized | None = None
    _followed: set[Ticker] = field(default_factory=set[Ticker])
    _watches: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _last_trade: dict[Ticker, Instant] = field(default_factory=dict[Ticker, Instant])
    _last_book: dict[Ticker, BookSnapshot] = field(default_factory=dict[Ticker, BookSnapshot])

    def stop(self) -> None:
        """End soon; what waits is written first."""
        self._stopping.set()

    async def run(self) -> None:
        """Record until told to stop.  Raises what the exchange refuses at the start."""
        options, began = self.options, self.clock.now()
        reader = MarketReader(self.client)
        if options.poll is None:
            self.client.stream_with(
                StreamOptions(
                    line=LineOptions(tells_books=True),
                    waiting_max=WAITING_MAX,
                    on_event=self._note,
                )
            )
        loops = [self._flushing(began)]
        try:
            await self._read_markets(reader)
            loops.append(self._listing(reader))
            if options.poll is not None:
                loops.append(self._polling(options.poll))
            await self._until_one_ends([asyncio.create_task(each) for each in loops])
        finally:
            for each in self._watches:
                each.cancel()
            await asyncio.gather(*self._watches, return_exceptions=True)
            self.recorder.flush()
            self.told(self.recorder.recorded, len(self.markets))
        if self._failure is not None:
            raise self._failure

    async def _until_one_ends(self, loops: list[asyncio.Task[None]]) -> None:
        stopped = asyncio.create_task(self._end())
        try:
            done, _ = await asyncio.wait((*loops, stopped), return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in (*loops, stopped):
                each.cancel()
            await asyncio.gather(*loops, stopped, return_exceptions=True)

    async def _end(self) -> None:
        await self._stopping.wait()

    # -- writing ---------------------------------------------------------------------------

    async def _flushing(self, began: Instant) -> None:
        leave, due = self.options.leave_after, Instant(began + self.options.flush)
        while True:
            await asyncio.sleep(0.25)
            now = self.clock.now()
            if now >= due:
                # Parquet takes a moment; the streams are drained meanwhile by their own task.
                self.recorder.flush()
                due = Instant(now + self.options.flush)
            self.told(self.recorder.recorded, len(self.markets))
            if leave is not None and now - began >= leave:
                self.stop()

    # -- which markets ---------------------------------------------------------------------

    async def _listing(self, reader: MarketReader) -> None:
        while True:
            await asyncio.sleep(self.options.listings / SECOND)
            await self._carefully(lambda: self._read_markets(reader))

    async def _read_markets(self, reader: MarketReader) -> None:
        """Follow markets that are new, and note what has changed about the others."""
        seen = [market async for market in self._listed(reader)]
        known = {market.ticker for market in seen}
        ended = [t for t, one in self.markets.items() if t not in known and one.value is None]
        for batch in _batches(sorted(ended)):
            seen += [market async for market in self.client.markets.list(tickers=batch)]
        changed: list[ArchivedMarket] = []
        for market in seen:
            read = await reader.read(market)
            if self.markets.get(read.ticker) != read:
                self.markets[read.ticker] = read
                changed.append(read)
        now = self.clock.now()
        if changed:
            self.recorder.take_markets(changed, now)
        active = {t for t, one in self.markets.items() if one.status is MarketStatus.ACTIVE}
        fresh = sorted(active - self._followed)
        if fresh and self.options.poll is None:
            self._follow(fresh)
        self._followed |= active

    async def _listed(self, reader: MarketReader) -> AsyncIterator[FullMarket]:
        client, options = self.client, self.options
        for batch in _batches(sorted(options.tickers)):
            async for market in client.markets.list(tickers=batch):
                yield market
        series = set(options.series)
        for category in sorted(options.categories):
            series.update(await reader.series_of(category))
        for each in sorted(series):
            async for market in client.markets.list(series_ticker=each, status="open"):
                yield market

    # -- streams ---------------------------------------------------------------------------

    def _follow(self, tickers: list[Ticker]) -> None:
        client, recorder = self.client, self.recorder
        self._take(client.watch_book_changes(tickers), recorder.take_book, "orderbook_delta")
        self._take(client.watch_trades(tickers), recorder.take_trade, "trade")
        watch = client.streams.watch(_TICKER_CHANNEL, tickers)
        self._take(watch, recorder.take_ticker, "ticker")

    def _take(self, watch: Watch[T], take: Callable[[T, Instant], None], channel: str) -> None:
        async def taking() -> None:
            missed = 0
            try:
                async for value in watch:
                    take(value, self.clock.now())
                    if watch.missed != missed:
                        words = f"{watch.missed - missed} messages were told faster than written"
                        self.recorder.take_gap("", channel, words, self.clock.now())
                        missed = watch.missed
            except NotAuthorized as error:
                self._failure = error
                self.stop()
            except ExchangeRefused as error:
                # One market that is not streamed must not end the recording of the others.
                self.recorder.take_gap("", channel, str(error), self.clock.now())

        self._watches.append(asyncio.create_task(taking()))

    def _note(self, event: LineEvent) -> None:
        """What the connection says of itself; only what is missing matters here."""
        recorder, now = self.recorder, self.clock.now()
        match event:
            case e.BookLost():
                recorder.take_gap(event.ticker, "orderbook_delta", event.reason, now)
            case e.Gap():
                words = f"message {event.expected} should have come, {event.got} came"
                recorder.take_gap("", event.channel.value, words, now)
            case Disconnected():
                recorder.take_gap("", "", event.reason, now)
            case _:
                pass

    # -- polling ---------------------------------------------------------------------------

    async def _polling(self, every: int) -> None:
        while True:
            await self._carefully(self._poll)
            await asyncio.sleep(every / SECOND)

    async def _poll(self) -> None:
        for batch in _batches(sorted(self._followed)):
            books = await self.client.markets.orderbooks(batch)
            now = self.clock.now()
            for book in books:
                if self._last_book.get(book.ticker) != book:
                    self._last_book[book.ticker] = book
                    self.recorder.take_book(book, now)
            async for market in self.client.markets.list(tickers=batch):
                self.recorder.take_ticker(_ticker_of(market, now), self.clock.now())
            for ticker in batch:
                await self._poll_trades(ticker)

    async def _poll_trades(self, ticker: Ticker) -> None:
        since = self._last_trade.get(ticker, self.clock.now())
        found = [
            trade
            async for trade in self.client.markets.trades(
                ticker=ticker, min_at=Instant(since - _OVERLAP)
            )
            if trade.at > since
        ]
        now = self.clock.now()
        for trade in sorted(found, key=lambda each: each.at):
            self.recorder.take_trade(
                trade.announced(),
                now,
            )
        self._last_trade[ticker] = max((each.at for each in found), default=since)

    async def _carefully(self, work: Callable[[], Awaitable[None]]) -> None:
        """Trouble while reading is a gap, not the end."""
        try:
            await work()
        except _PASSES_BY as error:
            self.recorder.take_gap("", "rest", str(error), self.clock.now())


def _ticker_of(market: FullMarket, now: Instant) -> TickerAnnounced:
    return TickerAnnounced(
        ticker=market.ticker,
        last=market.last_price,
        yes_bid=market.yes_bid,
        yes_ask=market.yes_ask,
        bid_count=market.yes_bid_count or ZERO_COUNT,
        ask_count=market.yes_ask_count or ZERO_COUNT,
        last_count=ZERO_COUNT,
        volume=market.volume,
        open_interest=market.open_interest,
        dollar_volume=0,
        dollar_open_interest=0,
        at=now,
    )


def _batches(tickers: Iterable[Ticker]) -> list[list[Ticker]]:
    named = list(tickers)
    return [named[begin : begin + _BATCH] for begin in range(0, len(named), _BATCH)]
