"""What an own order would have met in a market that others trade: counting, and nothing else.

The rest of the world is told in three ways: whole books, changes of levels, and
trades.  Own orders are not in it.  This file answers how much of a told trade an
own resting order would have got, and how much of a told level is left for own
orders that take.  Whatever is not known is decided against the own order:

- *Queue.*  An order joins its level behind everything that is told to rest there,
  or rested there within the last `LAG`.  Only trades at its price move it forward,
  and a level that has become smaller than what was ahead of it.
- *Who joined just before it may be told after the trade.*  Until a level is told from
  after an order's arrival, or `LAG` is over, a trade at its price gives it nothing.
- *A level and a trade may tell the same thing twice*, in either order.  A level
  that shrinks counts as cancelled contracts only `LAG` later; until then the
  trade that explains it may still come.
- *Trades happened when the exchange says so*: one from before an order's arrival
  gives it nothing.
- *What own orders took stays taken*: contracts of a level that were taken once
  are there again only when the level has lost them and got new ones.
- *No contract of a trade is given twice*, whatever the number of own orders.
- *Without a book* (a recording of trades alone) nobody knows what was ahead: an
  order is filled by trades that went through its price, not by those at it,
  unless the caller states how much to assume ahead.

Everything is in bare units of `Count` and YES `Price`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from trueup.core.ids import OrderId, Ticker, TradeId
from trueup.core.instant import SECOND, Instant

LAG: Final = 2 * SECOND
"""How far apart the news of a trade and of its level may come."""

Level = tuple[bool, int]
"""A side (true for bids) and a price."""


class BookSeen(Struct, frozen=True, gc=False):
    """A whole recorded book: counts by YES price, in bare units."""

    at: Instant
    ticker: Ticker
    bids: dict[int, int]
    asks: dict[int, int]


class LevelSeen(Struct, frozen=True, gc=False):
    """A recorded change of one level; `price` is the YES price on both sides."""

    at: Instant
    ticker: Ticker
    is_bid: bool
    price: int
    change: int


class TradeSeen(Struct, frozen=True, gc=False):
    """A trade of others.  `taker_is_bid`: who crossed the book bought YES."""

    at: Instant
    ticker: Ticker
    trade_id: TradeId
    price: int
    count: int
    taker_is_bid: bool


class GapSeen(Struct, frozen=True, gc=False):
    """From here on the book of a market is not known, until it is told whole again."""

    at: Instant
    ticker: Ticker


Seen = BookSeen | LevelSeen | TradeSeen | GapSeen
"""What can be told of the rest of the world."""


@dataclass(slots=True)
class Waiting:
    """An own order that rests: what is ahead of it at its price; `None` is not known."""

    order_id: OrderId
    is_bid: bool
    price: int
    arrived_at: Instant
    ahead: int | None

    def is_better_than(self, price: int) -> bool:
        """Whether its price is better for whoever takes it than `price`."""
        return self.price > price if self.is_bid else self.price < price


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a trade an own order gets."""

    order_id: OrderId
    count: int


@dataclass(slots=True)
class MirroredBook:
    """One market: what is told to rest, what own orders took of it, and which of them wait."""

    ticker: Ticker
    assumed_ahead: int | None = None
    is_known: bool = False
    levels: dict[Level, int] = field(default_factory=dict[Level, int])
    taken: dict[Level, int] = field(default_factory=dict[Level, int])
    waiting: dict[OrderId, Waiting] = field(default_factory=dict[OrderId, Waiting])
    _shrunk: dict[Level, deque[tuple[Instant, int]]] = field(
        default_factory=dict[Level, deque[tuple[Instant, int]]]
    )
    _told_until: Instant = Instant(0)  # noqa: RUF009  # an int
    """From when the newest told level is: all that joined before that is told."""

    # -- what is told ----------------------------------------------------------------------

    def load(self, bids: dict[int, int], asks: dict[int, int], at: Instant) -> set[Level]:
        """The whole book.  Returns the levels that may be different now."""
        told = {(True, price): count for price, count in bids.items() if count > 0}
        told |= {(False, price): count for price, count in asks.items() if count > 0}
        touched = {*self.levels, *told}
        for level in touched:
            self._set(level, told.get(level, 0), at)
        self.is_known = True
        return touched

    def change(self, level: Level, change: int, at: Instant) -> None:
        """One level has `change` more contracts, or fewer."""
        if self.is_known:
            self._set(level, max(0, self.levels.get(level, 0) + change), at)

    def lose(self) -> set[Level]:
        """The book is not known any more.  Returns the levels that were."""
        known = set(self.levels)
        self.levels.clear()
        self.taken.clear()
        self._shrunk.clear()
        self.is_known = False
        return known

    def _set(self, level: Level, count: int, at: Instant) -> None:
        self._told_until = max(self._told_until, at)
        before = self.levels.get(level, 0)
        if count < before:
            self._shrunk.setdefault(level, deque()).append((at, before - count))
        self._move_up(level, at)
        if count > before:
            self._stand_behind(level, count - before, at)
        if count:
            self.levels[level] = count
        else:
            self.levels.pop(level, None)
        if level in self.taken:
            self.taken[level] = min(self.taken[level], count)
            if not self.taken[level]:
                del self.taken[level]
        self._move_up(level, at)

    def left(self, level: Level) -> int:
        """What own orders may still take of a level."""
        return max(0, self.levels.get(level, 0) - self.taken.get(level, 0))

    def take(self, level: Level, count: int) -> None:
        """Own orders took so much of a level."""
        self.taken[level] = self.taken.get(level, 0) + count

    # -- own orders ------------------------------------------------------------------------

    def join(self, order_id: OrderId, level: Level, at: Instant) -> None:
        """An own order rests at a level from now on, behind all others."""
        ahead = self._most_at(level, at) if self.is_known else self.assumed_ahead
        self.waiting[order_id] = Waiting(order_id, level[0], level[1], at, ahead)

    def leave(self, order_id: OrderId) -> None:
        """An own order rests no more."""
        self.waiting.pop(order_id, None)

    def shares(self, trade: TradeSeen, remaining: Callable[[OrderId], int]) -> list[Share]:
        """Which own orders get how much of a trade.  `remaining` says what an order has left."""
        makers_are_bids = not trade.taker_is_bid
        queue = sorted(
            (
                each
                for each in self.waiting.values()
                if each.is_bid is makers_are_bids and each.arrived_at <= trade.at
            ),
            key=lambda each: (-each.price if each.is_bid else each.price, each.arrived_at),
        )
        self._move_up((makers_are_bids, trade.price), trade.at)
        left, shares = trade.count, list[Share]()
        for each in queue:
            if each.is_better_than(trade.price):
                # It went through: nobody was left at the better price.
                each.ahead = 0
                left -= _give(each, min(left, remaining(each.order_id)), shares)
        # What is left met the level itself: others ahead of an order, then the order.
        served = 0
        for each in queue:
            if each.price == trade.price and each.ahead is not None:
                reached = max(0, left - served - each.ahead) if self._is_told(each, trade) else 0
                passed = min(each.ahead, left - served)
                served += _give(each, min(reached, remaining(each.order_id)), shares)
                each.ahead -= passed
        if not self.is_known:
            left -= served
            self._offer_evident(trade, left, remaining, shares)
        return shares

    def _is_told(self, order: Waiting, trade: TradeSeen) -> bool:
        """Whether all who joined before an order are told by the time that a trade is."""
        is_later = self._told_until > order.arrived_at
        return not self.is_known or is_later or trade.at >= order.arrived_at + LAG

    def _offer_evident(
        self,
        trade: TradeSeen,
        left: int,
        remaining: Callable[[OrderId], int],
        shares: list[Share],
    ) -> None:
        """Without a book a trade also proves that somebody offered at its price.

        An own order that would have met that offer gets it, at its own price.
        """
        for each in sorted(self.waiting.values(), key=lambda one: one.arrived_at):
            crosses = each.price == trade.price or each.is_better_than(trade.price)
            if each.is_bid is trade.taker_is_bid and crosses and each.arrived_at <= trade.at:
                left -= _give(each, min(left, remaining(each.order_id)), shares)

    def _move_up(self, level: Level, at: Instant) -> None:
        """Nobody can have more ahead of it than its level has, or had a moment ago."""
        if not self.waiting or not self.is_known:
            return
        most: int | None = None
        for each in self.waiting.values():
            if (each.is_bid, each.price) == level:
                if most is None:
                    most = self._most_at(level, at)
                each.ahead = most if each.ahead is None else min(each.ahead, most)

    def _stand_behind(self, level: Level, count: int, at: Instant) -> None:
        """What joined before an own order arrived, and is only told now, is ahead of it."""
        for each in self.waiting.values():
            is_here = (each.is_bid, each.price) == level
            if is_here and at <= each.arrived_at and each.ahead is not None:
                each.ahead += count

    def _most_at(self, level: Level, at: Instant) -> int:
        """The most that can have rested at a level within the last `LAG`."""
        shrunk = self._shrunk.get(level)
        if shrunk is None:
            return self.levels.get(level, 0)
        while shrunk and shrunk[0][0] < at - LAG:
            shrunk.popleft()
        if not shrunk:
            del self._shrunk[level]
            return self.levels.get(level, 0)
        return self.levels.get(level, 0) + sum(count for _, count in shrunk)


def _give(waiting: Waiting, count: int, shares: list[Share]) -> int:
    if count > 0:
        shares.append(Share(waiting.order_id, count))
        return count
    return 0


def given(shares: Iterable[Share]) -> int:
    """What own orders got in all."""
    return sum(share.count for share in shares)
