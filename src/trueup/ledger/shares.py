"""Several strategies in one market: each gets its own position and round trips.

The exchange nets everything inside one account.  A strategy that sells what
another one holds would, by the exchange's figures, realise the other one's
gain.  So as soon as a second strategy trades a market, each is followed as if
it traded alone; where they stand against each other they hold both sides of
the same contracts, which together pay $1 whatever happens.  The sum of the
strategies is the exchange's, at settlement to the last unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.payoff import gross_units
from trueup.core.position import split
from trueup.core.units import ONE_DOLLAR
from trueup.ledger.bare import BareFill, BareTrip
from trueup.ledger.strategy import UNTAGGED
from trueup.ledger.trips import TripBook, TripCounter

_DOLLAR: Final = ONE_DOLLAR.units

BareChange = tuple[int, int, int, int, int, int, int]
"""What `trueup.core.position.split` gives."""


@dataclass(slots=True)
class _Share:
    trips: TripBook
    net: int = 0
    cost: int = 0


class Shares:
    """The round trips of one market by strategy."""

    __slots__ = ("_alone", "_counter", "_shares", "_where")

    def __init__(self, where: tuple[Subaccount, Shard, Ticker]) -> None:
        self._where = where
        self._counter = TripCounter()
        self._shares: dict[str, _Share] = {}
        self._alone: tuple[str, _Share] | None = None

    def trade(self, strategy: str, fill: BareFill, change: BareChange) -> None:
        """Add a fill of `strategy`; `change` is what it did to the account's position."""
        alone = self._alone
        if alone is not None and alone[0] == strategy:
            share = alone[1]
        else:
            share = self._shares.get(strategy)
            if share is None:
                trips = TripBook(self._where, strategy=strategy, counter=self._counter)
                share = self._shares[strategy] = _Share(trips)
            self._alone = (strategy, share) if len(self._shares) == 1 else None
            if self._alone is None:
                change = split((share.net, share.cost), fill.sign, fill.contracts, fill.price)
        share.net, share.cost, closed, opened, cost_out, cost_in, realized = change
        share.trips.trade(
            fill.sign,
            closed,
            opened,
            cost_in=cost_in,
            proceeds=cost_out + realized,
            realized=realized,
            at=fill.at,
            fee=fill.fee or 0,
        )

    def settle(self, net: int, cost: int, payout: int, *, value: int | None, at: Instant) -> None:
        """Divide the account's `payout` among the strategies that hold something.

        Each gets what its own contracts pay.  What the exchange cut off, or paid
        otherwise than the books expect, goes to the largest holder.
        """
        if len(self._shares) <= 1:
            share = next(iter(self._shares.values()), None)
            if share is None:
                share = _Share(TripBook(self._where, strategy=UNTAGGED, counter=self._counter))
                self._shares[UNTAGGED] = share
            share.net = share.cost = 0
            share.trips.settle(net, cost, payout, at=at)
            return
        owners = [share for _, share in sorted(self._shares.items())]
        paid = [0 if value is None else gross_units(share.net, value) for share in owners]
        # The pairs that strategies hold against each other paid $1 when the second side came.
        internal = sum(abs(share.net) for share in owners) - abs(net)
        rest = payout + internal // 2 * _DOLLAR - sum(paid)
        largest = max(range(len(owners)), key=lambda index: abs(owners[index].net))
        for index, share in enumerate(owners):
            own = paid[index] + (rest if index == largest else 0)
            share.trips.settle(share.net, share.cost, own, at=at)
            share.net = share.cost = 0

    def only_strategy(self) -> str | None:
        """The strategy of everything in this market; `None` if there are several or none."""
        return next(iter(self._shares)) if len(self._shares) == 1 else None

    def round_trips(self) -> list[BareTrip]:
        """All round trips in the order in which they began."""
        if self._alone is not None:
            return self._alone[1].trips.all()
        trips = [trip for share in self._shares.values() for trip in share.trips.all()]
        trips.sort(key=lambda trip: trip.number)
        return trips
