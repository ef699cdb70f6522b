"""Who trades: makers who quote, informed traders who pick them off, and everybody else.

Each is a machine: `step(view, chance)` looks at one market and returns what it
wants, as commands of the exchange's own kind.  Traders are members like any
other: their orders are matched, charged and settled by the same rules.

They think in *rungs*, the prices that a market's grid allows, from the lowest
up, so the same trader works on any grid.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol

from trueup.core.grid import PriceGrid
from trueup.core.ids import PRIMARY, OrderId, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side, TimeInForce
from trueup.core.units import ONE_DOLLAR, Count, Price
from trueup.sim import commands as c
from trueup.sim.chance import Chance, between, happens, identifier
from trueup.sim.matching import OrderBook
from trueup.sim.order import Order

CONTRACT: Final = 100
"""One contract in `Count` units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One market as one trader sees it.  Prices in `Price` units, counts in `Count` units.

    `odds` is what the hidden number says (only makers, late, and informed
    traders look at it).  `net` is the position of the `member` who looks.
    """

    at: Instant
    ticker: Ticker
    grid: PriceGrid
    bid: int | None
    ask: int | None
    odds: int
    net: int
    member: c.Member
    book: OrderBook[Order]

    def own(self) -> list[Order]:
        """The resting orders of the member who looks."""
        member = self.member
        return [
            order
            for side in (self.book.bids, self.book.asks)
            for level in side.levels.values()
            for order in level
            if order.terms.member == member
        ]


class Trader(Protocol):
    """A member who trades when it wakes up."""

    @property
    def member(self) -> c.Member:
        """Whose account."""
        ...

    def step(self, view: View, chance: Chance) -> list[c.Command]:
        """What it does now."""
        ...


@lru_cache(maxsize=64)
def rungs(grid: PriceGrid) -> tuple[int, ...]:
    """Every price that an order may have, from the lowest up."""
    return tuple(units for units in range(1, ONE_DOLLAR.units) if grid.allows(Price(units)))


@dataclass(slots=True)
class Maker:
    """Quotes both sides around what it believes, some rungs apart, and leans against its position.

    It hears of the odds `hears` percent of the way each time it looks, so it is late,
    and moves a quote only when it is off by more than a rung or mostly taken.
    """

    member: c.Member
    half_spread: int = 1
    levels: int = 3
    size: int = 60
    """Contracts per quote, more or less."""
    hears: int = 60
    lean_at: int = 2_000
    """Contracts of a position that move its quotes by one rung."""
    _beliefs: dict[Ticker, int] = field(default_factory=dict[Ticker, int])

    def step(self, view: View, chance: Chance) -> list[c.Command]:
        """Take back what is off, place what is missing."""
        believed = self._beliefs.get(view.ticker, view.odds)
        believed += (view.odds - believed) * self.hears // 100
        self._beliefs[view.ticker] = believed
        ladder = rungs(view.grid)
        middle = bisect_left(ladder, believed) - view.net // (self.lean_at * CONTRACT)
        wanted = [
            (is_bid, place)
            for level in range(self.levels)
            for is_bid, place in (
                (True, middle - self.half_spread - level * self._gap(level)),
                (False, middle + self.half_spread + level * self._gap(level)),
            )
            if 0 <= place < len(ladder)
        ]
        commands, missing = self._take_back(view, ladder, wanted)
        for is_bid, place in missing:
            count = between(chance, self.size // 2, self.size * 3 // 2) * CONTRACT
            commands.append(
                _order(view, self.member, chance, is_bid=is_bid, price=ladder[place], count=count)
            )
        return commands

    def forget(self, ticker: Ticker) -> None:
        """Let go of a market that is over."""
        self._beliefs.pop(ticker, None)

    def _gap(self, level: int) -> int:
        return 1 + level // 2

    def _take_back(
        self, view: View, ladder: tuple[int, ...], wanted: list[tuple[bool, int]]
    ) -> tuple[list[c.Command], list[tuple[bool, int]]]:
        """Cancels of quotes that are off or mostly taken, and what is missing after them."""
        missing = list(wanted)
        commands: list[c.Command] = []
        for order in view.own():
            place = bisect_left(ladder, order.price)
            # The first quotes must be right; those behind may be a little off.
            near = [
                one
                for number, one in enumerate(missing)
                if one[0] == order.is_bid and abs(one[1] - place) <= 1 + number // 3
            ]
            if near and order.remaining * 4 >= self.size * CONTRACT:
                missing.remove(near[0])
            else:
                commands.append(
                    c.CancelOrder(at=view.at, member=self.member, order_id=order.terms.order_id)
                )
        return commands, missing


@dataclass(slots=True)
class Crowd:
    """Everybody else: small orders at the market, patient ones near it, a large one now and then."""

    member: c.Member
    takes: int = 60
    """How often, in percent, it takes what is there instead of waiting its turn."""
    fractions: int = 15
    """How often, in percent, a count is not whole."""

    def step(self, view: View, chance: Chance) -> list[c.Command]:
        """One order, or now and then a change of mind."""
        if happens(chance, 12) and (own := view.own()):
            order = own[chance.randrange(0, len(own))]
            return [c.CancelOrder(at=view.at, member=self.member, order_id=order.terms.order_id)]
        is_bid = chance.randrange(0, 2) == 0
        best = view.ask if is_bid else view.bid
        if best is not None and happens(chance, self.takes):
            return [self._take(view, chance, is_bid=is_bid, best=best)]
        return self._wait(view, chance, is_bid=is_bid)

    def _take(self, view: View, chance: Chance, *, is_bid: bool, best: int) -> c.Command:
        ladder = rungs(view.grid)
        slack = between(chance, 0, 2)
        place = bisect_left(ladder, best) + (slack if is_bid else -slack)
        return _order(
            view,
            self.member,
            chance,
            is_bid=is_bid,
            price=ladder[max(0, min(len(ladder) - 1, place))],
            count=self._count(chance),
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )

    def _wait(self, view: View, chance: Chance, *, is_bid: bool) -> list[c.Command]:
        ladder = rungs(view.grid)
        best = view.bid if is_bid else view.ask
        if best is None:
            return []
        back = between(chance, 0, 4)
        place = bisect_left(ladder, best) + (-back if is_bid else back)
        if not 0 <= place < len(ladder):
            return []
        stays = between(chance, 60, 3_600) * SECOND
        return [
            _order(
                view,
                self.member,
                chance,
                is_bid=is_bid,
                price=ladder[place],
                count=self._count(chance),
                expires_at=Instant(view.at + stays),
            )
        ]

    def _count(self, chance: Chance) -> int:
        """Mostly a few contracts, sometimes many, seldom very many."""
        kind = chance.randrange(0, 100)
        most = 10 if kind < 70 else 80 if kind < 95 else 400  # noqa: PLR2004
        count = between(chance, 1, most) * CONTRACT
        return count + between(chance, 1, 99) if happens(chance, self.fractions) else count


@dataclass(slots=True)
class Informed:
    """Knows the odds, and trades when the book is off by more than `edge` (in `Price` units)."""

    member: c.Member
    edge: int = 250
    size: int = 40
    net_max: int = 3_000
    """Contracts it will hold of one side at most."""

    def step(self, view: View, chance: Chance) -> list[c.Command]:
        """Take what is too cheap or sell what is too dear."""
        for is_bid, best in ((True, view.ask), (False, view.bid)):
            if best is None:
                continue
            gain = view.odds - best if is_bid else best - view.odds
            held = view.net if is_bid else -view.net
            if gain >= self.edge and held < self.net_max * CONTRACT:
                ladder = rungs(view.grid)
                fair = max(ladder[0], min(ladder[-1], view.odds))
                limit = (
                    ladder[bisect_right(ladder, fair) - 1]
                    if is_bid
                    else ladder[bisect_left(ladder, fair)]
                )
                lots = max(1, min(4, gain // self.edge))
                count = between(chance, self.size // 4, self.size) * lots * CONTRACT
                return [
                    _order(
                        view,
                        self.member,
                        chance,
                        is_bid=is_bid,
                        price=limit,
                        count=count,
                        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
                    )
                ]
        return []


def _order(
    view: View,
    member: c.Member,
    chance: Chance,
    *,
    is_bid: bool,
    price: int,
    count: int,
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELED,
    expires_at: Instant | None = None,
) -> c.PlaceOrder:
    return c.PlaceOrder(
        at=view.at,
        member=member,
        subaccount=PRIMARY,
        order_id=OrderId(identifier(chance)),
        client_order_id=c.NO_CLIENT_ID,
        ticker=view.ticker,
        side=Side.YES if is_bid else Side.NO,
        price=Price(price),
        count=Count(count),
        time_in_force=time_in_force,
        expires_at=expires_at,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """A trader and how often it is its turn, compared with the others."""

    trader: Trader
    weight: int


class Roster:
    """The traders of a world, and whose turn it is."""

    def __init__(self, shares: Iterable[Share]) -> None:
        self.shares: Final = tuple(shares)
        self._all = sum(share.weight for share in self.shares)

    def next_trader(self, chance: Chance) -> Trader:
        """One of them, by their weights."""
        place = chance.randrange(0, self._all)
        for share in self.shares:
            place -= share.weight
            if place < 0:
                return share.trader
        return self.shares[-1].trader

    @property
    def makers(self) -> tuple[Maker, ...]:
        """Those who open every market with a first quote."""
        return tuple(s.trader for s in self.shares if isinstance(s.trader, Maker))


def usual_roster() -> Roster:
    """Two makers, one of them wide, an informed trader and three shares of everybody else."""
    return Roster(
        (
            Share(Maker(c.Member("maker-tight"), half_spread=1, levels=3, size=60), 25),
            Share(Maker(c.Member("maker-wide"), half_spread=3, levels=4, size=250, hears=35), 12),
            Share(Informed(c.Member("informed")), 13),
            Share(Crowd(c.Member("crowd-1")), 20),
            Share(Crowd(c.Member("crowd-2"), takes=75), 20),
            Share(Crowd(c.Member("crowd-3"), takes=30, fractions=40), 10),
        )
    )
