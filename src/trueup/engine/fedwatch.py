"""What the Fed will do, as others see it: probabilities for rate markets.  Pure.

A `Distribution` says how likely each target range is after a meeting, by the upper
end of the range in basis points.  It comes from a file of FedWatch-style
probabilities, or from the prices of 30-day Fed funds futures:

- A contract's price is 100 minus the average effective rate of its month.
- A decision counts from the day after the meeting.  In a month of N days with a
  meeting on day d, the average is (start × d + end × (N − d)) / N.
- A month without a meeting has one rate: it fixes the end of the meeting before it
  and the start of the meeting after it.  Where both neighbours hold meetings the
  start is the end of the meeting before, and the end follows from the average.
- The change (end − start) / 0.25 lies between two whole numbers of quarter points;
  the nearer of them is the likelier: a change of −0.69 steps is a cut of one step
  with 69 % and none with 31 %.
- Meetings follow one another: each distribution is the one before, moved by the
  change of its own meeting.

The exchange's markets on the upper bound (``KXFED-26DEC-T3.50``: above 3.50 %) and
on the decision (``KXFEDDECISION-26DEC-H0``) are read off a distribution.  A decision
is a move from the range before it, so only the next meeting's can be told from levels.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Ratio, rounded_text
from trueup.engine.signals import AnchorSignal

STEP: Final = 25
"""A quarter of a percentage point, in basis points."""

_TOLERANCE: Final = Ratio(2, 100)
"""How far probabilities may miss 1: files round them."""

_MONTHS: Final = [
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """How likely each range is after a meeting: upper end in basis points → probability."""

    meeting: date
    uppers: Mapping[int, Ratio]


def distribution(meeting: date, uppers: Mapping[int, Ratio]) -> Distribution:
    """A checked distribution whose probabilities add up to exactly one.

    Raises `CallerError` for probabilities that are negative, miss 1 by more than 2 %,
    or stand at levels that are no quarter of a percent.
    """
    total = sum(uppers.values(), Ratio(0))
    wrong = [upper for upper, likely in uppers.items() if likely < 0 or upper % STEP]
    if wrong or abs(total - 1) > _TOLERANCE:
        raise CallerError(
            f"the probabilities for {meeting} make no sense: they add up to "
            f"{rounded_text(total, 4)}" + (f", and {wrong[0]} bp is wrong" if wrong else ""),
            remedy="Give one probability for each range of 25 basis points, adding up to 1.",
        )
    return Distribution(
        meeting=meeting,
        uppers={upper: likely / total for upper, likely in sorted(uppers.items()) if likely},
    )


def above(known: Distribution, strike: int) -> Ratio:
    """How likely the upper end is above `strike` basis points."""
    return sum((likely for upper, likely in known.uppers.items() if upper > strike), Ratio(0))


def level_anchors(
    known: Distribution, *, series: SeriesTicker, source: str, at: Instant
) -> tuple[AnchorSignal, ...]:
    """A probability for each market on the upper bound that the distribution says something of."""
    uppers = sorted(known.uppers)
    strikes = range(uppers[0] - STEP, uppers[-1] + 1, STEP)
    return tuple(
        AnchorSignal(
            ticker=Ticker(f"{series}-{code(known.meeting)}-T{strike // 100}.{strike % 100:02}"),
            probability=above(known, strike),
            source=source,
            at=at,
        )
        for strike in strikes
        if strike >= 0
    )


def decision_anchors(
    known: Distribution, upper_now: int, *, series: SeriesTicker, source: str, at: Instant
) -> tuple[AnchorSignal, ...]:
    """A probability for each market on the next decision; `upper_now` is the range before it."""
    moves = {upper - upper_now: likely for upper, likely in known.uppers.items()}
    wanted = {
        "C26": sum((likely for move, likely in moves.items() if move < -STEP), Ratio(0)),
        "C25": moves.get(-STEP, Ratio(0)),
        "H0": moves.get(0, Ratio(0)),
        "H25": moves.get(STEP, Ratio(0)),
        "H26": sum((likely for move, likely in moves.items() if move > STEP), Ratio(0)),
    }
    return tuple(
        AnchorSignal(
            ticker=Ticker(f"{series}-{code(known.meeting)}-{word}"),
            probability=likely,
            source=source,
            at=at,
        )
        for word, likely in wanted.items()
    )


def code(day: date) -> str:
    """How the exchange names a month: ``26DEC``."""
    return f"{day.year % 100:02}{_MONTHS[day.month - 1]}"


# -- from futures ------------------------------------------------------------------------------


def from_futures(
    prices: Mapping[tuple[int, int], Ratio],
    meetings: Sequence[date],
    *,
    effective: Ratio,
    upper_now: int,
) -> tuple[Distribution, ...]:
    """The distributions after each meeting, as far as there are prices, in order.

    `prices` are those of the contracts by (year, month), `effective` is the present
    effective rate in percent, `upper_now` the upper end of the present range in basis
    points.  Stops at the first meeting whose month has no price.  Raises `CallerError`
    for two meetings in one month, or a price that is no price.
    """
    days = sorted(meetings)
    months = [_month(day) for day in days]
    if len(set(months)) < len(months):
        raise CallerError("two meetings in one month", remedy="Give one date for each meeting.")
    for month, price in prices.items():
        if not 70 < price <= 100:  # noqa: PLR2004  # a rate between 0 and 30 %
            raise CallerError(
                f"{rounded_text(price, 4)} is no price of a Fed funds future for {month[0]}-{month[1]:02}",
                remedy="Prices are 100 minus a rate in percent, e.g. 96.3350.",
            )
    found: list[Distribution] = []
    start, levels = effective, {upper_now: Ratio(1)}
    for day in days:
        month = _month(day)
        price = prices.get(month)
        if price is None:
            break
        before, after = _neighbour(month, -1), _neighbour(month, 1)
        if before in prices and before not in months:
            start = 100 - prices[before]
        length = monthrange(*month)[1]
        left = length - day.day
        if after in prices and after not in months:
            end = 100 - prices[after]
            if before not in prices or before in months:
                # The month's own average tells the start, once the end is known.
                start = ((100 - price) * length - end * left) / day.day
        elif left:
            end = ((100 - price) * length - start * day.day) / left
        else:
            break
        levels = _moved(levels, (end - start) / Ratio(STEP, 100))
        found.append(Distribution(meeting=day, uppers=dict(sorted(levels.items()))))
        start = end
    return tuple(found)


def _moved(levels: Mapping[int, Ratio], steps: Ratio) -> dict[int, Ratio]:
    whole = steps.numerator // steps.denominator
    further = steps - whole
    moved: dict[int, Ratio] = {}
    for level, likely in levels.items():
        for move, part in ((whole, 1 - further), (whole + 1, further)):
            if part:
                to = max(STEP, level + move * STEP)
                moved[to] = moved.get(to, Ratio(0)) + likely * part
    return moved


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _neighbour(month: tuple[int, int], by: int) -> tuple[int, int]:
    number = month[0] * 12 + month[1] - 1 + by
    return number // 12, number % 12 + 1
