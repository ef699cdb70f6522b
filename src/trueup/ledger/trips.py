"""Round trips: trades in the trader's sense, from flat to flat or to settlement.

A trade that goes through zero ends one round trip and begins the next; its fee
is divided by contracts, and the cent that does not divide stays with the one
that begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.position import Change, Position
from trueup.core.units import Count, Money
from trueup.ledger.entries import RoundTrip, TradeStatus


@dataclass(slots=True, kw_only=True)
class _Trip:
    """A round trip in the making; plain integers, in units of the core."""

    number: int
    side: Side
    opened_at: Instant
    strategy: str
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
        self._done: list[RoundTrip] = []

    def trade(self, side: Side, change: Change, *, at: Instant, fee: int) -> None:
        """Add what one fill did; `fee` in units of money."""
        closed, opened = change.closed.units, change.opened.units
        trip = self._open
        if closed and trip is not None:
            closing_fee = fee * closed // (closed + opened)
            fee -= closing_fee
            trip.fees += closing_fee
            trip.held -= closed
            trip.sold += closed
            trip.sold_proceeds += change.cost_out.units + change.realized.units
            trip.realized += change.realized.units
            if not trip.held:
                self._finish(trip, TradeStatus.CLOSED, payout=0, closed_at=at)
                trip = None
        if opened:
            if trip is None:
                trip = self._open = _Trip(
                    number=self._counter.next(), side=side, opened_at=at, strategy=self._strategy
                )
            trip.fees += fee
            trip.held += opened
            trip.largest = max(trip.largest, trip.held)
            trip.bought += opened
            trip.bought_cost += change.cost_in.units

    def settle(self, position: Position, payout: Money, *, at: Instant) -> None:
        """End what is open with the `payout` of `position`.

        A payout without anything open (the exchange paid for contracts that the
        books do not hold) becomes a round trip of no contracts, so that no cash
        is lost from the list.
        """
        trip = self._open
        if trip is None:
            if not payout:
                return
            side = Side.YES if position.net.units >= 0 else Side.NO
            trip = _Trip(
                number=self._counter.next(), side=side, opened_at=at, strategy=self._strategy
            )
        trip.realized += payout.units - position.cost.units
        self._finish(trip, TradeStatus.SETTLED, payout=payout.units, closed_at=at)

    def all(self) -> list[RoundTrip]:
        """Every round trip so far, the open one last."""
        if self._open is None:
            return self._done
        return [*self._done, self._made(self._open, TradeStatus.OPEN, payout=0, closed_at=None)]

    def _finish(self, trip: _Trip, status: TradeStatus, *, payout: int, closed_at: Instant) -> None:
        self._done.append(self._made(trip, status, payout=payout, closed_at=closed_at))
        self._open = None

    def _made(
        self, trip: _Trip, status: TradeStatus, *, payout: int, closed_at: Instant | None
    ) -> RoundTrip:
        subaccount, shard, ticker = self._where
        return RoundTrip(
            subaccount=subaccount,
            shard=shard,
            ticker=ticker,
            number=trip.number,
            side=trip.side,
            status=status,
            quantity=Count(trip.largest),
            bought=Count(trip.bought),
            bought_cost=Money(trip.bought_cost),
            sold=Count(trip.sold),
            sold_proceeds=Money(trip.sold_proceeds),
            payout=Money(payout),
            fees=Money(trip.fees),
            profit_loss=Money(trip.realized - trip.fees),
            opened_at=trip.opened_at,
            closed_at=closed_at,
            strategy=trip.strategy,
        )
