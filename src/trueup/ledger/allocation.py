"""Which of the exchange's contracts belong to which row of a bot's table?

The exchange knows orders and one net position; a bot's table knows trades, each
with its own side, quantity and entry price.  Every row is followed as if it
stood alone: it enters with contracts of its side, some of them may be sold
again, and what is left is paid at settlement.  An order on the other side that
no row claims as its entry is an exit (a sale of YES is a purchase of NO).  Read
this way the rows add up to the exchange's figure to the last unit, also where
YES and NO rows stand against each other.

Entries are matched in three rounds: an order of the row's exact quantity and
price; contracts of orders of the row's price; then what is left, oldest first,
divided by the rows' own quantities and entry prices.  What a division leaves
over goes to the last row, so the result does not depend on chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from trueup.core.facts import Filled, Settled
from trueup.core.ids import OrderId
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio

_PRICE_TOLERANCE: Final = Ratio(1, 20_000)
"""How far a row's entry price may be from an order's average to be the same: half of
the finest price step."""

_COST_TOLERANCE: Final = 10_000
"""How far the rows' own costs may be from the orders', per row, in units of money: 1 cent."""


@dataclass(slots=True)
class Traded:
    """What is left to claim of an order's contracts; integers in units of the core.

    `cost` is what the contracts of `side` cost, as a purchase.
    """

    order_id: OrderId
    side: Side
    at: Instant
    count: int = 0
    cost: int = 0
    fees: int = 0

    def average(self) -> Ratio:
        """Dollars per contract."""
        return Ratio(self.cost, self.count * 10_000)

    def take(self, count: int) -> tuple[int, int]:
        """Cost and fees of `count` contracts, which are then gone."""
        cost, fees = self.cost * count // self.count, self.fees * count // self.count
        self.count, self.cost, self.fees = self.count - count, self.cost - cost, self.fees - fees
        return cost, fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a row says about itself.  `price` is dollars per contract of its side.

    `exited` says that the row itself calls its contracts sold.
    """

    side: Side
    quantity: Count
    price: Ratio | None
    at: Instant | None
    exited: bool


@dataclass(slots=True)
class Share:
    """What the exchange's record gives a row; integers in units of the core."""

    entered: int = 0
    cost: int = 0
    fees: int = 0
    exit_fees: int = 0
    """Those of the sales; part of `fees`."""
    sold: int = 0
    proceeds: int = 0
    payout: int = 0
    price_fits: bool = True
    """Whether the row's own entry price is the one of its contracts."""

    @property
    def held(self) -> int:
        """Contracts left for settlement."""
        return self.entered - self.sold

    def profit_loss(self) -> Money:
        """Net of fees."""
        return Money(self.proceeds + self.payout - self.cost - self.fees)


@dataclass(frozen=True, slots=True)
class Allocation:
    """The shares in the order of the claims.

    `complete` says that every contract of the exchange's record is in them, so
    that they add up to it exactly.
    """

    shares: tuple[Share, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The rows cannot be matched with the exchange's record; `words` say why."""

    words: str


def by_orders(fills: Iterable[Filled]) -> list[Traded]:
    """The fills added up by order, oldest order first."""
    orders: dict[OrderId, Traded] = {}
    for filled in sorted(fills, key=lambda each: (each.at, each.trade_id)):
        traded = orders.get(filled.order_id)
        if traded is None:
            traded = orders[filled.order_id] = Traded(filled.order_id, filled.side, filled.at)
        own_price = filled.price if filled.side is Side.YES else filled.price.complement()
        traded.count += filled.count.units
        traded.cost += (own_price * filled.count).units
        traded.fees += 0 if filled.fee is None else filled.fee.units
    return list(orders.values())


def by_row(row: Settled) -> list[Traded]:
    """A settlement row as one order per side: all there is when the fills are gone.

    The row's fees are divided between the sides by contracts.
    """
    yes = Traded(OrderId("yes of the settlement row"), Side.YES, row.at)
    no = Traded(OrderId("no of the settlement row"), Side.NO, row.at)
    yes.count, yes.cost = row.yes_count.units, row.yes_cost.units
    no.count, no.cost = row.no_count.units, row.no_cost.units
    both = yes.count + no.count
    if both:
        yes.fees = row.trade_fees.units * yes.count // both
        no.fees = row.trade_fees.units - yes.fees
    return [each for each in (yes, no) if each.count]


def allocate(
    claims: Sequence[Claim],
    orders: Sequence[Traded],
    *,
    value: Price | None,
    payout: Money | None,
) -> Allocation | Refused:
    """Share the orders of a market, and its payout, among the rows of a table.

    `orders` are used up (`by_orders`, `by_row`).  `value` is what one YES contract paid, `None` if the market has not ended;
    `payout` is what the exchange paid for the net position, exactly, `None` to
    take it from `value`.  Refused when the rows claim contracts that were never
    filled, or when contracts were sold and the rows do not hold all of them, so
    that nobody can say whose they were.
    """
    shares = tuple(Share() for _ in claims)
    for side in Side:
        mine = [order for order in orders if order.side is side]
        wanted = sum(claim.quantity.units for claim in claims if claim.side is side)
        filled = sum(order.count for order in mine)
        if wanted > filled:
            return Refused(
                f"the rows hold {Count(wanted)} contracts of {side}, "
                f"the exchange filled {Count(filled)}"
            )
        _enter(claims, shares, mine, side)
    for side in Side:
        _exit(claims, shares, [order for order in orders if order.side is side.opposite()], side)
    complete = not any(order.count for order in orders)
    silent = any(
        share.sold and not claim.exited for share, claim in zip(shares, claims, strict=True)
    )
    if silent and not complete:
        return Refused(
            "contracts were sold before settlement and the rows do not hold all that were "
            "bought, so nobody can say whose they were"
        )
    if value is not None:
        _pay(claims, shares, value, payout if complete else None)
    return Allocation(shares, complete)


def _enter(
    claims: Sequence[Claim], shares: Sequence[Share], orders: list[Traded], side: Side
) -> None:
    mine = [index for index, claim in enumerate(claims) if claim.side is side]
    for index in mine:
        _enter_whole_order(claims[index], shares[index], orders)
    for index in mine:
        _enter_at_price(claims[index], shares[index], orders)
    rest = [index for index in mine if shares[index].entered < claims[index].quantity.units]
    _enter_oldest(claims, shares, orders, rest=rest)


def _enter_whole_order(claim: Claim, share: Share, orders: Iterable[Traded]) -> None:
    wanted = claim.quantity.units
    same = [
        order
        for order in orders
        if order.count == wanted and wanted and _is_price(claim.price, order.average())
    ]
    if not same:
        return
    nearest = same[0]
    if claim.at is not None:
        at = claim.at
        nearest = min(same, key=lambda order: abs(order.at - at))
    _take(share, nearest, wanted)


def _enter_at_price(claim: Claim, share: Share, orders: Iterable[Traded]) -> None:
    for order in orders:
        missing = claim.quantity.units - share.entered
        if missing and order.count and _is_price(claim.price, order.average()):
            _take(share, order, min(missing, order.count))


def _enter_oldest(
    claims: Sequence[Claim],
    shares: Sequence[Share],
    orders: Iterable[Traded],
    *,
    rest: Sequence[int],
) -> None:
    """Give the remaining rows the oldest remaining contracts, then level their costs."""
    if not rest:
        return
    before = {index: (shares[index].entered, shares[index].cost) for index in rest}
    waiting = iter(orders)
    order = next(waiting, None)
    for index in rest:
        while (missing := claims[index].quantity.units - shares[index].entered) and order:
            if order.count:
                _take(shares[index], order, min(missing, order.count))
            else:
                order = next(waiting, None)
    _level(claims, shares, before)


def _level(
    claims: Sequence[Claim], shares: Sequence[Share], before: dict[int, tuple[int, int]]
) -> None:
    """Divide the rows' common cost by their own entry prices, if these fit it."""
    total = sum(shares[index].cost - cost for index, (_, cost) in before.items())
    own: dict[int, int] = {}
    for index, (entered, _) in before.items():
        price = claims[index].price
        if price is None:
            return
        own[index] = int(price * 10_000 * (shares[index].entered - entered))
    fits = abs(total - sum(own.values())) <= _COST_TOLERANCE * len(own)
    for number, (index, cost) in enumerate(own.items(), start=1):
        shares[index].price_fits = fits
        if fits:
            part = total if number == len(own) else cost
            shares[index].cost = before[index][1] + part
            total -= part


def _exit(
    claims: Sequence[Claim], shares: Sequence[Share], exits: list[Traded], side: Side
) -> None:
    """Whose contracts were sold?  Rows that say so come first, then the oldest."""
    left = sum(order.count for order in exits)
    mine = [index for index, claim in enumerate(claims) if claim.side is side]
    if not left or not mine:
        return
    said = [index for index in mine if claims[index].exited]
    for index in said:
        for order in exits:
            if order.count == shares[index].held and order.count:
                _sell(shares[index], order, order.count)
    order_of_age = sorted(mine, key=lambda index: (not claims[index].exited, index))
    for order in exits:
        for index in order_of_age:
            if order.count and shares[index].held:
                _sell(shares[index], order, min(order.count, shares[index].held))


def _take(share: Share, order: Traded, count: int) -> None:
    cost, fees = order.take(count)
    share.entered += count
    share.cost += cost
    share.fees += fees


def _sell(share: Share, order: Traded, count: int) -> None:
    cost, fees = order.take(count)
    share.sold += count
    share.proceeds += count * ONE_DOLLAR.units - cost
    share.fees += fees
    share.exit_fees += fees


def _pay(
    claims: Sequence[Claim], shares: Sequence[Share], value: Price, payout: Money | None
) -> None:
    """Pay what is held; pairs that rows hold against each other pay $1 together."""
    net = paid = 0
    for claim, share in zip(claims, shares, strict=True):
        own_value = value if claim.side is Side.YES else value.complement()
        share.payout = own_value.units * share.held
        paid += share.payout
        net += claim.side.sign * share.held
    if payout is None:
        return
    internal = (sum(share.held for share in shares) - abs(net)) // 2
    rest = payout.units + internal * ONE_DOLLAR.units - paid
    for share in reversed(shares):
        if share.held and rest:
            share.payout += rest
            return


def _is_price(own: Ratio | None, price: Ratio) -> bool:
    return own is not None and abs(own - price) <= _PRICE_TOLERANCE
