"""Whether prices that were paid were right: what was paid a contract beside what it paid out.

Only contracts that were held to the end count, at the average price of the position's
opening side.  Among many contracts bought at 30 cents, 30 in 100 should pay a dollar:
fewer means that they were dear, more that they were cheap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trueup.core.units import ONE_DOLLAR, Count, Price, Ratio
from trueup.ledger.entries import RoundTrip, TradeStatus

BUCKETS: Final = 10
"""Ten cents each."""

_BUCKET: Final = ONE_DOLLAR.units // BUCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Positions that cost from `low` to below `high` a contract, held to settlement.

    `paid` and `returned` are dollars per contract, weighted by contracts.
    """

    low: Price
    high: Price
    positions: int
    contracts: Count
    paid: Ratio
    returned: Ratio

    @property
    def edge(self) -> Ratio:
        """What a contract returned more than it cost, before fees."""
        return self.returned - self.paid


def calibration(trips: Iterable[RoundTrip]) -> tuple[Bucket, ...]:
    """The buckets that hold anything, the cheapest first."""
    sums: dict[int, tuple[int, int, Ratio, int]] = {}
    for trip in trips:
        held = trip.bought - trip.sold
        if trip.status is not TradeStatus.SETTLED or held.units <= 0:
            continue
        # Money over contracts is in the units of prices, exactly.
        price = Ratio(trip.bought_cost.units, trip.bought.units)
        place = min(price // _BUCKET, BUCKETS - 1)
        positions, contracts, paid, returned = sums.get(place, (0, 0, Ratio(0), 0))
        sums[place] = (
            positions + 1,
            contracts + held.units,
            paid + price * held.units,
            returned + trip.payout.units,
        )
    return tuple(_bucket(place, sums[place]) for place in sorted(sums))


def _bucket(place: int, sums: tuple[int, int, Ratio, int]) -> Bucket:
    positions, contracts, paid, returned = sums
    whole = contracts * ONE_DOLLAR.units
    return Bucket(
        low=Price(place * _BUCKET),
        high=Price((place + 1) * _BUCKET),
        positions=positions,
        contracts=Count(contracts),
        paid=paid / whole,
        returned=Ratio(returned, whole),
    )
