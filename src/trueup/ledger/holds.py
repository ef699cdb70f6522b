"""What resting orders tie up, as movements of the available balance.

The exchange takes the cost of a resting order off the balance it shows, and posts
nothing.  In the cash proof that is a movement like any other: out when the order
begins to rest, back when it ends, and in part when it fills.  A balance reading
and an order that cross each other within a second are then judged like a reading
and a fact, not as money that is missing.

An order rests from its creation until the report that says it has ended.  It may
be decreased or amended in between; what it was at each time is taken from all
that was ever reported of it:

- from a report's `updated_at` on, it has that report's price and size (what had
  filled and what remained), less what fills afterwards;
- before the first report it has the initial size, at the first report's price;
- a change between two reports happened at an unknown moment, and is taken to have
  happened at the later one's `updated_at`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import groupby
from typing import Final

from trueup.core.collateral import resting_collateral
from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported, Stream
from trueup.core.ids import OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side, is_terminal
from trueup.core.position import Position
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.entries import EntryKind
from trueup.ledger.movements import CashMovement

FillsOf = Callable[[Ticker], Iterable[Filled]]
"""All fills of a market."""


@dataclass(slots=True)
class _Resting:
    """An order while it rests: `size` is what had filled and what remained at the last report.

    `filled` are the known fills so far, `reported` what the last report counted: a
    fill may have a time just after the report that counts it, or not be known.
    """

    side: Side
    price: Price
    size: Count
    filled: Count = ZERO_COUNT
    reported: Count = ZERO_COUNT

    @property
    def remaining_count(self) -> Count:
        """What may still fill."""
        return max(ZERO_COUNT, self.size - max(self.filled, self.reported))


@dataclass(frozen=True, slots=True)
class _Life:
    """An order by all reports of it: `reports` while it rested, in time order."""

    order_id: OrderId
    side: Side
    price: Price
    initial_count: Count
    created_at: Instant
    reports: tuple[OrderReported, ...]
    ended_at: Instant | None

    @property
    def rested(self) -> bool:
        """Whether the order was on the book for any time at all."""
        return self.ended_at is None or self.ended_at > self.created_at


def holds(orders: Iterable[OrderReported], fills_of: FillsOf) -> Iterator[CashMovement]:
    """The movements of all orders that ever rested, in time order.

    Give the orders of one subaccount and shard, or of all, as for the readings, each
    with all that was ever reported of it, in any sequence; those of one market
    together, and the markets by their first order's creation (`CallerError`
    otherwise).  So only markets that overlap in time are in memory.  `fills_of` is
    asked once for each market in which an order rested.
    """
    waiting: list[tuple[Instant, int, CashMovement]] = []
    number, last_begin = 0, Instant(0)
    for (subaccount, shard, ticker), group in groupby(orders, key=_place):
        reports = list(group)
        begin = min(order.created_at for order in reports)
        if begin < last_begin:
            raise CallerError("markets must come in the order in which their first orders began")
        last_begin = begin
        while waiting and waiting[0][0] <= begin:
            yield heappop(waiting)[2]
        rested = [life for life in _lives(reports) if life.rested]
        if not rested:
            continue
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
    listed = list(orders)
    first: dict[tuple[Subaccount, Shard, Ticker], Instant] = {}
    for order in listed:
        place = _place(order)
        first[place] = min(order.created_at, first.get(place, order.created_at))
    return sorted(listed, key=lambda order: (first[_place(order)], _place(order)))


def _place(order: OrderReported) -> tuple[Subaccount, Shard, Ticker]:
    return order.subaccount, order.shard, order.ticker


def _lives(reports: Iterable[OrderReported]) -> Iterator[_Life]:
    by_order: dict[OrderId, list[OrderReported]] = {}
    for report in reports:
        by_order.setdefault(report.order_id, []).append(report)
    for order_id, told in by_order.items():
        told.sort(key=lambda report: (report.updated_at, report.fill_count))
        resting = tuple(report for report in told if not is_terminal(report.status))
        ended = [report.updated_at for report in told if is_terminal(report.status)]
        first = told[0]
        yield _Life(
            order_id=order_id,
            side=first.side,
            price=first.price,
            initial_count=first.initial_count,
            created_at=min(report.created_at for report in told),
            reports=resting,
            # A resting report that comes after the end is a read that lags.
            ended_at=max(*ended[:1], *(each.updated_at for each in resting[-1:]), first.created_at)
            if ended
            else None,
        )


_BEGINS: Final = 0
_FILLS: Final = 1
_IS_REPORTED: Final = 2
_ENDS: Final = 3


def _changes(
    lives: Iterable[_Life], fills: Iterable[Filled]
) -> Iterator[tuple[Instant, OrderId, Money]]:
    """When what one market ties up changed, by which order, and what that did to the balance."""
    happened: list[tuple[Instant, int, OrderId, _Life | OrderReported | Filled]] = []
    for life in lives:
        happened.append((life.created_at, _BEGINS, life.order_id, life))
        happened.extend(
            (report.updated_at, _IS_REPORTED, life.order_id, report) for report in life.reports
        )
        if life.ended_at is not None:
            happened.append((life.ended_at, _ENDS, life.order_id, life))
    happened.extend((filled.at, _FILLS, filled.order_id, filled) for filled in fills)
    # An order that ends with its last fill, or takes before it rests, must do so in this order.
    happened.sort(key=lambda each: (each[0], each[1], each[2]))
    resting: dict[OrderId, _Resting] = {}
    net = 0
    tied_up = ZERO_MONEY
    for at, together in groupby(happened, key=lambda each: each[0]):
        last = OrderId("")
        for _, what, order_id, told in together:
            last = order_id
            if isinstance(told, Filled):
                net += told.side.sign * told.count.units
            _follow(resting, what, told)
        live = [each for each in resting.values() if each.remaining_count > ZERO_COUNT]
        now = resting_collateral(Position(Count(net)), live)
        if now != tied_up:
            yield at, last, tied_up - now
            tied_up = now


def _follow(
    resting: dict[OrderId, _Resting], what: int, told: _Life | OrderReported | Filled
) -> None:
    """What one event does to the order that it is about."""
    if isinstance(told, _Life):
        if what == _BEGINS:
            resting[told.order_id] = _Resting(told.side, told.price, told.initial_count)
        else:
            resting.pop(told.order_id, None)
        return
    order = resting.get(told.order_id)
    if order is None:
        return
    if isinstance(told, Filled):
        order.filled += told.count
    else:
        order.price = told.price
        order.size = told.fill_count + told.remaining_count
        order.reported = told.fill_count
