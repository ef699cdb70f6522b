"""The operations of the account: cash, positions, fills, settlements."""

from __future__ import annotations

from typing import Final

from trueup.wire.rest.operations.operation import Operation

OPERATIONS: Final = (
    Operation(
        name="GetBalance", template="/portfolio/balance", query=("subaccount", "exchange_index")
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
    Operation(name="GetSubaccountBalances", template="/portfolio/subaccounts/balances"),
    Operation(
        name="GetSubaccountTransfers",
        template="/portfolio/subaccounts/transfers",
        query=("limit", "cursor"),
        limit_default=100,
        limit_maximum=1000,
    ),
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
)
