"""The operations of markets, series and their prices."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetMarketCandlesticks",
        template="/series/{series_ticker}/markets/{ticker}/candlesticks",
        query=("start_ts", "end_ts", "period_interval", "include_latest_before_start"),
        signed=False,
    ),
    Operation(
        name="GetTrades",
        template="/markets/trades",
        query=("limit", "cursor", "ticker", "min_ts", "max_ts", "is_block_trade"),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(
        name="GetMarketOrderbook",
        template="/markets/{ticker}/orderbook",
        query=("depth",),
        signed=False,
    ),
    Operation(
        name="GetMarketOrderbooks", template="/markets/orderbooks", query=("tickers",), signed=False
    ),
    Operation(
        name="GetSeries",
        template="/series/{series_ticker}",
        query=("include_volume",),
        signed=False,
    ),
    Operation(
        name="GetSeriesList",
        template="/series",
        query=("category", "tags", "include_product_metadata", "include_volume", "min_updated_ts"),
        signed=False,
    ),
    Operation(
        name="GetMarkets",
        template="/markets",
        query=(
            "limit",
            "cursor",
            "event_ticker",
            "series_ticker",
            "min_created_ts",
            "max_created_ts",
            "min_updated_ts",
            "max_updated_ts",
            "max_close_ts",
            "min_close_ts",
            "min_settled_ts",
            "max_settled_ts",
            "status",
            "tickers",
            "mve_filter",
        ),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(name="GetMarket", template="/markets/{ticker}", signed=False),
    Operation(
        name="BatchGetMarketCandlesticks",
        template="/markets/candlesticks",
        query=(
            "market_tickers",
            "start_ts",
            "end_ts",
            "period_interval",
            "include_latest_before_start",
        ),
        signed=False,
    ),
)
