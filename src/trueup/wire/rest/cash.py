"""The cash section: deposits, withdrawals, subaccount balances, transfers."""

from __future__ import annotations

from trueup.core.facts import Banked, Transferred
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import list_of, page_of, record_of
from trueup.wire.rest.request import request
from trueup.wire.rest.rows import balances
from trueup.wire.rest.rows import cash as cash_rows
from trueup.wire.rest.rows.balances import SubaccountBalance


def deposits(*, limit: int | None = None, cursor: str = "") -> Call[Page[Banked]]:
    """Deposits of the whole account, with a positive amount."""
    return request(
        "GetDeposits",
        page_of("deposits", cash_rows.read_deposit, cash_rows.KNOWN_BANKING),
        query={"limit": limit, "cursor": cursor},
    )


def withdrawals(*, limit: int | None = None, cursor: str = "") -> Call[Page[Banked]]:
    """Withdrawals of the whole account, with a negative amount."""
    return request(
        "GetWithdrawals",
        page_of("withdrawals", cash_rows.read_withdrawal, cash_rows.KNOWN_BANKING),
        query={"limit": limit, "cursor": cursor},
    )


def subaccount_balances() -> Call[tuple[SubaccountBalance, ...]]:
    """What every subaccount holds on every shard: one reading, all rows or none."""
    return request(
        "GetSubaccountBalances",
        list_of("subaccount_balances", balances.read_subaccount_balance, balances.KNOWN_SUBACCOUNT),
    )


def subaccount_transfers(*, limit: int | None = None, cursor: str = "") -> Call[Page[Transferred]]:
    """Cash moved between subaccounts."""
    return request(
        "GetSubaccountTransfers",
        page_of(
            "transfers", cash_rows.read_subaccount_transfer, cash_rows.KNOWN_SUBACCOUNT_TRANSFER
        ),
        query={"limit": limit, "cursor": cursor},
    )


def shard_transfers(*, limit: int | None = None, cursor: str = "") -> Call[Page[Transferred]]:
    """Cash moved between shards.  They are asynchronous: pending first, then complete."""
    return request(
        "GetIntraExchangeInstanceTransfers",
        page_of("transfers", cash_rows.read_shard_transfer, cash_rows.KNOWN_SHARD_TRANSFER),
        query={"limit": limit, "cursor": cursor},
    )


def shard_transfer(transfer_id: str) -> Call[Transferred]:
    """One transfer between shards."""
    return request(
        "GetIntraExchangeInstanceTransfer",
        record_of("transfer", cash_rows.read_shard_transfer, cash_rows.KNOWN_SHARD_TRANSFER),
        path={"transfer_id": transfer_id},
    )
