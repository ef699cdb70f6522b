"""What the machine hears: listings, prices, fills, orders, balances, settlements.

By WebSocket where it can be had, with REST behind it; or by REST alone, at the
pace that was asked for.  Each feed gives inputs and never decides anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from trueup.core import catalog
from trueup.core.announcements import TickerAnnounced
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import DAY, MINUTE, SECOND, Instant
from trueup.core.market import MarketResult
from trueup.core.payoff import yes_value
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price
from trueup.engine import inputs as i
from trueup.engine.market import Listing, Top
from trueup.net.client import AsyncClient
from trueup.run.bot.connections import Connections
from trueup.run.clock import Clock
from trueup.wire.rest import portfolio
from trueup.wire.rest.rows.full import FullEvent, FullMarket, FullSeries

_NOTHING = Price(0)
_OVERLAP = 5 * MINUTE
"""How far before the last look the next one begins: reads lag behind."""
_TICKERS_MAX = 100
"""How many markets one request names."""

Give = Callable[[i.Input], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which markets are looked at, at all.  All empty: every open market but combos.

    `held_only`: none but those in which something is held or ordered.
    """

    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    held_only: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether every open market is looked at."""
        return not self.tickers and not self.series and not self.held_only


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things are read, in microseconds.

    `prices` is the pace of REST polling, used where `streams` is false (the case
    study polled every 90 seconds); `batch` collects market data for one step.
    """

    streams: bool = True
    prices: int = 90 * SECOND
    batch: int = SECOND // 20
    listings: int = MINUTE
    account: int = 15 * SECOND


@dataclass
class Feeds:
    """The feeds of one machine over one client."""

    client: AsyncClient
    clock: Clock
    scope: Scope
    pace: Pace
    give: Give
    held: Callable[[], Iterable[Ticker]]
    """The markets in which something is held: they are looked at whatever the scope."""
    connections: Connections = field(default_factory=Connections)
    _events: dict[EventTicker, FullEvent] = field(default_factory=dict[EventTicker, FullEvent])
    _series: dict[SeriesTicker, FullSeries] = field(default_factory=dict[SeriesTicker, FullSeries])
    _volumes: dict[Ticker, Count] = field(default_factory=dict[Ticker, Count])
    _waiting: dict[Ticker, Top] = field(default_factory=dict[Ticker, Top])
    _polled_at: Instant | None = None

    # -- once, at start --------------------------------------------------------------------

    async def begin(self, since: Instant) -> None:
        """Read the orders and fills of the live tier before anything is decided."""
        await self.read_recent(since)
        self.connections.heard("recent_orders", self.clock.now())

    async def read_recent(self, since: Instant) -> None:
        """Read the orders and fills since then; orders first, they say whose a fill is."""
        await self.read_orders(since)
        fills = [fill async for fill in self.client.portfolio.fills(min_at=since)]
        for fill in sorted(fills, key=lambda each: each.at):
            self.give(i.FillSeen(at=self.clock.now(), fill=fill))

    async def read_orders(self, since: Instant) -> None:
        """Read the orders since then; one that cannot be read is told, never passed over."""
        async for page in self.client.pages(portfolio.orders(min_at=since)):
            for order in page.items:
                self.give(i.OrderSeen(at=self.clock.now(), order=order))
            for unreadable in page.unreadable:
                ticker = ticker_in(unreadable.raw)
                if ticker is not None:
                    self.give(
                        i.OrderUnreadable(
                            at=self.clock.now(), ticker=ticker, words=unreadable.reason
                        )
                    )

    async def read_recent_orders(self) -> None:
        """Read the orders of the last day, beside the stream: it only tells what it can read."""
        await self.read_orders(Instant(self.clock.now() - DAY))

    # -- again and again -------------------------------------------------------------------

    async def read_listings(self) -> None:
        """Read the markets of the scope: what they are, where they stand, what they cost."""
        markets = [market async for market in self._markets()]
        listings: list[Listing] = []
        tops: list[Top] = []
        now = self.clock.now()
        for market in markets:
            self._volumes[market.ticker] = market.volume_24h
            listings.append(await self._listing(market))
            tops.append(top_of(market, now))
        self.give(i.MarketsListed(at=now, listings=tuple(listings)))
        self.give(i.MarketsMoved(at=now, tops=tuple(tops)))

    async def _markets(self) -> AsyncIterator[FullMarket]:
        for batch in batches(sorted({*self.scope.tickers, *self.held()})):
            async for market in self.client.markets.list(tickers=batch):
                yield market
        for series in sorted(self.scope.series):
            async for market in self.client.markets.list(series_ticker=series, status="open"):
                yield market
        if self.scope.is_everything:
            async for market in self.client.markets.list(status="open", combos=False, limit=1000):
                yield market

    async def _listing(self, market: FullMarket) -> Listing:
        event = self._events.get(market.event_ticker)
        if event is None:
            event = await self.client.events.get(market.event_ticker)
            self._events[market.event_ticker] = event
        series = self._series.get(event.series_ticker)
        if series is None:
            series = await self.client.series.get(event.series_ticker)
            self._series[event.series_ticker] = series
        return listing_of(market, event, series, self.clock.now())

    # -- streams ---------------------------------------------------------------------------

    async def stream_prices(self, tickers: Sequence[Ticker]) -> None:
        """Follow the top of these markets until cancelled; inputs come in batches."""
        async for told in self.client.watch_ticker(tickers):
            self.connections.heard("prices", self.clock.now())
            self._waiting[told.ticker] = self.top_told(told)

    async def flush_prices(self) -> None:
        """Hand on what was collected, over and over."""
        while True:
            await asyncio.sleep(self.pace.batch / SECOND)
            if self._waiting:
                tops, self._waiting = tuple(self._waiting.values()), {}
                self.give(i.MarketsMoved(at=self.clock.now(), tops=tops))

    async def stream_fills(self, since: Instant) -> None:
        """Follow the account's fills."""
        async for fill in self.client.watch_fills(since=since):
            self.connections.heard("fills", self.clock.now())
            self.give(i.FillSeen(at=self.clock.now(), fill=fill))

    async def stream_orders(self) -> None:
        """Follow the account's orders."""
        async for order in self.client.watch_orders():
            self.connections.heard("orders", self.clock.now())
            self.give(i.OrderSeen(at=self.clock.now(), order=order))

    async def poll_account(self, since: Instant) -> None:
        """Without streams: read fills and orders, again and again, with overlap."""
        while True:
            await asyncio.sleep(self.pace.account / SECOND)
            begin = self._polled_at or since
            now = self.clock.now()
            await self.read_recent(Instant(max(since, begin - _OVERLAP)))
            # Only now: after an outage everything since the last success is read.
            self._polled_at = now
            self.connections.heard("poll", now)

    def top_told(self, told: TickerAnnounced) -> Top:
        """The top that a ticker message tells; an empty side is `None`."""
        return Top(
            ticker=told.ticker,
            at=self.clock.now(),
            bid=_price(told.yes_bid),
            ask=_price(told.yes_ask),
            bid_size=told.bid_count,
            ask_size=told.ask_count,
            last=_price(told.last),
            volume_24h=self._volumes.get(told.ticker, ZERO_COUNT),
        )


def market_of(market: FullMarket) -> catalog.Market:
    """A market in core's words."""
    return catalog.Market(
        ticker=market.ticker,
        event_ticker=market.event_ticker,
        title=market.title or market.yes_title,
        open_at=market.open_at,
        close_at=market.close_at,
        expected_expiration_at=market.expected_expiration_at,
        fee_waiver_until=market.fee_waiver_until,
        shard=market.shard,
    )


def event_of(event: FullEvent) -> catalog.Event:
    """An event in core's words."""
    return catalog.Event(
        ticker=event.event_ticker,
        series_ticker=event.series_ticker,
        title=event.title,
        mutually_exclusive=event.mutually_exclusive,
        fee_type_override=event.fee_type_override,
        fee_multiplier_override=event.fee_multiplier_override,
    )


def listing_of(market: FullMarket, event: FullEvent, series: FullSeries, now: Instant) -> Listing:
    """A market in the machine's words."""
    waived = market.fee_waiver_until is not None and market.fee_waiver_until > now
    terms = catalog.FeeTerms(
        event.fee_type_override or series.fee_type,
        series.fee_multiplier
        if event.fee_multiplier_override is None
        else event.fee_multiplier_override,
        waived=waived,
    )
    return Listing(
        market=market_of(market),
        event=event_of(event),
        category=series.category,
        grid=market.grid,
        status=market.status,
        fee_terms=terms,
    )


def top_of(market: FullMarket, now: Instant) -> Top:
    """The top of a market's book as a listing shows it."""
    return Top(
        ticker=market.ticker,
        at=now,
        bid=_price(market.yes_bid),
        ask=_price(market.yes_ask),
        bid_size=ZERO_COUNT if market.yes_bid_count is None else market.yes_bid_count,
        ask_size=ZERO_COUNT if market.yes_ask_count is None else market.yes_ask_count,
        last=_price(market.last_price),
        volume_24h=market.volume_24h,
    )


def paid_value(market: FullMarket) -> Price | None:
    """What one YES contract paid; `None` where nobody says."""
    try:
        result = MarketResult(market.result)
    except ValueError:
        return None
    return yes_value(result, market.settlement_value)


def ticker_in(raw: bytes) -> Ticker | None:
    """The market that an unreadable order names, if it names one."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.MsgspecError:
        return None
    named = fields.get("ticker") or fields.get("market_ticker")
    return Ticker(named) if isinstance(named, str) and named else None


def _price(told: Price) -> Price | None:
    """An empty side is told as a bid of 0 or an ask of 1; no last price as 0."""
    return None if told in {_NOTHING, ONE_DOLLAR} else told


def batches(tickers: Sequence[Ticker]) -> list[list[Ticker]]:
    """The tickers in as many parts as requests are needed to name them."""
    return [
        list(tickers[begin : begin + _TICKERS_MAX])
        for begin in range(0, len(tickers), _TICKERS_MAX)
    ]
