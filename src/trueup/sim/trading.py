"""Orders and what they trade: placing, cancelling, filling, charging.

A fill comes from outside for now (`Trade`).  A matching engine will call
`fill` for both of its sides; nothing else of this file depends on who decided
that an order trades.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from trueup.core.collateral import resting_collateral
from trueup.core.errors import InvariantBroken
from trueup.core.facts import Filled, OrderReported
from trueup.core.fees import FillForFee, OrderFees
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import OrderStatus, Side
from trueup.core.position import Change, trade
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Money
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.account import Account, Holding
from trueup.sim.books import Books
from trueup.sim.history import History
from trueup.sim.lifecycle import MarketState


def carry_out(books: Books, command: c.OrderCommand, events: list[e.Event]) -> e.Refusal | None:
    """Carry a command out; returns why not, where it cannot be."""
    account = books.accounts.get(command.member)
    if account is None:
        return e.Refusal.NOT_FOUND
    match command:
        case c.PlaceOrder():
            return _place(books, account, command, events=events)
        case c.CancelOrder():
            return _cancel(account, command, events)
        case c.Trade():
            return _trade(books, account, command, events=events)
        case _:
            assert_never(command)


def cancel_all(
    books: Books, ticker: Ticker, at: Instant, *, why: e.OrderChange, events: list[e.Event]
) -> None:
    """Cancel every resting order of a market."""
    for account in books.accounts.values():
        for order_id in tuple(account.resting.get(ticker, {})):
            _end(account, account.order(order_id), at, why=why, events=events)


# -- placing and cancelling --------------------------------------------------------------------


def _place(
    books: Books, account: Account, command: c.PlaceOrder, *, events: list[e.Event]
) -> e.Refusal | None:
    state = books.listings.markets.get(command.ticker)
    if state is None:
        return e.Refusal.MARKET_NOT_FOUND
    order = _new_order(command, state)
    refusal = _placing_refused(account, command, state)
    if refusal is None and _shortfall(account, order, command.at) > ZERO_MONEY:
        refusal = e.Refusal.INSUFFICIENT_BALANCE
    if refusal is not None:
        return refusal
    account.client_order_ids.add(command.client_order_id)
    account.fees_of[command.order_id] = OrderFees(account.precision)
    _report(account, order, command.at, why=e.OrderChange.PLACED, events=events)
    return None


def _placing_refused(
    account: Account, command: c.PlaceOrder, state: MarketState
) -> e.Refusal | None:
    if command.subaccount not in account.subaccounts:
        return e.Refusal.NOT_FOUND
    if command.client_order_id in account.client_order_ids or command.order_id in account.orders:
        return e.Refusal.ORDER_ALREADY_EXISTS
    if state.stage().status is not MarketStatus.ACTIVE:
        return e.Refusal.MARKET_INACTIVE
    if command.count <= ZERO_COUNT:
        return e.Refusal.INVALID_ORDER_SIZE
    if not state.grid.allows(command.price):
        return e.Refusal.INVALID_PRICE
    return None


def _new_order(command: c.PlaceOrder, state: MarketState) -> OrderReported:
    return OrderReported(
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
        shard=state.shard,
    )


def _shortfall(account: Account, order: OrderReported, at: Instant) -> Money:
    """How much cash is missing to let an order rest beside the others; ≤ 0 when none.

    The cash must lie in the order's own subaccount, on its market's shard.
    """
    available = account.available_at(at, subaccount=order.subaccount, shard=order.shard)
    position = account.position_at(at, order.subaccount, order.ticker)
    beside = account.resting_now(order.subaccount, order.ticker)
    needed = resting_collateral(position, [*beside, order]) - resting_collateral(position, beside)
    return needed - available


def _cancel(account: Account, command: c.CancelOrder, events: list[e.Event]) -> e.Refusal | None:
    history = account.orders.get(command.order_id)
    order = history.latest() if history else None
    if order is None or order.status is not OrderStatus.RESTING:
        return e.Refusal.NOT_FOUND
    _end(account, order, command.at, why=e.OrderChange.CANCELED, events=events)
    return None


def _end(
    account: Account,
    order: OrderReported,
    at: Instant,
    *,
    why: e.OrderChange,
    events: list[e.Event],
) -> None:
    ended = replace(order, status=OrderStatus.CANCELED, remaining_count=ZERO_COUNT, updated_at=at)
    _report(account, ended, at, why=why, events=events)


def _report(
    account: Account,
    order: OrderReported,
    at: Instant,
    *,
    why: e.OrderChange,
    events: list[e.Event],
) -> None:
    account.record_order(at, order)
    events.append(e.OrderUpdated(at=at, member=account.member, order=order, why=why))


# -- trading -----------------------------------------------------------------------------------


def _trade(
    books: Books, account: Account, command: c.Trade, *, events: list[e.Event]
) -> e.Refusal | None:
    history = account.orders.get(command.order_id)
    order = history.latest() if history else None
    if order is None or order.status is not OrderStatus.RESTING:
        return e.Refusal.NOT_FOUND
    if not ZERO_COUNT < command.count <= order.remaining_count:
        return e.Refusal.INVALID_ORDER_SIZE
    state = books.listings.markets[order.ticker]
    if state.stage().status is not MarketStatus.ACTIVE:
        return e.Refusal.MARKET_INACTIVE
    if not state.grid.allows(command.price) or _is_worse(command, order):
        return e.Refusal.INVALID_PRICE
    fill(books, account, command, order=order, events=events)
    return None


def _is_worse(command: c.Trade, order: OrderReported) -> bool:
    """Whether a trade is worse for the order than its own price."""
    if order.side is Side.YES:
        return command.price > order.price
    return command.price < order.price


def fill(
    books: Books,
    account: Account,
    command: c.Trade,
    *,
    order: OrderReported,
    events: list[e.Event],
) -> None:
    """Let an order trade: position, fee, cash and order change together."""
    state = books.listings.markets[order.ticker]
    key = (order.subaccount, order.ticker)
    held = account.holdings.setdefault(key, History())
    before = held.latest() or _no_holding(order, state)
    state.holders[account.member, order.subaccount] = None
    change = trade(before.position, order.side, command.count, command.price)
    fee = _charge(books, account, command, order=order, change=change)
    filled = Filled(
        trade_id=command.trade_id,
        order_id=order.order_id,
        ticker=order.ticker,
        side=order.side,
        count=command.count,
        price=command.price,
        fee=fee,
        is_taker=command.is_taker,
        at=command.at,
        subaccount=order.subaccount,
        shard=state.shard,
    )
    held.record(command.at, before.traded(filled, change, fee))
    account.fills.append(filled)
    events.append(e.FillMade(at=command.at, member=account.member, filled=filled, change=change))
    for amount, cause in ((change.cash, e.Cause.TRADE), (-fee, e.Cause.FEE)):
        books.move_cash(
            e.CashMoved(
                at=command.at,
                member=account.member,
                subaccount=order.subaccount,
                shard=state.shard,
                amount=amount,
                cause=cause,
            ),
            events,
        )
    traded = _traded_order(order, filled, fee)
    _report(account, traded, command.at, why=e.OrderChange.TRADE, events=events)


def _no_holding(order: OrderReported, state: MarketState) -> Holding:
    return Holding(
        subaccount=order.subaccount,
        shard=state.shard,
        ticker=order.ticker,
        event_ticker=state.market.event_ticker,
    )


def _charge(
    books: Books, account: Account, command: c.Trade, *, order: OrderReported, change: Change
) -> Money:
    terms = books.listings.fee_terms(order.ticker)(command.at)
    charged = None
    if terms is not None:
        one = FillForFee(
            side=order.side,
            count=command.count,
            price=command.price,
            is_taker=command.is_taker,
            at=command.at,
            cash=change.cash,
        )
        charged = account.fees_of[order.order_id].charge_fill(one, terms)
    if charged is None:
        message = f"nothing says what a fill on {order.ticker} costs at {command.at}"
        raise InvariantBroken(message)
    account.fees_of[order.order_id], line = charged
    return line.net_fee


def _traded_order(order: OrderReported, filled: Filled, fee: Money) -> OrderReported:
    own_price = filled.price if filled.side is Side.YES else filled.price.complement()
    cost = own_price * filled.count
    remaining = order.remaining_count - filled.count
    traded = replace(
        order,
        fill_count=order.fill_count + filled.count,
        remaining_count=remaining,
        status=OrderStatus.RESTING if remaining else OrderStatus.EXECUTED,
        updated_at=filled.at,
    )
    if filled.is_taker:
        return replace(
            traded,
            taker_fees=order.taker_fees + fee,
            taker_fill_cost=order.taker_fill_cost + cost,
        )
    return replace(
        traded, maker_fees=order.maker_fees + fee, maker_fill_cost=order.maker_fill_cost + cost
    )
