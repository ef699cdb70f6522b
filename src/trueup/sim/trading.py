"""Orders that arrive: checked, matched by price and time, then left to rest or cancelled.

An order that is refused changes nothing and uses up no ``client_order_id``.  One
that is accepted is told as placed first, then come its trades, then what
becomes of the rest.
"""

from __future__ import annotations

from typing import Final

from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus, TimeInForce
from trueup.sim import amending, grouping
from trueup.sim import commands as c
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.crossing import (
    can_fill,
    count_in_group,
    cross,
    end,
    lacks_money,
    note_expiry,
    rest,
)
from trueup.sim.events import Denial, OrderChange, Refusal
from trueup.sim.filling import meet_outside, take_outside
from trueup.sim.lifecycle import MarketState
from trueup.sim.order import Order

_GTC = TimeInForce.GOOD_TILL_CANCELED
_IOC = TimeInForce.IMMEDIATE_OR_CANCEL
_FOK = TimeInForce.FILL_OR_KILL
_ACTIVE = MarketStatus.ACTIVE
_PLACED = OrderChange.PLACED

OPEN_ORDERS_MAX: Final = 200_000
"""How many orders of one member may rest (the exchange's page *Create order*)."""


OtherCommand = (
    c.AmendOrder | c.DecreaseOrder | c.CancelAllOrders | c.Trade | c.TellOrder | c.GroupCommand
)
"""What concerns orders, but for the two that are asked most: `place` and `amending.cancel`."""


def carry_out(books: Books, command: OtherCommand) -> Denial | None:
    """Carry a command out; returns why not, where it cannot be."""
    account = books.accounts.get(command.member)
    if account is None:
        return Denial(Refusal.NOT_FOUND)
    denial: Denial | None = None
    match command:
        case c.AmendOrder():
            denial = amending.amend(books, account, command)
        case c.DecreaseOrder():
            denial = amending.decrease(books, account, command)
        case c.CancelAllOrders():
            amending.cancel_all(books, account, command)
        case c.Trade():
            denial = _trade(books, account, command)
        case c.TellOrder():
            denial = _tell_order(books, account, command)
        case _:
            denial = grouping.carry_out(books, account, command)
    return denial


# -- placing -------------------------------------------------------------------------------


def place(books: Books, command: c.PlaceOrder) -> Denial | None:
    """Take an order, unless something speaks against it."""
    account = books.accounts.get(command.member)
    state = books.listings.markets.get(command.ticker)
    if account is None or state is None:
        return Denial(Refusal.NOT_FOUND if account is None else Refusal.MARKET_NOT_FOUND)
    denial = _forbidden(books, account, command, state=state)
    if denial is None and not (
        command.time_in_force is _GTC
        and command.expires_at is None
        and not command.reduce_only
        and command.count.units > 0
        and command.price.units in state.prices
    ):
        denial = _ill_formed(command, state)
    if denial is not None:
        return denial
    holding = account.records.get((command.subaccount, command.ticker))
    if holding is None:
        holding = books.record(account, command.subaccount, state.market)
    order = Order(command, holding, history=account.history)
    maker = state.book.counterpart(order)
    passes = maker is None and command.time_in_force is _GTC and command.cost_max is None
    if passes and not holding.returns:
        needed, cash = holding.needed(order), holding.cash
        if needed and needed > cash.units - cash.held:
            return Denial(Refusal.INSUFFICIENT_BALANCE)
    else:
        denial = _impossible(books, account, command, state=state, order=order)
        if denial is not None:
            return denial
    _register(account, order, command)
    books.events.append(order.note(command.at, _PLACED))
    if passes:
        rest(books, state, order, at=command.at)
    else:
        _go_through(books, command, state=state, order=order)
    if command.expires_at is not None and order.level is not None:
        note_expiry(books, order, command.expires_at)
    return None


def _register(account: Account, order: Order, command: c.PlaceOrder) -> None:
    if command.client_order_id:
        account.client_order_ids.add(command.client_order_id)
    account.orders[command.order_id] = order
    if command.group_id is not None:
        account.groups[command.group_id].orders[command.order_id] = order
    account.changed_at = command.at


def _forbidden(
    books: Books, account: Account, command: c.PlaceOrder, *, state: MarketState
) -> Denial | None:
    """Whether nobody may trade here and now, or this member may not place this order."""
    if state.status is not _ACTIVE or books.paused or command.shard is not None:
        denial = _closed(books, command, state)
        if denial is not None:
            return denial
    if command.subaccount not in account.subaccounts:
        return Denial(Refusal.NOT_FOUND)
    if command.client_order_id in account.client_order_ids or command.order_id in account.orders:
        return Denial(Refusal.ORDER_ALREADY_EXISTS)
    if len(account.resting) >= OPEN_ORDERS_MAX and command.time_in_force is _GTC:
        return Denial(Refusal.INVALID_ORDER, "too many open orders")
    return None if command.group_id is None else _not_in_group(account, command, state)


def _closed(books: Books, command: c.PlaceOrder, state: MarketState) -> Denial | None:
    shard = state.market.shard
    if command.shard is not None and command.shard != shard:
        return Denial(Refusal.MARKET_NOT_FOUND)
    if shard in books.paused:
        return Denial(books.paused[shard])
    return Denial(Refusal.MARKET_INACTIVE) if state.status is not _ACTIVE else None


def _not_in_group(account: Account, command: c.PlaceOrder, state: MarketState) -> Denial | None:
    group = None if command.group_id is None else account.groups.get(command.group_id)
    place = (command.subaccount, state.market.shard)
    if group is None or (group.subaccount, group.shard) != place:
        return Denial(Refusal.ORDER_GROUP_NOT_FOUND)
    return Denial(Refusal.ORDER_GROUP_TRIGGERED) if group.is_triggered else None


def _ill_formed(command: c.PlaceOrder, state: MarketState) -> Denial | None:
    """Whether the order makes no sense, whoever sends it."""
    if command.count.units <= 0:
        return Denial(Refusal.INVALID_ORDER_SIZE)
    if command.price.units not in state.prices:
        return Denial(Refusal.INVALID_PRICE)
    if command.time_in_force is not _GTC:
        return _ill_timed(command)
    if command.reduce_only:
        return Denial(Refusal.INVALID_ORDER, "reduce only needs immediate or cancel")
    if command.expires_at is not None and command.expires_at <= command.at:
        return Denial(Refusal.INVALID_PARAMETERS, "expiration is in the past")
    return None


def _ill_timed(command: c.PlaceOrder) -> Denial | None:
    """Whether an order that does not rest asks for what only resting ones can have."""
    if command.reduce_only and command.time_in_force is not _IOC:
        return Denial(Refusal.INVALID_ORDER, "reduce only needs immediate or cancel")
    if command.post_only:
        return Denial(Refusal.INVALID_ORDER, "post only needs good till canceled")
    if command.expires_at is not None:
        return Denial(Refusal.INVALID_PARAMETERS, "expiration needs good till canceled")
    if command.cost_max is not None and command.time_in_force is _IOC:
        return Denial(Refusal.INVALID_PARAMETERS, "a maximum cost makes the order fill or kill")
    return None


def _impossible(
    books: Books, account: Account, command: c.PlaceOrder, *, state: MarketState, order: Order
) -> Denial | None:
    """Whether the money or the book does not allow the order."""
    if lacks_money(books, account, order, state=state, at=command.at):
        return Denial(Refusal.INSUFFICIENT_BALANCE)
    if command.canceled_when_impossible:
        return None
    if command.post_only and state.book.counterpart(order) is not None:
        return Denial(Refusal.INVALID_ORDER, "post only cross")
    if _must_fill(command) and not can_fill(state, order, command.cost_max):
        return Denial(Refusal.FILL_OR_KILL, "fill or kill insufficient resting volume")
    return None


def _must_fill(command: c.PlaceOrder) -> bool:
    return command.time_in_force is _FOK or command.cost_max is not None


def _go_through(books: Books, command: c.PlaceOrder, *, state: MarketState, order: Order) -> None:
    """Let an accepted order trade, and then rest or end."""
    if command.post_only and state.book.counterpart(order) is not None:
        why = OrderChange.POST_ONLY_CROSS_CANCEL
    elif _must_fill(command) and not can_fill(state, order, command.cost_max):
        why = OrderChange.FILL_OR_KILL
    else:
        wanted = order.remaining
        if command.reduce_only:
            wanted = min(wanted, max(0, -order.sign * order.holding.net))
        why = cross(books, state, order, wanted=wanted, at=command.at)
        if why is None and command.time_in_force is _IOC:
            reduced = command.reduce_only and order.fill_count == wanted
            why = OrderChange.REDUCE_ONLY_CANCEL if reduced else OrderChange.IMMEDIATE_OR_CANCEL
    if order.status is not OrderStatus.RESTING:
        return
    if why is not None:
        end(books, state, order, at=command.at, why=why)
    else:
        rest(books, state, order, at=command.at)


# -- what was told -------------------------------------------------------------------------


def _trade(books: Books, account: Account, command: c.Trade) -> Denial | None:
    order = account.orders.get(command.order_id)
    if order is None or order.status is not OrderStatus.RESTING:
        return Denial(Refusal.NOT_FOUND)
    if not 0 < command.count.units <= order.remaining:
        return Denial(Refusal.INVALID_ORDER_SIZE)
    state = books.listings.markets[order.terms.ticker]
    if state.status is not MarketStatus.ACTIVE:
        return Denial(Refusal.MARKET_INACTIVE)
    worse = (command.price.units - order.price) * order.sign > 0
    if worse or command.price.units not in state.prices:
        return Denial(Refusal.INVALID_PRICE)
    meet_outside(
        books,
        state,
        order,
        trade_id=command.trade_id,
        count=command.count,
        price=command.price,
        is_taker=command.is_taker,
        at=command.at,
    )
    if order.terms.group_id is not None:
        count_in_group(books, order, command.count.units, at=command.at)
    return None


def _tell_order(books: Books, account: Account, command: c.TellOrder) -> Denial | None:
    placed = command.order
    state = books.listings.markets.get(placed.ticker)
    if state is None:
        return Denial(Refusal.MARKET_NOT_FOUND)
    denial = _forbidden(books, account, placed, state=state)
    taken = sum(each.count.units for each in command.fills)
    if denial is None and not 0 <= taken <= placed.count.units:
        denial = Denial(Refusal.INVALID_ORDER_SIZE)
    if denial is not None:
        return denial
    holding = account.records.get((placed.subaccount, placed.ticker))
    if holding is None:
        holding = books.record(account, placed.subaccount, state.market)
    order = Order(placed, holding, history=account.history)
    _register(account, order, placed)
    books.events.append(order.note(command.at, _PLACED))
    for each in command.fills:
        take_outside(books, state, order, each, at=command.at)
    if order.remaining and command.rests:
        rest(books, state, order, at=command.at)
        if placed.expires_at is not None:
            note_expiry(books, order, placed.expires_at)
    elif order.remaining:
        end(books, state, order, at=command.at, why=OrderChange.IMMEDIATE_OR_CANCEL)
    return None
