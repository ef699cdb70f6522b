"""Round trips: trades in the trader's sense, from flat to flat or to settlement.

A trade that goes through zero ends one round trip and begins the next; its fee
is divided by contracts, and the cent that does not divide stays with the one
that begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.ledger.bare import SIDE_OF, BareTrip
from trueup.ledger.entries import TradeStatus

_OPEN = TradeStatus.OPEN.value
_CLOSED = TradeStatus.CLOSED.value
_SETTLED = TradeStatus.SETTLED.value


@dataclass(slots=True)
class _Trip:
    """A round trip in the making; plain integers, in units of the core."""

    number: int
    side: str
    opened_at: Instant
    held: int = 0
    largest: int = 0
    bought: int = 0
    bought_cost: int = 0
    sold: int = 0
    sold_proceeds: int = 0
    realized: int = 0
    fees: int = 0


@dataclass(slots=True)
class TripCounter:
    """Numbers the round trips of one market, also across strategies."""

    last: int = 0

    def next(self) -> int:
        """The next number, from 1."""
        self.last += 1
        return self.last


class TripBook:
    """The round trips of one strategy on one market of one subaccount."""

    __slots__ = ("_counter", "_done", "_open", "_strategy", "_where")

    def __init__(
        self,
        where: tuple[Subaccount, Shard, Ticker],
        *,
        strategy: str,
        counter: TripCounter,
    ) -> None:
        self._where = where
        self._strategy = strategy
        self._counter = counter
        self._open: _Trip | None = None
        self._done: list[BareTrip] = []

    def trade(  # the parts of one change, in bare units
        self,
        sign: int,
        closed: int,
        opened: int,
        *,
        cost_in: int,
        proceeds: int,
        realized: int,
        at: Instant,
        fee: int,
    ) -> None:
        """Add what one fill did (`core.position.split`); `proceeds` are what closing brought."""
        trip = self._open
        if closed and trip is not None:
            closing_fee = fee * closed // (closed + opened)
            fee -= closing_fee
            trip.fees += closing_fee
            trip.held -= closed
            trip.sold += closed
            trip.sold_proceeds += proceeds
            trip.realized += realized
            if not trip.held:
                self._finish(trip, _CLOSED, payout=0, closed_at=at)
                trip = None
        if opened:
            if trip is None:
                trip = self._open = _Trip(self._counter.next(), SIDE_OF[sign], at)
            trip.fees += fee
            trip.held += opened
            trip.largest = max(trip.largest, trip.held)
            trip.bought += opened
            trip.bought_cost += cost_in

    def settle(self, net: int, cost: int, payout: int, *, at: Instant) -> None:
        """End what is open with the `payout` of a position.

        A payout without anything open (the exchange paid for contracts that the
        books do not hold) becomes a round trip of no contracts, so that no cash
        is lost from the list.
        """
        trip = self._open
        if trip is None:
            if not payout:
                return
            trip = _Trip(self._counter.next(), SIDE_OF[1 if net >= 0 else -1], at)
        trip.realized += payout - cost
        self._finish(trip, _SETTLED, payout=payout, closed_at=at)

    def all(self) -> list[BareTrip]:
        """Every round trip so far, the open one last."""
        if self._open is None:
            return self._done
        return [*self._done, self._made(self._open, _OPEN, payout=0, closed_at=None)]

    def _finish(self, trip: _Trip, status: str, *, payout: int, closed_at: Instant) -> None:
        self._done.append(self._made(trip, status, payout=payout, closed_at=closed_at))
        self._open = None

    def _made(
        self, trip: _Trip, status: str, *, payout: int, closed_at: Instant | None
    ) -> BareTrip:
        subaccount, shard, ticker = self._where
        return BareTrip(
            trip.number,
            subaccount,
            shard,
            ticker,
            trip.side,
            status,
            trip.largest,
            trip.bought,
            trip.bought_cost,
            trip.sold,
            trip.sold_proceeds,
            payout,
            trip.fees,
            trip.realized - trip.fees,
            trip.opened_at,
            closed_at,
            self._strategy,
        )
