"""The operations of events."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetMarketCandlesticksByEvent",
        template="/series/{series_ticker}/events/{ticker}/candlesticks",
        query=("start_ts", "end_ts", "period_interval"),
        signed=False,
    ),
    Operation(
        name="GetEvents",
        template="/events",
        query=(
            "limit",
            "cursor",
            "with_nested_markets",
            "with_milestones",
            "status",
            "series_ticker",
            "tickers",
            "min_close_ts",
            "min_updated_ts",
        ),
        limit_default=200,
        limit_maximum=200,
        signed=False,
    ),
    Operation(
        name="GetMultivariateEvents",
        template="/events/multivariate",
        query=(
            "limit",
            "cursor",
            "series_ticker",
            "collection_ticker",
            "tickers",
            "with_nested_markets",
        ),
        limit_default=100,
        limit_maximum=200,
        signed=False,
    ),
    Operation(
        name="GetEventFeeChanges",
        template="/events/fee_changes",
        query=("event_ticker", "limit", "cursor"),
        limit_default=100,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(
        name="GetEvent",
        template="/events/{event_ticker}",
        query=("exclude_markets", "with_nested_markets"),
        signed=False,
    ),
    Operation(name="GetEventMetadata", template="/events/{event_ticker}/metadata", signed=False),
    Operation(
        name="GetEventForecastPercentilesHistory",
        template="/series/{series_ticker}/events/{ticker}/forecast_percentile_history",
        query=("percentiles", "start_ts", "end_ts", "period_interval"),
    ),
)
