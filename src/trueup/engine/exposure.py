"""What orders would cost that open a position, at their worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter

from trueup.core.ids import Subaccount, Ticker
from trueup.core.orders import Side
from trueup.core.units import Count, Money
from trueup.engine.inflight import OwnOrder
from trueup.engine.portfolio import Portfolio


def opening_cost(
    portfolio: Portfolio,
    orders: Iterable[OwnOrder],
    strategy: str | None,
    counted: Callable[[OwnOrder], Count],
) -> Money:
    """What the orders open: a strategy's, or (`None`) the account's.

    `counted` says how much may still come in from one.  Each held contract is closed
    once, by the cheapest of them.
    """
    closable: dict[tuple[Ticker, Subaccount, Side], int] = {}
    total = 0
    priced = [(each.own_dearest.units, each) for each in orders]
    priced.sort(key=itemgetter(0))
    for price, each in priced:
        ticker, place, side = each.intent.ticker, each.intent.subaccount, each.intent.side
        if (ticker, place, side) not in closable:
            net = portfolio.net(ticker, strategy, subaccount=place).units
            closable[ticker, place, side] = max(0, -side.sign * net)
        count = counted(each).units
        closing = min(closable[ticker, place, side], count)
        closable[ticker, place, side] -= closing
        total += price * (count - closing)
    return Money(total)
