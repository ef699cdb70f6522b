"""What happened inside the exchange.  Frozen, in the past tense.

Every movement of money is a `CashMoved`: the sum of those is the cash of the
account, which the tests hold against the machine's own books.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trueup.core import catalog
from trueup.core.facts import Banked, Filled, OrderReported, Settled, Transferred
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.position import Change
from trueup.core.units import Money, Price
from trueup.sim.commands import Command, Member


class Cause(StrEnum):
    """Why cash moved."""

    TRADE = "trade"
    FEE = "fee"
    SETTLEMENT = "settlement"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    BANKING_FEE = "banking fee"
    TRANSFER = "transfer"
    CREDIT = "credit"


class Refusal(StrEnum):
    """Why a command was not carried out, in the exchange's own words where it has some."""

    INSUFFICIENT_BALANCE = "insufficient_balance"
    INVALID_PRICE = "invalid_price"
    INVALID_ORDER_SIZE = "invalid_order_size"
    MARKET_INACTIVE = "market_inactive"
    MARKET_NOT_FOUND = "market_not_found"
    NOT_FOUND = "not_found"
    ORDER_ALREADY_EXISTS = "order_already_exists"
    ALREADY_EXISTS = "already_exists"
    WRONG_STATE = "wrong_state"
    """The market, the transfer or the banking movement cannot do that now."""


class OrderChange(StrEnum):
    """What changed an order; the exchange's ``last_update_reason`` where it has one."""

    PLACED = "Placed"
    TRADE = "Trade"
    CANCELED = "Canceled"
    CLOSE_CANCEL = "CloseCancel"
    HALT_CANCEL = "HaltCancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command was not carried out; nothing changed."""

    at: Instant
    command: Command
    reason: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesListed:
    """A series exists now."""

    at: Instant
    series: catalog.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListed:
    """An event exists now."""

    at: Instant
    event: catalog.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketListed:
    """A market exists now."""

    at: Instant
    market: catalog.Market


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeChangeScheduled:
    """Fees will change, or have changed, at the time inside."""

    at: Instant
    change: catalog.FeeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMoved:
    """A market has a new status.  `silent` steps are not announced to anybody."""

    at: Instant
    ticker: Ticker
    status: MarketStatus
    result: MarketResult | None
    value: Price | None
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteChanged:
    """The rest of the world quotes a market differently."""

    at: Instant
    quote: catalog.Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened:
    """A member or one of its subaccounts exists now."""

    at: Instant
    member: Member
    subaccount: Subaccount


@dataclass(frozen=True, slots=True, kw_only=True)
class BankingReported:
    """A deposit or withdrawal has a new status."""

    at: Instant
    member: Member
    banked: Banked


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReported:
    """A transfer has a new status."""

    at: Instant
    member: Member
    transferred: Transferred


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdated:
    """An order changed."""

    at: Instant
    member: Member
    order: OrderReported
    why: OrderChange


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMade:
    """An order traded.  `change` is what it did to the position, before fees."""

    at: Instant
    member: Member
    filled: Filled
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPaid:
    """A position was settled; `payout` was credited.  The row comes later."""

    at: Instant
    member: Member
    settled: Settled
    payout: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementListed:
    """The settlement row is visible from now on."""

    at: Instant
    member: Member
    settled: Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMoved:
    """Cash changed by `amount`."""

    at: Instant
    member: Member
    subaccount: Subaccount
    shard: Shard
    amount: Money
    cause: Cause


Event = (
    Refused
    | SeriesListed
    | EventListed
    | MarketListed
    | FeeChangeScheduled
    | MarketMoved
    | QuoteChanged
    | AccountOpened
    | BankingReported
    | TransferReported
    | OrderUpdated
    | FillMade
    | SettlementPaid
    | SettlementListed
    | CashMoved
)
