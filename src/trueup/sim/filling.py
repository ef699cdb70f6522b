"""What a trade does: positions, fees, cash and the two orders, together.

Nothing here decides who trades; that is `matching` and `trading`, or, for a
history that was told, a `Trade` command.
"""

from __future__ import annotations

from trueup.core.errors import InvariantBroken
from trueup.core.ids import SHARD_ZERO, Subaccount, TradeId
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.charging import FeeRule, unknown_fees
from trueup.sim.history import CashBook
from trueup.sim.holding import ONE, HoldingRecord
from trueup.sim.lifecycle import MarketState
from trueup.sim.order import Order
from trueup.sim.order_commands import Member

_EXECUTED = OrderStatus.EXECUTED


def meet(books: Books, state: MarketState, maker: Order, *, taker: Order, count: int) -> None:
    """Let an arriving order trade with the one that rests, at the resting one's price."""
    at, price = taker.updated_at, maker.terms.price
    made = e.TradeMade(
        at=at,
        trade_id=books.next_trade_id(),
        ticker=state.market.ticker,
        count=Count(count),
        price=price,
        taker_side=taker.terms.side,
    )
    books.events.append(made)
    state.tape.trade(made)
    books.touched[state] = None
    leave_level(books, state, maker, count, at=at)
    taker.remaining -= count
    open_interest = state.long
    cash = fill(books, state, taker, made=made, is_taker=True)
    cash += fill(books, state, maker, made=made, is_taker=False)
    check_trade(books, state, cash, open_interest)


def check_trade(books: Books, state: MarketState, cash: int, open_interest: int) -> None:
    """Prove that both sides together paid $1 for each pair that is open now and was not."""
    change = state.long - open_interest
    books.open_interest += change
    if cash + change * ONE or state.long != state.short:
        message = (
            f"{state.ticker}: {change} hundredths of contracts more are open for {Money(-cash)}; "
            f"YES {state.long}, NO {state.short}"
        )
        raise InvariantBroken(message)


def leave_level(books: Books, state: MarketState, order: Order, count: int, *, at: Instant) -> None:
    """Take `count` off a resting order and say how its level looks now."""
    level = order.level
    if level is None:
        raise InvariantBroken(f"order {order.terms.order_id} does not rest")
    order.holding.lessen(order, count)
    state.book.reduce(order, count)
    if not order.remaining:
        retire(books, order)
    say_level(books, order, at=at, delta=-count, total=level.total)


def say_level(books: Books, order: Order, *, at: Instant, delta: int, total: int) -> None:
    """Tell everybody what an order did to a level."""
    terms = order.terms
    books.events.append(
        e.BookChanged(
            at=at,
            ticker=terms.ticker,
            side=terms.side,
            price=terms.price,
            delta=Count(delta),
            count=Count(total),
            member=terms.member,
            client_order_id=terms.client_order_id,
            subaccount=terms.subaccount,
        )
    )


def retire(books: Books, order: Order) -> None:
    """Forget that an order rested: it left the book."""
    order_id = order.terms.order_id
    del books.accounts[order.terms.member].resting[order_id]
    order.holding.unrest(order_id, order)


def fill(
    books: Books, state: MarketState, order: Order, *, made: e.TradeMade, is_taker: bool
) -> int:
    """Give one order its side of a trade; returns the change of cash before the fee."""
    terms, holding = order.terms, order.holding
    account = books.accounts[terms.member]
    at, count, price = made.at, made.count.units, made.price.units
    own_price = price if order.is_bid else ONE - price
    if not (holding.yes_count or holding.no_count):
        account.holdings[terms.subaccount, terms.ticker] = holding
        state.holders[terms.member, terms.subaccount] = holding
    before = holding.net
    cash, closed, cost_out, realized = holding.trade(order.sign, count, own_price)
    state.hold(before, holding.net)
    fee = _charge(books, state, order, made=made, is_taker=is_taker, cash=cash)
    holding.fees += fee.units
    holding.hold()
    _progress(order, count, fee.units, cost=own_price * count, is_taker=is_taker)
    filled = e.FillMade(
        at=at,
        member=terms.member,
        trade_id=made.trade_id,
        order_id=terms.order_id,
        client_order_id=terms.client_order_id,
        ticker=terms.ticker,
        side=terms.side,
        count=made.count,
        price=made.price,
        fee=fee,
        is_taker=is_taker,
        subaccount=terms.subaccount,
        shard=terms.shard,
        net=holding.net,
        cost=holding.cost,
        cash=cash,
        closed=closed,
        cost_out=cost_out,
        realized=realized,
    )
    books.events.append(filled)
    if account.history:
        account.fills.add(filled)
        holding.note(at)
    _pay(books, holding, Money(cash), at=at, cause=e.Cause.TRADE)
    if fee:
        _pay(books, holding, -fee, at=at, cause=e.Cause.FEE)
    say_order(books, account, order, at=at, why=e.OrderChange.TRADE)
    return cash


def _progress(order: Order, count: int, fee: int, *, cost: int, is_taker: bool) -> None:
    order.fill_count += count
    if is_taker:
        order.taker_fees += fee
        order.taker_fill_cost += cost
    else:
        order.maker_fees += fee
        order.maker_fill_cost += cost
    if not order.remaining:
        order.status = _EXECUTED


def _charge(
    books: Books,
    state: MarketState,
    order: Order,
    *,
    made: e.TradeMade,
    is_taker: bool,
    cash: int,
) -> Money:
    account = books.accounts[order.terms.member]
    rule = fee_rule(books, state, made.at)
    trade_fee = rule.trade_fee(made.count.units, made.price.units, is_taker=is_taker)
    fee, order.accumulated = rule.charge(trade_fee, cash, order.accumulated, account.precision)
    return Money(fee)


def fee_rule(books: Books, state: MarketState, at: Instant) -> FeeRule:
    """How fills in a market are charged at `at`."""
    rule = state.fee_rule
    if rule is None or at >= rule.until:
        rule = state.fee_rule = books.listings.fee_rule(state.market.ticker, at)
        if not rule.knows():
            raise unknown_fees(state.market.ticker, at)
    return rule


def _pay(
    books: Books, holding: HoldingRecord, amount: Money, *, at: Instant, cause: e.Cause
) -> None:
    books.move(
        holding.cash,
        e.CashMoved(
            at=at,
            member=holding.member,
            subaccount=holding.subaccount,
            shard=holding.shard,
            amount=amount,
            cause=cause,
        ),
    )


def say_order(
    books: Books,
    account: Account,
    order: Order,
    *,
    at: Instant,
    why: e.OrderChange,
    reduced_by: Count = ZERO_COUNT,
) -> None:
    """Remember and tell what an order is now; one that ended leaves its group."""
    account.orders_changed_at = at
    books.events.append(
        e.OrderUpdated(
            at=at,
            member=account.member,
            state=order.note(at),
            why=why,
            reduced_by=reduced_by,
        )
    )
    if order.status is not OrderStatus.RESTING:
        terms = order.terms
        if terms.group_id is not None and terms.group_id in account.groups:
            account.groups[terms.group_id].orders.pop(terms.order_id, None)
        if not account.history:
            account.orders.pop(terms.order_id, None)


# -- the rest of the world -----------------------------------------------------------------


def meet_outside(
    books: Books,
    state: MarketState,
    order: Order,
    *,
    trade_id: TradeId,
    count: Count,
    price: Price,
    is_taker: bool,
    at: Instant,
) -> None:
    """Let a resting order trade with nobody's account."""
    side = order.terms.side
    made = e.TradeMade(
        at=at,
        trade_id=trade_id,
        ticker=state.market.ticker,
        count=count,
        price=price,
        taker_side=side if is_taker else side.opposite(),
    )
    books.events.append(made)
    state.tape.trade(made)
    books.touched[state] = None
    leave_level(books, state, order, count.units, at=at)
    open_interest = state.long
    cash = fill(books, state, order, made=made, is_taker=is_taker)
    outside = outside_of(state)
    before = outside.net
    own_price = price.units if side is Side.NO else ONE - price.units
    paid = outside.trade(-order.sign, count.units, own_price)[0]
    books.clearing -= paid
    state.hold(before, outside.net)
    check_trade(books, state, cash + paid, open_interest)


def outside_of(state: MarketState) -> HoldingRecord:
    """What the rest of the world holds in a market."""
    if state.outside is None:
        state.outside = HoldingRecord(
            member=Member(""),
            subaccount=Subaccount(0),
            shard=SHARD_ZERO,
            ticker=state.market.ticker,
            event_ticker=state.market.event_ticker,
            cash=CashBook(history=False),
            history=False,
        )
    return state.outside
