"""The operations of order groups."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetOrderGroups", template="/portfolio/order_groups", query=("subaccount",)),
    Operation(
        name="CreateOrderGroup",
        template="/portfolio/order_groups/create",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="GetOrderGroup",
        template="/portfolio/order_groups/{order_group_id}",
        query=("subaccount",),
    ),
    Operation(
        name="DeleteOrderGroup",
        template="/portfolio/order_groups/{order_group_id}",
        method="DELETE",
        query=("subaccount", "exchange_index"),
        idempotent=False,
    ),
    Operation(
        name="ResetOrderGroup",
        template="/portfolio/order_groups/{order_group_id}/reset",
        method="PUT",
        query=("subaccount", "exchange_index"),
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="TriggerOrderGroup",
        template="/portfolio/order_groups/{order_group_id}/trigger",
        method="PUT",
        query=("subaccount", "exchange_index"),
        has_body=True,
    ),
    Operation(
        name="UpdateOrderGroupLimit",
        template="/portfolio/order_groups/{order_group_id}/limit",
        method="PUT",
        query=("subaccount", "exchange_index"),
        has_body=True,
    ),
)
