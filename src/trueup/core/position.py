"""One signed net position per market: the only place that splits a trade.

YES and NO are one quantity.  A buy of NO at 1 − p while long YES *is* a sale of
YES at p.  A trade is split into the part that closes what is held (cost goes
out, the gain is realised) and the part that opens (cost comes in).  Cost is
average cost; what a division cuts off stays with the remaining contracts.
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price, Ratio


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
    held, traded = position.net.units, count.units
    own_price = price if side is Side.YES else price.complement()
    if held * side.sign >= 0:
        cost = own_price * count
        after = Position(Count(held + side.sign * traded), position.cost + cost)
        return Change(after, ZERO_COUNT, count, -cost, ZERO_MONEY, cost, ZERO_MONEY)
    closed = Count(min(abs(held), traded))
    opened = Count(traded - closed.units)
    proceeds = own_price.complement() * closed
    cost_out = position.cost.share_toward_zero(closed, abs(position.net))
    cost_in = own_price * opened
    after = Position(
        Count(held + side.sign * traded),
        position.cost - cost_out + cost_in,
    )
    cash = proceeds - cost_in
    return Change(after, closed, opened, cash, cost_out, cost_in, proceeds - cost_out)
