"""The exchange once more, by another road: slow, short and without running totals.

Every figure is counted anew from the list of all trades.  A member's cash is what it
deposited, less price × count for each contract of YES bought, plus the same for
each sold, less $1 for each contract it is short of, less fees: no positions,
averages or pairs are kept.  Fees and collateral are those of `core`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from trueup.core.catalog import FeeTerms
from trueup.core.collateral import resting_collateral
from trueup.core.fees import FillForFee, OrderFees, Precision, model_fee
from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.payoff import paid_payout
from trueup.core.position import Position
from trueup.core.units import Count, Money, Price
from trueup.sim import commands as c
from trueup.sim.events import Refusal

Deal = tuple[OrderId, OrderId, int, int]
"""Maker, taker, price, count."""


@dataclass
class NaiveOrder:
    asked: c.PlaceOrder
    price: Price
    left: int
    arrived: int
    fees: OrderFees
    expires_at: Instant | None
    filled: int = 0
    ended: bool = False

    @property
    def member(self) -> c.Member:
        return self.asked.member

    @property
    def side(self) -> Side:
        return self.asked.side

    @property
    def remaining_count(self) -> Count:
        return Count(self.left)


@dataclass
class NaiveGroup:
    limit: int
    triggered: bool = False
    fills: list[tuple[Instant, int]] = field(default_factory=list[tuple[Instant, int]])

    def hit(self, at: Instant) -> bool:
        recent = sum(count for when, count in self.fills if when > at - 15 * SECOND)
        return recent >= self.limit


class NaiveExchange:
    """Members, markets and orders; `deals` are the trades of the last command."""

    def __init__(self, terms: FeeTerms, members: dict[c.Member, tuple[Precision, Money]]) -> None:
        self.terms = terms
        self.precision = {member: precision for member, (precision, _) in members.items()}
        self.cash = {member: money.units for member, (_, money) in members.items()}
        self.net: dict[tuple[c.Member, Ticker], int] = defaultdict(int)
        self.orders: dict[OrderId, NaiveOrder] = {}
        self.used: set[tuple[c.Member, ClientOrderId]] = set()
        self.groups: dict[tuple[c.Member, OrderGroupId], NaiveGroup] = {}
        self.paused: set[Ticker] = set()
        self.deals: list[Deal] = []
        self.arrivals = 0

    # -- what can be asked -----------------------------------------------------------------

    def resting(self, ticker: Ticker, side: Side) -> list[NaiveOrder]:
        """The orders of one side, the one that trades first first."""
        sign = side.sign
        found = [
            one
            for one in self.orders.values()
            if not one.ended and one.asked.ticker == ticker and one.side is side
        ]
        return sorted(found, key=lambda one: (-sign * one.price.units, one.arrived))

    def free(self, member: c.Member) -> int:
        """Cash that is neither spent nor tied up."""
        held: dict[Ticker, list[NaiveOrder]] = {}
        for one in self.orders.values():
            if not one.ended and one.member == member:
                held.setdefault(one.asked.ticker, []).append(one)
        tied = (
            resting_collateral(Position(Count(self.net[member, ticker])), orders)
            for ticker, orders in held.items()
        )
        return self.money(member) - sum(money.units for money in tied)

    def money(self, member: c.Member) -> int:
        """Cash: of short contracts the dollar that they may have to pay is set aside."""
        short = sum(max(0, -net) for (owner, _), net in self.net.items() if owner == member)
        return self.cash[member] - short * 10_000

    # -- what can be done ------------------------------------------------------------------

    def step(self, command: c.Command) -> Refusal | None:  # noqa: C901 - one table
        self.deals = []
        self.expire(command.at)
        match command:
            case c.PlaceOrder():
                return self.place(command)
            case c.CancelOrder():
                return self.cancel(command)
            case c.CancelAllOrders():
                for one in self.orders.values():
                    if one.member == command.member:
                        one.ended = True
            case c.DecreaseOrder():
                return self.decrease(command)
            case c.AmendOrder():
                return self.amend(command)
            case c.CreateOrderGroup() | c.ResetOrderGroup() | c.TriggerOrderGroup():
                self.regroup(command)
            case c.PauseMarket():
                self.pause(command.ticker)
            case c.ResumeMarket():
                self.paused.discard(command.ticker)
                for one in self.orders.values():
                    one.ended = one.ended or one.asked.ticker == command.ticker
            case _:
                raise AssertionError(command)
        return None

    def regroup(
        self, command: c.CreateOrderGroup | c.ResetOrderGroup | c.TriggerOrderGroup
    ) -> None:
        key = (command.member, command.group_id)
        match command:
            case c.CreateOrderGroup():
                self.groups[key] = NaiveGroup(command.contracts_max.units)
            case c.ResetOrderGroup():
                self.groups[key] = NaiveGroup(self.groups[key].limit)
            case c.TriggerOrderGroup():
                self.trigger(*key)

    def expire(self, at: Instant) -> None:
        for one in self.orders.values():
            if one.expires_at is not None and one.expires_at <= at:
                one.ended = True

    def pause(self, ticker: Ticker) -> None:
        self.paused.add(ticker)
        for one in self.orders.values():
            if one.asked.ticker == ticker and one.asked.cancel_on_pause:
                one.ended = True

    def find(self, member: c.Member, order_id: OrderId) -> NaiveOrder | None:
        found = self.orders.get(order_id)
        return None if found is None or found.ended or found.member != member else found

    def cancel(self, command: c.CancelOrder) -> Refusal | None:
        found = self.find(command.member, command.order_id)
        if found is None:
            return Refusal.NOT_FOUND
        found.ended = True
        return None

    def decrease(self, command: c.DecreaseOrder) -> Refusal | None:
        found = self.find(command.member, command.order_id)
        if found is None:
            return Refusal.NOT_FOUND
        wanted = command.to.units if command.to is not None else 0
        if command.by is not None:
            wanted = max(0, found.left - command.by.units)
        if wanted >= found.left:
            return Refusal.INVALID_ORDER_SIZE
        found.left = wanted
        found.ended = not wanted
        return None

    def amend(self, command: c.AmendOrder) -> Refusal | None:  # noqa: PLR0911 - one per reason
        found = self.find(command.member, command.order_id)
        if found is None:
            return Refusal.NOT_FOUND
        if command.ticker in self.paused:
            return Refusal.MARKET_INACTIVE
        left = command.count.units - found.filled
        if left < 0:
            return Refusal.INVALID_ORDER_SIZE
        if not left:
            found.ended = True
            return None
        if command.price == found.price and left <= found.left:
            found.left = left
            return None
        trial = NaiveOrder(found.asked, command.price, left, 0, found.fees, found.expires_at)
        reached = self.reached(trial)
        if found.asked.post_only and reached:
            return Refusal.INVALID_ORDER
        takes = found.asked.self_trade_prevention is SelfTradePrevention.TAKER_AT_CROSS
        if takes and any(one.member == found.member for one, _ in reached):
            return Refusal.INVALID_ORDER
        found.ended = True
        lacking = self.lacks(trial) or self.too_dear(trial)
        found.ended = False
        if lacking:
            return Refusal.INSUFFICIENT_BALANCE
        self.arrivals += 1
        found.price, found.left, found.arrived = command.price, left, self.arrivals
        self.match(found, left, command.at)
        return None

    def place(self, command: c.PlaceOrder) -> Refusal | None:  # noqa: C901, PLR0911 - as above
        key = None if command.group_id is None else (command.member, command.group_id)
        if command.ticker in self.paused:
            return Refusal.MARKET_INACTIVE
        if (command.member, command.client_order_id) in self.used:
            return Refusal.ORDER_ALREADY_EXISTS
        if key is not None and self.groups[key].triggered:
            return Refusal.ORDER_GROUP_TRIGGERED
        self.arrivals += 1
        order = NaiveOrder(
            command,
            command.price,
            command.count.units,
            self.arrivals,
            OrderFees(self.precision[command.member]),
            command.expires_at,
        )
        if self.lacks(order) or self.too_dear(order):
            return Refusal.INSUFFICIENT_BALANCE
        crosses = bool(self.reached(order))
        fills = not self.must_fill(command) or self.fills_whole(order)
        if not command.canceled_when_impossible:
            if command.post_only and crosses:
                return Refusal.INVALID_ORDER
            if not fills:
                return Refusal.FILL_OR_KILL
        self.used.add((command.member, command.client_order_id))
        self.orders[command.order_id] = order
        if (command.post_only and crosses) or not fills:
            order.ended = True
            return None
        wanted = order.left
        if command.reduce_only:
            held = -command.side.sign * self.net[command.member, command.ticker]
            wanted = min(wanted, max(0, held))
        self.match(order, wanted, command.at)
        if command.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL:
            order.ended = True
        return None

    # -- how it is decided -----------------------------------------------------------------

    def reached(self, order: NaiveOrder) -> list[tuple[NaiveOrder, int]]:
        """Whom an arriving order would meet, own ones too, and for how much."""
        left, found, sign = order.left, list[tuple[NaiveOrder, int]](), order.side.sign
        for one in self.resting(order.asked.ticker, order.side.opposite()):
            if left and (order.price.units - one.price.units) * sign >= 0:
                found.append((one, min(left, one.left)))
                left -= found[-1][1]
        return found

    def needed(self, order: NaiveOrder) -> int:
        """What the order would tie up beside the others."""
        beside = [
            one
            for one in self.orders.values()
            if not one.ended
            and one.member == order.member
            and one.asked.ticker == order.asked.ticker
        ]
        position = Position(Count(self.net[order.member, order.asked.ticker]))
        after = resting_collateral(position, [*beside, order])
        return (after - resting_collateral(position, beside)).units

    def lacks(self, order: NaiveOrder) -> bool:
        """Whether it needs more than is free; what needs nothing is always allowed."""
        needed = self.needed(order)
        return bool(needed) and needed > self.free(order.member)

    def too_dear(self, order: NaiveOrder) -> bool:
        """Whether the fees of what trades at once are not covered."""
        needed, reached = self.needed(order), self.reached(order)
        if not needed or not reached:
            return False
        sign = order.side.sign
        own = order.price if sign > 0 else order.price.complement()
        opens_all = needed == (own * Count(order.left)).units
        for one, count in reached:
            if opens_all:
                needed -= (order.price.units - one.price.units) * sign * count
            fee = model_fee(self.terms, Count(count), one.price, is_taker=True)
            assert fee is not None
            needed += -(-fee.numerator * 1_000_000 // fee.denominator)
        return needed > self.free(order.member)

    def must_fill(self, command: c.PlaceOrder) -> bool:
        return command.time_in_force is TimeInForce.FILL_OR_KILL or command.cost_max is not None

    def fills_whole(self, order: NaiveOrder) -> bool:
        left, cost, sign = order.left, 0, order.side.sign
        for one in self.resting(order.asked.ticker, order.side.opposite()):
            if (order.price.units - one.price.units) * sign < 0 or not left:
                break
            if one.member == order.member:
                if order.asked.self_trade_prevention is SelfTradePrevention.TAKER_AT_CROSS:
                    break
                continue
            count = min(left, one.left)
            own = one.price if sign > 0 else one.price.complement()
            cost += own.units * count
            left -= count
        most = order.asked.cost_max
        return not left and (most is None or cost <= most.units)

    def match(self, order: NaiveOrder, wanted: int, at: Instant) -> None:
        while wanted and not order.ended:
            reached = self.reached(order)
            if not reached:
                return
            maker = reached[0][0]
            if maker.member == order.member:
                if order.asked.self_trade_prevention is SelfTradePrevention.TAKER_AT_CROSS:
                    order.ended = True
                    return
                maker.ended = True
                continue
            count = min(wanted, maker.left)
            wanted -= count
            self.deals.append(
                (maker.asked.order_id, order.asked.order_id, maker.price.units, count)
            )
            for one, is_taker in ((order, True), (maker, False)):
                self.fill(one, maker.price, count, is_taker=is_taker, at=at)
            for one in (maker, order):
                self.count(one, count, at)

    def fill(
        self, order: NaiveOrder, price: Price, count: int, *, is_taker: bool, at: Instant
    ) -> None:
        key, sign = (order.member, order.asked.ticker), order.side.sign
        before = self.money(order.member)
        self.net[key] += sign * count
        self.cash[order.member] -= sign * price.units * count
        fill = FillForFee(
            side=order.side,
            count=Count(count),
            price=price,
            is_taker=is_taker,
            at=at,
            cash=Money(self.money(order.member) - before),
        )
        charged = order.fees.charge_fill(fill, self.terms)
        assert charged is not None
        order.fees, line = charged
        self.cash[order.member] -= line.net_fee.units
        order.filled += count
        order.left -= count
        order.ended = order.ended or not order.left

    def count(self, order: NaiveOrder, count: int, at: Instant) -> None:
        if order.asked.group_id is None:
            return
        group = self.groups[order.member, order.asked.group_id]
        group.fills.append((at, count))
        if not group.triggered and group.hit(at):
            self.trigger(order.member, order.asked.group_id)

    def trigger(self, member: c.Member, group_id: OrderGroupId) -> None:
        self.groups[member, group_id].triggered = True
        for one in self.orders.values():
            if (one.member, one.asked.group_id) == (member, group_id):
                one.ended = True

    def settle(self, ticker: Ticker, value: Price) -> None:
        """Pay what everybody holds in a market, each cut to its own precision."""
        for (member, traded), net in list(self.net.items()):
            if traded == ticker:
                paid = paid_payout(Count(net), value, self.precision[member].step)
                # The dollar set aside for a short contract comes free.
                self.cash[member] += paid.units - max(0, -net) * 10_000
                del self.net[member, traded]

    def sweep(self) -> None:
        """Let go of orders that ended, so that a long run stays quick."""
        self.orders = {key: one for key, one in self.orders.items() if not one.ended}
