"""The machine's words in FIX: why an order was refused or ended.

The codes are those of the exchange's page *FIX order entry*; a refusal for which it names
none has the code for anything else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trueup.core.orders import OrderStatus
from trueup.net.acceptor.refusals import is_closed
from trueup.sim import events as e
from trueup.sim.events import OrderChange, Refusal
from trueup.sim.exchange import Exchange


class Words(NamedTuple):
    """A reason's code and the text (58) beside it."""

    code: str
    text: str


_OTHER: Final = "99"

_PLACING: Final = {
    Refusal.INSUFFICIENT_BALANCE: Words("3", "INSUFFICIENT_BALANCE"),
    Refusal.ORDER_GROUP_TRIGGERED: Words("3", "EXCEEDED_ORDER_GROUP_RISK_LIMIT"),
    Refusal.INVALID_PRICE: Words("11", "INVALID_ORDER"),
    Refusal.INVALID_ORDER: Words("11", "INVALID_ORDER"),
    Refusal.INVALID_PARAMETERS: Words("11", "INVALID_ORDER"),
    Refusal.INVALID_ORDER_SIZE: Words("13", "INVALID_ORDER"),
    Refusal.ORDER_GROUP_NOT_FOUND: Words("11", "ORDER_GROUP_NOT_FOUND"),
    Refusal.MARKET_NOT_FOUND: Words("1", "MARKET_NOT_FOUND"),
    Refusal.MARKET_INACTIVE: Words("2", "MARKET_INACTIVE"),
    Refusal.EXCHANGE_PAUSED: Words("2", "EXCHANGE_PAUSED"),
    Refusal.TRADING_PAUSED: Words("2", "TRADING_PAUSED"),
    Refusal.ORDER_ALREADY_EXISTS: Words("6", "ORDER_ALREADY_EXISTS"),
    Refusal.NOT_FOUND: Words("15", "CUSTOMER_ACCOUNT_NOT_FOUND"),
}
OTHER_ACCOUNT: Final = Words("15", "PERMISSION_DENIED_FOR_CUSTOMER_ACCOUNT")
"""A key that is locked to one subaccount named another."""

QUOTES_BY_ACCEPTING: Final = Words("11", "a quote is accepted with AcceptQuote (UA) here")
"""The sandbox's own: the exchange also takes an order that names a quote (117)."""

UNAVAILABLE: Final = Words(_OTHER, "EXCHANGE_UNAVAILABLE")
"""Whether the order was taken is open."""

UNKNOWN_ORDER: Final = Words("1", "ORDER_NOT_FOUND")
TOO_LATE: Final = Words("0", "ORDER_ALREADY_ENDED")
FILLED_ALREADY: Final = Words("2", "CANNOT_UPDATE_FILLED_ORDER")

_CHANGING: Final = {
    Refusal.NOT_FOUND: UNKNOWN_ORDER,
    Refusal.INVALID_ORDER_SIZE: Words("2", "INVALID_AMEND_QTY_FOR_ORDER"),
    Refusal.INVALID_PRICE: Words(_OTHER, "INVALID_PRICE"),
    Refusal.MARKET_NOT_FOUND: Words(_OTHER, "MARKET_NOT_FOUND"),
    Refusal.ORDER_TICKER_MISMATCH: Words(_OTHER, "MARKET_NOT_FOUND"),
    Refusal.ORDER_ALREADY_EXISTS: Words("6", "ORDER_ALREADY_EXISTS"),
}
_SELF_CROSS: Final = Words("18", "SELF_CROSS_ATTEMPT")

_ENDS: Final = {
    OrderChange.IMMEDIATE_OR_CANCEL: "IMMEDIATE_OR_CANCELLED",
    OrderChange.FILL_OR_KILL: "FOK_INSUFFICIENT_VOLUME",
    OrderChange.POST_ONLY_CROSS_CANCEL: "POST_ONLY_CROSS",
    OrderChange.REDUCE_ONLY_CANCEL: "REDUCE_ONLY",
    OrderChange.GROUP_CANCEL: "ORDER_GROUP_CANCEL",
}


def placing_refused(exchange: Exchange, refused: e.Refused) -> Words:
    """OrdRejReason (103) and text of a refused new order."""
    if refused.reason is Refusal.MARKET_INACTIVE and is_closed(exchange, refused):
        return Words("2", "MARKET_ALREADY_CLOSED")
    return _PLACING.get(refused.reason) or Words(_OTHER, refused.reason.value.upper())


def changing_refused(refused: e.Refused, known: OrderStatus | None) -> Words:
    """CxlRejReason (102) and text of a refused cancel or replace.

    `known` is the state of the order; `None` when there is no such order.
    """
    reason = refused.reason
    if reason is Refusal.NOT_FOUND and known is OrderStatus.EXECUTED:
        return FILLED_ALREADY
    if reason is Refusal.NOT_FOUND and known is OrderStatus.CANCELED:
        return TOO_LATE
    if reason is Refusal.INVALID_ORDER and "self cross" in refused.detail:
        return _SELF_CROSS
    return _CHANGING.get(reason) or Words(_OTHER, reason.value.upper())


def end_text(updated: e.OrderUpdated) -> str:
    """The text of a report of an order that ended; empty where the exchange has none."""
    if updated.why is OrderChange.SELF_TRADE_CANCEL:
        if updated.at != updated.terms.at:
            return "MAKER_CANCEL_FOR_SELF_TRADE_PREVENTION"
        return "SELF_CROSS_ATTEMPT" + ("_PARTIALLY_FILLED" if updated.fill_units else "")
    return _ENDS.get(updated.why, "")
