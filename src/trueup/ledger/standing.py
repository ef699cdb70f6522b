"""What strategies that share a market held and had earned at some moment, each by itself.

A round trip that was under way at the beginning of a period has earned only the rest
of its figures in that period.  This tells what it had earned before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trueup.core.facts import Filled
from trueup.core.position import FLAT, trade
from trueup.ledger.entries import RoundTrip, TradeStatus
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
    position = FLAT
    for filled in listed:
        change = trade(position, filled.side, filled.count, filled.price)
        position = change.after
        fee = 0 if filled.fee is None else filled.fee.units
        shares.trade(strategy_of(filled.order_id, filled.ticker), filled, change, fee=fee)
    return {trip.strategy: trip for trip in shares.round_trips() if trip.status is TradeStatus.OPEN}
