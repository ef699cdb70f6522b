"""Orders by the first API: buy or sell, yes or no, in cents or in dollars.

It is translated into the same commands as the present one; only the words and
the answers differ.  The words that a member used are remembered, because its
order and fills are shown in them.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec

from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.order_entry import Cancellation, NewOrder
from trueup.core.orders import Action, SelfTradePrevention, Side, TimeInForce, quoted
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.net.acceptor import replies
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.forms import Forms, Words
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.order_entry import OrderEntry, last_update, own_subaccount
from trueup.net.acceptor.question import Answer, Question
from trueup.net.acceptor.refusals import Refuse
from trueup.net.acceptor.replies import Content, Reply
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.surface import OrderView
from trueup.wire.rest.bodies import read_body
from trueup.wire.rest.codecs import CENT_PRICE, CENTS, SECONDS, SMALL, WHOLE_COUNT
from trueup.wire.rest.shapes import Shape, Wire
from trueup.wire.spelling import Record, counted

_BATCH_MAX: Final = 20
_BEST_PRICE: Final = Price.of_cents(99)
"""What a market order is willing to pay."""

# Named ``int`` by the exchange's decoder (told by two integrators).
_Cents = Annotated[Price | None, Wire(codec=replace(CENT_PRICE, go_type="int"))]
_Whole = Annotated[Count | None, Wire(codec=replace(WHOLE_COUNT, go_type="int"))]


class _Priced(msgspec.Struct, frozen=True, kw_only=True):
    """An order's direction, price and size, in any of the ways to say them."""

    ticker: Ticker
    side: Side
    action: Action
    count: _Whole = None
    count_fp: Count | None = None
    yes_price: _Cents = None
    no_price: _Cents = None
    yes_price_dollars: Price | None = None
    no_price_dollars: Price | None = None


class _Create(_Priced, frozen=True, kw_only=True):
    client_order_id: ClientOrderId = c.NO_CLIENT_ID
    type: str = "limit"
    time_in_force: TimeInForce | None = None
    expires_at: Annotated[Instant | None, Wire("expiration_ts", SECONDS)] = None
    cost_max: Annotated[Money | None, Wire("buy_max_cost", CENTS)] = None
    post_only: bool = False
    reduce_only: bool = False
    sell_position_floor: Annotated[int | None, Wire(codec=SMALL)] = None
    self_trade_prevention: Annotated[
        SelfTradePrevention | None, Wire("self_trade_prevention_type")
    ] = None
    group_id: Annotated[OrderGroupId | None, Wire("order_group_id")] = None
    cancel_on_pause: Annotated[bool, Wire("cancel_order_on_pause")] = False
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class _Amend(_Priced, frozen=True, kw_only=True):
    client_order_id: ClientOrderId | None = None
    updated_client_order_id: ClientOrderId | None = None
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class _Decrease(msgspec.Struct, frozen=True, kw_only=True):
    reduce_by: _Whole = None
    reduce_to: _Whole = None
    reduce_by_fp: Count | None = None
    reduce_to_fp: Count | None = None
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class _Canceled(msgspec.Struct, frozen=True, kw_only=True):
    order_id: OrderId
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


_CREATE: Final = Shape(_Create, "CreateOrderRequest")
_AMEND: Final = Shape(_Amend, "AmendOrderRequest")
_DECREASE: Final = Shape(_Decrease, "DecreaseOrderRequest")
_CANCEL: Final = Shape(_Canceled, "BatchCancelOrdersRequestOrder")


class _CreateMany(msgspec.Struct, frozen=True, kw_only=True):
    orders: Annotated[tuple[_Create, ...], Wire(shape=_CREATE, required=True)]


class _CancelMany(msgspec.Struct, frozen=True, kw_only=True):
    ids: tuple[OrderId, ...] = ()
    orders: Annotated[tuple[_Canceled, ...], Wire(shape=_CANCEL)] = ()


_CREATE_MANY: Final = Shape(_CreateMany, "BatchCreateOrdersRequest")
_CANCEL_MANY: Final = Shape(_CancelMany, "BatchCancelOrdersRequest")


@dataclass(frozen=True, slots=True)
class _Meant:
    """What the words and prices of an order come to."""

    side: Side
    price: Price
    count: Count


class OldOrderEntry:
    """The first order API.

    `in_cents` is the form of 2025: whole numbers, and market orders still exist.
    """

    def __init__(
        self,
        floor: Floor,
        entry: OrderEntry,
        refuse: Refuse,
        *,
        forms: Forms,
        words: MutableMapping[OrderId, Words],
        in_cents: bool,
    ) -> None:
        self._floor = floor
        self._entry = entry
        self._refuse = refuse
        self._forms = forms
        self._words = words
        self._in_cents = in_cents

    def table(self) -> dict[str, Answer]:
        """The answers by operation id."""
        return {
            "CreateOrder": self._create,
            "CancelOrder": self._cancel,
            "AmendOrder": self._amend,
            "DecreaseOrder": self._decrease,
            "BatchCreateOrders": self._create_many,
            "BatchCancelOrders": self._cancel_many,
        }

    # -- placing ---------------------------------------------------------------------------

    def _create(self, question: Question) -> Content | Reply:
        placed = self._place(question.caller, read_body(_CREATE, question.body), at=question.at)
        if isinstance(placed, Reply):
            return placed
        return Content({"order": self._shown(placed)}, status=201)

    def _create_many(self, question: Question) -> Content | Reply:
        asked = read_body(_CREATE_MANY, question.body).orders
        if not 0 < len(asked) <= _BATCH_MAX:
            return replies.INVALID_PARAMETERS
        rows: list[Record] = []
        for one in asked:
            placed = self._place(question.caller, one, at=question.at)
            row: Record = {"client_order_id": one.client_order_id}
            if isinstance(placed, Reply):
                rows.append(row | {"order": None, "error": _error(placed)})
            else:
                rows.append(row | {"order": self._shown(placed), "error": None})
        return Content({"orders": rows}, status=201)

    def _place(self, caller: Caller, asked: _Create, *, at: Instant) -> e.OrderUpdated | Reply:
        meant = _meant(asked, at_market=self._in_cents and asked.type == "market")
        if isinstance(meant, Reply):
            return meant
        if asked.sell_position_floor not in {None, 0}:
            return replies.INVALID_PARAMETERS
        if asked.sell_position_floor == 0 and not self._covers(caller, asked, meant):
            return replies.refusal(400, "exceeded_sell_position_floor")
        time_in_force = asked.time_in_force or TimeInForce.GOOD_TILL_CANCELED
        if asked.type == "market":
            time_in_force = TimeInForce.IMMEDIATE_OR_CANCEL
        if asked.cost_max is not None:
            time_in_force = TimeInForce.FILL_OR_KILL
        order = NewOrder(
            ticker=asked.ticker,
            side=meant.side,
            count=meant.count,
            price=meant.price,
            client_order_id=asked.client_order_id,
            time_in_force=time_in_force,
            self_trade_prevention=asked.self_trade_prevention or SelfTradePrevention.TAKER_AT_CROSS,
            expires_at=asked.expires_at,
            post_only=asked.post_only,
            reduce_only=asked.reduce_only,
            cancel_on_pause=asked.cancel_on_pause,
            group_id=asked.group_id,
            subaccount=asked.subaccount,
        )
        entered = self._entry.enter(caller, order, at=at, cost_max=asked.cost_max)
        if isinstance(entered, Reply):
            return entered
        updated = last_update(entered.events, entered.order_id)
        if isinstance(updated, e.Refused):
            return self._refuse(updated)
        self._words[entered.order_id] = Words(
            asked.side.value,
            asked.action.value,
            names_prevention=asked.self_trade_prevention is not None,
        )
        return updated

    def _covers(self, caller: Caller, asked: _Create, meant: _Meant) -> bool:
        """Whether a sale leaves the position on its side of zero."""
        subaccount = own_subaccount(caller, asked.subaccount)
        account = self._floor.exchange.books.accounts.get(caller.member)
        if account is None or isinstance(subaccount, Reply):
            return False
        net = account.position_at(self._floor.exchange.now, subaccount, asked.ticker).net
        held = net if asked.side is Side.YES else -net
        return asked.action is Action.BUY or held >= meant.count

    # -- changing --------------------------------------------------------------------------

    def _amend(self, question: Question) -> Content | Reply:
        order_id = OrderId(question.path["order_id"])
        asked = read_body(_AMEND, question.body)
        before = self._view(question, order_id)
        meant, subaccount = _meant(asked), own_subaccount(question.caller, asked.subaccount)
        if isinstance(before, Reply):
            return before
        if isinstance(meant, Reply):
            return meant
        if isinstance(subaccount, Reply):
            return subaccount
        updated = self._changed(
            c.AmendOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=order_id,
                ticker=asked.ticker,
                side=meant.side,
                price=meant.price,
                count=meant.count,
                client_order_id=asked.client_order_id,
                new_client_order_id=asked.updated_client_order_id,
                subaccount=subaccount,
            ),
            order_id,
        )
        if isinstance(updated, Reply):
            return updated
        return Content({"old_order": self._record(before), "order": self._shown(updated)})

    def _decrease(self, question: Question) -> Content | Reply:
        order_id = OrderId(question.path["order_id"])
        asked = read_body(_DECREASE, question.body)
        by = asked.reduce_by_fp if asked.reduce_by is None else asked.reduce_by
        to = asked.reduce_to_fp if asked.reduce_to is None else asked.reduce_to
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        if (by is None) == (to is None):
            return replies.INVALID_PARAMETERS
        updated = self._changed(
            c.DecreaseOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=order_id,
                by=by,
                to=to,
                subaccount=subaccount,
            ),
            order_id,
        )
        return updated if isinstance(updated, Reply) else Content({"order": self._shown(updated)})

    # -- cancelling ------------------------------------------------------------------------

    def _cancel(self, question: Question) -> Content | Reply:
        order_id = OrderId(question.path["order_id"])
        asked = Cancellation(order_id=order_id, subaccount=question.query.subaccount)
        updated = self._take_back(question, asked)
        if isinstance(updated, Reply):
            return updated
        return Content({"order": self._shown(updated)} | self._reduced(updated.reduced_by))

    def _cancel_many(self, question: Question) -> Content | Reply:
        asked = read_body(_CANCEL_MANY, question.body)
        wanted = [*asked.orders, *(_Canceled(order_id=one) for one in asked.ids)]
        if not 0 < len(wanted) <= _BATCH_MAX:
            return replies.INVALID_PARAMETERS
        rows: list[Record] = []
        for one in wanted:
            cancellation = Cancellation(order_id=one.order_id, subaccount=one.subaccount)
            updated = self._take_back(question, cancellation)
            row: Record = {"order_id": one.order_id}
            if isinstance(updated, Reply):
                row |= {"order": None, "error": _error(updated)} | self._reduced(ZERO_COUNT)
            else:
                row |= {"order": self._shown(updated), "error": None}
                row |= self._reduced(updated.reduced_by)
            rows.append(row)
        return Content({"orders": rows})

    def _take_back(self, question: Question, asked: Cancellation) -> e.OrderUpdated | Reply:
        subaccount = own_subaccount(question.caller, asked.subaccount)
        if isinstance(subaccount, Reply):
            return subaccount
        return self._changed(
            c.CancelOrder(
                at=self._floor.time_for(question.at),
                member=question.caller.member,
                order_id=asked.order_id,
                subaccount=subaccount,
            ),
            asked.order_id,
        )

    def _changed(self, command: c.OrderCommand, order_id: OrderId) -> e.OrderUpdated | Reply:
        updated = last_update(self._floor.step(command), order_id)
        return self._refuse(updated) if isinstance(updated, e.Refused) else updated

    # -- showing ---------------------------------------------------------------------------

    def _view(self, question: Question, order_id: OrderId) -> OrderView | Reply:
        account = self._floor.exchange.books.accounts.get(question.caller.member)
        order = None if account is None else account.orders.get(order_id)
        if order is None:
            return replies.NOT_FOUND
        state = order.state()
        return OrderView(order=state.order, terms=state.terms)

    def _shown(self, updated: e.OrderUpdated) -> Record:
        return self._record(OrderView(order=updated.order, terms=updated.terms))

    def _record(self, view: OrderView) -> Record:
        words = self._words.get(view.terms.order_id) or Words(view.terms.side.value, "buy")
        return self._forms.order(view, view.terms.member, words)

    def _reduced(self, count: Count) -> Record:
        if self._in_cents:
            return {"reduced_by": count.units // 100}
        return {"reduced_by_fp": counted(count)}


def _meant(asked: _Priced, *, at_market: bool = False) -> _Meant | Reply:
    """One size and one price, however they were given; or what is said to another number of them."""
    counts = {one for one in (asked.count, asked.count_fp) if one is not None}
    if len(counts) != 1:
        return replies.INVALID_PARAMETERS
    yes = [one for one in (asked.yes_price, asked.yes_price_dollars) if one is not None]
    no = [one for one in (asked.no_price, asked.no_price_dollars) if one is not None]
    if at_market and not yes and not no:
        own = _BEST_PRICE if asked.action is Action.BUY else _BEST_PRICE.complement()
        yes = [own if asked.side is Side.YES else own.complement()]
    if len(yes) + len(no) != 1:
        # Without a price the exchange said "invalid order" (told in January 2026).
        return replies.INVALID_ORDER if not yes and not no else replies.INVALID_PARAMETERS
    (count,) = counts
    price = yes[0] if yes else no[0].complement()
    side, _ = quoted(asked.action, asked.side, price)
    return _Meant(side, price, count)


def _error(reply: Reply) -> Record:
    body = replies.error_in(reply)
    record: Record = {"code": body.code, "message": body.message}
    return record | {"details": body.details} if body.details else record
