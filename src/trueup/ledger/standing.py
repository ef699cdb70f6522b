"""What strategies that share a market held and had earned at some moment, each by itself.

A round trip that was under way at the beginning of a period has earned only the rest
of its figures in that period.  This tells what it had earned before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trueup.core.facts import Filled
from trueup.core.position import split
from trueup.ledger.bare import bare_fill
from trueup.ledger.entries import RoundTrip, TradeStatus, round_trip
from trueup.ledger.shares import Shares
from trueup.ledger.strategy import StrategyOf


def standing(fills: Iterable[Filled], strategy_of: StrategyOf) -> Mapping[str, RoundTrip]:
    """The round trip that each strategy had under way after `fills`, by strategy.

    `fills` are those of one market and subaccount up to the moment, in time order.
    """
    listed = list(fills)
    if not listed:
        return {}
    first = listed[0]
    shares = Shares((first.subaccount, first.shard, first.ticker))
    net = cost = 0
    for filled in listed:
        fill = bare_fill("", 1, filled)
        change = split((net, cost), fill.sign, fill.contracts, fill.price)
        net, cost = change[:2]
        shares.trade(strategy_of(filled.order_id, filled.ticker), fill, change)
    trips = map(round_trip, shares.round_trips())
    return {trip.strategy: trip for trip in trips if trip.status is TradeStatus.OPEN}
