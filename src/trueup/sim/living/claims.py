"""Jobless claims: a weekly figure, released on Thursdays at 8:30 Eastern.

In thousands.  Two weeks are listed at a time; markets close five minutes before.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from trueup.core import catalog
from trueup.core.instant import DAY, Instant
from trueup.sim.chance import between
from trueup.sim.living.figure import Figure
from trueup.sim.living.hidden import Range
from trueup.sim.living.planned import (
    ChanceSource,
    PlannedEvent,
    day_code,
    eastern,
    eastern_date,
    event_of,
    next_weekday,
    series_of,
)

_THURSDAY: Final = 3
_LISTED: Final = 13 * DAY
_SURPRISE: Final = 450
"""Four and a half thousand claims are known only at the release."""
_STRIKES: Final = (210, 215, 220, 225, 230)


class Claims:
    """Initial claims for unemployment insurance, week by week."""

    def __init__(self, chances: ChanceSource, start: Instant, *, overdone: bool = False) -> None:
        self._chances = chances
        self._overdone = overdone
        self._series = series_of(
            "KXJOBLESSCLAIMS", "Jobless claims", category="Economics", tags=("Releases",)
        )
        self._day = next_weekday(eastern_date(start), _THURSDAY)
        if eastern(self._day, 8, 30) <= start:
            self._day += timedelta(weeks=1)

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """The one series."""
        return (self._series,)

    @property
    def next_at(self) -> Instant:
        """Not quite two weeks before the next release."""
        return Instant(eastern(self._day, 8, 30) - _LISTED)

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The next release."""
        day = self._day
        self._day += timedelta(weeks=1)
        return (self._plan(day),)

    def _plan(self, day: date) -> PlannedEvent:
        released = eastern(day, 8, 30)
        code = day_code(day)
        figure = Figure(
            name=f"KXJOBLESSCLAIMS-{code}",
            listed_at=Instant(released - _LISTED),
            released_at=released,
            swing=27 if self._overdone else 80,
            surprise=_SURPRISE if self._overdone else None,
        )
        _, felt = figure.numbers(self._chances, lambda chance: between(chance, 212, 228) * 100)
        event = event_of(self._series, code, f"Jobless claims released on {code}?", exclusive=False)
        asked = (
            (
                f"T{strike}",
                f"Will jobless claims be above {strike},000?",
                Range(strike + 1, None),
            )
            for strike in _STRIKES
        )
        return figure.planned(event, felt, asked)
