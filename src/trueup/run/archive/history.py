"""`trueup history download`: candlesticks and public trades of markets, from both tiers.

What is asked for is read from the live tier first and then from the historical
one, as the tiers overlap and move; trades are told apart by their names.  Each
market is noted once all of it is durable, so that an interrupted download goes
on where it was, and a later one asks only for what is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from trueup.core.errors import ConfigError, ExchangeRefused, NotFound
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, Instant, utc_day
from trueup.core.orders import Side
from trueup.core.units import Price
from trueup.net.client import AsyncClient
from trueup.run.archive.archived_markets import ArchivedMarket, MarketReader, market_columns
from trueup.store.archive import Archive
from trueup.store.archive_columns import COLUMNS, Kind
from trueup.wire.rest.historical import Cutoffs
from trueup.wire.rest.markets import Period
from trueup.wire.rest.rows.candles import Candle
from trueup.wire.rest.rows.full import FullMarket
from trueup.wire.rest.rows.trades import PublicTrade

T = TypeVar("T")

PLACES_NAME: Final = "history.json"
_CANDLES_MAX: Final = 4_000
"""How many periods one question covers; the exchange answers with at most 5,000 or 10,000."""

_ROWS: Final = 200_000
_OVERLAP: Final = HOUR
_WRITER: Final = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """What is downloaded: of which markets, from when to when.

    `period` of `None` reads no candlesticks.
    """

    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    since: Instant
    until: Instant
    period: Period | None = Period.HOUR
    trades: bool = True

    def __post_init__(self) -> None:
        if not (self.tickers or self.series):
            raise ConfigError(
                "nothing was named that could be downloaded",
                remedy="Name markets or series: --ticker, --series.",
            )


@dataclass(slots=True)
class Downloaded:
    """What came of it.  `resumed` are markets that were there already, as far as asked for."""

    markets: int = 0
    trades: int = 0
    candles: int = 0
    resumed: int = 0


class _Place(msgspec.Struct):
    """How far a market is: from and until when everything of a kind is in the archive."""

    since: int
    until: int


Told = Callable[[str, int], None]
"""Hears which market is being read, and how many rows came."""


@dataclass
class Download:
    """One download."""

    client: AsyncClient
    archive: Archive
    options: HistoryOptions
    told: Told
    done: Downloaded = field(default_factory=Downloaded)
    _places: dict[str, _Place] = field(default_factory=dict[str, _Place])
    _waiting: list[PublicTrade] = field(default_factory=list[PublicTrade])
    _candles: list[tuple[Ticker, Candle]] = field(default_factory=list[tuple[Ticker, Candle]])
    _pending: dict[str, _Place] = field(default_factory=dict[str, _Place])

    async def run(self) -> Downloaded:
        """Read everything.  What is durable stays, also when this is interrupted."""
        self._places = _read_places(self._path)
        cutoffs = await self.client.historical.cutoff()
        reader = MarketReader(self.client)
        try:
            async for listed in self._markets():
                one = await reader.read(listed)
                self._note_market(one)
                await self._read(one, cutoffs)
                if len(self._waiting) + len(self._candles) >= _ROWS:
                    self._flush()
        finally:
            self._flush()
        return self.done

    @property
    def _path(self) -> Path:
        return self.archive.folder / PLACES_NAME

    # -- which markets ---------------------------------------------------------------------

    async def _markets(self) -> AsyncIterator[FullMarket]:
        """The markets that are meant, of both tiers, each once."""
        seen: set[Ticker] = set()
        client, options = self.client, self.options
        for ticker in sorted(options.tickers):
            try:
                yield await client.markets.get(ticker)
            except NotFound:
                yield await client.historical.market(ticker)
            seen.add(ticker)
        for series in sorted(options.series):
            for listing in (
                client.markets.list(series_ticker=series),
                client.historical.markets(series_ticker=series),
            ):
                async for market in listing:
                    if market.ticker not in seen and self._is_meant(market):
                        seen.add(market.ticker)
                        yield market

    def _is_meant(self, market: FullMarket) -> bool:
        """Whether it was open at some time that is asked for."""
        opened, closed = market.open_at, market.close_at
        return (opened is None or opened < self.options.until) and (
            closed is None or closed > self.options.since
        )

    def _note_market(self, one: ArchivedMarket) -> None:
        now = self.options.until
        columns = market_columns([one], now)
        self.archive.append(Kind.MARKETS, columns, at=now, writer=_WRITER)
        self.done.markets += 1

    # -- one market ------------------------------------------------------------------------

    async def _read(self, one: ArchivedMarket, cutoffs: Cutoffs) -> None:
        before = self.done.trades + self.done.candles
        if self.options.trades:
            await self._read_trades(one, cutoffs)
        if self.options.period is not None:
            await self._read_candles(one, self.options.period)
        self.told(str(one.ticker), self.done.trades + self.done.candles - before)

    def _span(self, one: ArchivedMarket, name: str) -> tuple[Instant, Instant] | None:
        """What is missing of a market; `None` when all of it is there."""
        options, market = self.options, one.market
        since = max(options.since, market.open_at or options.since)
        until = min(options.until, market.close_at or options.until)
        place = self._places.get(name)
        if place is not None and place.since <= since:
            if place.until >= until:
                self.done.resumed += 1
                return None
            since = max(since, place.until - _OVERLAP)
        return (Instant(since), Instant(until)) if since < until else None

    def _is_there(self, name: str, since: Instant, until: Instant) -> None:
        place = self._places.get(name)
        first = since if place is None else min(since, place.since)
        self._pending[name] = _Place(first, until)

    async def _read_trades(self, one: ArchivedMarket, cutoffs: Cutoffs) -> None:
        name = f"{one.ticker}/trades"
        span = self._span(one, name)
        if span is None:
            return
        since, until = span
        seen: set[str] = set()
        # The live tier first: what moves from it to the other meanwhile is read there.
        listings = [self.client.markets.trades(ticker=one.ticker, min_at=since, max_at=until)]
        if since < cutoffs.trades_created_at + DAY:
            listings.append(
                self.client.historical.trades(ticker=one.ticker, min_at=since, max_at=until)
            )
        for listing in listings:
            async for trade in listing:
                if trade.trade_id not in seen:
                    seen.add(trade.trade_id)
                    self._waiting.append(trade)
                    self.done.trades += 1
        self._is_there(name, since, until)

    async def _read_candles(self, one: ArchivedMarket, period: Period) -> None:
        name = f"{one.ticker}/{period.name.lower()}"
        span = self._span(one, name)
        if span is None:
            return
        since, until = span
        step = period.value * MINUTE * _CANDLES_MAX
        begin = since
        while begin < until:
            end = Instant(min(until, begin + step))
            for candle in await self._ask_candles(one, begin, end, period):
                self._candles.append((one.ticker, candle))
                self.done.candles += 1
            begin = Instant(end + 1)
        self._is_there(name, since, until)

    async def _ask_candles(
        self, one: ArchivedMarket, begin: Instant, end: Instant, period: Period
    ) -> Sequence[Candle]:
        client = self.client
        try:
            return await client.markets.candles(
                one.series.ticker, one.ticker, start=begin, end=end, period=period
            )
        except ExchangeRefused:
            # Archived markets are answered by the other tier.
            return await client.historical.candles(one.ticker, start=begin, end=end, period=period)

    # -- writing ---------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what waits, by the day on which it happened; then note how far that is."""
        days: defaultdict[str, list[PublicTrade]] = defaultdict(list)
        for trade in sorted(self._waiting, key=lambda each: each.at):
            days[utc_day(trade.at)].append(trade)
        for trades in days.values():
            columns = _trade_columns(trades, self.options.until)
            self.archive.append(Kind.HISTORY, columns, at=trades[0].at, writer=_WRITER)
        candles: defaultdict[str, list[tuple[Ticker, Candle]]] = defaultdict(list)
        for ticker, candle in self._candles:
            candles[utc_day(candle.end_at)].append((ticker, candle))
        for rows in candles.values():
            columns = _candle_columns(rows, self.options.period or Period.HOUR)
            self.archive.append(Kind.CANDLES, columns, at=rows[0][1].end_at, writer=_WRITER)
        self._waiting, self._candles = [], []
        self._places.update(self._pending)
        self._pending = {}
        _write_places(self._path, self._places)


def _trade_columns(trades: Sequence[PublicTrade], heard_at: Instant) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {each.name: [] for each in COLUMNS[Kind.HISTORY]}
    for trade in trades:
        row = (
            trade.at,
            heard_at,
            trade.ticker,
            trade.trade_id,
            trade.price.units,
            trade.count.units,
            trade.taker_side is Side.YES,
            trade.is_block,
        )
        for values, value in zip(columns.values(), row, strict=True):
            values.append(value)
    return columns


def _candle_columns(
    rows: Sequence[tuple[Ticker, Candle]], period: Period
) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {each.name: [] for each in COLUMNS[Kind.CANDLES]}
    for ticker, candle in rows:
        traded, bid, ask = candle.price, candle.yes_bid, candle.yes_ask
        row = (
            candle.end_at,
            ticker,
            period.value,
            *(_units(each) for each in (traded.open, traded.high, traded.low, traded.close)),
            *(each.units for each in (bid.open, bid.high, bid.low, bid.close)),
            *(each.units for each in (ask.open, ask.high, ask.low, ask.close)),
            candle.volume.units,
            candle.open_interest.units,
        )
        for values, value in zip(columns.values(), row, strict=True):
            values.append(value)
    return columns


def _units(price: Price | None) -> int | None:
    return None if price is None else price.units


def _read_places(path: Path) -> dict[str, _Place]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Place])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}",
            remedy=f"Delete {path}: everything is asked for again, nothing is kept twice.",
        ) from error


def _write_places(path: Path, places: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".new")
    part.write_bytes(msgspec.json.encode(places))
    part.replace(path)
