"""Price–time priority: who trades next, and nothing about money.

One book per market, quoted in YES prices: an order to buy NO at 1 − p is an ask
at p.  Each side is a set of levels, and each level a queue in order of arrival.
The book knows only `Queued` entries; what an order belongs to and what a trade
costs is for others.

Everything is bare integers of `Price` and `Count` units.  A level is a doubly
linked list through its entries, so that an entry leaves from anywhere at once;
the prices of a side are kept sorted with the best one last.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

from trueup.core.errors import InvariantBroken


class Queued:
    """What can stand in a queue: a limit price and how much of it is left.

    `level` is `None` while it stands nowhere.
    """

    __slots__ = ("ahead", "behind", "is_bid", "level", "price", "remaining")

    def __init__(self, *, is_bid: bool, price: int, remaining: int) -> None:
        self.is_bid = is_bid
        self.price = price
        self.remaining = remaining
        self.level: Level[Self] | None = None
        self.ahead: Self | None = None
        self.behind: Self | None = None


Q = TypeVar("Q", bound=Queued)


class Level(Generic[Q]):
    """The queue at one price; `total` is what all its entries have left."""

    __slots__ = ("first", "last", "price", "total")

    def __init__(self, price: int) -> None:
        self.price = price
        self.total = 0
        self.first: Q | None = None
        self.last: Q | None = None

    def __iter__(self) -> Iterator[Q]:
        entry = self.first
        while entry is not None:
            following = entry.behind
            yield entry
            entry = following


class BookSide(Generic[Q]):
    """All levels of one side.  `ranks` are prices, negated for asks: the best is the last."""

    __slots__ = ("_sign", "levels", "ranks")

    def __init__(self, *, is_bid: bool) -> None:
        self._sign = 1 if is_bid else -1
        self.levels: dict[int, Level[Q]] = {}
        self.ranks: list[int] = []

    def best(self) -> Level[Q] | None:
        """The level that trades first; `None` when nobody is there."""
        return self.levels[self.ranks[-1] * self._sign] if self.ranks else None

    def from_best(self) -> Iterator[Level[Q]]:
        """All levels, the best one first.  Nothing may join or leave meanwhile."""
        for rank in reversed(self.ranks):
            yield self.levels[rank * self._sign]

    def join(self, entry: Q) -> Level[Q]:
        """Let an entry stand at its price, behind those that are there; returns its level."""
        price = entry.price
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(price)
            rank, ranks = price * self._sign, self.ranks
            if not ranks or rank > ranks[-1]:
                ranks.append(rank)
            else:
                insort(ranks, rank)
            level.first = entry
        else:
            entry.ahead = last = level.last
            if last is not None:
                last.behind = entry
        level.last = entry
        level.total += entry.remaining
        entry.level = level
        return level

    def leave(self, entry: Q) -> None:
        """Take an entry out of the book, from wherever in its queue."""
        level = entry.level
        if level is None:
            raise InvariantBroken(f"nothing stands at {entry.price} to be taken away")
        ahead, behind = entry.ahead, entry.behind
        if ahead is None:
            level.first = behind
        else:
            ahead.behind = behind
        if behind is None:
            level.last = ahead
        else:
            behind.ahead = ahead
        entry.level = entry.ahead = entry.behind = None
        level.total -= entry.remaining
        if level.first is None:
            self._close(level)

    def _close(self, level: Level[Q]) -> None:
        if level.total:
            raise InvariantBroken(f"an empty level at {level.price} still counts {level.total}")
        del self.levels[level.price]
        rank, ranks = level.price * self._sign, self.ranks
        if ranks[-1] == rank:
            ranks.pop()
        else:
            del ranks[bisect_left(ranks, rank)]


class OrderBook(Generic[Q]):
    """The book of one market."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids: BookSide[Q] = BookSide(is_bid=True)
        self.asks: BookSide[Q] = BookSide(is_bid=False)

    def best_bid(self) -> Level[Q] | None:
        """The highest price at which somebody buys YES."""
        return self.bids.best()

    def best_ask(self) -> Level[Q] | None:
        """The lowest price at which somebody sells YES."""
        return self.asks.best()

    def counterpart(self, entry: Q) -> Q | None:
        """Who trades next with an arriving entry; `None` when nobody would."""
        ranks = (self.asks if entry.is_bid else self.bids).ranks
        if not ranks:
            return None
        if entry.is_bid:
            price = -ranks[-1]
            return self.asks.levels[price].first if price <= entry.price else None
        price = ranks[-1]
        return self.bids.levels[price].first if price >= entry.price else None

    def counterparts(self, entry: Q) -> Iterator[Q]:
        """Everybody who could trade with an arriving entry, in their order."""
        for level in (self.asks if entry.is_bid else self.bids).from_best():
            if level.price > entry.price if entry.is_bid else level.price < entry.price:
                return
            yield from level

    def join(self, entry: Q) -> Level[Q]:
        """Let an entry rest, and return its level.  It must not cross anybody."""
        return (self.bids if entry.is_bid else self.asks).join(entry)

    def leave(self, entry: Q) -> None:
        """Take a resting entry out of the book."""
        (self.bids if entry.is_bid else self.asks).leave(entry)

    def reduce(self, entry: Q, count: int) -> None:
        """Take `count` off a resting entry, which keeps its place unless nothing is left."""
        level = entry.level
        if level is None or count > entry.remaining:
            raise InvariantBroken(f"{count} cannot be taken off {entry.remaining} at {entry.price}")
        if count == entry.remaining:
            (self.bids if entry.is_bid else self.asks).leave(entry)
            entry.remaining = 0
        else:
            entry.remaining -= count
            level.total -= count

    def is_crossed(self) -> bool:
        """Whether somebody bids what somebody else asks.  Never, between two commands."""
        bids, asks = self.bids.ranks, self.asks.ranks
        return bool(bids and asks) and bids[-1] >= -asks[-1]

    def ahead_of(self, entry: Q) -> int:
        """How much stands before a resting entry: at better prices, and before it at its own."""
        if entry.level is None:
            raise InvariantBroken("an entry that does not rest has no place in the queue")
        total = 0
        for level in (self.bids if entry.is_bid else self.asks).from_best():
            if level is entry.level:
                break
            total += level.total
        waiting = entry.ahead
        while waiting is not None:
            total += waiting.remaining
            waiting = waiting.ahead
        return total

    def check(self) -> None:
        """Prove the book whole: levels equal their orders, prices are sorted, nothing crosses."""
        for side, sign in ((self.bids, 1), (self.asks, -1)):
            if side.ranks != sorted(price * sign for price in side.levels):
                raise InvariantBroken(f"the prices {side.ranks} are not those of the levels")
            for price, level in side.levels.items():
                left = [entry.remaining for entry in level]
                if not left or min(left) <= 0 or sum(left) != level.total:
                    raise InvariantBroken(f"the level at {price} counts {level.total}, not {left}")
        if self.is_crossed():
            raise InvariantBroken("the book is crossed")
