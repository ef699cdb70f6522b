"""Sides, and the life of an order as the exchange tells it.

Kalshi runs one book per market, quoted in YES prices.  Buying NO at 1 − p is
selling YES at p, so every order and every fill has one of two directions:
`Side.YES` (the exchange's ``bid``) adds YES contracts, `Side.NO` (its ``ask``)
adds NO contracts or, what is the same, takes YES contracts away.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from trueup.core.units import Price


class Side(StrEnum):
    """The direction of an order or a fill; the exchange's ``outcome_side``."""

    YES = "yes"
    NO = "no"

    @property
    def sign(self) -> int:
        """+1 for YES, −1 for NO: the sign of the change of the net position."""
        return 1 if self is Side.YES else -1

    def opposite(self) -> Side:
        """The other side."""
        return Side.NO if self is Side.YES else Side.YES


class Action(StrEnum):
    """What a trader does with one of the two outcomes."""

    BUY = "buy"
    SELL = "sell"


def quoted(action: Action, outcome: Side, price: Price) -> tuple[Side, Price]:
    """The side and the YES price of an order, from the words of a trader.

    The only place that knows it: buying YES at p is a bid at p, selling YES at
    p an ask at p, buying NO at q an ask at 1 − q, selling NO at q a bid at
    1 − q.  `price` is the price of the named outcome.
    """
    side = outcome if action is Action.BUY else outcome.opposite()
    return side, price if outcome is Side.YES else price.complement()


class TimeInForce(StrEnum):
    """How long an order lives.  An expiring order is `GOOD_TILL_CANCELED` with a time."""

    GOOD_TILL_CANCELED = "good_till_canceled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


class SelfTradePrevention(StrEnum):
    """Which of our own two orders gives way when they would trade with each other.

    `TAKER_AT_CROSS` cancels the arriving one at the crossing (what it filled
    before stands); `MAKER` cancels the resting one and goes on matching.
    """

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


class OrderStatus(StrEnum):
    """The exchange's three order states.  `RESTING` is the only living one."""

    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


ORDER_TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.RESTING: frozenset(OrderStatus),
    OrderStatus.CANCELED: frozenset({OrderStatus.CANCELED}),
    OrderStatus.EXECUTED: frozenset({OrderStatus.EXECUTED}),
}
"""What a later report of the same order may say.  A terminal state wins: a
``resting`` read that arrives after ``canceled`` is a stale read (the exchange's
reads lag its writes), not a resurrection."""


def is_terminal(status: OrderStatus) -> bool:
    """Whether an order in this state can never fill again."""
    return len(ORDER_TRANSITIONS[status]) == 1


def merged_status(known: OrderStatus, reported: OrderStatus) -> OrderStatus:
    """The state to believe when `reported` arrives after `known`."""
    return reported if reported in ORDER_TRANSITIONS[known] else known
