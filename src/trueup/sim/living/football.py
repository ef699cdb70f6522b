"""A football Sunday: seven games a week, who wins and by how much.

Listed on the Tuesday before.  The markets may trade until a day after the game
and are closed early, when it is over.  A drawn game pays half on every market.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from trueup.core import catalog
from trueup.core.ids import Shard
from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.sim.chance import Chance, between
from trueup.sim.living.hidden import Game, Range
from trueup.sim.living.planned import (
    MAKER_FEES,
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

SPORTS_SHARD: Final = Shard(3)
_SUNDAY: Final = 6
_LISTED_BEFORE: Final = 5 * DAY
_SPREADS: Final = (3, 7)

_TEAMS: Final = (
    ("BUF", "Buffalo"),
    ("KC", "Kansas City"),
    ("PHI", "Philadelphia"),
    ("DAL", "Dallas"),
    ("SF", "San Francisco"),
    ("SEA", "Seattle"),
    ("DET", "Detroit"),
    ("GB", "Green Bay"),
    ("BAL", "Baltimore"),
    ("CIN", "Cincinnati"),
    ("MIA", "Miami"),
    ("DEN", "Denver"),
    ("PIT", "Pittsburgh"),
    ("CHI", "Chicago"),
)
_KICK_OFFS: Final = ((13, 0), (13, 0), (13, 0), (13, 0), (16, 25), (16, 25), (20, 20))
"""Eastern times; the last game is the night game."""


class Sundays:
    """One Sunday after the other, with teams drawn anew each week."""

    def __init__(
        self, chances: ChanceSource, start: Instant, *, games: int = len(_KICK_OFFS)
    ) -> None:
        self._chances = chances
        self._games = games
        self._winner = series_of(
            "KXNFLGAME",
            "Football game",
            category="Sports",
            tags=("Football",),
            fee_type=MAKER_FEES,
        )
        self._spread = series_of(
            "KXNFLSPREAD",
            "Football spread",
            category="Sports",
            tags=("Football",),
            fee_type=MAKER_FEES,
        )
        self._sunday = next_weekday(eastern_date(start), _SUNDAY)

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """Winners and spreads."""
        return (self._winner, self._spread)

    @property
    def next_at(self) -> Instant:
        """The Tuesday before the next Sunday."""
        return Instant(eastern(self._sunday, 12) - _LISTED_BEFORE)

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """All games of the next Sunday."""
        sunday, listed = self._sunday, self.next_at
        self._sunday += timedelta(days=7)
        chance = self._chances(f"KXNFL-{day_code(sunday)}")
        teams = list(_TEAMS)
        planned: list[PlannedEvent] = []
        for kick_off in _KICK_OFFS[: self._games]:
            home = teams.pop(chance.randrange(0, len(teams)))
            away = teams.pop(chance.randrange(0, len(teams)))
            planned += self._game(
                chance, sunday, listed, kick_off=eastern(sunday, *kick_off), teams=(away, home)
            )
        return tuple(planned)

    def _game(
        self,
        chance: Chance,
        sunday: date,
        listed: Instant,
        *,
        kick_off: Instant,
        teams: tuple[tuple[str, str], tuple[str, str]],
    ) -> list[PlannedEvent]:
        (away, away_name), (home, home_name) = teams
        code = f"{day_code(sunday)}{away}{home}"
        game = Game(
            self._chances(f"KXNFLGAME-{code}"), between(chance, -600, 900), kick_off=kick_off
        )
        words = f"{away_name} at {home_name}"
        winner = event_of(self._winner, code, f"{words}: who wins?", exclusive=True)
        spread = event_of(self._spread, code, f"{words}: by how much?", exclusive=False)
        wins = (
            (away, f"Will {away_name} win?", Range(None, -1)),
            (home, f"Will {home_name} win?", Range(1, None)),
        )
        margins = tuple(
            (
                f"{home}{points}",
                f"Will {home_name} win by over {points}.5?",
                Range(points + 1, None),
            )
            for points in _SPREADS
        )
        closes = Instant(kick_off + DAY)
        whistle = between(chance, 2, 9)
        return [
            PlannedEvent(
                listed_at=listed,
                event=event,
                markets=tuple(
                    PlannedMarket(
                        market=market_of(
                            event,
                            suffix,
                            title,
                            opens=Instant(listed + HOUR),
                            closes=closes,
                            shard=SPORTS_SHARD,
                        ),
                        question=InRange(game, wanted, tie=tie),
                    )
                    for suffix, title, wanted in asked
                ),
                decided_at=game.ends,
                rush_from=kick_off,
                determined_at=Instant(game.ends + whistle * MINUTE),
                may_be_called_off=True,
                busy=150,
            )
            for event, asked, tie in ((winner, wins, 0), (spread, margins, None))
        ]
