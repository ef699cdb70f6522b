"""How an order goes through the book: it trades with what it crosses, rests, or ends."""

from __future__ import annotations

from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, SelfTradePrevention
from trueup.core.units import Money
from trueup.sim import events as e
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.filling import fee_rule, leave_level, meet, say_order
from trueup.sim.groups import OrderGroup
from trueup.sim.lifecycle import Due, DueKind, MarketState
from trueup.sim.order import Order
from trueup.sim.returning import taken_back

_CANCELED = OrderStatus.CANCELED
_RESTING = OrderStatus.RESTING
_TAKER_AT_CROSS = SelfTradePrevention.TAKER_AT_CROSS


def cross(
    books: Books, state: MarketState, order: Order, *, wanted: int, at: Instant
) -> e.OrderChange | None:
    """Let an arriving order trade up to `wanted` contracts.

    Returns why what is left of it must be cancelled; `None` when it may rest.
    """
    book, terms = state.book, order.terms
    while wanted and order.status is _RESTING:
        maker = book.counterpart(order)
        if maker is None:
            return None
        if maker.terms.member == terms.member:
            if terms.self_trade_prevention is _TAKER_AT_CROSS:
                return e.OrderChange.SELF_TRADE_CANCEL
            end(books, state, maker, at=at, why=e.OrderChange.SELF_TRADE_CANCEL)
            continue
        count = min(wanted, maker.remaining)
        meet(books, state, maker, taker=order, count=count, at=at)
        wanted -= count
        if maker.terms.group_id is not None:
            count_in_group(books, maker, count, at=at)
        if terms.group_id is not None:
            count_in_group(books, order, count, at=at)
    return None


def rest(books: Books, state: MarketState, order: Order, *, at: Instant) -> None:
    """Let an order stand in the book."""
    terms, left = order.terms, order.remaining
    level = state.book.join(order)
    books.accounts[terms.member].resting[terms.order_id] = order
    order.holding.rest(terms.order_id, order)
    books.touched[state] = None
    books.events.append(
        e.BookChanged(at=at, terms=terms, delta_units=left, count_units=level.total)
    )


def lift(books: Books, state: MarketState, order: Order, *, at: Instant) -> None:
    """Take an order out of the book; it keeps what it has left."""
    level, terms = order.level, order.terms
    if level is None:
        return
    del books.accounts[terms.member].resting[terms.order_id]
    order.holding.unrest(terms.order_id, order)
    state.book.leave(order)
    books.touched[state] = None
    books.events.append(
        e.BookChanged(at=at, terms=terms, delta_units=-order.remaining, count_units=level.total)
    )


def end(books: Books, state: MarketState, order: Order, *, at: Instant, why: e.OrderChange) -> None:
    """Cancel what is left of an order, whether it rests or is still on its way."""
    left = order.remaining
    lift(books, state, order, at=at)
    order.remaining = 0
    order.status = _CANCELED
    say_order(books, order, at=at, why=why, reduced=left)


def lessen(books: Books, state: MarketState, order: Order, count: int, *, at: Instant) -> None:
    """Take contracts off a resting order, which keeps its place; some must be left."""
    leave_level(books, state, order, count, at=at)
    order.holding.hold()
    books.touched[state] = None


def cancel_all(books: Books, state: MarketState, at: Instant, *, why: e.OrderChange) -> None:
    """Cancel every resting order of a market, in the order of its book."""
    for order in resting_orders(state):
        end(books, state, order, at=at, why=why)


def resting_orders(state: MarketState) -> list[Order]:
    """Everything that rests in a market: bids from the highest, then asks from the lowest."""
    return [
        order
        for side in (state.book.bids, state.book.asks)
        for level in side.from_best()
        for order in level
    ]


def note_expiry(books: Books, order: Order, expires_at: Instant) -> None:
    """Put an order's end on the agenda."""
    books.agenda.note(Due(expires_at, DueKind.EXPIRE, order.terms.ticker, order=order))


def expire(books: Books, state: MarketState, due: Due) -> None:
    """End an order whose time has come, unless it ended already or got another time."""
    order = due.order
    if order is not None and order.level is not None and order.terms.expires_at == due.at:
        end(books, state, order, at=due.at, why=e.OrderChange.EXPIRY_CANCEL)


# -- looking ahead -------------------------------------------------------------------------


def can_fill(state: MarketState, order: Order, cost_max: Money | None) -> bool:
    """Whether an arriving order would fill whole, for at most `cost_max` before fees."""
    left, cost = order.remaining, 0
    terms = order.terms
    for maker in state.book.counterparts(order):
        if maker.terms.member == terms.member:
            if terms.self_trade_prevention is SelfTradePrevention.TAKER_AT_CROSS:
                break
            continue
        count = min(left, maker.remaining)
        cost += count * (10_000 - maker.own_price)
        left -= count
        if not left:
            break
    return not left and (cost_max is None or cost <= cost_max.units)


def lacks_money(
    books: Books, account: Account, order: Order, *, state: MarketState, at: Instant
) -> bool:
    """Whether the cash in the order's subaccount, on its market's shard, does not suffice.

    The order must be covered as if it rested, and what would trade at once also
    for its fee.
    """
    needed = order.holding.needed(order)
    if order.holding.returns:
        needed += taken_back(books, order)
    if not needed:
        return False
    cash = order.holding.cash
    free = cash.units - cash.held
    if needed > free:
        return True
    rule = fee_rule(books, state, at)
    # No fill costs more than one at 50 cents; only when that is too much, look closely.
    step = rule.balance_step(account.precision)
    if needed + rule.trade_fee(order.remaining, 5_000, True) + step <= free:
        return False
    left = order.remaining
    opens_all = needed == order.own_price * left
    for maker in state.book.counterparts(order):
        count = min(left, maker.remaining)
        if opens_all:
            # What trades at a better price than the limit needs less than was set aside.
            needed -= abs(order.price - maker.price) * count
        needed += rule.trade_fee(count, maker.price, True)
        left -= count
        if not left:
            break
    return needed > free


def meets_itself(state: MarketState, order: Order) -> bool:
    """Whether an arriving order would reach one of its own member's."""
    left = order.remaining
    for maker in state.book.counterparts(order):
        if maker.terms.member == order.terms.member:
            return True
        left -= maker.remaining
        if left <= 0:
            break
    return False


# -- groups --------------------------------------------------------------------------------


def count_in_group(books: Books, order: Order, count: int, *, at: Instant) -> None:
    """Count a fill for the order's group, and trigger it when the limit is hit."""
    account = books.accounts[order.terms.member]
    group = account.groups.get(order.terms.group_id) if order.terms.group_id else None
    if group is None:
        return
    group.count(at, count)
    if not group.is_triggered and group.is_exhausted(at):
        trigger(books, account, group, at=at)


def trigger(books: Books, account: Account, group: OrderGroup, *, at: Instant) -> None:
    """Cancel a group's orders and let it take no more."""
    group.is_triggered = True
    say_group(books, account, group, at=at, why=e.OrderGroupChange.TRIGGERED)
    end_group(books, group, at=at)


def end_group(books: Books, group: OrderGroup, *, at: Instant) -> None:
    """Cancel all living orders of a group."""
    for order in tuple(group.orders.values()):
        state = books.listings.markets[order.terms.ticker]
        end(books, state, order, at=at, why=e.OrderChange.GROUP_CANCEL)


def say_group(
    books: Books, account: Account, group: OrderGroup, *, at: Instant, why: e.OrderGroupChange
) -> None:
    """Tell what happened to a group."""
    books.events.append(
        e.OrderGroupUpdated(
            at=at,
            member=account.member,
            group_id=group.group_id,
            subaccount=group.subaccount,
            shard=group.shard,
            contracts_max=group.contracts_max,
            why=why,
        )
    )
