"""The operations of clearing members (FCM) and their customers."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetFCMFills", template="/fcm/fills", query=("min_ts", "max_ts", "cursor")),
    Operation(
        name="GetFCMOrders",
        template="/fcm/orders",
        query=(
            "subtrader_id",
            "client_order_ids",
            "cursor",
            "event_ticker",
            "ticker",
            "min_ts",
            "max_ts",
            "status",
            "limit",
        ),
        limit_maximum=1000,
    ),
    Operation(name="ListFCMSubtraders", template="/fcm/subtraders"),
    Operation(
        name="CreateFCMSubtrader",
        template="/fcm/subtraders",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="GetFCMEventContractDailyCap",
        template="/fcm/subtraders/event_contract_daily_cap",
        query=("subtrader_id",),
    ),
    Operation(
        name="UpdateFCMEventContractDailyCap",
        template="/fcm/subtraders/event_contract_daily_cap",
        method="PUT",
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="DeleteFCMEventContractDailyCap",
        template="/fcm/subtraders/event_contract_daily_cap",
        method="DELETE",
        query=("subtrader_id",),
        idempotent=False,
    ),
    Operation(
        name="GetFCMSubtraderBlockedCategories",
        template="/fcm/subtraders/blocked_categories",
        query=("subtrader_id",),
    ),
    Operation(
        name="UpdateFCMSubtraderBlockedCategories",
        template="/fcm/subtraders/blocked_categories",
        method="PUT",
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="GetFCMPositions",
        template="/fcm/positions",
        query=(
            "subtrader_id",
            "ticker",
            "event_ticker",
            "count_filter",
            "settlement_status",
            "limit",
            "cursor",
        ),
        limit_maximum=1000,
    ),
    Operation(
        name="CreateFCMPositionTransfer",
        template="/fcm/positions/transfers",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
)
