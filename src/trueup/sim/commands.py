"""What may be asked of the exchange's machine.  Frozen, in the imperative.

Each command carries its own time; the machine has no clock.  What concerns
orders is in `order_commands`, what concerns quotes in `rfq_commands`; both can be had from
here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.facts import BankingStatus
from trueup.core.fees import Precision
from trueup.core.grid import LINEAR_CENT, PriceGrid
from trueup.core.ids import Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import HOUR, Instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.sim.order_commands import (
    KEEP_EXPIRY,
    NO_CLIENT_ID,
    NO_EXPIRY,
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    CreateOrderGroup,
    DecreaseOrder,
    DeleteOrderGroup,
    GroupCommand,
    LimitOrderGroup,
    Member,
    OrderCommand,
    OutsideFill,
    PlaceOrder,
    ResetOrderGroup,
    TellOrder,
    Trade,
    TriggerOrderGroup,
)
from trueup.sim.rfq_commands import (
    AcceptQuote,
    ConfirmQuote,
    CreateQuote,
    CreateRfq,
    DeleteQuote,
    DeleteRfq,
    RfqCommand,
)

__all__ = [
    "KEEP_EXPIRY",
    "NO_CLIENT_ID",
    "NO_EXPIRY",
    "SETTLEMENT_TIMER",
    "AcceptQuote",
    "Advance",
    "AmendMarket",
    "AmendOrder",
    "CancelAllOrders",
    "CancelOrder",
    "CashCommand",
    "ChangeCloseTime",
    "ChangePriceGrid",
    "CloseMarket",
    "Command",
    "ConcludeBanking",
    "ConcludeTransfer",
    "ConfirmQuote",
    "CreateOrderGroup",
    "CreateQuote",
    "CreateRfq",
    "Credit",
    "DecreaseOrder",
    "DeleteOrderGroup",
    "DeleteQuote",
    "DeleteRfq",
    "Deposit",
    "DetermineMarket",
    "DisputeMarket",
    "GroupCommand",
    "LimitOrderGroup",
    "ListEvent",
    "ListMarket",
    "ListSeries",
    "MarketCommand",
    "Member",
    "OpenAccount",
    "OpenSubaccount",
    "OrderCommand",
    "OutsideFill",
    "PauseMarket",
    "PlaceOrder",
    "QuoteMarket",
    "ReopenMarket",
    "ReportTrade",
    "ResetOrderGroup",
    "ResumeMarket",
    "ReviseSettlement",
    "RfqCommand",
    "ScheduleFeeChange",
    "SetExchangeStatus",
    "SettleMarket",
    "TellOrder",
    "Trade",
    "TransferPosition",
    "TransferShard",
    "TransferSubaccount",
    "TriggerOrderGroup",
    "Withdraw",
]

SETTLEMENT_TIMER: Final = HOUR
"""How long most markets wait between determination and settlement."""


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
class ReportTrade:
    """State that the rest of the world traded with itself: everybody sees it, no account moves."""

    at: Instant
    ticker: Ticker
    trade_id: TradeId
    count: Count
    price: Price
    taker_side: Side


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
class ChangeCloseTime:
    """Let a market that has not closed close earlier or later than announced."""

    at: Instant
    ticker: Ticker
    close_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenMarket:
    """Open a closed market again until `close_at`."""

    at: Instant
    ticker: Ticker
    close_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePriceGrid:
    """Give a market another price structure.  Orders that rest off it stay."""

    at: Instant
    ticker: Ticker
    grid: PriceGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class SetExchangeStatus:
    """Pause or resume a shard, or all of them where none is named.

    Without `trading_active` no order is taken or changed, but cancelled; without
    `exchange_active` nothing at all can be done.
    """

    at: Instant
    exchange_active: bool
    trading_active: bool
    shard: Shard | None = None


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
class SettleMarket:
    """Settle a determined market now, without waiting for its timer."""

    at: Instant
    ticker: Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseSettlement:
    """Correct the result of a market that has paid already: the difference is paid too."""

    at: Instant
    ticker: Ticker
    result: MarketResult
    value: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Admit a member.  Direct members are booked to $0.0001, others to the cent.

    With `collateral_return` the member gets back at once what its NO contracts
    in a mutually exclusive event pay for certain.  An account without a
    `history` knows only its present: for traders that nobody asks about their past.
    """

    at: Instant
    member: Member
    precision: Precision
    collateral_return: bool = False
    history: bool = True


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
class TransferPosition:
    """Move `count` contracts of `side` between two subaccounts at the YES price `price`.

    No fee is charged.  The receiving subaccount pays for them.
    """

    at: Instant
    member: Member
    transfer_id: str
    ticker: Ticker
    side: Side
    count: Count
    price: Price
    from_subaccount: Subaccount
    to_subaccount: Subaccount


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
class Advance:
    """Let time pass: whatever is due until `at` happens."""

    at: Instant


MarketCommand = (
    ListSeries
    | ListEvent
    | ListMarket
    | ScheduleFeeChange
    | QuoteMarket
    | ReportTrade
    | PauseMarket
    | ResumeMarket
    | CloseMarket
    | ChangeCloseTime
    | ReopenMarket
    | ChangePriceGrid
    | DetermineMarket
    | DisputeMarket
    | AmendMarket
    | SettleMarket
    | ReviseSettlement
    | SetExchangeStatus
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
    | TransferPosition
    | Credit
)
"""What happens to a member's money without trading."""

Command = MarketCommand | CashCommand | OrderCommand | RfqCommand | Advance
