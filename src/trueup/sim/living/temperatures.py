"""City temperatures: six markets a city and day on the highest temperature in °F.

Listed the day before at 10:00 Eastern, open until midnight; the number is read
the next morning.  The forecast wanders until the afternoon, then it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from trueup.core import catalog
from trueup.core.instant import HOUR, MINUTE, Instant
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
    series_of,
)
from trueup.sim.living.questions import InRange


@dataclass(frozen=True, slots=True)
class City:
    """A city and its usual highest temperatures, January to December."""

    series: str
    name: str
    usual: tuple[int, ...]


CITIES: Final = (
    City("KXHIGHNY", "New York City", (40, 43, 51, 62, 71, 80, 85, 83, 76, 65, 54, 44)),
    City("KXHIGHCHI", "Chicago", (33, 37, 48, 60, 71, 81, 85, 83, 76, 63, 49, 37)),
    City("KXHIGHMIA", "Miami", (76, 78, 80, 83, 87, 89, 91, 91, 89, 86, 82, 78)),
    City("KXHIGHLAX", "Los Angeles", (68, 67, 68, 70, 71, 73, 77, 78, 78, 76, 72, 68)),
    City("KXHIGHDEN", "Denver", (45, 46, 54, 61, 71, 82, 88, 86, 77, 65, 53, 44)),
)

_SWING: Final = 35
_EVERY: Final = 20 * MINUTE
"""A forecast moves by up to 0.35° every 20 minutes: about 1.9° in its whole life."""


class Temperatures:
    """One city's days, one after the other."""

    def __init__(self, chances: ChanceSource, start: Instant, city: City) -> None:
        self._chances = chances
        self._city = city
        self._series = series_of(
            city.series,
            f"Highest temperature in {city.name}",
            category="Climate and Weather",
            tags=("Daily temperature",),
        )
        self._day = eastern_date(start)

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """The city's series."""
        return (self._series,)

    @property
    def next_at(self) -> Instant:
        """Two hours before the markets of the next day open."""
        return Instant(_opens(self._day) - 2 * HOUR)

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The next day."""
        day = self._day
        self._day += timedelta(days=1)
        code = day_code(day)
        chance = self._chances(f"{self._series.ticker}-{code}")
        usual = self._city.usual[day.month - 1] * 100
        first = usual + between(chance, -800, 800)
        opens, closes = _opens(day), eastern(day + timedelta(days=1))
        hidden = Walk(
            chance, first, swing=_SWING, every=_EVERY, begins=opens, ends=eastern(day, 16)
        )
        event = event_of(
            self._series,
            code,
            f"Highest temperature in {self._city.name} on {code}?",
            exclusive=True,
        )
        morning = between(chance, 7 * 60, 10 * 60)
        return (
            PlannedEvent(
                listed_at=Instant(opens - 2 * HOUR),
                event=event,
                markets=_markets(event, first, hidden, opens=opens, closes=closes),
                decided_at=closes,
                rush_from=eastern(day, 11),
                determined_at=eastern(day + timedelta(days=1), morning // 60, morning % 60),
            ),
        )


def _opens(day: date) -> Instant:
    return eastern(day - timedelta(days=1), 10)


def _markets(
    event: catalog.Event, first: int, hidden: Hidden, *, opens: Instant, closes: Instant
) -> tuple[PlannedMarket, ...]:
    """Four ranges of two degrees around the forecast, one below and one above."""
    low = first // 100 - 4
    high = low + 8
    asked = [
        (f"T{low}", f"Will the high be below {low}°?", Range(None, low - 1)),
        *(
            (f"B{at}.5", f"Will the high be {at}-{at + 1}°?", Range(at, at + 1))
            for at in range(low, high, 2)
        ),
        (f"T{high - 1}", f"Will the high be above {high - 1}°?", Range(high, None)),
    ]
    return tuple(
        PlannedMarket(
            market=market_of(event, suffix, title, opens=opens, closes=closes),
            question=InRange(hidden, wanted),
        )
        for suffix, title, wanted in asked
    )
