"""The live and the historical tier: what is read where.

The exchange keeps recent records in the live data set and older ones in the
historical one, divided by four cutoffs.  The tiers may overlap for a while.
Settlement rows have no archive: past their retention they are gone.  Resting
orders and unsettled positions never leave the live tier (the exchange's page
*Historical data*).  The lengths are not documented; orders stay about two weeks
(changelog of 2026-09-24), settlement rows about thirty days (one user's report).
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.instant import DAY, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Older than these is historical."""

    market_settled: Instant
    trades_created: Instant
    orders_updated: Instant
    positions_updated: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """How long records stay live, in microseconds."""

    markets: int = 60 * DAY
    trades: int = 60 * DAY
    orders: int = 14 * DAY
    positions: int = 60 * DAY
    settlements: int = 30 * DAY
    overlap: int = 1 * DAY

    def cutoffs(self, at: Instant) -> Cutoffs:
        """The boundaries at `at`; they move once a day."""
        return Cutoffs(
            market_settled=_midnight(at - self.markets),
            trades_created=_midnight(at - self.trades),
            orders_updated=_midnight(at - self.orders),
            positions_updated=_midnight(at - self.positions),
        )

    def live(self, at: Instant) -> Cutoffs:
        """Until when the live tier really reaches back: some way past the cutoffs."""
        return self.cutoffs(Instant(at - self.overlap))

    def settlements_since(self, at: Instant) -> Instant:
        """The oldest settlement that still has a row."""
        return Instant(at - self.settlements)


EVERYTHING_LIVE = Tiers(
    markets=36_500 * DAY,
    trades=36_500 * DAY,
    orders=36_500 * DAY,
    positions=36_500 * DAY,
    settlements=36_500 * DAY,
)
"""No archive at all: for tests, and for recordings that know no tiers."""


def _midnight(moment: int) -> Instant:
    return Instant(max(0, moment - moment % DAY))
