"""What one subaccount holds in one market, now and at any time before.

The machine changes a `HoldingRecord` in place, in bare units of `Count` and
`Money`; `Holding` is the frozen view of it at an instant.  The arithmetic is
that of `core.position` and `core.collateral`, kept up change by change instead
of computed anew; the tests hold the two against each other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from msgspec import Struct

from trueup.core.fees import Precision
from trueup.core.ids import EventTicker, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.position import FLAT, Position
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.sim.history import CashBook
from trueup.sim.order_commands import Member
from trueup.sim.order_events import FillMade

ONE: Final = 10_000
"""$1 in `Price` units; times a count in its units, the `Money` units of that many dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a subaccount holds, and ever traded, in one market.

    The gross counts and costs are every contract traded on either side: a sale
    of YES at p is a purchase of NO at 1 − p (the exchange's settlement rows
    count this way).
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    event_ticker: EventTicker
    position: Position = FLAT
    realized: Money = ZERO_MONEY
    fees: Money = ZERO_MONEY
    yes_count: Count = ZERO_COUNT
    no_count: Count = ZERO_COUNT
    yes_cost: Money = ZERO_MONEY
    no_cost: Money = ZERO_MONEY
    payout: Money = ZERO_MONEY
    settled_at: Instant | None = None

    @property
    def total_traded(self) -> Money:
        """Everything ever paid for contracts of either side."""
        return self.yes_cost + self.no_cost


class HoldingState(Struct, frozen=True, gc=False):
    """The figures of a holding from `at` on."""

    at: Instant
    net: int
    cost: int
    realized: int
    fees: int
    yes_count: int
    no_count: int
    yes_cost: int
    no_cost: int
    payout: int
    settled_at: Instant | None

    def after(self, fills: Sequence[FillMade]) -> HoldingState:
        """What a holding is after further fills, the last one first."""
        if not fills:
            return self
        counts, costs = {True: 0, False: 0}, {True: 0, False: 0}
        for made in fills:
            is_yes = made.terms.side is Side.YES
            own_price = made.price.units if is_yes else ONE - made.price.units
            counts[is_yes] += made.count_units
            costs[is_yes] += made.count_units * own_price
        last = fills[0]
        return HoldingState(
            at=last.at,
            net=last.net_units,
            cost=last.cost_units,
            realized=self.realized + sum(made.realized_units for made in fills),
            fees=self.fees + sum(made.fee_units for made in fills),
            yes_count=self.yes_count + counts[True],
            no_count=self.no_count + counts[False],
            yes_cost=self.yes_cost + costs[True],
            no_cost=self.no_cost + costs[False],
            payout=self.payout,
            settled_at=self.settled_at,
        )


_NOTHING: Final = HoldingState(Instant(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, None)
_STATE_EVERY: Final = 64


class Resting(Protocol):
    """A resting order as far as its collateral is concerned."""

    @property
    def is_bid(self) -> bool:
        """Whether it buys YES."""
        ...

    @property
    def own_price(self) -> int:
        """The price of its own side."""
        ...

    @property
    def remaining(self) -> int:
        """What may still fill."""
        ...


class Owner:
    """The part of an account that its orders and fills touch.

    `fills` are all fills, oldest first; `changed_at` is when an order last changed.
    """

    def __init__(self, member: Member, precision: Precision, *, history: bool) -> None:
        self.member = member
        self.precision = precision
        self.history = history
        self.changed_at = Instant(0)
        self.fills_made: list[FillMade] = []


class HoldingRecord:
    """One subaccount in one market.

    `cash` is the cash book that its fills move; `net` is signed (+ YES, − NO);
    `returns` says that collateral is returned early here (see `returning`).
    """

    __slots__ = (
        "_asks",
        "_bids",
        "_past",
        "cash",
        "cost",
        "event_ticker",
        "fees",
        "held",
        "member",
        "net",
        "no_cost",
        "no_count",
        "owner",
        "payout",
        "realized",
        "returns",
        "settled_at",
        "settled_cost",
        "settled_net",
        "shard",
        "subaccount",
        "ticker",
        "yes_cost",
        "yes_count",
    )

    def __init__(
        self,
        *,
        owner: Owner,
        subaccount: Subaccount,
        shard: Shard,
        ticker: Ticker,
        event_ticker: EventTicker,
        cash: CashBook,
        returns: bool = False,
    ) -> None:
        self.owner = owner
        self.member = owner.member
        self.subaccount = subaccount
        self.shard = shard
        self.ticker = ticker
        self.event_ticker = event_ticker
        self.cash = cash
        self.returns = returns
        self.net = 0
        self.cost = 0
        self.realized = 0
        self.fees = 0
        self.yes_count = 0
        self.no_count = 0
        self.yes_cost = 0
        self.no_cost = 0
        self.payout = 0
        self.settled_at: Instant | None = None
        self.settled_net = 0
        self.settled_cost = 0
        self.held = 0
        self._bids = RestingSide()
        self._asks = RestingSide()
        self._past: list[HoldingState | FillMade] | None = [] if owner.history else None

    @property
    def is_traded(self) -> bool:
        """Whether anything ever traded here (an order that only rests is no holding)."""
        return bool(self.yes_count or self.no_count)

    # -- trading ---------------------------------------------------------------------------

    def trade(self, sign: int, count: int, own_price: int) -> tuple[int, int, int, int]:
        """Trade `count` at the price of the own side; as `core.position.trade`.

        Returns the change of cash before fees, the contracts closed, the cost
        that went out with them, and the gain realised.
        """
        paid = own_price * count
        if sign > 0:
            self.yes_count += count
            self.yes_cost += paid
        else:
            self.no_count += count
            self.no_cost += paid
        net = self.net
        self.net = net + sign * count
        if net * sign >= 0:
            self.cost += paid
            return -paid, 0, 0, 0
        held = abs(net)
        closed = min(held, count)
        proceeds = (ONE - own_price) * closed
        cost_out = self.cost * closed // held
        cost_in = own_price * (count - closed)
        self.cost += cost_in - cost_out
        self.realized += proceeds - cost_out
        return proceeds - cost_in, closed, cost_out, proceeds - cost_out

    def settle(self, payout: int, at: Instant) -> None:
        """End the position for what it pays."""
        self.settled_net, self.settled_cost = self.net, self.cost
        self.realized += payout - self.cost
        self.payout = payout
        self.net = self.cost = 0
        self.settled_at = at

    def revise(self, payout: int) -> None:
        """Correct what the settled position was paid."""
        self.realized += payout - self.payout
        self.payout = payout

    # -- what resting orders tie up --------------------------------------------------------

    def rest(self, order_id: OrderId, order: Resting) -> None:
        """Let an order rest here."""
        side = self._bids if order.is_bid else self._asks
        side.orders[order_id] = order
        side.change(order.own_price, order.remaining)
        self.hold()

    def unrest(self, order_id: OrderId, order: Resting) -> None:
        """Let go of an order that rests no more."""
        side = self._bids if order.is_bid else self._asks
        del side.orders[order_id]
        side.change(order.own_price, -order.remaining)
        self.hold()

    def lessen(self, order_id: OrderId, order: Resting, count: int) -> None:
        """Take note that a resting order is about to have `count` less; `hold` must follow."""
        side = self._bids if order.is_bid else self._asks
        side.change(order.own_price, -count)
        if count == order.remaining:
            del side.orders[order_id]

    def hold(self) -> None:
        """Tie up what position and orders now ask for, as `core.collateral.resting_collateral`."""
        bids, asks, net = self._bids, self._asks, self.net
        held = bids.worth + asks.worth
        if net > 0:
            held = bids.worth
            if asks.count > net:
                held += asks.worth_uncovered(net)
        elif net:
            held = asks.worth
            if bids.count + net > 0:
                held += bids.worth_uncovered(-net)
        if held != self.held:
            self.cash.held += held - self.held
            self.held = held

    def needed(self, order: Resting) -> int:
        """How much more would be tied up if `order` rested beside the others."""
        covered = -self.net if order.is_bid else self.net
        if covered <= 0:
            return order.own_price * order.remaining
        side = self._bids if order.is_bid else self._asks
        if side.count + order.remaining <= covered:
            return 0
        return side.worth_uncovered(covered, order) - side.worth_uncovered(covered)

    def orders(self) -> tuple[Resting, ...]:
        """Everything that rests here, bids first."""
        return (*self._bids.orders.values(), *self._asks.orders.values())

    # -- as a history ----------------------------------------------------------------------
    #
    # Fills are kept as they are, and every so often the whole state; what was in
    # between is counted from the last state before it.

    def filled(self, made: FillMade) -> None:
        """Remember a fill, which has been counted already."""
        past = self._past
        if past is not None:
            past.append(made)
            if not len(past) % _STATE_EVERY:
                past.append(self._state(made.at))

    def note(self, at: Instant) -> None:
        """Remember what is held from `at` on, after something else than a fill."""
        if self._past is not None:
            self._past.append(self._state(at))

    def latest(self) -> Holding | None:
        """What is held now; `None` before the first trade."""
        return self._view(self._state(Instant(0))) if self.is_traded else None

    def at(self, instant: Instant, /) -> Holding | None:
        """What was held at `instant`; `None` before the first trade."""
        state = self._state_at(instant)
        return None if state is None else self._view(state)

    def is_flat_since(self, instant: Instant) -> bool:
        """Whether nothing is held, and nothing changed after `instant`."""
        past = self._past
        return not self.net and not (past and past[-1].at > instant)

    def since(self, instant: Instant, /) -> Instant | None:
        """When the holding became what it was at `instant`."""
        past = self._past or ()
        place = bisect_right(past, instant, key=_at)
        return past[place - 1].at if place else None

    def forget(self, before: Instant) -> None:
        """Drop what had been replaced before `before`."""
        past = self._past
        if past is None or not past or past[0].at >= before:
            return
        place = bisect_right(past, before, key=_at)
        state = self._state_at(before)
        if state is not None:
            self._past = [state, *past[place:]]

    def _state_at(self, instant: Instant) -> HoldingState | None:
        past = self._past
        if past is None or (past and instant >= past[-1].at):
            return self._state(instant) if self.is_traded else None
        place = bisect_right(past, instant, key=_at)
        if not place:
            return None
        later: list[FillMade] = []
        for index in range(place - 1, -1, -1):
            one = past[index]
            if isinstance(one, HoldingState):
                return one.after(later)
            later.append(one)
        return _NOTHING.after(later)

    def _state(self, at: Instant) -> HoldingState:
        return HoldingState(
            at,
            self.net,
            self.cost,
            self.realized,
            self.fees,
            self.yes_count,
            self.no_count,
            self.yes_cost,
            self.no_cost,
            self.payout,
            self.settled_at,
        )

    def _view(self, state: HoldingState) -> Holding:
        return Holding(
            subaccount=self.subaccount,
            shard=self.shard,
            ticker=self.ticker,
            event_ticker=self.event_ticker,
            position=Position(Count(state.net), Money(state.cost)),
            realized=Money(state.realized),
            fees=Money(state.fees),
            yes_count=Count(state.yes_count),
            no_count=Count(state.no_count),
            yes_cost=Money(state.yes_cost),
            no_cost=Money(state.no_cost),
            payout=Money(state.payout),
            settled_at=state.settled_at,
        )


class RestingSide:
    """The orders of one holding that rest on one side; `worth` is own price × remaining.

    How much rests at each price is kept from the first time that held contracts cover some
    of it: a book of hundreds of orders is told change by change, and each change must not
    look at all of them again.  Who holds nothing pays nothing for it.
    """

    __slots__ = ("_counts", "_prices", "count", "orders", "worth")

    def __init__(self) -> None:
        self.orders: dict[OrderId, Resting] = {}
        self.count = 0
        self.worth = 0
        self._counts: dict[int, int] | None = None
        self._prices: list[int] = []

    def change(self, own_price: int, count: int) -> None:
        """So much more rests at a price, or (negative) less."""
        self.count += count
        self.worth += own_price * count
        if self._counts is not None:
            self._tally(self._counts, own_price, count)

    def worth_uncovered(self, covered: int, another: Resting | None = None) -> int:
        """What is left to pay where held contracts cover the dearest orders."""
        left, count, price = self.worth, 0, 0
        if another is not None:
            count, price = another.remaining, another.own_price
            left += price * count
        counts = self._by_price()
        for rested in reversed(self._prices):
            if count and price >= rested:
                closing = min(covered, count)
                covered -= closing
                left -= price * closing
                count = 0
            if not covered:
                return left
            closing = min(covered, counts[rested])
            covered -= closing
            left -= rested * closing
        return left - price * min(covered, count)

    def _by_price(self) -> dict[int, int]:
        if self._counts is None:
            self._counts = {}
            for order in self.orders.values():
                self._tally(self._counts, order.own_price, order.remaining)
        return self._counts

    def _tally(self, counts: dict[int, int], own_price: int, count: int) -> None:
        before = counts.get(own_price, 0)
        after = counts[own_price] = before + count
        if not before:
            insort(self._prices, own_price)
        if not after:
            del counts[own_price], self._prices[bisect_left(self._prices, own_price)]


def _at(one: HoldingState | FillMade) -> Instant:
    return one.at
