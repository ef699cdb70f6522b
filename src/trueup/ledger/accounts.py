"""The chart of accounts.

Every posting also carries its subaccount, exchange shard and, for contracts,
its market; the paths below name *what* the money is.
"""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """An account of the ledger.  Positions are further split by market and side."""

    CASH = "Assets:Cash"
    POSITIONS = "Assets:Positions"
    IN_TRANSIT = "Assets:InTransit"
    COLLATERAL_RETURNED = "Liabilities:CollateralReturned"
    ADVANCE = "Liabilities:Advance"
    TRADING_FEES = "Expenses:Fees:Trading"
    SETTLEMENT_FEES = "Expenses:Fees:Settlement"
    BANKING_FEES = "Expenses:Fees:Banking"
    REALIZED = "Income:Realized"
    INCENTIVES = "Income:Incentives"
    DEPOSITS = "Equity:Deposits"
    OPENING = "Equity:Opening"
    EXCHANGE_CONTRACTS = "Equity:ExchangeContracts"
    """The other side of every contract: keeps the contracts commodity at zero."""
    SUSPENSE = "Suspense"
