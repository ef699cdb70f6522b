"""The markets section."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import page_of, record_of
from trueup.wire.rest.request import joined, request, since, until
from trueup.wire.rest.rows import markets as market_rows
from trueup.wire.rest.rows.markets import MarketDetail


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
    min_updated_at: Instant | None = None,
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
            "min_updated_ts": since(min_updated_at),
            "limit": limit,
            "cursor": cursor,
        },
    )
