"""The operations of the account: cash, positions, fills, settlements."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetBalance", template="/portfolio/balance", query=("subaccount", "exchange_index")
    ),
    Operation(
        name="IntraExchangeInstanceTransfer",
        template="/portfolio/intra_exchange_instance_transfer",
        method="POST",
        idempotent=False,
        has_body=True,
    ),
    Operation(
        name="GetIntraExchangeInstanceTransfers",
        template="/portfolio/intra_exchange_instance_transfers",
        query=("limit", "cursor"),
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(
        name="GetIntraExchangeInstanceTransfer",
        template="/portfolio/intra_exchange_instance_transfers/{transfer_id}",
    ),
    Operation(
        name="CreateSubaccount",
        template="/portfolio/subaccounts",
        method="POST",
        idempotent=False,
        has_body=True,
        success=201,
    ),
    Operation(
        name="ApplySubaccountTransfer",
        template="/portfolio/subaccounts/transfer",
        method="POST",
        idempotent=False,
        has_body=True,
    ),
    Operation(name="GetSubaccountBalances", template="/portfolio/subaccounts/balances"),
    Operation(
        name="GetSubaccountTransfers",
        template="/portfolio/subaccounts/transfers",
        query=("limit", "cursor"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="UpdateSubaccountNetting",
        template="/portfolio/subaccounts/netting",
        method="PUT",
        has_body=True,
    ),
    Operation(name="GetSubaccountNetting", template="/portfolio/subaccounts/netting"),
    Operation(
        name="GetPositions",
        template="/portfolio/positions",
        query=(
            "cursor",
            "limit",
            "count_filter",
            "settlement_status",
            "ticker",
            "event_ticker",
            "subaccount",
            "exchange_index",
        ),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetSettlements",
        template="/portfolio/settlements",
        query=("limit", "cursor", "ticker", "event_ticker", "min_ts", "max_ts", "subaccount"),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(
        name="GetDeposits",
        template="/portfolio/deposits",
        query=("limit", "cursor"),
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(
        name="GetWithdrawals",
        template="/portfolio/withdrawals",
        query=("limit", "cursor"),
        limit_default=100,
        limit_maximum=500,
    ),
    Operation(
        name="GetPortfolioRestingOrderTotalValue",
        template="/portfolio/summary/total_resting_order_value",
    ),
    Operation(
        name="GetFills",
        template="/portfolio/fills",
        query=(
            "ticker",
            "order_id",
            "min_ts",
            "max_ts",
            "limit",
            "cursor",
            "subaccount",
            "exchange_index",
        ),
        limit_default=100,
        limit_maximum=1000,
    ),
    Operation(name="GetTargetBalanceAllocation", template="/portfolio/target_balance_allocation"),
    Operation(
        name="SetTargetBalanceAllocation",
        template="/portfolio/target_balance_allocation",
        method="POST",
        idempotent=False,
        has_body=True,
    ),
)
