"""The numbers of the exchange's fees, by date.

Two tables, newest row last: what a fill costs before rounding (`RATES`) and how
the exchange rounds it (`ROUNDING_REGIMES`).  Each row says since when it holds
and where that is written.  `docs/reference/fees.md` tells the same for readers,
with what is proven and what is inferred.

Dates without a time are Eastern midnights, the exchange's own calendar.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.core.ids import SeriesTicker
from trueup.core.instant import Instant, parse_instant
from trueup.core.units import Money, Ratio

CENT: Final = Money(10_000)
CENTICENT: Final = Money(100)
MICRODOLLAR: Final = Money(1)


class Precision(StrEnum):
    """How finely a member's balance is kept, by the kind of membership.

    Direct members have balances in steps of $0.0001, members of a futures
    commission merchant in whole cents (the exchange's page *Fee rounding*).
    """

    DIRECT = "direct"
    NON_DIRECT = "non_direct"

    @property
    def step(self) -> Money:
        """The smallest balance difference in the present regime."""
        return CENTICENT if self is Precision.DIRECT else CENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The coefficients of the model fee, in dollars.

    A fill of C contracts at price P costs ``coefficient × C × P × (1 − P)``, and
    a maker's fill ``maker_per_contract × C`` on top (the form of the first maker
    fees).  `maker` and `maker_per_contract` concern series whose fee type is
    ``quadratic_with_maker_fees``, `combo_maker` those with
    ``quadratic_with_combo_maker_fees``; with plain ``quadratic`` makers pay nothing.
    """

    since: Instant
    taker: Ratio
    maker: Ratio
    maker_per_contract: Ratio
    combo_maker: Ratio
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingRegime:
    """One way of rounding fees.

    `trade_fee_step`: the model fee is rounded up to it.  `finest_balance`: no
    balance was kept more finely.  `accumulates`: whether an order gathers what
    its fills were rounded by and gets it back.  `rebate_step`: in which steps;
    `None` means the member's own balance precision.

    `since` is the first day for which the regime is shown to hold;
    `possible_since` is the last day on which the one before was still seen.
    """

    name: str
    since: Instant
    possible_since: Instant
    trade_fee_step: Money
    finest_balance: Money
    accumulates: bool
    rebate_step: Money | None
    source: str

    def balance_step(self, precision: Precision) -> Money:
        """What a balance change of this member is a multiple of."""
        return max(precision.step, self.finest_balance)

    def rebate_step_of(self, precision: Precision) -> Money:
        """In which steps this member gets rounding overpayments back."""
        return self.balance_step(precision) if self.rebate_step is None else self.rebate_step


def _eastern(day: str, *, summer: bool = True) -> Instant:
    return parse_instant(f"{day}T{'04' if summer else '05'}:00:00Z")


_BEGINNING: Final = Instant(0)
_NOTHING: Final = Ratio(0)
_COMBO_MAKER: Final = Ratio(35, 1000)

RATES: Final[tuple[Rates, ...]] = (
    Rates(
        since=_BEGINNING,
        taker=Ratio(14, 100),
        maker=_NOTHING,
        maker_per_contract=_NOTHING,
        combo_maker=_COMBO_MAKER,
        source="fee schedule of 2021-06-30",
    ),
    Rates(
        since=_eastern("2021-08-01"),
        taker=Ratio(7, 100),
        maker=_NOTHING,
        maker_per_contract=_NOTHING,
        combo_maker=_COMBO_MAKER,
        source="fee schedule of 2021-07-25, first seen on 2021-08-01",
    ),
    Rates(
        since=_eastern("2025-05-13"),
        taker=Ratio(7, 100),
        maker=_NOTHING,
        maker_per_contract=Ratio(25, 10_000),
        combo_maker=_COMBO_MAKER,
        source="fee schedule of 2025-05-13",
    ),
    Rates(
        since=_eastern("2025-07-08"),
        taker=Ratio(7, 100),
        maker=Ratio(175, 10_000),
        maker_per_contract=_NOTHING,
        combo_maker=_COMBO_MAKER,
        source="fee schedule of 2025-07-08; combos: the changelog of 2026-08-20",
    ),
)

ROUNDING_REGIMES: Final[tuple[RoundingRegime, ...]] = (
    RoundingRegime(
        name="cent",
        since=_BEGINNING,
        possible_since=_BEGINNING,
        trade_fee_step=CENT,
        finest_balance=CENT,
        accumulates=False,
        rebate_step=None,
        source="every fee schedule from 2021 to 2026-02-05: round up to the next cent",
    ),
    RoundingRegime(
        name="centicent",
        since=_eastern("2026-03-04", summer=False),
        possible_since=_eastern("2026-02-14", summer=False),
        trade_fee_step=CENTICENT,
        finest_balance=CENT,
        accumulates=True,
        rebate_step=CENT,
        source="page Fee rounding as of 2026-03-04; 305 recorded orders of May 2026",
    ),
    RoundingRegime(
        name="centicent, direct balances",
        since=_eastern("2026-05-28"),
        possible_since=_eastern("2026-05-28"),
        trade_fee_step=CENTICENT,
        finest_balance=CENTICENT,
        accumulates=True,
        rebate_step=CENT,
        source="changelog of 2026-05-28; recorded fills of June and July 2026",
    ),
    RoundingRegime(
        name="microdollar",
        since=_eastern("2026-09-18"),
        possible_since=_eastern("2026-08-22"),
        trade_fee_step=MICRODOLLAR,
        finest_balance=CENTICENT,
        accumulates=True,
        rebate_step=None,
        source="page Fee rounding as of 2026-09-18",
    ),
)

INDEX_HALF_RATE_SINCE: Final = _eastern("2022-09-26")
"""Since when S&P 500 and Nasdaq-100 series pay half (fee schedule of that day)."""

_INDEX_PREFIXES: Final = ("INX", "NASDAQ100")

_RATES_SINCE: Final = [row.since for row in RATES]
_REGIMES_SINCE: Final = [row.since for row in ROUNDING_REGIMES]


def rates_at(at: Instant) -> Rates:
    """The rates of fills at an instant."""
    return RATES[max(1, bisect_right(_RATES_SINCE, at)) - 1]


def regime_at(at: Instant) -> RoundingRegime:
    """How fees of fills at an instant are rounded."""
    return ROUNDING_REGIMES[max(1, bisect_right(_REGIMES_SINCE, at)) - 1]


def balance_step_at(at: Instant, precision: Precision) -> tuple[Money, Instant | None]:
    """What a balance change of this member is a multiple of at an instant, and until when.

    `None`: that holds still.  Regimes with the same step count as one.
    """
    place = max(1, bisect_right(_REGIMES_SINCE, at)) - 1
    step = ROUNDING_REGIMES[place].balance_step(precision)
    later = ROUNDING_REGIMES[place + 1 :]
    until = next((row.since for row in later if row.balance_step(precision) != step), None)
    return step, until


def other_regime_at(at: Instant) -> RoundingRegime:
    """The next regime where it may have held already, else the same as `regime_at`.

    The exchange does not date these changes to the day, so for some weeks the
    evidence allows either.
    """
    place = max(1, bisect_right(_REGIMES_SINCE, at))
    if place < len(ROUNDING_REGIMES) and ROUNDING_REGIMES[place].possible_since <= at:
        return ROUNDING_REGIMES[place]
    return ROUNDING_REGIMES[place - 1]


def published_multiplier(series: SeriesTicker, at: Instant) -> Ratio:
    """The fee multiplier that the published schedules gave a series: 1, or 1/2 for indices.

    For years before the exchange kept a change history.  The rule by the first
    letters of the name is the schedule's own ("whose rulebook ticker begins
    with INX"); today's names may carry ``KX`` before them.  The API's
    multiplier wins wherever there is one.
    """
    if at >= INDEX_HALF_RATE_SINCE and series.removeprefix("KX").startswith(_INDEX_PREFIXES):
        return Ratio(1, 2)
    return Ratio(1)
