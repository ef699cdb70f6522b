"""What happened inside the exchange.  Frozen, in the past tense.

Every movement of money is a `FillMade`, with its price and its fee, or a
`CashMoved`: the sum of those is the cash of the account, which each step of the
machine proves.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from trueup.core import catalog
from trueup.core.facts import Banked, Settled, Transferred
from trueup.core.grid import PriceGrid
from trueup.core.ids import (
    OrderGroupId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.sim.commands import Command, Member, TransferPosition
from trueup.sim.order_events import FillMade, OrderChange, OrderTerms, OrderUpdated
from trueup.sim.rfq import RfqQuoteUpdated, RfqUpdated

__all__ = [
    "AccountOpened",
    "BankingReported",
    "BookChanged",
    "CashMoved",
    "Cause",
    "CloseTimeChanged",
    "Denial",
    "Event",
    "EventListed",
    "ExchangeStatusChanged",
    "FeeChangeScheduled",
    "FillMade",
    "MarketListed",
    "MarketMoved",
    "OrderChange",
    "OrderGroupChange",
    "OrderGroupUpdated",
    "OrderUpdated",
    "PositionTransferred",
    "PriceGridChanged",
    "QuoteChanged",
    "Refusal",
    "Refused",
    "RfqQuoteUpdated",
    "RfqUpdated",
    "SeriesListed",
    "SettlementListed",
    "SettlementPaid",
    "TopChanged",
    "TradeMade",
    "TransferReported",
]


class Cause(StrEnum):
    """Why cash moved."""

    SETTLEMENT = "settlement"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    BANKING_FEE = "banking fee"
    TRANSFER = "transfer"
    POSITION_TRANSFER = "position transfer"
    COLLATERAL_RETURN = "collateral return"
    CREDIT = "credit"


class Refusal(StrEnum):
    """Why a command was not carried out, in the exchange's own words where it has some."""

    INSUFFICIENT_BALANCE = "insufficient_balance"
    INVALID_PRICE = "invalid_price"
    INVALID_ORDER = "invalid_order"
    INVALID_ORDER_SIZE = "invalid_order_size"
    INVALID_PARAMETERS = "invalid_parameters"
    FILL_OR_KILL = "fill_or_kill_insufficient_resting_volume"
    MARKET_INACTIVE = "market_inactive"
    MARKET_NOT_FOUND = "market_not_found"
    EXCHANGE_PAUSED = "exchange_paused"
    TRADING_PAUSED = "trading_paused"
    NOT_FOUND = "not_found"
    ORDER_ALREADY_EXISTS = "order_already_exists"
    ORDER_CLIENT_ID_MISMATCH = "order_id_and_client_order_id_mismatch"
    ORDER_SIDE_MISMATCH = "order_side_mismatch"
    ORDER_TICKER_MISMATCH = "order_ticker_mismatch"
    ORDER_GROUP_NOT_FOUND = "order_group_not_found"
    ORDER_GROUP_TRIGGERED = "exceeded_order_group_risk_limit"
    ALREADY_EXISTS = "already_exists"
    EXPIRED = "expired"
    """The window for it is over (recorded of a late confirmation)."""
    WRONG_STATE = "wrong_state"
    """The market, the transfer or the banking movement cannot do that now."""


class Denial(Struct, frozen=True):
    """Why not, in a word and perhaps in some more."""

    reason: Refusal
    detail: str = ""


class Refused(Struct, frozen=True, kw_only=True):
    """A command was not carried out; nothing changed."""

    at: Instant
    command: Command
    reason: Refusal
    detail: str = ""
    """Further words, where the exchange has some."""


class SeriesListed(Struct, frozen=True, kw_only=True):
    """A series exists now."""

    at: Instant
    series: catalog.Series


class EventListed(Struct, frozen=True, kw_only=True):
    """An event exists now."""

    at: Instant
    event: catalog.Event


class MarketListed(Struct, frozen=True, kw_only=True):
    """A market exists now."""

    at: Instant
    market: catalog.Market


class FeeChangeScheduled(Struct, frozen=True, kw_only=True):
    """Fees will change, or have changed, at the time inside."""

    at: Instant
    change: catalog.FeeChange


class MarketMoved(Struct, frozen=True, kw_only=True):
    """A market has a new status.  `silent` steps are not announced to anybody."""

    at: Instant
    ticker: Ticker
    status: MarketStatus
    result: MarketResult | None
    value: Price | None
    silent: bool


class CloseTimeChanged(Struct, frozen=True, kw_only=True):
    """A market will close, or has closed, at another time than announced."""

    at: Instant
    ticker: Ticker
    close_at: Instant


class PriceGridChanged(Struct, frozen=True, kw_only=True):
    """Orders in a market may have other prices from now on."""

    at: Instant
    ticker: Ticker
    grid: PriceGrid


class ExchangeStatusChanged(Struct, frozen=True, kw_only=True):
    """A shard was paused or resumed."""

    at: Instant
    shard: Shard
    exchange_active: bool
    trading_active: bool


class QuoteChanged(Struct, frozen=True, kw_only=True):
    """The rest of the world quotes a market differently."""

    at: Instant
    quote: catalog.Quote


class AccountOpened(Struct, frozen=True, kw_only=True):
    """A member or one of its subaccounts exists now."""

    at: Instant
    member: Member
    subaccount: Subaccount


class BankingReported(Struct, frozen=True, kw_only=True):
    """A deposit or withdrawal has a new status."""

    at: Instant
    member: Member
    banked: Banked


class TransferReported(Struct, frozen=True, kw_only=True):
    """A transfer has a new status."""

    at: Instant
    member: Member
    transferred: Transferred


class PositionTransferred(Struct, frozen=True, kw_only=True):
    """Contracts moved between two subaccounts, as the command says."""

    at: Instant
    member: Member
    command: TransferPosition


class TradeMade(Struct, frozen=True, kw_only=True, gc=False):
    """Two orders met: what everybody sees.  Both fills share the trade's id."""

    at: Instant
    trade_id: TradeId
    ticker: Ticker
    count_units: int
    price: Price
    taker_side: Side
    is_block: bool = False

    @property
    def count(self) -> Count:
        """How many contracts."""
        return Count(self.count_units)


class BookChanged(Struct, frozen=True, kw_only=True, gc=False):
    """A level of a book has `delta` more contracts (fewer, if negative) and `count` in all.

    `terms` are those of the order that did it; the exchange tells its ids to its
    own member only.
    """

    at: Instant
    terms: OrderTerms
    delta_units: int
    count_units: int

    @property
    def ticker(self) -> Ticker:
        """The market."""
        return self.terms.ticker

    @property
    def side(self) -> Side:
        """`YES` for bids, `NO` for asks."""
        return self.terms.side

    @property
    def price(self) -> Price:
        """The YES price of the level."""
        return self.terms.price

    @property
    def delta(self) -> Count:
        """What was added to the level."""
        return Count(self.delta_units)

    @property
    def count(self) -> Count:
        """What the level has now."""
        return Count(self.count_units)


class TopChanged(Struct, frozen=True, kw_only=True, gc=False):
    """The best prices of a book, their sizes or its last trade changed.

    Sizes and volumes are in `Count` units, `dollar_volume` in `Money` units: what
    was traded in all, at the YES price.
    """

    at: Instant
    ticker: Ticker
    bid: Price | None
    bid_size: int
    ask: Price | None
    ask_size: int
    last: Price | None
    last_size: int
    volume: int
    open_interest: int
    dollar_volume: int


class OrderGroupChange(StrEnum):
    """What happened to an order group; the exchange's ``event_type``."""

    CREATED = "created"
    TRIGGERED = "triggered"
    RESET = "reset"
    DELETED = "deleted"
    LIMIT_UPDATED = "limit_updated"


class OrderGroupUpdated(Struct, frozen=True, kw_only=True):
    """An order group changed."""

    at: Instant
    member: Member
    group_id: OrderGroupId
    subaccount: Subaccount
    shard: Shard
    contracts_max: Count
    why: OrderGroupChange


class SettlementPaid(Struct, frozen=True, kw_only=True):
    """A position was settled; `payout` was credited.  The row comes later."""

    at: Instant
    member: Member
    settled: Settled
    payout: Money


class SettlementListed(Struct, frozen=True, kw_only=True):
    """The settlement row is visible from now on."""

    at: Instant
    member: Member
    settled: Settled


class CashMoved(Struct, frozen=True, kw_only=True, gc=False):
    """Cash changed by `units` of `Money`."""

    at: Instant
    member: Member
    subaccount: Subaccount
    shard: Shard
    units: int
    cause: Cause

    @property
    def amount(self) -> Money:
        """What came in; negative: what went out."""
        return Money(self.units)


Event = (
    Refused
    | SeriesListed
    | EventListed
    | MarketListed
    | FeeChangeScheduled
    | MarketMoved
    | CloseTimeChanged
    | PriceGridChanged
    | ExchangeStatusChanged
    | QuoteChanged
    | AccountOpened
    | BankingReported
    | TransferReported
    | PositionTransferred
    | OrderUpdated
    | FillMade
    | TradeMade
    | BookChanged
    | TopChanged
    | OrderGroupUpdated
    | SettlementPaid
    | SettlementListed
    | CashMoved
    | RfqUpdated
    | RfqQuoteUpdated
)
