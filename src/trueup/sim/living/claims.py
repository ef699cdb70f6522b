"""Jobless claims: a weekly figure, released on Thursdays at 8:30 Eastern.

In thousands.  Two weeks are listed at a time; markets close five minutes before.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from trueup.core import catalog
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.sim.chance import between
from trueup.sim.living.hidden import Hidden, Range, Walk
from trueup.sim.living.planned import (
    ChanceSource,
    PlannedEvent,
    PlannedMarket,
    day_code,
    eastern,
    eastern_date,
    event_of,
    market_of,
    next_weekday,
    series_of,
)
from trueup.sim.living.questions import InRange
from trueup.sim.living.releases import Mood

_THURSDAY: Final = 3
_LISTED: Final = 13 * DAY
_BEFORE: Final = 5 * MINUTE
_AFTER: Final = 6 * MINUTE
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
        listed, closes = Instant(released - _LISTED), Instant(released - _BEFORE)
        code = day_code(day)
        chance = self._chances(f"KXJOBLESSCLAIMS-{code}")
        walk = Walk(
            chance,
            between(chance, 212, 228) * 100,
            swing=27 if self._overdone else 80,
            every=4 * HOUR,
            begins=listed,
            ends=released,
        )
        felt: Hidden = walk
        if self._overdone:
            mood = Mood(f"KXJOBLESSCLAIMS-{code}", listed, released, _SURPRISE)
            felt = mood.felt(mood.real(walk, self._chances), self._chances)
        event = event_of(self._series, code, f"Jobless claims released on {code}?", exclusive=False)
        markets = tuple(
            PlannedMarket(
                market=market_of(
                    event,
                    f"T{strike}",
                    f"Will jobless claims be above {strike},000?",
                    opens=listed,
                    closes=closes,
                ),
                question=InRange(felt, Range(strike + 1, None)),
            )
            for strike in _STRIKES
        )
        return PlannedEvent(
            listed_at=listed,
            event=event,
            markets=markets,
            decided_at=released,
            rush_from=Instant(released - 2 * HOUR),
            determined_at=Instant(released + _AFTER),
        )
