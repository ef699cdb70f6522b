"""Everything that can be watched, over one connection.

    async with open_async_client(...) as client:
        book = await client.watch_book(ticker)
        async for trade in client.watch_trades([ticker]):
            print(trade.price, book.best_bid)

The connection is made with the first thing that is watched and kept until the
client is closed; what is watched twice is subscribed to once.  Connecting again
is nobody's business: books become valid again by themselves, queues go on, and
fills and orders are filled up through REST.

When a connection is hopeless (the key is wrong) everything watched raises the
reason.  Markets that the exchange does not know end their watch the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from trueup.core import announcements as a
from trueup.core.errors import CallerError, ConfigError, ExchangeRefused, TrueupError
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot
from trueup.net.private_watch import Asker, Backing, FillWatch, OrderWatch, keep_backed
from trueup.net.request import check_signer
from trueup.net.retry import Chance
from trueup.net.session import Clock
from trueup.net.signer import Signer
from trueup.net.venues import Endpoint
from trueup.net.watch import WAITING_MAX, LatestWatch, LiveBook, Watch
from trueup.net.ws import Line, LineEvent, LineOptions, Resynced, ignore_line_event
from trueup.wire.ws import client_events as e
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_subscription import ChannelOptions
from trueup.wire.ws.to_wire import ticker_of

T = TypeVar("T")

Lifecycle = a.MarketAnnounced | a.EventAnnounced | a.EventFeesAnnounced
Communication = a.RfqAnnounced | a.QuoteAnnounced | a.RfqBatchAnnounced


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How streams behave; `waiting_max` bounds each queue."""

    line: LineOptions = field(default_factory=LineOptions)
    backing: Backing = field(default_factory=Backing)
    waiting_max: int = WAITING_MAX
    on_event: Callable[[LineEvent], None] = ignore_line_event


class Streams:
    """The streams of one client.  Use it on one event loop."""

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer | None,
        *,
        asker: Asker,
        clock: Clock,
        sleep: Callable[[int], Awaitable[None]],
        chance: Chance,
        note_drift: Callable[[str, tuple[str, ...]], None],
        options: StreamOptions | None = None,
    ) -> None:
        self.options: Final = options or StreamOptions()
        self._endpoint = endpoint
        self._signer = signer
        self._asker = asker
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._note_drift = note_drift
        self._line: Line | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._helpers: set[asyncio.Task[None]] = set()
        self._books: dict[Ticker, list[LiveBook]] = {}
        self._watches: dict[Channel, list[Watch[Any]]] = {}
        self._interruptions: dict[Channel, int] = {}
        self._failure: TrueupError | None = None
        self._is_closed = False

    @property
    def line(self) -> Line | None:
        """The connection, once something is watched."""
        return self._line

    async def close(self) -> None:
        """Watch nothing any more, and leave."""
        self._is_closed = True
        line, keeper = self._line, self._keeper
        if line is not None:
            await line.stop()
        tasks = [one for one in (keeper, *self._helpers) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._end_all(None)

    # -- watching --------------------------------------------------------------

    async def book(self, ticker: Ticker) -> LiveBook:
        """The book of a market, valid for the first time."""
        line = self._opened()
        line.session.subscribe(Channel.ORDERBOOK, [ticker], now=line.now())
        book = line.session.book(ticker)
        if book is None:
            raise CallerError(f"{ticker!r} is no market that could be watched")
        live = LiveBook(book, self._forget_book)
        self._books.setdefault(ticker, []).append(live)
        line.bells.setdefault(ticker, []).append(live.bell)
        line.wish()
        try:
            await live.valid()
        except BaseException:
            live.close()
            raise
        return live

    def watch(
        self,
        channel: Channel,
        names: Iterable[str] | None = None,
        *,
        latest_by: Callable[[Any], Any] | None = None,
        options: ChannelOptions | None = None,
    ) -> Watch[Any]:
        """News of a channel; with `latest_by` only the latest for each key."""
        tickers = None if names is None else frozenset(Ticker(one) for one in names)
        watch: Watch[Any]
        if latest_by is None:
            watch = Watch(
                tickers=tickers,
                waiting_max=self.options.waiting_max,
                on_close=lambda one: self._forget(channel, one),
            )
        else:
            watch = LatestWatch(
                tickers=tickers,
                key=latest_by,
                on_close=lambda one: self._forget(channel, one),
            )
        self._register(channel, watch, options)
        return watch

    def fills(self, tickers: Iterable[Ticker] | None, since: Instant | None) -> FillWatch:
        """Our fills, each once."""
        watch = FillWatch(
            since=self._clock() if since is None else since,
            backing=self.options.backing,
            tickers=None if tickers is None else frozenset(tickers),
            waiting_max=self.options.waiting_max,
            on_close=lambda one: self._forget(Channel.FILL, one),
        )
        self._register(Channel.FILL, watch, None)
        self._back(Channel.FILL, watch)
        return watch

    def orders(self, tickers: Iterable[Ticker] | None, since: Instant | None) -> OrderWatch:
        """Our orders, each when it changed."""
        watch = OrderWatch(
            since=self._clock() if since is None else since,
            backing=self.options.backing,
            tickers=None if tickers is None else frozenset(tickers),
            on_close=lambda one: self._forget(Channel.USER_ORDERS, one),
        )
        self._register(Channel.USER_ORDERS, watch, None)
        self._back(Channel.USER_ORDERS, watch)
        return watch

    def _register(
        self, channel: Channel, watch: Watch[Any], options: ChannelOptions | None
    ) -> None:
        line = self._opened()
        self._watches.setdefault(channel, []).append(watch)
        names = watch.tickers
        line.session.subscribe(
            channel, None if names is None else sorted(names), now=line.now(), options=options
        )
        line.wish()

    def _back(self, channel: Channel, watch: FillWatch | OrderWatch) -> None:
        """Let REST stand behind a private watch."""
        heard = self._interruptions.get(channel, 0)

        def interrupted() -> bool:
            nonlocal heard
            count = self._interruptions.get(channel, 0)
            changed, heard = count != heard, count
            return changed

        def told(why: str, news: int) -> None:
            self.options.on_event(Resynced(channel.value, why, news))

        async def keep() -> None:
            try:
                await keep_backed(
                    watch,
                    self._asker,
                    backing=self.options.backing,
                    interrupted=interrupted,
                    sleep=self._sleep,
                    told=told,
                )
            except TrueupError as failure:
                # Without its backing the watch would miss things without a word.
                watch.bell.end(failure)

        self._start(keep())

    # -- the connection --------------------------------------------------------

    def _opened(self) -> Line:
        if self._failure is not None:
            raise self._failure
        if self._is_closed:
            raise CallerError("the client is closed", remedy="Open a new one.")
        if self._line is None:
            if self._signer is None:
                raise ConfigError(
                    "watching needs an API key, and none was given",
                    remedy="Set KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH.",
                )
            check_signer(self._endpoint, self._signer)
            self._line = Line(
                self._endpoint,
                self._signer,
                clock=self._clock,
                sleep=self._sleep,
                chance=self._chance,
                heard=self._hear,
                options=self.options.line,
                on_event=self.options.on_event,
            )
            self._keeper = asyncio.get_running_loop().create_task(self._keep(self._line))
        return self._line

    async def _keep(self, line: Line) -> None:
        await line.keep()
        self._failure = line.failure
        self._end_all(line.failure)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    def _end_all(self, failure: TrueupError | None) -> None:
        for lives in self._books.values():
            for live in lives:
                live.bell.end(failure)
        for watches in self._watches.values():
            for watch in watches:
                watch.bell.end(failure)

    # -- what comes ------------------------------------------------------------

    def _hear(self, events: Sequence[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.BookChanged):
                for live in self._books.get(event.ticker, ()):
                    live.bell.ring()
            elif isinstance(event, e.Announced):
                self._announce(event.value)
            else:
                self._note(event)

    def _announce(self, value: a.Announcement) -> None:
        ticker = ticker_of(value)
        for watch in self._watches.get(_channel_of(value), ()):
            if watch.wants(ticker):
                watch.hear(value)

    def _note(self, event: e.Event) -> None:
        match event:
            case e.BookLost():
                for live in self._books.get(event.ticker, ()):
                    live.bell.ring()
            case e.Live() | e.Gap() | e.Lost():
                channel = event.channel
                self._interruptions[channel] = self._interruptions.get(channel, 0) + 1
            case e.Drifted():
                kind, _, name = event.name.partition(".")
                self._note_drift(f"stream {kind}", (name or "(a new type)",))
            case e.Refused():
                self._refuse(event)
            case e.MustReconnect() if self._line is not None:
                self._line.reconnect(event.reason)
            case e.Unreadable():
                self._interrupt_private()
            case _:
                pass
        if not isinstance(event, e.BookChanged):
            self.options.on_event(event)

    def _interrupt_private(self) -> None:
        """A message that nobody could read may have been a fill."""
        for channel in (Channel.FILL, Channel.USER_ORDERS):
            self._interruptions[channel] = self._interruptions.get(channel, 0) + 1

    def _refuse(self, event: e.Refused) -> None:
        failure = ExchangeRefused(
            f"the exchange will not stream {event.channel or 'that'}"
            + (f" for {', '.join(event.tickers)}" if event.tickers else "")
            + f": {event.text} (error {event.code})",
            status=0,
            code=str(int(event.code)),
            remedy="Check the tickers: `trueup markets list`.",
        )
        if event.channel is None:
            return
        for ticker in event.tickers:
            for live in self._books.pop(ticker, []):
                live.bell.end(failure)
        for watch in list(self._watches.get(event.channel, ())):
            if not event.tickers or (
                watch.tickers is not None and watch.tickers & set(event.tickers)
            ):
                watch.bell.end(failure)

    # -- forgetting ------------------------------------------------------------

    def _forget_book(self, live: LiveBook) -> None:
        lives = self._books.get(live.ticker, [])
        with suppress(ValueError):
            lives.remove(live)
        if self._line is not None:
            with suppress(KeyError, ValueError):
                self._line.bells[live.ticker].remove(live.bell)
        if not lives and self._books.pop(live.ticker, None) is not None and self._line is not None:
            line = self._line
            line.session.unsubscribe(Channel.ORDERBOOK, [live.ticker], now=line.now())
            line.wish()

    def _forget(self, channel: Channel, watch: Watch[Any]) -> None:
        watches = self._watches.get(channel, [])
        with suppress(ValueError):
            watches.remove(watch)
        line = self._line
        if line is None or self._is_closed:
            return
        if any(one.tickers is None for one in watches):
            return
        still = {name for one in watches for name in one.tickers or ()}
        if watch.tickers is None:
            line.session.unsubscribe(channel, now=line.now())
            if still:
                line.session.subscribe(channel, sorted(still), now=line.now())
        elif gone := watch.tickers - still:
            line.session.unsubscribe(channel, sorted(gone), now=line.now())
        line.wish()


_CHANNELS: Final[dict[type, Channel]] = {
    a.TradeAnnounced: Channel.TRADE,
    a.TickerAnnounced: Channel.TICKER,
    a.FillAnnounced: Channel.FILL,
    a.OrderAnnounced: Channel.USER_ORDERS,
    a.PositionAnnounced: Channel.POSITIONS,
    a.OrderGroupAnnounced: Channel.ORDER_GROUPS,
    a.RfqAnnounced: Channel.COMMUNICATIONS,
    a.QuoteAnnounced: Channel.COMMUNICATIONS,
    a.RfqBatchAnnounced: Channel.COMMUNICATIONS,
    a.EventAnnounced: Channel.LIFECYCLE,
    a.EventFeesAnnounced: Channel.LIFECYCLE,
    BookSnapshot: Channel.ORDERBOOK,
    BookDelta: Channel.ORDERBOOK,
}


def _channel_of(value: a.Announcement) -> Channel:
    if isinstance(value, a.MarketAnnounced):
        return Channel.COMBO_LIFECYCLE if value.is_combo else Channel.LIFECYCLE
    if isinstance(value, a.IndexAnnounced):
        return Channel(value.source)
    return _CHANNELS[type(value)]
