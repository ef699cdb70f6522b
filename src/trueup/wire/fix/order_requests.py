"""Requests about orders as FIX messages, and what the reports of them answer.

The values are those of REST (`trueup.core.order_entry`), so whoever sends orders need not
know which road they take.  The sessions are those that `LogonOptions` opens by default:
prices in dollars, a New before the first Trade, no pending reports.
"""

from __future__ import annotations

from typing import Final

from trueup.core.errors import CallerError, ExchangeRefused
from trueup.core.ids import CLIENT_ORDER_ID_MAX, ClientOrderId, OrderId
from trueup.core.instant import Instant
from trueup.core.order_entry import (
    NO_EXPIRY,
    Amendment,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderPlaced,
)
from trueup.core.orders import SelfTradePrevention, TimeInForce
from trueup.core.units import ZERO_COUNT, Count
from trueup.wire.fix import words as w
from trueup.wire.fix.messages.orders import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderMassCancelReport,
)
from trueup.wire.fix.messages.session import BusinessMessageReject, Reject

POST_ONLY: Final = "6"
REDUCE_ONLY: Final = "E"
"""ExecInst (18)."""

UNAVAILABLE: Final = "EXCHANGE_UNAVAILABLE"
"""The text of a rejection after which nobody knows whether the order was taken."""

_TIMES: Final = {
    TimeInForce.GOOD_TILL_CANCELED: w.TimeInForce.GOOD_TILL_CANCELED,
    TimeInForce.IMMEDIATE_OR_CANCEL: w.TimeInForce.IMMEDIATE_OR_CANCEL,
    TimeInForce.FILL_OR_KILL: w.TimeInForce.FILL_OR_KILL,
}
_ENDED: Final = frozenset(
    {w.OrderState.FILLED, w.OrderState.CANCELED, w.OrderState.EXPIRED, w.OrderState.REJECTED}
)

Refusal = OrderCancelReject | Reject | BusinessMessageReject
"""The messages that say no, other than an execution report."""


def new_order_single(order: NewOrder) -> NewOrderSingle:
    """The message that places an order.  Raises `CallerError` for a name that FIX would cut."""
    if len(order.client_order_id) > CLIENT_ORDER_ID_MAX:
        raise CallerError(
            f"{order.client_order_id} has more than {CLIENT_ORDER_ID_MAX} characters",
            remedy="FIX cuts a longer ClOrdID: give the strategy a shorter name.",
        )
    instructions = [
        code
        for code, wanted in ((POST_ONLY, order.post_only), (REDUCE_ONLY, order.reduce_only))
        if wanted
    ]
    is_maker = order.self_trade_prevention is SelfTradePrevention.MAKER
    return NewOrderSingle(
        client_order_id=order.client_order_id,
        instructions=" ".join(instructions) or None,
        quantity=order.count,
        price=order.price,
        side=order.side,
        symbol=order.ticker,
        time_in_force=_TIMES[order.time_in_force]
        if order.expires_at is None
        else w.TimeInForce.GOOD_TILL_DATE,
        expire_time=order.expires_at,
        self_trade_prevention=w.SelfTradePrevention.MAKER if is_maker else None,
        secondary_client_order_id=order.group_id,
        cancel_on_pause=order.cancel_on_pause or None,
        subaccount=order.subaccount,
        shard=order.shard,
    )


def replace_request(
    amendment: Amendment, *, name: ClientOrderId, original: ClientOrderId
) -> OrderCancelReplaceRequest:
    """The message that changes an order, which is called `name` from then on."""
    time_in_force, expire_time = _new_life(amendment.expires_at)
    return OrderCancelReplaceRequest(
        client_order_id=name,
        order_id=amendment.order_id,
        original_client_order_id=original,
        quantity=amendment.count,
        price=amendment.price,
        side=amendment.side,
        symbol=amendment.ticker,
        subaccount=amendment.subaccount,
        time_in_force=time_in_force,
        expire_time=expire_time,
        shard=amendment.shard,
    )


def _new_life(expires_at: Instant | None) -> tuple[w.TimeInForce | None, Instant | None]:
    """Both left out keep what the order has."""
    if expires_at is None:
        return None, None
    if expires_at == NO_EXPIRY:
        return w.TimeInForce.GOOD_TILL_CANCELED, None
    return w.TimeInForce.GOOD_TILL_DATE, expires_at


def is_last_word(report: ExecutionReport) -> bool:
    """Whether nothing more can happen to the order."""
    return report.order_status in _ENDED


def placed(report: ExecutionReport, *, name: ClientOrderId, at: Instant) -> OrderPlaced:
    """What placing an order came to, by the report that answers it."""
    return OrderPlaced(
        order_id=OrderId(report.order_id),
        client_order_id=name,
        fill_count=report.cumulative_quantity,
        remaining_count=_resting(report),
        average_fill_price=report.average_price if report.cumulative_quantity else None,
        average_fee=None,
        at=report.transact_time or at,
    )


def amended(report: ExecutionReport, *, at: Instant) -> OrderAmended:
    """What changing an order came to.  One that is cut to what has filled is cancelled."""
    return OrderAmended(
        order_id=OrderId(report.order_id),
        client_order_id=ClientOrderId(report.client_order_id),
        fill_count=report.cumulative_quantity,
        remaining_count=_resting(report),
        average_fill_price=report.average_price if report.cumulative_quantity else None,
        average_fee=None,
        at=report.transact_time or at,
    )


def canceled(
    report: ExecutionReport, *, name: ClientOrderId, resting: Count, at: Instant
) -> OrderCanceled:
    """What cancelling an order came to, of which `resting` contracts were left before."""
    return OrderCanceled(
        order_id=OrderId(report.order_id),
        client_order_id=name,
        reduced_by=resting,
        at=report.transact_time or at,
    )


def _resting(report: ExecutionReport) -> Count:
    return ZERO_COUNT if is_last_word(report) else report.leaves_quantity


def rejection(report: ExecutionReport) -> ExchangeRefused:
    """The error of a rejected order; its code is that of REST."""
    return _refused(report.text, report.reject_reason)


def refusal(message: Refusal) -> ExchangeRefused:
    """The error of a request that was refused."""
    return _refused(message.text, message.reason)


def _refused(text: str | None, reason: str | None) -> ExchangeRefused:
    words = text or "refused without a reason"
    code = words.lower() if words.replace("_", "").isalpha() else ""
    return ExchangeRefused(
        f"the exchange refused by FIX: {words}" + (f" (reason {reason})" if reason else ""),
        status=0,
        code=code,
        details=words,
    )


def mass_cancel_refused(report: OrderMassCancelReport) -> ExchangeRefused:
    """The error of a mass cancel that was refused."""
    return _refused(report.text, report.reject_reason)
