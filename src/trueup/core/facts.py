"""What happened to an account.  Frozen; in the past tense; the ledger books them.

A fact has an identity (its stream and natural key) that never changes, and
fields that the exchange may later tell differently: then the journal keeps
both versions.  Facts never carry the account: one set of books is one account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price


class Stream(StrEnum):
    """The kinds of records that the exchange keeps about an account."""

    FILLS = "fills"
    SETTLEMENTS = "settlements"
    ORDERS = "orders"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    TRANSFERS = "transfers"
    SHARD_TRANSFERS = "shard_transfers"
    BALANCES = "balances"
    POSITIONS = "positions"
    MARKETS = "markets"
    OPENING = "opening"
    SETTLEMENT_PAGES = "settlement_pages"
    SETTLEMENT_REPORTS = "settlement_reports"


class Source(StrEnum):
    """Where an observation came from."""

    REST = "rest"
    HISTORICAL = "historical"
    WEBSOCKET = "ws"
    FIX = "fix"
    RECORDING = "recording"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One fill of one of our orders.  Identity: (trade id, order id).

    `price` is the YES price whatever the side.  `fee` is the net fee of this
    fill in the exchange's own figure; `None` where the old wire form has none.
    `shard_named` is false where the row names no shard: `shard` is a default
    then, which yields to whatever is known better.  (A subaccount of 0 yields in
    the same way, when another row of the same fill names one.)
    """

    trade_id: TradeId
    order_id: OrderId
    ticker: Ticker
    side: Side
    count: Count
    price: Price
    fee: Money | None
    is_taker: bool
    at: Instant
    subaccount: Subaccount
    shard: Shard
    shard_named: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A settlement row.  Identity: (subaccount, ticker); rows do not name their
    subaccount, it is the one that was asked for.

    Counts and costs are *gross* contracts bought on each side.  `revenue` is the
    payout of the net position, cut to whole cents by the exchange.  `trade_fees`
    repeats fees that the fills already carried; it is not charged again.
    `value` is what one YES contract paid in whole cents, where given: too coarse
    to rely on for scalar results (use the market's settlement value).
    `shard_named` is false where the row names no shard: it was paid where the
    market lives.
    """

    ticker: Ticker
    event_ticker: EventTicker
    result: MarketResult
    yes_count: Count
    no_count: Count
    yes_cost: Money
    no_cost: Money
    revenue: Money
    trade_fees: Money
    value: Price | None
    at: Instant
    subaccount: Subaccount
    shard: Shard
    shard_named: bool = field(default=True, compare=False)


class BankingStatus(StrEnum):
    """The life of a deposit or withdrawal."""

    PENDING = "pending"
    APPLIED = "applied"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Banked:
    """A deposit (`amount` > 0) or withdrawal (`amount` < 0).  Identity: its id.

    Cash moves when the status is `APPLIED`, and back when it becomes `RETURNED`.
    `fee` ≥ 0 is charged on top.  `at` is the time of the status: finalisation
    where known, else creation.
    """

    banking_id: str
    amount: Money
    fee: Money
    status: BankingStatus
    method: str
    created_at: Instant
    at: Instant


class TransferStatus(StrEnum):
    """The life of a transfer between subaccounts or shards."""

    PENDING = "pending"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """Cash moved between two subaccounts or two shards of the account.

    Identity: its id.  `amount` > 0 leaves the first and reaches the second.
    """

    transfer_id: str
    amount: Money
    from_subaccount: Subaccount
    to_subaccount: Subaccount
    from_shard: Shard
    to_shard: Shard
    status: TransferStatus
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The operator's statement of an opening balance, for an account whose early
    history is gone.  Identity: (subaccount, shard).

    `held` positions at the opening are booked at the given cost.
    """

    cash: Money
    at: Instant
    subaccount: Subaccount
    shard: Shard
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported:
    """The state of an order as last reported.  Identity: the order id.

    Never a source of money; a later report is merged (a terminal state wins and
    the fill count only grows).  `price` is the YES price.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    ticker: Ticker
    side: Side
    status: OrderStatus
    price: Price
    initial_count: Count
    fill_count: Count
    remaining_count: Count
    taker_fees: Money
    maker_fees: Money
    taker_fill_cost: Money
    maker_fill_cost: Money
    created_at: Instant
    updated_at: Instant
    subaccount: Subaccount
    shard: Shard


CashFact = Filled | Settled | Banked | Transferred | Opened
"""The facts that move money."""

Fact = CashFact | OrderReported
