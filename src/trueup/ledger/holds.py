"""What resting orders tie up, as movements of the available balance.

The exchange takes the cost of a resting order off the balance it shows, and posts
nothing.  In the cash proof that is a movement like any other: out when the order
begins to rest, back when it ends, and in part when it fills.  A balance reading
and an order that cross each other within a second are then judged like a reading
and a fact, not as money that is missing.

An order rests from its creation to its last update, if that ended it.  Where an
order was decreased or amended, its earlier size is not known; it is taken to have
had its initial size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby

from trueup.core.collateral import resting_collateral
from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Stream
from trueup.core.ids import OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side, is_terminal
from trueup.core.position import Position
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.entries import EntryKind
from trueup.ledger.proof import CashMovement

FillsOf = Callable[[Ticker], Iterable[Filled]]
"""All fills of a market."""


@dataclass(slots=True)
class _Resting:
    """An order while it rests."""

    side: Side
    price: Price
    remaining_count: Count


def holds(orders: Iterable[OrderReported], fills_of: FillsOf) -> Iterator[CashMovement]:
    """The movements of all orders that ever rested, in time order.

    Give the orders of one subaccount and shard, or of all, as for the readings;
    those of one market together, and the markets by their first order's creation
    (`CallerError` otherwise).  So only markets that overlap in time are in memory.
    `fills_of` is asked once for each market in which an order rested.
    """
    waiting: list[tuple[Instant, int, CashMovement]] = []
    number, last_begin = 0, Instant(0)
    lived = (order for order in orders if _rested(order))
    for (subaccount, shard, ticker), group in groupby(lived, key=_place):
        rested = list(group)
        begin = min(order.created_at for order in rested)
        if begin < last_begin:
            raise CallerError("markets must come in the order in which their first orders began")
        last_begin = begin
        while waiting and waiting[0][0] <= begin:
            yield heappop(waiting)[2]
        fills = [each for each in fills_of(ticker) if each.subaccount == subaccount]
        for at, order_id, amount in _changes(rested, fills):
            number += 1
            movement = CashMovement(
                at=at,
                amount=amount,
                subaccount=subaccount,
                shard=shard,
                stream=Stream.ORDERS,
                key=order_id,
                version=0,
                kind=EntryKind.RESTING,
                ticker=ticker,
            )
            heappush(waiting, (at, number, movement))
    while waiting:
        yield heappop(waiting)[2]


def market_by_market(orders: Iterable[OrderReported]) -> list[OrderReported]:
    """Orders as `holds` wants them, for whoever has them all in memory."""
    lived = sorted(filter(_rested, orders), key=lambda order: (order.created_at, order.order_id))
    first: dict[tuple[Subaccount, Shard, Ticker], Instant] = {}
    for order in lived:
        first.setdefault(_place(order), order.created_at)
    return sorted(lived, key=lambda order: (first[_place(order)], _place(order)))


def _rested(order: OrderReported) -> bool:
    """Whether the order was on the book for any time at all."""
    return not is_terminal(order.status) or order.updated_at > order.created_at


def _place(order: OrderReported) -> tuple[Subaccount, Shard, Ticker]:
    return order.subaccount, order.shard, order.ticker


_ENDS, _FILLS, _BEGINS = 0, 1, 2


def _changes(
    orders: Iterable[OrderReported], fills: Iterable[Filled]
) -> Iterator[tuple[Instant, OrderId, Money]]:
    """When what one market ties up changed, by which order, and what that did to the balance."""
    happened: list[tuple[Instant, int, OrderId, OrderReported | Filled]] = []
    for order in orders:
        happened.append((order.created_at, _BEGINS, order.order_id, order))
        if is_terminal(order.status):
            happened.append((order.updated_at, _ENDS, order.order_id, order))
    happened.extend((filled.at, _FILLS, filled.order_id, filled) for filled in fills)
    # An order that ends with its last fill, or takes before it rests, must do so in this order.
    happened.sort(key=lambda each: (each[0], each[1] != _BEGINS, each[1] == _ENDS, each[2]))
    resting: dict[OrderId, _Resting] = {}
    net = 0
    tied_up = ZERO_MONEY
    for at, together in groupby(happened, key=lambda each: each[0]):
        last = OrderId("")
        for _, what, order_id, told in together:
            last = order_id
            if isinstance(told, Filled):
                net += told.side.sign * told.count.units
                if order_id in resting:
                    resting[order_id].remaining_count -= told.count
            elif what == _BEGINS:
                resting[order_id] = _Resting(told.side, told.price, told.initial_count)
            else:
                resting.pop(order_id, None)
        live = [each for each in resting.values() if each.remaining_count > ZERO_COUNT]
        now = resting_collateral(Position(Count(net)), live)
        if now != tied_up:
            yield at, last, tied_up - now
            tied_up = now
