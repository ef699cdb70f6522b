"""The operations of the account's request budget and its API keys."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(name="GetApiKeys", template="/api_keys", query=("fcm_subtrader_id",)),
    Operation(
        name="CreateApiKey",
        template="/api_keys",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="GenerateApiKey",
        template="/api_keys/generate",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="DeleteApiKey",
        template="/api_keys/{api_key}",
        method="DELETE",
        idempotent=False,
        success=204,
    ),
    Operation(name="GetAccountApiLimits", template="/account/limits"),
    Operation(
        name="UpgradeAccountApiUsageLevel",
        template="/account/api_usage_level/upgrade",
        method="POST",
        cost=30,
        idempotent=False,
        success=201,
    ),
    Operation(
        name="GetAccountApiUsageLevelVolumeProgress",
        template="/account/api_usage_level/volume_progress",
    ),
    Operation(name="GetAccountEndpointCosts", template="/account/endpoint_costs", signed=False),
)
