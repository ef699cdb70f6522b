"""What a trade does: positions, fees, cash and the two orders, together.

Nothing here decides who trades; that is `matching` and `trading`, or, for a
history that was told, a `Trade` command.
"""

from __future__ import annotations

from trueup.core.errors import InvariantBroken
from trueup.core.fees import Precision
from trueup.core.ids import SHARD_ZERO, Subaccount, TradeId
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Money, Price
from trueup.sim import events as e
from trueup.sim.books import Books
from trueup.sim.charging import FeeRule
from trueup.sim.history import CashBook
from trueup.sim.holding import ONE, HoldingRecord, Owner
from trueup.sim.lifecycle import MarketState
from trueup.sim.order import Order
from trueup.sim.order_commands import Member, OutsideFill
from trueup.sim.returning import return_collateral

_EXECUTED = OrderStatus.EXECUTED
_RESTING = OrderStatus.RESTING
_TRADE = e.OrderChange.TRADE


def meet(
    books: Books, state: MarketState, maker: Order, *, taker: Order, count: int, at: Instant
) -> None:
    """Let an arriving order trade with the one that rests, at the resting one's price."""
    made = e.TradeMade(
        at=at,
        trade_id=books.next_trade_id(),
        ticker=taker.terms.ticker,
        count_units=count,
        price=maker.terms.price,
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
    if taker.holding.returns:
        return_collateral(books, taker.holding, at)
    if maker.holding.returns:
        return_collateral(books, maker.holding, at)


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
    """Take `count` off a resting order and say how its level looks now.

    What the order ties up is counted anew by its `fill`, or by `holding.hold`.
    """
    level = order.level
    if level is None:
        raise InvariantBroken(f"order {order.terms.order_id} does not rest")
    terms = order.terms
    order.holding.lessen(terms.order_id, order, count)
    if count == order.remaining:
        del books.accounts[terms.member].resting[terms.order_id]
    state.book.reduce(order, count)
    books.events.append(
        e.BookChanged(at=at, terms=terms, delta_units=-count, count_units=level.total)
    )


def fill(
    books: Books, state: MarketState, order: Order, *, made: e.TradeMade, is_taker: bool
) -> int:
    """Give one order its side of a trade; returns the change of cash before the fee."""
    holding, at, count = order.holding, made.at, made.count_units
    price = made.price.units
    own_price = price if order.is_bid else ONE - price
    before = holding.net
    if not (before or holding.yes_count or holding.no_count):
        first_trade(books, state, holding)
    cash, closed, cost_out, realized = holding.trade(order.sign, count, own_price)
    state.hold(before, holding.net)
    rule = state.fee_rule
    if rule is None or at >= rule.until:
        rule = fee_rule(books, state, at)
    owner = holding.owner
    fee, order.accumulated = rule.charge(
        (count, price, is_taker), cash, order.accumulated, owner.precision
    )
    holding.fees += fee
    holding.hold()
    order.fill_count += count
    if is_taker:
        order.taker_fees += fee
        order.taker_cost += own_price * count
    else:
        order.maker_fees += fee
        order.maker_cost += own_price * count
    filled = e.FillMade(
        at=at,
        trade_id=made.trade_id,
        terms=order.terms,
        count_units=count,
        price=made.price,
        fee_units=fee,
        is_taker=is_taker,
        shard=holding.shard,
        net_units=holding.net,
        cost_units=holding.cost,
        cash_units=cash,
        closed_units=closed,
        cost_out_units=cost_out,
        realized_units=realized,
    )
    if owner.history:
        owner.fills_made.append(filled)
        holding.filled(filled)
    books.pay(holding.cash, filled)
    owner.changed_at = at
    if order.remaining:
        books.events.append(order.note(at, _TRADE))
    else:
        order.status = _EXECUTED
        books.events.append(order.note(at, _TRADE))
        forget(books, order)
    return cash


def first_trade(books: Books, state: MarketState, holding: HoldingRecord) -> None:
    """Take note of who trades in a market."""
    account = books.accounts[holding.member]
    account.holdings[holding.subaccount, holding.ticker] = holding
    state.holders[holding.member, holding.subaccount] = holding


def fee_rule(books: Books, state: MarketState, at: Instant) -> FeeRule:
    """How fills in a market are charged at `at`."""
    rule = state.fee_rule
    if rule is None or at >= rule.until:
        rule = state.fee_rule = books.listings.fee_rule(state.market.ticker, at)
    return rule


def say_order(
    books: Books, order: Order, *, at: Instant, why: e.OrderChange, reduced: int = 0
) -> None:
    """Remember and tell what an order is now."""
    order.holding.owner.changed_at = at
    books.events.append(order.note(at, why, reduced))
    if order.status is not _RESTING:
        forget(books, order)


def forget(books: Books, order: Order) -> None:
    """Let go of an order that ended: its group does, and an account without a history."""
    terms, owner = order.terms, order.holding.owner
    if owner.history and terms.group_id is None:
        return
    account = books.accounts[owner.member]
    if terms.group_id is not None and terms.group_id in account.groups:
        account.groups[terms.group_id].orders.pop(terms.order_id, None)
    if not owner.history:
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
        count_units=count.units,
        price=price,
        taker_side=side if is_taker else side.opposite(),
    )
    leave_level(books, state, order, count.units, at=at)
    _trade_outside(books, state, order, made=made, is_taker=is_taker)


def take_outside(
    books: Books, state: MarketState, order: Order, taken: OutsideFill, *, at: Instant
) -> None:
    """Let an order that does not rest take of nobody's account."""
    made = e.TradeMade(
        at=at,
        trade_id=taken.trade_id,
        ticker=state.market.ticker,
        count_units=taken.count.units,
        price=taken.price,
        taker_side=order.terms.side,
    )
    order.remaining -= taken.count.units
    _trade_outside(books, state, order, made=made, is_taker=True)


def _trade_outside(
    books: Books, state: MarketState, order: Order, *, made: e.TradeMade, is_taker: bool
) -> None:
    """Both sides of a trade with the rest of the world."""
    books.events.append(made)
    state.tape.trade(made)
    books.touched[state] = None
    open_interest = state.long
    cash = fill(books, state, order, made=made, is_taker=is_taker)
    outside = outside_of(state)
    before = outside.net
    price, count = made.price.units, made.count_units
    own_price = price if order.terms.side is Side.NO else ONE - price
    paid = outside.trade(-order.sign, count, own_price)[0]
    books.clearing -= paid
    state.hold(before, outside.net)
    check_trade(books, state, cash + paid, open_interest)
    if order.holding.returns:
        return_collateral(books, order.holding, made.at)


def outside_of(state: MarketState) -> HoldingRecord:
    """What the rest of the world holds in a market."""
    if state.outside is None:
        state.outside = HoldingRecord(
            owner=Owner(Member(""), Precision.DIRECT, history=False),
            subaccount=Subaccount(0),
            shard=SHARD_ZERO,
            ticker=state.market.ticker,
            event_ticker=state.market.event_ticker,
            cash=CashBook(history=False),
        )
    return state.outside
