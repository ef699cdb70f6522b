"""Orders over FIX: messages become commands of the machine.

What becomes of them is told by the execution reports of the step.  Only refusals, and the
pending reports that come before, are written here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Final, Protocol

from trueup.core.facts import OrderReported
from trueup.core.ids import PRIMARY, ClientOrderId, OrderGroupId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import EASTERN, Instant, from_datetime, to_datetime
from trueup.core.orders import OrderStatus, SelfTradePrevention, TimeInForce
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Ratio
from trueup.net.acceptor.fix_refusals import (
    OTHER_ACCOUNT,
    QUOTES_BY_ACCEPTING,
    UNAVAILABLE,
    UNKNOWN_ORDER,
    Words,
    changing_refused,
    placing_refused,
)
from trueup.net.acceptor.fix_reports import Asked
from trueup.net.acceptor.fix_terms import Subscriber
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.exchange import Exchange
from trueup.wire.fix import words as w
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.orders import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelReport,
    OrderMassCancelRequest,
)
from trueup.wire.fix.translate import write_report
from trueup.wire.fix.words import CancelRejectResponse, ExecType, OrderState

UNNUMBERED: Final = "-1;-1"
"""The execution id of reports that are no executions: pending ones and rejections."""

_NO_ORDER: Final = "NONE"
_POST_ONLY, _REDUCE_ONLY = "6", "E"
_END_OF_DAY: Final = time(23, 59, 59, 999_000)
_IOC: Final = TimeInForce.IMMEDIATE_OR_CANCEL
_TIMES: Final = {
    w.TimeInForce.IMMEDIATE_OR_CANCEL: _IOC,
    w.TimeInForce.FILL_OR_KILL: TimeInForce.FILL_OR_KILL,
}
_STATES: Final = {
    OrderStatus.EXECUTED: OrderState.FILLED,
    OrderStatus.CANCELED: OrderState.CANCELED,
}


class Desk(Protocol):
    """Where orders are carried out."""

    @property
    def exchange(self) -> Exchange:
        """The exchange that stands behind."""
        ...

    def step(self, command: c.Command, asked: Asked | None = None) -> tuple[e.Event, ...]:
        """Carry a command out; its reports have been sent when this returns."""
        ...

    def now(self) -> Instant:
        """The time of a command that is given now."""
        ...

    def owns(self, subscriber: Subscriber, order_id: OrderId) -> bool:
        """Whether an order was placed on that session."""
        ...

    def own(self, subscriber: Subscriber, order_id: OrderId) -> None:
        """Remember on which session an order was placed."""
        ...

    def named(self, subscriber: Subscriber, client_order_id: str) -> OrderId | None:
        """The order that ever had this ClOrdID."""
        ...


class FixOrderEntry:
    """Carries out what one subscriber asks about orders; `send` answers it."""

    def __init__(
        self,
        desk: Desk,
        subscriber: Subscriber,
        send: Callable[[Message], None],
        *,
        new_id: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._subscriber = subscriber
        self._send = send
        self._new_id = new_id

    # -- placing ---------------------------------------------------------------------------

    def place(self, asked: NewOrderSingle) -> None:
        """NewOrderSingle (D)."""
        subscriber, order_id, now = self._subscriber, OrderId(self._new_id()), self._desk.now()
        if asked.quote_id is not None:
            self._send(_rejected(asked, order_id, QUOTES_BY_ACCEPTING, now))
            return
        subaccount = self._subaccount(asked.subaccount)
        if subaccount is None:
            self._send(_rejected(asked, order_id, OTHER_ACCOUNT, now))
            return
        command = _new_order(
            asked, order_id, member=subscriber.member, subaccount=subaccount, now=now
        )
        if not subscriber.logon.skip_pending_reports:
            self._send(_pending_new(command))
        self._desk.own(subscriber, order_id)
        events = self._desk.step(command)
        refused = refusal_in(events)
        if refused is not None:
            words = placing_refused(self._desk.exchange, refused)
            self._send(_rejected(asked, order_id, words, now))

    def say_unavailable(self, asked: NewOrderSingle) -> None:
        """Reject an order with words that leave open whether it was taken."""
        order_id = OrderId(self._new_id())
        self._send(_rejected(asked, order_id, UNAVAILABLE, self._desk.now()))

    # -- changing --------------------------------------------------------------------------

    def replace(self, asked: OrderCancelReplaceRequest) -> None:
        """OrderCancelReplaceRequest (G)."""
        order, subaccount = self._find(asked), self._subaccount(asked.subaccount)
        if order is None or subaccount is None:
            self._refuse(asked, order, UNKNOWN_ORDER if subaccount is not None else OTHER_ACCOUNT)
            return
        now = self._desk.now()
        command = c.AmendOrder(
            at=now,
            member=self._subscriber.member,
            order_id=order.order_id,
            ticker=Ticker(asked.symbol),
            side=asked.side,
            price=asked.price or order.price,
            count=asked.quantity,
            new_client_order_id=ClientOrderId(asked.client_order_id),
            expires_at=_new_expiry(asked, now),
            subaccount=subaccount,
            shard=_shard(asked.shard),
        )
        self._change(asked, order, command, ExecType.PENDING_REPLACE)

    def cancel(self, asked: OrderCancelRequest) -> None:
        """OrderCancelRequest (F)."""
        order, subaccount = self._find(asked), self._subaccount(asked.subaccount)
        if order is None or subaccount is None or order.ticker != asked.symbol:
            self._refuse(asked, order, UNKNOWN_ORDER if subaccount is not None else OTHER_ACCOUNT)
            return
        command = c.CancelOrder(
            at=self._desk.now(),
            member=self._subscriber.member,
            order_id=order.order_id,
            subaccount=subaccount,
            shard=_shard(asked.shard),
        )
        self._change(asked, order, command, ExecType.PENDING_CANCEL)

    def _change(
        self,
        asked: OrderCancelReplaceRequest | OrderCancelRequest,
        order: OrderReported,
        command: c.AmendOrder | c.CancelOrder,
        pending: ExecType,
    ) -> None:
        if order.status is OrderStatus.RESTING and not self._subscriber.logon.skip_pending_reports:
            report = write_report(
                order,
                pending,
                execution_id=UNNUMBERED,
                client_order_id=asked.client_order_id,
                original_client_order_id=asked.original_client_order_id,
            )
            self._send(report)
        names = Asked(order.order_id, asked.client_order_id, asked.original_client_order_id)
        refused = refusal_in(self._desk.step(command, names))
        if refused is not None:
            self._refuse(asked, order, changing_refused(refused, order.status))

    def _find(self, asked: OrderCancelReplaceRequest | OrderCancelRequest) -> OrderReported | None:
        """The order that is meant: by the exchange's id if that is given, else by ours."""
        member = self._subscriber.member
        account = self._desk.exchange.books.accounts.get(member)
        named = self._desk.named(self._subscriber, asked.original_client_order_id)
        order_id = named if asked.order_id is None else OrderId(asked.order_id)
        if account is None or order_id is None or order_id not in account.orders:
            return None
        order = account.order(order_id)
        return order if self._subscriber.sees(member, order.subaccount) else None

    def _refuse(
        self,
        asked: OrderCancelReplaceRequest | OrderCancelRequest,
        order: OrderReported | None,
        words: Words,
    ) -> None:
        is_cancel = isinstance(asked, OrderCancelRequest)
        self._send(
            OrderCancelReject(
                order_id=_NO_ORDER if order is None else order.order_id,
                client_order_id=asked.client_order_id,
                original_client_order_id=asked.original_client_order_id,
                order_status=OrderState.REJECTED if order is None else _state(order),
                response_to=CancelRejectResponse.CANCEL
                if is_cancel
                else CancelRejectResponse.REPLACE,
                reason=words.code,
                text=words.text,
                subaccount=asked.subaccount,
            )
        )

    # -- all at once -----------------------------------------------------------------------

    def mass_cancel(self, asked: OrderMassCancelRequest) -> None:
        """OrderMassCancelRequest (q): the report first, then one for each order."""
        self._send(
            OrderMassCancelReport(
                client_order_id=asked.client_order_id,
                order_id=self._new_id(),
                response=w.MassCancelResponse.CANCELED,
            )
        )
        self.cancel_own()

    def cancel_own(self) -> None:
        """Take back every order of this session that can be taken back now."""
        member = self._subscriber.member
        account = self._desk.exchange.books.accounts.get(member)
        for order_id in () if account is None else tuple(account.resting):
            if self._desk.owns(self._subscriber, order_id):
                command = c.CancelOrder(at=self._desk.now(), member=member, order_id=order_id)
                self._desk.step(command)

    def _subaccount(self, asked: int | None) -> Subaccount | None:
        """The subaccount that is meant; `None` for one that the key is not for."""
        locked = self._subscriber.locked
        if asked is None:
            return PRIMARY if locked is None else locked
        return Subaccount(asked) if locked in {None, asked} else None


def _new_order(
    asked: NewOrderSingle,
    order_id: OrderId,
    *,
    member: c.Member,
    subaccount: Subaccount,
    now: Instant,
) -> c.PlaceOrder:
    instructions = (asked.instructions or "").split()
    expires_at = _expiry(asked.time_in_force, asked.expire_time, now)
    time_in_force = _TIMES.get(
        asked.time_in_force or w.TimeInForce.DAY, TimeInForce.GOOD_TILL_CANCELED
    )
    if expires_at is not None and expires_at <= now:
        time_in_force, expires_at = _IOC, None
    return c.PlaceOrder(
        at=now,
        member=member,
        subaccount=subaccount,
        order_id=order_id,
        client_order_id=ClientOrderId(asked.client_order_id),
        ticker=Ticker(asked.symbol),
        side=asked.side,
        price=asked.price,
        count=asked.quantity,
        time_in_force=time_in_force,
        self_trade_prevention=SelfTradePrevention.MAKER
        if asked.self_trade_prevention is w.SelfTradePrevention.MAKER
        else SelfTradePrevention.TAKER_AT_CROSS,
        expires_at=expires_at,
        post_only=_POST_ONLY in instructions,
        reduce_only=_REDUCE_ONLY in instructions,
        cancel_on_pause=bool(asked.cancel_on_pause),
        group_id=_group(asked.order_group_id or asked.secondary_client_order_id),
        cost_max=asked.execution_cost_max,
        canceled_when_impossible=True,
        shard=_shard(asked.shard),
    )


def _expiry(
    time_in_force: w.TimeInForce | None, expire_time: Instant | None, now: Instant
) -> Instant | None:
    """When an order ends by itself.  Without a time in force it is a day order, as in FIX."""
    if time_in_force is w.TimeInForce.GOOD_TILL_DATE:
        return expire_time
    if time_in_force in {None, w.TimeInForce.DAY}:
        return end_of_day(now)
    return None


def _new_expiry(asked: OrderCancelReplaceRequest, now: Instant) -> Instant | None:
    if asked.time_in_force is None and asked.expire_time is None:
        return c.KEEP_EXPIRY
    if asked.time_in_force is w.TimeInForce.GOOD_TILL_CANCELED:
        return c.NO_EXPIRY
    return asked.expire_time or _expiry(asked.time_in_force, None, now)


def end_of_day(now: Instant) -> Instant:
    """The last millisecond of an Eastern day."""
    day = to_datetime(now).astimezone(EASTERN).date()
    return from_datetime(datetime.combine(day, _END_OF_DAY, EASTERN))


def _group(asked: str | None) -> OrderGroupId | None:
    return None if asked is None else OrderGroupId(asked)


def _shard(asked: int | None) -> Shard | None:
    return None if asked is None or asked < 0 else Shard(asked)


def refusal_in(events: tuple[e.Event, ...]) -> e.Refused | None:
    """Why nothing was done in a step; `None` when something was."""
    return next((event for event in events if isinstance(event, e.Refused)), None)


def _state(order: OrderReported) -> OrderState:
    if order.status is OrderStatus.RESTING:
        return OrderState.PARTIALLY_FILLED if order.fill_count else OrderState.NEW
    return _STATES[order.status]


def _pending_new(command: c.PlaceOrder) -> ExecutionReport:
    order = OrderReported(
        order_id=command.order_id,
        client_order_id=command.client_order_id,
        ticker=command.ticker,
        side=command.side,
        status=OrderStatus.RESTING,
        price=command.price,
        initial_count=command.count,
        fill_count=ZERO_COUNT,
        remaining_count=command.count,
        taker_fees=ZERO_MONEY,
        maker_fees=ZERO_MONEY,
        taker_fill_cost=ZERO_MONEY,
        maker_fill_cost=ZERO_MONEY,
        created_at=command.at,
        updated_at=command.at,
        subaccount=command.subaccount,
        shard=command.shard or Shard(0),
    )
    return write_report(order, ExecType.PENDING_NEW, execution_id=UNNUMBERED)


def _rejected(
    asked: NewOrderSingle, order_id: OrderId, words: Words, now: Instant
) -> ExecutionReport:
    return ExecutionReport(
        order_id=order_id,
        client_order_id=asked.client_order_id,
        execution_id=UNNUMBERED,
        execution_type=ExecType.REJECTED,
        order_status=OrderState.REJECTED,
        side=asked.side,
        symbol=asked.symbol,
        leaves_quantity=ZERO_COUNT,
        cumulative_quantity=ZERO_COUNT,
        average_price=Ratio(0),
        order_quantity=asked.quantity,
        reject_reason=words.code,
        text=words.text,
        price=asked.price,
        transact_time=now,
        subaccount=asked.subaccount,
    )
