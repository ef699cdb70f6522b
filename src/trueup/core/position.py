"""One signed net position per market: the only place that splits a trade.

YES and NO are one quantity.  A buy of NO at 1 − p while long YES *is* a sale of
YES at p.  A trade is split into the part that closes what is held (cost goes
out, the gain is realised) and the part that opens (cost comes in).  Cost is
average cost; what a division cuts off stays with the remaining contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio


@dataclass(frozen=True, slots=True)
class Position:
    """`net` contracts (+ YES, − NO) held at a total `cost` (≥ 0)."""

    net: Count = ZERO_COUNT
    cost: Money = ZERO_MONEY

    @property
    def side(self) -> Side | None:
        """Which contracts are held; `None` when flat."""
        if not self.net:
            return None
        return Side.YES if self.net.units > 0 else Side.NO

    @property
    def average_cost(self) -> Ratio | None:
        """Dollars per contract of the held side, exact; `None` when flat."""
        if not self.net:
            return None
        return Ratio(self.cost.units, abs(self.net.units) * 10_000)


@dataclass(frozen=True, slots=True)
class Change:
    """What one trade did to a position, before fees.

    `cash` is the change of cash (negative when paying).  `closed` and `opened`
    are unsigned counts that add up to the trade's count.  The identity
    ``cash == cost_out + realized − cost_in`` always holds.
    """

    after: Position
    closed: Count
    opened: Count
    cash: Money
    cost_out: Money
    cost_in: Money
    realized: Money


FLAT = Position()


def trade(position: Position, side: Side, count: Count, price: Price) -> Change:
    """Apply a trade of `count` contracts on `side` at the YES price `price`."""
    net, cost, closed, opened, cost_out, cost_in, realized = split(
        (position.net.units, position.cost.units), side.sign, count.units, price.units
    )
    return Change(
        after=Position(Count(net), Money(cost)),
        closed=Count(closed),
        opened=Count(opened),
        cash=Money(cost_out + realized - cost_in),
        cost_out=Money(cost_out),
        cost_in=Money(cost_in),
        realized=Money(realized),
    )


def split(
    held: tuple[int, int], sign: int, count: int, price: int
) -> tuple[int, int, int, int, int, int, int]:
    """The same in bare units: `held` are net and cost, `sign` is + for YES.

    Returns net and cost after the trade, the counts closed and opened, cost
    out, cost in, and what was realised.
    """
    net, cost = held
    own_price = price if sign > 0 else _DOLLAR - price
    if net * sign >= 0:
        cost_in = own_price * count
        return net + sign * count, cost + cost_in, 0, count, 0, cost_in, 0
    contracts = abs(net)
    closed = min(contracts, count)
    opened = count - closed
    # What the division cuts off stays with the remaining contracts.
    cost_out = cost * closed // contracts
    cost_in = own_price * opened
    realized = (_DOLLAR - own_price) * closed - cost_out
    after = cost - cost_out + cost_in
    return net + sign * count, after, closed, opened, cost_out, cost_in, realized


_DOLLAR: Final = ONE_DOLLAR.units
