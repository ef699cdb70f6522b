"""A figure that is released at one moment: what it is, what a market feels of it, what is asked.

A hidden number moves from the day its event is listed until it is released; its
markets close five minutes before, are traded in a rush for two hours, and are
determined six minutes after.  A market that overdoes its news feels more than the
number, and only the release itself tells the last part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.instant import HOUR, MINUTE, Instant
from trueup.sim.chance import Chance
from trueup.sim.living.hidden import Hidden, Overdone, Range, Surprising, Walk
from trueup.sim.living.planned import ChanceSource, PlannedEvent, PlannedMarket, market_of
from trueup.sim.living.questions import InRange

_CLOSES_BEFORE: Final = 5 * MINUTE
_RUSH: Final = 2 * HOUR
_DETERMINED_AFTER: Final = 6 * MINUTE
_MOVES_EVERY: Final = 4 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One release, known by its `name`: everything drawn for it is drawn under that name.

    `swing` is the most (1/100) by which the number moves at once.  `surprise` is one
    deviation (1/100) of what only the release tells, where the market overdoes its
    news; `None` where it does not.
    """

    name: str
    listed_at: Instant
    released_at: Instant
    swing: int
    surprise: int | None = None

    def numbers(
        self, chances: ChanceSource, first: Callable[[Chance], int]
    ) -> tuple[Hidden, Hidden]:
        """The number, and the number as its market feels it; `first` draws where it begins."""
        chance = chances(self.name)
        walk = Walk(
            chance,
            first(chance),
            swing=self.swing,
            every=_MOVES_EVERY,
            begins=self.listed_at,
            ends=self.released_at,
        )
        if self.surprise is None:
            return walk, walk
        real = Surprising(
            walk, chances(f"surprise of {self.name}"), self.surprise, ends=self.released_at
        )
        felt = Overdone(
            real,
            chances(f"mood of {self.name}"),
            every=_MOVES_EVERY,
            begins=self.listed_at,
            ends=self.released_at,
        )
        return real, felt

    def planned(
        self, event: catalog.Event, felt: Hidden, asked: Iterable[tuple[str, str, Range]]
    ) -> PlannedEvent:
        """The event with a market for each suffix, title and range that are asked."""
        closes = Instant(self.released_at - _CLOSES_BEFORE)
        return PlannedEvent(
            listed_at=self.listed_at,
            event=event,
            markets=tuple(
                PlannedMarket(
                    market=market_of(event, suffix, title, opens=self.listed_at, closes=closes),
                    question=InRange(felt, wanted),
                )
                for suffix, title, wanted in asked
            ),
            decided_at=self.released_at,
            rush_from=Instant(self.released_at - _RUSH),
            determined_at=Instant(self.released_at + _DETERMINED_AFTER),
        )
