"""Warm-up: what a strategy's windows would have seen, had the bot been there.

A strategy that compares with a seven-day mean has that mean at its first minute:
the hourly candlesticks of the window are read before the first price is told,
from the archive where they were downloaded, from the exchange otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from trueup.core.errors import ConfigError, ExchangeRefused, OutcomeUnknown, ProtocolBroken
from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant, utc_day
from trueup.core.units import ONE_DOLLAR, Price
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.net.client import AsyncClient
from trueup.run.bot.live_feeds import Scope
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind
from trueup.wire.rest.markets import Period
from trueup.wire.rest.rows.candles import Candle
from trueup.wire.rest.rows.full import FullMarket

MARKETS_MAX: Final = 200
"""The busiest markets of a scope are warmed up, at most so many."""

_ANSWER_MAX: Final = 10_000
"""How many candlesticks one answer holds."""

_FRESH: Final = 2 * HOUR
_PASSES_BY: Final = (OutcomeUnknown, ExchangeRefused, ProtocolBroken)

Prices = dict[Instant, Price]


async def warm_up(
    machine: Machine,
    client: AsyncClient,
    scope: Scope,
    *,
    now: Instant,
    archive: Archive | None,
    give: Callable[[i.PastPrices], None],
) -> int:
    """Tell the machine what its windows ask for; returns of how many markets.

    Trouble is no reason not to trade: the windows then fill by themselves.
    """
    window = max(
        (each for one in machine.state.running.values() for each in one.strategy.windows),
        default=0,
    )
    if not window:
        return 0
    since = Instant(now - window)
    try:
        markets = await _busiest(client, scope)
    except _PASSES_BY:
        return 0
    tickers = [market.ticker for market in markets]
    known = {} if archive is None else archived_prices(archive, tickers, since)
    stale = [each for each in tickers if now - max(known.get(each, {}), default=0) > _FRESH]
    await _ask(client, stale, known, since=since, now=now)
    told = {ticker: prices for ticker, prices in known.items() if prices}
    for ticker, prices in told.items():
        give(i.PastPrices(at=now, ticker=ticker, prices=tuple(sorted(prices.items()))))
    return len(told)


async def _busiest(client: AsyncClient, scope: Scope) -> list[FullMarket]:
    found: list[FullMarket] = []
    if scope.tickers:
        named = sorted(scope.tickers)
        for begin in range(0, len(named), 100):
            batch = named[begin : begin + 100]
            found += [market async for market in client.markets.list(tickers=batch)]
    for series in sorted(scope.series):
        listing = client.markets.list(series_ticker=series, status="open")
        found += [market async for market in listing]
    if not scope.tickers and not scope.series:
        listing = client.markets.list(status="open", combos=False, limit=1000)
        found += [market async for market in listing]
    return sorted(found, key=lambda each: each.volume_24h, reverse=True)[:MARKETS_MAX]


async def _ask(
    client: AsyncClient,
    tickers: Sequence[Ticker],
    known: dict[Ticker, Prices],
    *,
    since: Instant,
    now: Instant,
) -> None:
    """Hourly candlesticks of these markets, as many at once as one answer holds."""
    hours = (now - since) // HOUR + 2
    together = max(1, min(100, _ANSWER_MAX // hours))
    for begin in range(0, len(tickers), together):
        batch = tickers[begin : begin + together]
        try:
            answer = await client.markets.candles_of(
                batch, start=since, end=now, period=Period.HOUR
            )
        except _PASSES_BY:
            continue
        for one in answer:
            prices = known.setdefault(one.ticker, {})
            for candle in one.candles:
                if (price := _mark(candle)) is not None:
                    prices[candle.end_at] = price


def archived_prices(
    archive: Archive, tickers: Iterable[Ticker], since: Instant
) -> dict[Ticker, Prices]:
    """What the archive's candlesticks say; nothing where it cannot be read."""
    found: dict[Ticker, Prices] = {}
    wanted = list(tickers)
    if not wanted or not (archive.folder / Kind.CANDLES.value).is_dir():
        return found
    try:
        rows = list(archive.rows(Kind.CANDLES, since=utc_day(since), tickers=wanted))
    except ConfigError:
        return found
    for row in rows:
        price = _mark_of_row(row)
        if row["end_at"] >= since and price is not None:
            found.setdefault(Ticker(row["ticker"]), {})[Instant(row["end_at"])] = price
    return found


def _mark(candle: Candle) -> Price | None:
    traded = candle.price.close or candle.price.previous
    return _within(traded, candle.yes_bid.close.units, candle.yes_ask.close.units)


def _mark_of_row(row: dict[str, Any]) -> Price | None:
    traded = None if row["close"] is None else Price(row["close"])
    return _within(traded, row["bid_close"], row["ask_close"])


def _within(traded: Price | None, bid: int, ask: int) -> Price | None:
    """As a position is marked: the last price, kept within bid and ask."""
    has_bid, has_ask = bid > 0, ask < ONE_DOLLAR.units
    if traded is None:
        return Price((bid + ask) // 2) if has_bid and has_ask else None
    units = max(traded.units, bid) if has_bid else traded.units
    return Price(min(units, ask) if has_ask else units)
