"""Fed and CPI: monthly prices and the decisions on the federal funds rate.

The dates are rules, not promises of any agency: a decision every sixth
Wednesday at 14:00 Eastern, counted from 2026-10-28, and consumer prices on the
12th at 8:30, or the next working day.  Both are the hidden number's last moment:
markets close five minutes before.  With `overdone` their markets overreact to news.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from trueup.core import catalog
from trueup.core.instant import DAY, Instant
from trueup.sim.chance import between
from trueup.sim.living.figure import Figure
from trueup.sim.living.hidden import Hidden, Range, final_number
from trueup.sim.living.planned import (
    MAKER_FEES,
    ChanceSource,
    PlannedEvent,
    day_code,
    eastern,
    eastern_date,
    event_of,
    series_of,
)

_FIRST_DECISION: Final = date(2026, 10, 28)
_DECISIONS_APART: Final = timedelta(weeks=6)
_FED_LISTED: Final = 41 * DAY
"""Less than the decisions are apart: the rate before is known when the next is listed."""

_CPI_LISTED: Final = 27 * DAY
_SATURDAY: Final = 5

_STEP: Final = 25
"""Rates move by quarters of a percent."""

_HALF: Final = _STEP // 2

_FED_SURPRISE: Final = 800
"""Eight basis points of a decision are known only when it is read."""
_CPI_SURPRISE: Final = 80
"""Eight hundredths of a percent of a month's prices."""

_MOVES: Final = (
    ("C26", "Cut by more than 25bps?", Range(None, -_STEP - _HALF - 1)),
    ("C25", "Cut by 25bps?", Range(-_STEP - _HALF, -_HALF - 1)),
    ("H0", "Hold?", Range(-_HALF, _HALF)),
    ("H25", "Hike by 25bps?", Range(_HALF + 1, _STEP + _HALF)),
    ("H26", "Hike by more than 25bps?", Range(_STEP + _HALF + 1, None)),
)

RATE: Final = 375
"""The upper end of the target range at the beginning, in 1/100 percent."""


class Decisions:
    """The Fed's decisions: what it does, and where the rate stands afterwards."""

    def __init__(self, chances: ChanceSource, start: Instant, *, overdone: bool = False) -> None:
        self._chances = chances
        self._overdone = overdone
        self._decision = series_of(
            "KXFEDDECISION",
            "Fed decision",
            category="Economics",
            tags=("Fed",),
            fee_type=MAKER_FEES,
        )
        self._rate = series_of(
            "KXFED", "Fed funds rate", category="Economics", tags=("Fed",), fee_type=MAKER_FEES
        )
        self._upper = RATE
        self._before: tuple[Hidden, Instant] | None = None
        self._day = _FIRST_DECISION
        while eastern(self._day, 14) > start:
            self._day -= _DECISIONS_APART
        while eastern(self._day, 14) <= start:
            self._day += _DECISIONS_APART

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """Both series."""
        return (self._decision, self._rate)

    @property
    def next_at(self) -> Instant:
        """Some weeks before the next decision."""
        return Instant(eastern(self._day, 14) - _FED_LISTED)

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The two events of the next decision; both read the same hidden number."""
        day = self._day
        self._day += _DECISIONS_APART
        decides = eastern(day, 14)
        figure = Figure(
            name=f"KXFED-{day_code(day)}",
            listed_at=Instant(decides - _FED_LISTED),
            released_at=decides,
            swing=40 if self._overdone else 120,
            surprise=_FED_SURPRISE if self._overdone else None,
        )
        hidden, felt = figure.numbers(self._chances, lambda chance: between(chance, -30, 6) * 100)
        decision = event_of(
            self._decision, day_code(day)[:5], f"Fed decision on {day_code(day)}?", exclusive=True
        )
        rate = event_of(
            self._rate,
            day_code(day)[:5],
            f"Federal funds rate after {day_code(day)}?",
            exclusive=False,
        )
        upper = self._upper_before(hidden, decides)
        return (
            figure.planned(decision, felt, _MOVES),
            figure.planned(rate, felt, _levels(upper)),
        )

    def _upper_before(self, hidden: Hidden, decides: Instant) -> int:
        """Where the rate stands before a decision; remembers the decision for the next."""
        if self._before is not None:
            walk, decided = self._before
            self._upper += _STEP * ((final_number(walk, decided) + _HALF) // _STEP)
        self._before = (hidden, decides)
        return self._upper


def _levels(upper: int) -> tuple[tuple[str, str, Range], ...]:
    """Three strikes: two steps below the present rate, one below, and the rate itself."""
    return tuple(
        (
            f"T{strike // 100}.{strike % 100:02}",
            f"Will the upper bound be above {strike // 100}.{strike % 100:02}%?",
            # Above a strike: the move that leads there, less half a step.
            Range(strike + _STEP - upper - _HALF, None),
        )
        for strike in (upper - 2 * _STEP, upper - _STEP, upper)
    )


class Prices:
    """Consumer prices: by how much they rose in the month before, in tenths of a percent."""

    def __init__(self, chances: ChanceSource, start: Instant, *, overdone: bool = False) -> None:
        self._chances = chances
        self._overdone = overdone
        self._series = series_of(
            "KXCPI", "Consumer prices", category="Economics", tags=("Releases",)
        )
        day = eastern_date(start)
        self._year, self._month = day.year, day.month
        if eastern(self._release(), 8, 30) <= start:
            self._next_month()

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """The one series."""
        return (self._series,)

    @property
    def next_at(self) -> Instant:
        """Some weeks before the next release."""
        return Instant(eastern(self._release(), 8, 30) - _CPI_LISTED)

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The next release."""
        day = self._release()
        self._next_month()
        released = eastern(day, 8, 30)
        code = day_code(day)[:5]
        # In tenths of a percent; the nowcast moves by a few hundredths over its life.
        figure = Figure(
            name=f"KXCPI-{code}",
            listed_at=Instant(released - _CPI_LISTED),
            released_at=released,
            swing=3 if self._overdone else 10,
            surprise=_CPI_SURPRISE if self._overdone else None,
        )
        _, felt = figure.numbers(self._chances, lambda chance: between(chance, 80, 380))
        event = event_of(
            self._series, code, f"Consumer prices released on {day_code(day)}?", exclusive=False
        )
        asked = (
            (
                f"T{_tenths(strike)}",
                f"Will CPI rise more than {_tenths(strike)}%?",
                Range(strike + 1, None),
            )
            for strike in range(5)
        )
        return (figure.planned(event, felt, asked),)

    def _release(self) -> date:
        day = date(self._year, self._month, 12)
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= _SATURDAY else 0)

    def _next_month(self) -> None:
        self._year, self._month = (
            (self._year + 1, 1) if self._month == 12 else (self._year, self._month + 1)  # noqa: PLR2004
        )


def _tenths(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"
