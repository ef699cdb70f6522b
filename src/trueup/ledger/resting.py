"""What resting orders tied up at any past moment, from what is known about them.

The exchange takes the cost of a resting order off the available balance and
posts nothing.  So the proof adds it back: for each order that rested at a
reading, what had not filled by then, beside the position held by then.  An
order rests from its creation to its last update, if that ended it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trueup.core.collateral import resting_collateral
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import OrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side, is_terminal
from trueup.core.position import Position
from trueup.core.statements import BalanceStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price

FillsOf = Callable[[Ticker], Iterable[Filled]]
"""All fills of a market, in time order."""


@dataclass(frozen=True, slots=True)
class _Resting:
    """An order as it rested at some moment."""

    side: Side
    price: Price
    remaining_count: Count


class RestingOrders:
    """Answers what was tied up at a balance reading.  Readings must come in time order.

    `orders` are all orders that rested for a while; the fills of their markets
    are asked for once, and only where an order rested at a reading.
    """

    def __init__(self, orders: Iterable[OrderReported], fills_of: FillsOf) -> None:
        lived = [each for each in orders if _rested(each)]
        self._coming = deque(sorted(lived, key=lambda each: each.created_at))
        self._resting: dict[OrderId, OrderReported] = {}
        self._fills_of = fills_of
        self._fills: dict[Ticker, Sequence[Filled]] = {}

    def collateral(self, reading: BalanceStated) -> Money:
        """The cash tied up at the reading, of the subaccount and shard that it is about."""
        self._advance(reading.at)
        by_market: defaultdict[tuple[Subaccount, Ticker], list[OrderReported]] = defaultdict(list)
        for order in self._resting.values():
            if _is_about(reading, order):
                by_market[order.subaccount, order.ticker].append(order)
        total = ZERO_MONEY
        for (subaccount, ticker), orders in sorted(by_market.items()):
            total += self._market(subaccount, ticker, orders, at=reading.at)
        return total

    def _advance(self, at: Instant) -> None:
        while self._coming and self._coming[0].created_at <= at:
            order = self._coming.popleft()
            self._resting[order.order_id] = order
        over = [
            order.order_id
            for order in self._resting.values()
            if is_terminal(order.status) and order.updated_at <= at
        ]
        for order_id in over:
            del self._resting[order_id]

    def _market(
        self, subaccount: Subaccount, ticker: Ticker, orders: list[OrderReported], *, at: Instant
    ) -> Money:
        filled: defaultdict[OrderId, Count] = defaultdict(lambda: ZERO_COUNT)
        net = 0
        for fill in self._fills_of_market(ticker):
            if fill.at > at:
                break
            if fill.subaccount == subaccount:
                filled[fill.order_id] += fill.count
                net += fill.side.sign * fill.count.units
        resting = [
            _Resting(each.side, each.price, each.initial_count - filled[each.order_id])
            for each in orders
        ]
        return resting_collateral(
            Position(Count(net)), [each for each in resting if each.remaining_count > ZERO_COUNT]
        )

    def _fills_of_market(self, ticker: Ticker) -> Sequence[Filled]:
        if ticker not in self._fills:
            self._fills[ticker] = tuple(self._fills_of(ticker))
        return self._fills[ticker]


def _rested(order: OrderReported) -> bool:
    """Whether the order was on the book for any time at all."""
    return not is_terminal(order.status) or order.updated_at > order.created_at


def _is_about(reading: BalanceStated, order: OrderReported) -> bool:
    return reading.subaccount in {None, order.subaccount} and reading.shard in {None, order.shard}
