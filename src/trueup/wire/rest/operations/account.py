"""The operations of the account's request budget and its API keys."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetApiKeys", template="/api_keys", query=("fcm_subtrader_id",)),
    Operation(name="GetAccountApiLimits", template="/account/limits"),
    Operation(name="GetAccountEndpointCosts", template="/account/endpoint_costs", signed=False),
)
