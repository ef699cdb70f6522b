"""The markets section: markets, their order books, trades and candlesticks."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.orderbook import BookSnapshot
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import list_of, page_of, record_of
from trueup.wire.rest.request import joined, request, since, until
from trueup.wire.rest.rows import markets as market_rows
from trueup.wire.rest.rows import orderbooks
from trueup.wire.rest.rows.candles import CANDLE, MARKET_CANDLES, Candle, MarketCandles
from trueup.wire.rest.rows.markets import MarketDetail
from trueup.wire.rest.rows.trades import TRADE, PublicTrade


class Period(IntEnum):
    """How long a candlestick lasts, in minutes."""

    MINUTE = 1
    HOUR = 60
    DAY = 1440


def market(ticker: Ticker) -> Call[MarketDetail]:
    """One market.  Archived markets are answered by `historical.market`."""
    return request(
        "GetMarket",
        record_of("market", market_rows.read_market, market_rows.KNOWN),
        path={"ticker": ticker},
    )


def markets(
    *,
    tickers: Iterable[Ticker] | None = None,
    event_ticker: EventTicker | None = None,
    series_ticker: SeriesTicker | None = None,
    status: str = "",
    combos: bool | None = None,
    min_close_at: Instant | None = None,
    max_close_at: Instant | None = None,
    min_settled_at: Instant | None = None,
    max_settled_at: Instant | None = None,
    min_created_at: Instant | None = None,
    max_created_at: Instant | None = None,
    min_updated_at: Instant | None = None,
    max_updated_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[MarketDetail]]:
    """Markets of the live tier.

    `status` is one of the filter's own words, ``unopened``, ``open``,
    ``paused``, ``closed`` or ``settled``, which are not those of a market.
    `combos` keeps only multivariate markets, or only the others; `None` keeps
    both (an unfiltered listing is flooded by combos).  The exchange takes only
    one kind of time filter at a time.
    """
    return request(
        "GetMarkets",
        page_of(
            "markets",
            market_rows.read_market,
            market_rows.KNOWN,
            read_all=market_rows.read_markets,
        ),
        query={
            "tickers": joined(tickers),
            "event_ticker": event_ticker,
            "series_ticker": series_ticker,
            "status": status,
            "mve_filter": None if combos is None else ("only" if combos else "exclude"),
            "min_close_ts": since(min_close_at),
            "max_close_ts": until(max_close_at),
            "min_settled_ts": since(min_settled_at),
            "max_settled_ts": until(max_settled_at),
            "min_created_ts": since(min_created_at),
            "max_created_ts": until(max_created_at),
            "min_updated_ts": since(min_updated_at),
            "max_updated_ts": until(max_updated_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def orderbook(ticker: Ticker, *, depth: int | None = None) -> Call[BookSnapshot]:
    """The book of one market; `depth` levels a side (up to 100), all of them by default."""
    answer = record_of(None, lambda raw: orderbooks.read_book(raw, ticker), orderbooks.KNOWN)
    return request("GetMarketOrderbook", answer, path={"ticker": ticker}, query={"depth": depth})


def orderbooks_of(tickers: Iterable[Ticker]) -> Call[tuple[BookSnapshot, ...]]:
    """The books of up to 100 markets at once."""
    return request(
        "GetMarketOrderbooks",
        list_of("orderbooks", orderbooks.read_listed_book, orderbooks.KNOWN_LISTED),
        query={"tickers": tuple(tickers)},
    )


def trades(
    *,
    ticker: Ticker | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    block: bool | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[PublicTrade]]:
    """Trades of anybody, newest first.  `block` keeps only block trades, or only the others."""
    return request(
        "GetTrades",
        TRADE.pages("trades"),
        query={
            "ticker": ticker,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "is_block_trade": block,
            "limit": limit,
            "cursor": cursor,
        },
    )


def candles(
    series_ticker: SeriesTicker,
    ticker: Ticker,
    *,
    start: Instant,
    end: Instant,
    period: Period = Period.HOUR,
    include_latest_before: bool = False,
) -> Call[tuple[Candle, ...]]:
    """Candlesticks of one market that end from `start` to `end`, oldest first.

    `include_latest_before` puts the last one from before `start` in front.
    Archived markets are answered by `historical.candles`.
    """
    return request(
        "GetMarketCandlesticks",
        CANDLE.answers("candlesticks"),
        path={"series_ticker": series_ticker, "ticker": ticker},
        query={
            "start_ts": since(start),
            "end_ts": until(end),
            "period_interval": period.value,
            "include_latest_before_start": include_latest_before or None,
        },
    )


def candles_of(
    tickers: Iterable[Ticker],
    *,
    start: Instant,
    end: Instant,
    period: Period = Period.HOUR,
    include_latest_before: bool = False,
) -> Call[tuple[MarketCandles, ...]]:
    """Candlesticks of up to 100 markets, at most 10,000 in all."""
    return request(
        "BatchGetMarketCandlesticks",
        MARKET_CANDLES.answers("markets"),
        query={
            "market_tickers": joined(tickers),
            "start_ts": since(start),
            "end_ts": until(end),
            "period_interval": period.value,
            "include_latest_before_start": include_latest_before or None,
        },
    )
