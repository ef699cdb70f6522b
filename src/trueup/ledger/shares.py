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

from trueup.core.facts import Filled
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.payoff import gross_payout
from trueup.core.position import FLAT, Change, Position, trade
from trueup.core.units import Count, Money, Price
from trueup.ledger.entries import RoundTrip
from trueup.ledger.strategy import UNTAGGED
from trueup.ledger.trips import TripBook, TripCounter


@dataclass(slots=True)
class _Share:
    trips: TripBook
    position: Position = FLAT


class Shares:
    """The round trips of one market by strategy."""

    __slots__ = ("_alone", "_counter", "_shares", "_where")

    def __init__(self, where: tuple[Subaccount, Shard, Ticker]) -> None:
        self._where = where
        self._counter = TripCounter()
        self._shares: dict[str, _Share] = {}
        self._alone: tuple[str, _Share] | None = None

    def trade(self, strategy: str, filled: Filled, change: Change, *, fee: int) -> None:
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
                change = trade(share.position, filled.side, filled.count, filled.price)
        share.position = change.after
        share.trips.trade(filled.side, change, at=filled.at, fee=fee)

    def settle(
        self, position: Position, payout: Money, *, value: Price | None, at: Instant
    ) -> None:
        """Divide the account's `payout` among the strategies that hold something.

        Each gets what its own contracts pay.  What the exchange cut off, or paid
        otherwise than the books expect, goes to the largest holder.
        """
        if len(self._shares) <= 1:
            share = next(iter(self._shares.values()), None)
            if share is None:
                share = _Share(TripBook(self._where, strategy=UNTAGGED, counter=self._counter))
                self._shares[UNTAGGED] = share
            share.position = FLAT
            share.trips.settle(position, payout, at=at)
            return
        owners = [share for _, share in sorted(self._shares.items())]
        paid = [_paid(share.position.net, value) for share in owners]
        # The pairs that strategies hold against each other paid $1 when the second side came.
        internal = sum(abs(share.position.net.units) for share in owners) - abs(position.net.units)
        rest = payout.units + internal // 2 * 10_000 - sum(paid)
        largest = max(range(len(owners)), key=lambda index: abs(owners[index].position.net.units))
        for index, share in enumerate(owners):
            own = Money(paid[index] + (rest if index == largest else 0))
            share.trips.settle(share.position, own, at=at)
            share.position = FLAT

    def only_strategy(self) -> str | None:
        """The strategy of everything in this market; `None` if there are several or none."""
        return next(iter(self._shares)) if len(self._shares) == 1 else None

    def round_trips(self) -> tuple[RoundTrip, ...]:
        """All round trips in the order in which they began."""
        if self._alone is not None:
            return tuple(self._alone[1].trips.all())
        trips = [trip for share in self._shares.values() for trip in share.trips.all()]
        trips.sort(key=lambda trip: trip.number)
        return tuple(trips)


def _paid(net: Count, value: Price | None) -> int:
    return 0 if value is None else gross_payout(net, value).units
