"""The operations of orders."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetOrders",
        template="/portfolio/orders",
        query=(
            "ticker",
            "event_ticker",
            "min_ts",
            "max_ts",
            "status",
            "limit",
            "cursor",
            "subaccount",
            "exchange_index",
        ),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(name="GetOrder", template="/portfolio/orders/{order_id}", cost=2),
    Operation(
        name="GetOrderQueuePositions",
        template="/portfolio/orders/queue_positions",
        query=("market_tickers", "event_ticker", "subaccount"),
    ),
    Operation(name="GetOrderQueuePosition", template="/portfolio/orders/{order_id}/queue_position"),
    Operation(
        name="CreateOrderV2",
        template="/portfolio/events/orders",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="CancelAllOrders",
        template="/portfolio/events/orders",
        method="DELETE",
        query=("subaccount",),
        cost=2,
        success=204,
    ),
    Operation(
        name="BatchCreateOrdersV2",
        template="/portfolio/events/orders/batched",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
        per_item=True,
    ),
    Operation(
        name="BatchCancelOrdersV2",
        template="/portfolio/events/orders/batched",
        method="DELETE",
        cost=2,
        idempotent=False,
        has_body=True,
        per_item=True,
    ),
    Operation(
        name="CancelOrderV2",
        template="/portfolio/events/orders/{order_id}",
        method="DELETE",
        query=("subaccount", "exchange_index", "market_ticker"),
        cost=2,
        idempotent=False,
    ),
    Operation(
        name="AmendOrderV2",
        template="/portfolio/events/orders/{order_id}/amend",
        method="POST",
        query=("subaccount",),
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="DecreaseOrderV2",
        template="/portfolio/events/orders/{order_id}/decrease",
        method="POST",
        query=("subaccount",),
        idempotent=False,
        has_body=True,
    ),
)
