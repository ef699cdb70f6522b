"""Orders over REST: requests become commands of the machine, its events become answers.

The shapes are those of the exchange's second order API.  An order is looked for
where the request says: without a shard and without a ticker to find it by on
shard 0, without a subaccount in the primary one; elsewhere it is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    Decrease,
    ItemRefused,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderDecreased,
    OrderPlaced,
)
from trueup.core.orders import OrderStatus
from trueup.core.units import ZERO_COUNT, Count, Money, Ratio
from trueup.net.acceptor import replies
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.refusals import Refuse
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.wire.rest import order_shapes as shapes
from trueup.wire.rest.bodies import read_body
from trueup.wire.spelling import Record

AUTO: Final = Shard(-1)
"""Finds the shard by the ticker, and insists on it."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an order is looked for; `shard` is `None` for wherever its market is."""

    subaccount: Subaccount
    shard: Shard | None


class Entered(NamedTuple):
    """An order that was given to the exchange, and what happened then."""

    events: tuple[e.Event, ...]
    order_id: OrderId


class OrderEntry:
    """What members ask about their orders."""

    def __init__(
        self, floor: Floor, new_id: Callable[[], str], refuse: Refuse, *, names_canceled: bool
    ) -> None:
        self._floor = floor
        self._new_id = new_id
        self._refuse = refuse
        self._names_canceled = names_canceled

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "CreateOrderV2": self._create,
            "BatchCreateOrdersV2": self._create_batch,
            "AmendOrderV2": self._amend,
            "DecreaseOrderV2": self._decrease,
            "CancelOrderV2": self._cancel,
            "BatchCancelOrdersV2": self._cancel_batch,
            "CancelAllOrders": self._cancel_all,
        }

    # -- placing ---------------------------------------------------------------------------

    def _create(self, question: Question) -> Content | Reply:
        asked = read_body(shapes.NEW_ORDER, question.body)
        placed = self.place(question.caller, asked, at=question.at)
        if isinstance(placed, Reply):
            return placed
        if isinstance(placed, e.Refused):
            return self._refuse(placed)
        return Content(_named(shapes.PLACED.write(placed)), status=201)

    def place(
        self, caller: Caller, asked: NewOrder, *, at: Instant
    ) -> OrderPlaced | e.Refused | Reply:
        """Place one order."""
        entered = self.enter(caller, asked, at=at)
        return entered if isinstance(entered, Reply) else placed_from(*entered)

    def enter(
        self, caller: Caller, asked: NewOrder, *, at: Instant, cost_max: Money | None = None
    ) -> Entered | Reply:
        """Give an order to the exchange; its events tell what became of it."""
        subaccount = own_subaccount(caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        order_id, now = OrderId(self._new_id()), self._floor.time_for(at)
        events = self._floor.step(
            c.PlaceOrder(
                at=now,
                member=caller.member,
                subaccount=subaccount,
                order_id=order_id,
                client_order_id=asked.client_order_id,
                ticker=asked.ticker,
                side=asked.side,
                price=asked.price,
                count=asked.count,
                time_in_force=asked.time_in_force,
                self_trade_prevention=asked.self_trade_prevention,
                expires_at=asked.expires_at,
                post_only=asked.post_only,
                reduce_only=asked.reduce_only,
                cancel_on_pause=asked.cancel_on_pause,
                group_id=asked.group_id,
                cost_max=cost_max,
                shard=None if asked.shard in {None, AUTO} else asked.shard,
            )
        )
        return Entered(events, order_id)

    def _create_batch(self, question: Question) -> Content | Reply:
        asked = read_body(shapes.BATCH_CREATE, question.body).orders
        rows: list[Record] = []
        for one in asked:
            placed = self.place(question.caller, one, at=question.at)
            item = placed if isinstance(placed, OrderPlaced) else self._item(placed)
            if isinstance(item, ItemRefused):
                item = replace(item, client_order_id=one.client_order_id)
            rows.append(shapes.write_placed_item(item))
        return Content({"orders": rows}, status=201)

    # -- changing --------------------------------------------------------------------------

    def _amend(self, question: Question) -> Content | Reply:
        order_id = OrderId(question.path["order_id"])
        asked = read_body(
            shapes.AMENDMENT, question.body, also={"order_id": order_id} | _subaccount(question)
        )
        place = self._place(question, asked)
        if isinstance(place, Reply):
            return place
        events = self._floor.step(
            c.AmendOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=order_id,
                ticker=asked.ticker,
                side=asked.side,
                price=asked.price,
                count=asked.count,
                client_order_id=asked.client_order_id,
                new_client_order_id=asked.new_client_order_id,
                expires_at=asked.expires_at,
                subaccount=place.subaccount,
                shard=place.shard,
            )
        )
        updated = last_update(events, order_id)
        if isinstance(updated, e.Refused):
            return self._refuse(updated)
        amended = _amended_from(events, updated)
        return Content(_named(shapes.AMENDED.write(amended)))

    def _decrease(self, question: Question) -> Content | Reply:
        order_id = OrderId(question.path["order_id"])
        asked = read_body(
            shapes.DECREASE, question.body, also={"order_id": order_id} | _subaccount(question)
        )
        if (asked.by is None) == (asked.to is None):
            return replies.INVALID_PARAMETERS
        place = self._place(question, asked)
        if isinstance(place, Reply):
            return place
        events = self._floor.step(
            c.DecreaseOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=order_id,
                by=asked.by,
                to=asked.to,
                subaccount=place.subaccount,
                shard=place.shard,
            )
        )
        updated = last_update(events, order_id)
        if isinstance(updated, e.Refused):
            return self._refuse(updated)
        order = updated.order
        decreased = OrderDecreased(
            order_id=order_id,
            client_order_id=order.client_order_id,
            remaining_count=order.remaining_count,
            at=updated.at,
        )
        return Content(_named(shapes.DECREASED.write(decreased)))

    # -- cancelling ------------------------------------------------------------------------

    def _cancel(self, question: Question) -> Content | Reply:
        given = question.given
        asked = Cancellation(
            order_id=OrderId(question.path["order_id"]),
            ticker=Ticker(given["market_ticker"]) if given.get("market_ticker") else None,
            subaccount=question.query.subaccount,
            shard=question.query.shard,
        )
        canceled = self.cancel(question, asked)
        if isinstance(canceled, Reply):
            return canceled
        if isinstance(canceled, e.Refused):
            return self._refuse(canceled)
        record = _named(shapes.CANCELED.write(canceled))
        if not self._names_canceled:
            record.pop("client_order_id", None)
        return Content(record)

    def cancel(self, question: Question, asked: Cancellation) -> OrderCanceled | e.Refused | Reply:
        """Take one resting order back."""
        place = self._place(question, asked)
        if isinstance(place, Reply):
            return place
        events = self._floor.step(
            c.CancelOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=asked.order_id,
                subaccount=place.subaccount,
                shard=place.shard,
            )
        )
        updated = last_update(events, asked.order_id)
        if isinstance(updated, e.Refused):
            return updated
        return OrderCanceled(
            order_id=asked.order_id,
            client_order_id=updated.order.client_order_id,
            reduced_by=updated.reduced_by,
            at=updated.at,
        )

    def _cancel_batch(self, question: Question) -> Content | Reply:
        asked = read_body(shapes.BATCH_CANCEL, question.body).orders
        rows: list[Record] = []
        for one in asked:
            canceled = self.cancel(question, one)
            item = canceled if isinstance(canceled, OrderCanceled) else self._item(canceled)
            if isinstance(item, ItemRefused):
                item = replace(item, order_id=one.order_id)
            rows.append(shapes.write_canceled_item(item))
        return Content({"orders": rows})

    def _cancel_all(self, question: Question) -> Reply:
        caller, asked = question.caller, question.query.subaccount
        subaccount = caller.subaccount if asked is None else asked
        self._floor.step(
            c.CancelAllOrders(
                at=self._floor.time_for(question.at),
                member=caller.member,
                subaccount=subaccount,
            )
        )
        return replies.NO_CONTENT

    # -- where, and why not ----------------------------------------------------------------

    def _place(
        self, question: Question, asked: Amendment | Decrease | Cancellation
    ) -> _Place | Reply:
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        shard = asked.shard
        if shard is None or shard == AUTO:
            if asked.ticker is None:
                # An id alone does not tell the shard.
                return (
                    replies.INVALID_PARAMETERS if shard == AUTO else _Place(subaccount, SHARD_ZERO)
                )
            market = self._floor.exchange.books.listings.markets.get(asked.ticker)
            if market is None:
                return replies.NOT_FOUND
            shard = market.shard
        return _Place(subaccount, shard)

    def _item(self, refused: e.Refused | Reply) -> ItemRefused:
        reply = refused if isinstance(refused, Reply) else self._refuse(refused)
        error = replies.error_in(reply)
        return ItemRefused(
            order_id=OrderId(""),
            client_order_id=c.NO_CLIENT_ID,
            code=error.code,
            message=error.message,
            details=error.details,
        )


def own_subaccount(caller: Caller, asked: Subaccount | None) -> Subaccount | Reply:
    """The subaccount that a write is about: the primary one, or the one a key is locked to."""
    if caller.subaccount is not None:
        return caller.subaccount if asked in {None, caller.subaccount} else replies.OTHER_SUBACCOUNT
    return PRIMARY if asked is None else asked


def last_update(events: Iterable[e.Event], order_id: OrderId) -> e.OrderUpdated | e.Refused:
    """The last thing that happened to an order in a step, or why nothing did."""
    found: e.OrderUpdated | e.Refused | None = None
    for event in events:
        if isinstance(event, e.Refused):
            return event
        if isinstance(event, e.OrderUpdated) and event.terms.order_id == order_id:
            found = event
    if found is None:
        raise InvariantBroken(f"a step about {order_id} said nothing about it")
    return found


def placed_from(events: tuple[e.Event, ...], order_id: OrderId) -> OrderPlaced | e.Refused:
    """What became of a new order."""
    updated = last_update(events, order_id)
    if isinstance(updated, e.Refused):
        return updated
    order = updated.order
    price, fee = averages(events, order_id)
    resting = order.status is OrderStatus.RESTING
    return OrderPlaced(
        order_id=order_id,
        client_order_id=order.client_order_id,
        fill_count=order.fill_count,
        remaining_count=order.remaining_count if resting else ZERO_COUNT,
        average_fill_price=price,
        average_fee=fee,
        at=updated.at,
    )


def _amended_from(events: tuple[e.Event, ...], updated: e.OrderUpdated) -> OrderAmended:
    order = updated.order
    price, fee = averages(events, order.order_id)
    filled = filled_count(events, order.order_id)
    return OrderAmended(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        fill_count=filled,
        remaining_count=order.remaining_count,
        average_fill_price=price,
        average_fee=fee,
        at=updated.at,
    )


def filled_count(events: Iterable[e.Event], order_id: OrderId) -> Count:
    """How much of an order filled in a step."""
    return Count(sum(fill.count_units for fill in _fills(events, order_id)))


def averages(events: Iterable[e.Event], order_id: OrderId) -> tuple[Ratio | None, Ratio | None]:
    """Price and fee per contract of what filled in a step, in dollars; `None` for nothing."""
    fills = _fills(events, order_id)
    count = sum(fill.count_units for fill in fills)
    if not count:
        return None, None
    cost = sum(fill.price.units * fill.count_units for fill in fills)
    fee = sum(fill.fee_units for fill in fills)
    # Prices are in $0.0001, counts in 0.01, money in $0.000001: the product of both.
    return Ratio(cost, count * 10_000), Ratio(fee, count * 10_000)


def _fills(events: Iterable[e.Event], order_id: OrderId) -> list[e.FillMade]:
    return [
        event
        for event in events
        if isinstance(event, e.FillMade) and event.terms.order_id == order_id
    ]


def _subaccount(question: Question) -> dict[str, object]:
    asked = question.query.subaccount
    return {} if asked is None else {"subaccount": asked}


def _named(record: Record) -> Record:
    """Without the name that an order was not given."""
    if record.get("client_order_id") == "":
        del record["client_order_id"]
    return record
