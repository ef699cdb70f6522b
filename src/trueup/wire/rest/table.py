"""Every operation that trueup speaks, in one declarative table.

The calls take method, path, cost and limits from here, and the sandbox routes
from the same table.  Names, defaults and bounds are those of the exchange's
OpenAPI description 3.34; costs other than ten tokens are from its
``/account/endpoint_costs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trueup.wire.rest.call import DEFAULT_COST


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the REST API.

    `template` is the path without ``/trade-api/v2``.  `query` are the names of
    its query parameters.  `limit_default` is the page size when none is asked
    for, `limit_maximum` the largest: a larger one is refused, not clamped.
    Both are `None` where there are no pages.  `idempotent` operations may be
    repeated.  `signed` is false for what needs no key.
    """

    name: str
    template: str
    method: str = "GET"
    query: tuple[str, ...] = ()
    limit_default: int | None = None
    limit_minimum: int = 1
    limit_maximum: int | None = None
    cost: int = DEFAULT_COST
    signed: bool = True
    idempotent: bool = True


_PAGE: Final = ("limit", "cursor")
_TIMES: Final = ("min_ts", "max_ts")
_WHERE: Final = ("subaccount", "exchange_index")

_OPERATIONS: Final = (
    Operation(name="GetExchangeStatus", template="/exchange/status", signed=False),
    Operation(name="GetUserDataTimestamp", template="/exchange/user_data_timestamp", signed=False),
    Operation(name="GetAccountApiLimits", template="/account/limits"),
    Operation(name="GetAccountEndpointCosts", template="/account/endpoint_costs", signed=False),
    Operation(name="GetApiKeys", template="/api_keys", query=("fcm_subtrader_id",)),
    Operation(name="GetBalance", template="/portfolio/balance", query=_WHERE),
    Operation(
        name="GetFills",
        template="/portfolio/fills",
        query=("ticker", "order_id", *_TIMES, *_PAGE, *_WHERE),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetSettlements",
        template="/portfolio/settlements",
        query=("ticker", "event_ticker", *_TIMES, *_PAGE, "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetOrders",
        template="/portfolio/orders",
        query=("ticker", "event_ticker", "status", *_TIMES, *_PAGE, *_WHERE),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(name="GetOrder", template="/portfolio/orders/{order_id}", cost=2),
    Operation(
        name="GetPositions",
        template="/portfolio/positions",
        query=("ticker", "event_ticker", "count_filter", "settlement_status", *_PAGE, *_WHERE),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetDeposits",
        template="/portfolio/deposits",
        query=_PAGE,
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(
        name="GetWithdrawals",
        template="/portfolio/withdrawals",
        query=_PAGE,
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(name="GetSubaccountBalances", template="/portfolio/subaccounts/balances"),
    Operation(
        name="GetSubaccountTransfers",
        template="/portfolio/subaccounts/transfers",
        query=_PAGE,
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetIntraExchangeInstanceTransfers",
        template="/portfolio/intra_exchange_instance_transfers",
        query=_PAGE,
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(
        name="GetIntraExchangeInstanceTransfer",
        template="/portfolio/intra_exchange_instance_transfers/{transfer_id}",
    ),
    Operation(name="GetHistoricalCutoff", template="/historical/cutoff", signed=False),
    Operation(
        name="GetFillsHistorical",
        template="/historical/fills",
        query=("ticker", *_TIMES, *_PAGE, "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetHistoricalOrders",
        template="/historical/orders",
        query=("ticker", *_TIMES, *_PAGE, "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetHistoricalPositions",
        template="/historical/positions",
        query=("ticker", "event_ticker", *_PAGE, "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetHistoricalMarkets",
        template="/historical/markets",
        query=("tickers", "event_ticker", "series_ticker", "mve_filter", *_PAGE),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(name="GetHistoricalMarket", template="/historical/markets/{ticker}", signed=False),
    Operation(
        name="GetMarkets",
        template="/markets",
        query=(
            "tickers",
            "event_ticker",
            "series_ticker",
            "status",
            "mve_filter",
            "min_created_ts",
            "max_created_ts",
            "min_updated_ts",
            "max_updated_ts",
            "min_close_ts",
            "max_close_ts",
            "min_settled_ts",
            "max_settled_ts",
            *_PAGE,
        ),
        limit_default=100,
        limit_minimum=0,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(name="GetMarket", template="/markets/{ticker}", signed=False),
    Operation(
        name="GetEvents",
        template="/events",
        query=(
            "tickers",
            "series_ticker",
            "status",
            "with_nested_markets",
            "with_milestones",
            "min_close_ts",
            "min_updated_ts",
            *_PAGE,
        ),
        limit_default=200,
        limit_maximum=200,
        signed=False,
    ),
    Operation(
        name="GetMultivariateEvents",
        template="/events/multivariate",
        query=("tickers", "series_ticker", "collection_ticker", "with_nested_markets", *_PAGE),
        limit_default=100,
        limit_maximum=200,
        signed=False,
    ),
    Operation(
        name="GetEvent",
        template="/events/{event_ticker}",
        query=("exclude_markets", "with_nested_markets"),
        signed=False,
    ),
    Operation(
        name="GetEventFeeChanges",
        template="/events/fee_changes",
        query=("event_ticker", *_PAGE),
        limit_default=100,
        limit_maximum=1000,
        signed=False,
    ),
    Operation(
        name="GetSeriesList",
        template="/series",
        query=(
            "category",
            "tags",
            "include_product_metadata",
            "include_volume",
            "min_updated_ts",
        ),
        signed=False,
    ),
    Operation(
        name="GetSeries",
        template="/series/{series_ticker}",
        query=("include_volume",),
        signed=False,
    ),
    Operation(
        name="GetSeriesFeeChanges",
        template="/series/fee_changes",
        query=("series_ticker", "show_historical"),
        signed=False,
    ),
)

OPERATIONS: Final[Mapping[str, Operation]] = {each.name: each for each in _OPERATIONS}
"""The table, by the exchange's operation id."""

_ELSEWHERE: Final = frozenset(
    {
        "/markets/trades",
        "/markets/orderbooks",
        "/markets/candlesticks",
        "/portfolio/orders/queue_positions",
    }
)
"""Operations that are not in the table and that a placeholder of it would swallow."""

_LEARNED_PREFIX: Final = "/trade-api/v2"


def route(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation that a request means, with the values of its path's placeholders.

    `path` has no ``/trade-api/v2`` prefix and no query.  A literal path wins
    over a placeholder (``/series/fee_changes`` is not a series).  `None` when
    this table has no such operation.
    """
    if path in _ELSEWHERE:
        return None
    segments = path.split("/")
    best: tuple[Operation, dict[str, str]] | None = None
    for operation in _OPERATIONS:
        if operation.method != method:
            continue
        values = _match(operation.template, segments)
        if values is not None and (best is None or len(values) < len(best[1])):
            best = operation, values
    return best


def _match(template: str, segments: list[str]) -> dict[str, str] | None:
    wanted = template.split("/")
    if len(wanted) != len(segments):
        return None
    values: dict[str, str] = {}
    for want, segment in zip(wanted, segments, strict=True):
        if want.startswith("{") and segment:
            values[want[1:-1]] = segment
        elif want != segment:
            return None
    return values


def template_of(listed_path: str) -> str:
    """The template that a path of ``/account/endpoint_costs`` stands for.

    The exchange lists ``/trade-api/v2/portfolio/orders/:order_id`` where its
    documentation, and this table, say ``/portfolio/orders/{order_id}``.
    """
    parts = listed_path.removeprefix(_LEARNED_PREFIX).split("/")
    return "/".join(f"{{{part[1:]}}}" if part.startswith(":") else part for part in parts)


def listed_path(template: str) -> str:
    """The path under which ``/account/endpoint_costs`` lists a template."""
    return _LEARNED_PREFIX + template.replace("{", ":").replace("}", "")
