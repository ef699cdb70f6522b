"""The closed lists of FIX words.  An unknown word of these makes a message unusable."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.wire.fix.kinds import word_kind


class ExecType(StrEnum):
    """150: what an execution report tells."""

    NEW = "new"
    CANCELED = "canceled"
    REPLACED = "replaced"
    PENDING_CANCEL = "pending_cancel"
    REJECTED = "rejected"
    PENDING_NEW = "pending_new"
    EXPIRED = "expired"
    PENDING_REPLACE = "pending_replace"
    TRADE = "trade"


class OrderState(StrEnum):
    """39: the state of the order after it."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REPLACED = "replaced"
    PENDING_CANCEL = "pending_cancel"
    REJECTED = "rejected"
    PENDING_NEW = "pending_new"
    EXPIRED = "expired"
    PENDING_REPLACE = "pending_replace"


class OrderType(StrEnum):
    """40: Kalshi knows limit orders only."""

    LIMIT = "limit"


class TimeInForce(StrEnum):
    """59: how long an order may rest."""

    DAY = "day"
    GOOD_TILL_CANCELED = "good_till_canceled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"
    GOOD_TILL_DATE = "good_till_date"


class SelfTradePrevention(StrEnum):
    """2964: which of two own orders that would trade gives way."""

    UNKNOWN = "unknown"
    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


class CollateralType(StrEnum):
    """1705: what a collateral change is."""

    BALANCE = "balance"
    PAYOUT = "payout"


class CancelRejectResponse(StrEnum):
    """434: which request was refused."""

    CANCEL = "cancel"
    REPLACE = "replace"


class MassCancelRequest(StrEnum):
    """530: what to cancel."""

    SESSION = "session"


class MassCancelResponse(StrEnum):
    """531: whether it was done."""

    REJECTED = "rejected"
    CANCELED = "canceled"


class OrderGroupAction(StrEnum):
    """20131: what to do with an order group."""

    CREATE = "create"
    RESET = "reset"
    DELETE = "delete"
    TRIGGER = "trigger"
    UPDATE = "update"


class Subscription(StrEnum):
    """263: a snapshot, a snapshot and what follows, or no more."""

    SNAPSHOT = "snapshot"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class EntryType(StrEnum):
    """269: what a market data entry is.  Sides are in YES terms."""

    BID = "bid"
    OFFER = "offer"
    TRADE = "trade"


class UpdateAction(StrEnum):
    """279: what happens to the level.  Unlike WebSocket deltas a change *replaces* it."""

    NEW = "new"
    CHANGE = "change"
    DELETE = "delete"


class TradingStatus(StrEnum):
    """326: the state of a market."""

    HALT = "halt"
    RESUME = "resume"
    DETERMINED = "determined"
    SETTLED = "settled"


class QuoteStatus(StrEnum):
    """297: what became of a quote."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"
    CANCELED = "canceled"


class Verdict(StrEnum):
    """298, 21010, 21013, 21025: whether a quote or RFQ request was carried out."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"


ORDER_STATE: Final = word_kind(
    "CHAR",
    {
        "0": OrderState.NEW,
        "1": OrderState.PARTIALLY_FILLED,
        "2": OrderState.FILLED,
        "4": OrderState.CANCELED,
        "5": OrderState.REPLACED,
        "6": OrderState.PENDING_CANCEL,
        "8": OrderState.REJECTED,
        "A": OrderState.PENDING_NEW,
        "C": OrderState.EXPIRED,
        "E": OrderState.PENDING_REPLACE,
    },
)
EXEC_TYPE: Final = word_kind(
    "CHAR",
    {
        "0": ExecType.NEW,
        "4": ExecType.CANCELED,
        "5": ExecType.REPLACED,
        "6": ExecType.PENDING_CANCEL,
        "8": ExecType.REJECTED,
        "A": ExecType.PENDING_NEW,
        "C": ExecType.EXPIRED,
        "E": ExecType.PENDING_REPLACE,
        "F": ExecType.TRADE,
    },
)
SIDE: Final = word_kind("CHAR", {"1": Side.YES, "2": Side.NO})
"""1 buys YES; 2 sells YES, which is buying NO."""

LEG_SIDE: Final = word_kind("STRING", {"yes": Side.YES, "no": Side.NO})
ORDER_TYPE: Final = word_kind("CHAR", {"2": OrderType.LIMIT})
TIME_IN_FORCE: Final = word_kind(
    "CHAR",
    {
        "0": TimeInForce.DAY,
        "1": TimeInForce.GOOD_TILL_CANCELED,
        "3": TimeInForce.IMMEDIATE_OR_CANCEL,
        "4": TimeInForce.FILL_OR_KILL,
        "6": TimeInForce.GOOD_TILL_DATE,
    },
)
SELF_TRADE_PREVENTION: Final = word_kind(
    "INT",
    {
        "0": SelfTradePrevention.UNKNOWN,
        "1": SelfTradePrevention.TAKER_AT_CROSS,
        "2": SelfTradePrevention.MAKER,
    },
)
MARKET_RESULT: Final = word_kind(
    "STRING",
    {"yes": MarketResult.YES, "no": MarketResult.NO, "scalar": MarketResult.SCALAR},
    older={
        "Yes": MarketResult.YES,
        "YES": MarketResult.YES,
        "No": MarketResult.NO,
        "NO": MarketResult.NO,
        "Scalar": MarketResult.SCALAR,
        "SCALAR": MarketResult.SCALAR,
    },
)
COLLATERAL_TYPE: Final = word_kind(
    "STRING",
    {"BALANCE": CollateralType.BALANCE, "PAYOUT": CollateralType.PAYOUT},
    older={"1": CollateralType.BALANCE, "2": CollateralType.PAYOUT},
)
CANCEL_REJECT_RESPONSE: Final = word_kind(
    "CHAR", {"1": CancelRejectResponse.CANCEL, "2": CancelRejectResponse.REPLACE}
)
MASS_CANCEL_REQUEST: Final = word_kind("CHAR", {"6": MassCancelRequest.SESSION})
MASS_CANCEL_RESPONSE: Final = word_kind(
    "CHAR", {"0": MassCancelResponse.REJECTED, "6": MassCancelResponse.CANCELED}
)
ORDER_GROUP_ACTION: Final = word_kind(
    "INT",
    {
        "1": OrderGroupAction.CREATE,
        "2": OrderGroupAction.RESET,
        "3": OrderGroupAction.DELETE,
        "4": OrderGroupAction.TRIGGER,
        "5": OrderGroupAction.UPDATE,
    },
)
SUBSCRIPTION: Final = word_kind(
    "CHAR",
    {
        "0": Subscription.SNAPSHOT,
        "1": Subscription.SUBSCRIBE,
        "2": Subscription.UNSUBSCRIBE,
    },
)
ENTRY_TYPE: Final = word_kind(
    "CHAR", {"0": EntryType.BID, "1": EntryType.OFFER, "2": EntryType.TRADE}
)
UPDATE_ACTION: Final = word_kind(
    "CHAR", {"0": UpdateAction.NEW, "1": UpdateAction.CHANGE, "2": UpdateAction.DELETE}
)
TRADING_STATUS: Final = word_kind(
    "INT",
    {
        "2": TradingStatus.HALT,
        "3": TradingStatus.RESUME,
        "100": TradingStatus.DETERMINED,
        "101": TradingStatus.SETTLED,
    },
)
QUOTE_STATUS: Final = word_kind(
    "INT",
    {
        "0": QuoteStatus.ACCEPTED,
        "5": QuoteStatus.REJECTED,
        "10": QuoteStatus.PENDING,
        "17": QuoteStatus.CANCELED,
    },
)
VERDICT: Final = word_kind("INT", {"0": Verdict.ACCEPTED, "1": Verdict.REJECTED})
VERDICT_OR_EXPIRED: Final = word_kind(
    "INT", {"0": Verdict.ACCEPTED, "1": Verdict.REJECTED, "2": Verdict.EXPIRED}
)
