"""What may be asked of the exchange's machine.  Frozen, in the imperative.

Each command carries its own time; the machine has no clock.  `Trade` states
that an order met the rest of the world: a matching engine will say the same
thing about two orders of its own book.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NewType

from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import LINEAR_CENT, PriceGrid
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import HOUR, Instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price

SETTLEMENT_TIMER: Final = HOUR
"""How long most markets wait between determination and settlement."""

Member = NewType("Member", str)
"""Whose account: the exchange's ``user_id``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSeries:
    """Add a series.  Its fee terms are the ones that hold from now on."""

    at: Instant
    series: catalog.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEvent:
    """Add an event to a listed series."""

    at: Instant
    event: catalog.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMarket:
    """Add a market to a listed event.  It opens and closes by its own times."""

    at: Instant
    market: catalog.Market
    grid: PriceGrid = LINEAR_CENT
    settlement_timer: int = SETTLEMENT_TIMER
    """Microseconds from determination to settlement, unless disputed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFeeChange:
    """Announce a change of a series' or an event's fees."""

    at: Instant
    change: catalog.FeeChange


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteMarket:
    """State what the rest of the world bids, asks and last paid."""

    at: Instant
    quote: catalog.Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseMarket:
    """Deactivate a market; resting orders stay until it is activated again."""

    at: Instant
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeMarket:
    """Activate a paused market; all its resting orders are cancelled."""

    at: Instant
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseMarket:
    """Close a market before its time."""

    at: Instant
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class DetermineMarket:
    """State the result of a closed market; its settlement timer starts."""

    at: Instant
    ticker: Ticker
    result: MarketResult
    value: Price
    """What one YES contract will pay: $1, $0, or a scalar value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeMarket:
    """Doubt a determination; the settlement timer stops."""

    at: Instant
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendMarket:
    """Replace a determination; the settlement timer starts again."""

    at: Instant
    ticker: Ticker
    result: MarketResult
    value: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Admit a member.  Direct members are booked to $0.0001, others to the cent."""

    at: Instant
    member: Member
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSubaccount:
    """Give a member a numbered subaccount."""

    at: Instant
    member: Member
    subaccount: Subaccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Announce money on its way in.  It counts once it is applied."""

    at: Instant
    member: Member
    banking_id: str
    amount: Money
    fee: Money
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Announce money on its way out."""

    at: Instant
    member: Member
    banking_id: str
    amount: Money
    fee: Money
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludeBanking:
    """Give a deposit or a withdrawal its next status."""

    at: Instant
    member: Member
    banking_id: str
    status: BankingStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSubaccount:
    """Move cash between two subaccounts on one shard, at once."""

    at: Instant
    member: Member
    transfer_id: str
    amount: Money
    from_subaccount: Subaccount
    to_subaccount: Subaccount
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferShard:
    """Move cash between two shards; it arrives when `ConcludeTransfer` says so."""

    at: Instant
    member: Member
    transfer_id: str
    amount: Money
    subaccount: Subaccount
    from_shard: Shard
    to_shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcludeTransfer:
    """Let a transfer between shards arrive."""

    at: Instant
    member: Member
    transfer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Pay an incentive or interest: cash that no listing of the exchange explains."""

    at: Instant
    member: Member
    subaccount: Subaccount
    shard: Shard
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place a limit order.  `price` is the YES price whatever the side."""

    at: Instant
    member: Member
    subaccount: Subaccount
    order_id: OrderId
    client_order_id: ClientOrderId
    ticker: Ticker
    side: Side
    price: Price
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Take a resting order back."""

    at: Instant
    member: Member
    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """State that `count` of an order traded at the YES price `price`.

    The trade may be better than the order's own price, never worse.
    """

    at: Instant
    member: Member
    order_id: OrderId
    trade_id: TradeId
    count: Count
    price: Price
    is_taker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Let time pass: whatever is due until `at` happens."""

    at: Instant


MarketCommand = (
    ListSeries
    | ListEvent
    | ListMarket
    | ScheduleFeeChange
    | QuoteMarket
    | PauseMarket
    | ResumeMarket
    | CloseMarket
    | DetermineMarket
    | DisputeMarket
    | AmendMarket
)
"""What the exchange itself does to its markets."""

CashCommand = (
    OpenAccount
    | OpenSubaccount
    | Deposit
    | Withdraw
    | ConcludeBanking
    | TransferSubaccount
    | TransferShard
    | ConcludeTransfer
    | Credit
)
"""What happens to a member's money without trading."""

OrderCommand = PlaceOrder | CancelOrder | Trade
"""What members and the rest of the world do to orders."""

Command = MarketCommand | CashCommand | OrderCommand | Advance
