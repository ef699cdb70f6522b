"""The operations of the archive."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetHistoricalCutoff", template="/historical/cutoff", signed=False),
    Operation(
        name="GetMarketCandlesticksHistorical",
        template="/historical/markets/{ticker}/candlesticks",
        query=("start_ts", "end_ts", "period_interval"),
        signed=False,
    ),
    Operation(
        name="GetFillsHistorical",
        template="/historical/fills",
        query=("ticker", "min_ts", "max_ts", "limit", "cursor", "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetHistoricalOrders",
        template="/historical/orders",
        query=("ticker", "min_ts", "max_ts", "limit", "cursor", "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetHistoricalPositions",
        template="/historical/positions",
        query=("ticker", "event_ticker", "subaccount", "limit", "cursor"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetTradesHistorical",
        template="/historical/trades",
        query=("ticker", "min_ts", "max_ts", "limit", "cursor", "is_block_trade"),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(
        name="GetHistoricalMarkets",
        template="/historical/markets",
        query=("limit", "cursor", "tickers", "event_ticker", "series_ticker", "mve_filter"),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(name="GetHistoricalMarket", template="/historical/markets/{ticker}", signed=False),
)
