"""Changing and taking back orders that rest.

Source of the queue rules: the exchange's page *Amend order* and the FIX page
*Order entry* (`docs/reference/sandbox-rules.md` lists them with what is inferred).
"""

from __future__ import annotations

from msgspec.structs import replace

from trueup.core.ids import Shard, Subaccount
from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus, SelfTradePrevention
from trueup.core.units import ZERO_COUNT
from trueup.sim import commands as c
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.crossing import (
    cross,
    end,
    lacks_money,
    lessen,
    lift,
    meets_itself,
    note_expiry,
    rest,
)
from trueup.sim.events import Denial, OrderChange, Refusal
from trueup.sim.filling import say_order
from trueup.sim.lifecycle import MarketState
from trueup.sim.order import Order

_ACTIVE = MarketStatus.ACTIVE
_CANCELED = OrderChange.CANCELED
_TAKES_CANCELLATIONS = frozenset({MarketStatus.ACTIVE, MarketStatus.INACTIVE})


def _find(account: Account, command: c.AmendOrder | c.DecreaseOrder) -> Order | None:
    """A resting order.  Unknown, ended and misplaced ones are all the same: not found."""
    order = account.resting.get(command.order_id)
    if order is None or not _is_at(order, command.subaccount, command.shard):
        return None
    return order


def _is_at(order: Order, subaccount: Subaccount | None, shard: Shard | None) -> bool:
    terms = order.terms
    return subaccount in {None, terms.subaccount} and shard in {None, order.holding.shard}


# -- cancelling ----------------------------------------------------------------------------


def cancel(books: Books, command: c.CancelOrder) -> Denial | None:
    """Take a resting order back."""
    account = books.accounts.get(command.member)
    if account is None:
        return Denial(Refusal.NOT_FOUND)
    order = account.resting.get(command.order_id)
    if order is None or (
        (command.subaccount is not None or command.shard is not None)
        and not _is_at(order, command.subaccount, command.shard)
    ):
        return Denial(Refusal.NOT_FOUND)
    state = books.listings.markets[order.terms.ticker]
    if state.status is not _ACTIVE or books.paused:
        denial = _frozen(books, state, needs_trading=False)
        if denial is not None:
            return denial
    end(books, state, order, at=command.at, why=_CANCELED)
    return None


def cancel_all(books: Books, account: Account, command: c.CancelAllOrders) -> None:
    """Take every resting order back that can be taken back now."""
    for order in tuple(account.resting.values()):
        if command.subaccount not in {None, order.terms.subaccount}:
            continue
        state = books.listings.markets[order.terms.ticker]
        if _frozen(books, state, needs_trading=False) is None:
            end(books, state, order, at=command.at, why=OrderChange.CANCELED)


def _frozen(books: Books, state: MarketState, *, needs_trading: bool) -> Denial | None:
    """Whether the orders of a market cannot be touched now.

    After the close nothing is possible; while only trading is paused, or the
    market deactivated, orders can be taken back but not otherwise changed.
    """
    paused = books.paused.get(state.market.shard)
    if paused is not None and (needs_trading or paused is Refusal.EXCHANGE_PAUSED):
        return Denial(paused)
    if state.status not in _TAKES_CANCELLATIONS:
        return Denial(Refusal.MARKET_INACTIVE)
    if needs_trading and state.status is not MarketStatus.ACTIVE:
        return Denial(Refusal.MARKET_INACTIVE)
    return None


# -- decreasing ----------------------------------------------------------------------------


def decrease(books: Books, account: Account, command: c.DecreaseOrder) -> Denial | None:
    """Take contracts off a resting order; its place in the queue stays."""
    order = _find(account, command)
    if order is None:
        return Denial(Refusal.NOT_FOUND)
    state = books.listings.markets[order.terms.ticker]
    denial = _frozen(books, state, needs_trading=False)
    if denial is not None:
        return denial
    if (command.by is None) == (command.to is None):
        return Denial(Refusal.INVALID_PARAMETERS, "exactly one of reduce_by and reduce_to")
    taken = order.remaining - command.to.units if command.to is not None else 0
    if command.by is not None:
        taken = command.by.units
    if taken <= 0 or (command.to is not None and command.to < ZERO_COUNT):
        return Denial(Refusal.INVALID_ORDER_SIZE)
    if taken >= order.remaining:
        end(books, state, order, at=command.at, why=OrderChange.DECREASE)
        return None
    lessen(books, state, order, taken, at=command.at)
    say_order(
        books,
        order,
        at=command.at,
        why=OrderChange.DECREASE,
        reduced=taken,
    )
    return None


# -- amending ------------------------------------------------------------------------------


def amend(books: Books, account: Account, command: c.AmendOrder) -> Denial | None:
    """Change price, count, expiry or client id of a resting order."""
    order = _find(account, command)
    if order is None:
        return Denial(Refusal.NOT_FOUND)
    state = books.listings.markets[order.terms.ticker]
    denial = (
        _frozen(books, state, needs_trading=True)
        or _mismatched(account, command, order)
        or _unfit(command, order, state)
    )
    if denial is not None:
        return denial
    left = command.count.units - order.fill_count
    if not left:
        end(books, state, order, at=command.at, why=OrderChange.AMEND)
        return None
    if command.price.units == order.price and left <= order.remaining:
        _stay(books, account, order, state=state, command=command)
        return None
    return _requeue(books, account, order, state=state, command=command)


def _mismatched(account: Account, command: c.AmendOrder, order: Order) -> Denial | None:
    terms = order.terms
    if command.ticker != terms.ticker:
        return Denial(Refusal.ORDER_TICKER_MISMATCH)
    if command.side is not terms.side:
        return Denial(Refusal.ORDER_SIDE_MISMATCH)
    if command.client_order_id not in {None, terms.client_order_id}:
        return Denial(Refusal.ORDER_CLIENT_ID_MISMATCH)
    if command.new_client_order_id in account.client_order_ids:
        return Denial(Refusal.ORDER_ALREADY_EXISTS)
    return None


def _unfit(command: c.AmendOrder, order: Order, state: MarketState) -> Denial | None:
    if command.count.units < order.fill_count or command.count <= ZERO_COUNT:
        return Denial(Refusal.INVALID_ORDER_SIZE, "the count includes what has filled")
    if command.price.units != order.price and command.price.units not in state.prices:
        return Denial(Refusal.INVALID_PRICE)
    if command.expires_at and command.expires_at <= command.at:
        return Denial(Refusal.INVALID_PARAMETERS, "expiration is in the past")
    return None


def _stay(
    books: Books, account: Account, order: Order, *, state: MarketState, command: c.AmendOrder
) -> None:
    """Amend without losing the place in the queue."""
    taken = order.remaining - (command.count.units - order.fill_count)
    _take_terms(books, account, order, command=command)
    if taken:
        lessen(books, state, order, taken, at=command.at)
    say_order(books, order, at=command.at, why=OrderChange.AMEND, reduced=taken)


def _requeue(
    books: Books, account: Account, order: Order, *, state: MarketState, command: c.AmendOrder
) -> Denial | None:
    """Amend as if the order were new: it may trade, and it stands at the end of its queue."""
    left = command.count.units - order.fill_count
    before = order.terms
    wanted = replace(before, price=command.price)
    holding = order.holding
    # Try the new order against book and cash; put the old one back if it does not fit.
    trial = Order(wanted, holding, history=False)
    trial.remaining = left
    denial = _crosses_badly(state, trial)
    if denial is None:
        holding.unrest(before.order_id, order)
        if lacks_money(books, account, trial, state=state, at=command.at):
            denial = Denial(Refusal.INSUFFICIENT_BALANCE)
        holding.rest(before.order_id, order)
    if denial is not None:
        return denial
    lift(books, state, order, at=command.at)
    order.remaining = left
    _take_terms(books, account, order, command=command)
    say_order(books, order, at=command.at, why=OrderChange.AMEND)
    why = cross(books, state, order, wanted=left, at=command.at)
    if order.status is not OrderStatus.RESTING:
        return None
    if why is not None:
        end(books, state, order, at=command.at, why=why)
    else:
        rest(books, state, order, at=command.at)
    return None


def _crosses_badly(state: MarketState, trial: Order) -> Denial | None:
    terms = trial.terms
    if terms.post_only and state.book.counterpart(trial) is not None:
        return Denial(Refusal.INVALID_ORDER, "post only cross")
    takes = terms.self_trade_prevention is SelfTradePrevention.TAKER_AT_CROSS
    if takes and meets_itself(state, trial):
        return Denial(Refusal.INVALID_ORDER, "self cross attempt")
    return None


def _take_terms(books: Books, account: Account, order: Order, *, command: c.AmendOrder) -> None:
    before = order.terms
    expires_at = before.expires_at if command.expires_at is None else command.expires_at or None
    client_order_id = before.client_order_id
    if command.new_client_order_id is not None:
        client_order_id = command.new_client_order_id
        account.client_order_ids.add(client_order_id)
    order.reprice(
        replace(before, price=command.price, client_order_id=client_order_id, expires_at=expires_at)
    )
    if expires_at is not None and expires_at != before.expires_at:
        note_expiry(books, order, expires_at)
