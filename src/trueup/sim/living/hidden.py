"""What will really happen, and how much of it can be known at an instant.

Behind every event of a living world stands a hidden whole number: a price, a
temperature, a lead.  It changes by small random steps until its hour, and the
markets of the event ask where it will stand then.  Whoever knows the number now
knows the odds: the distance to the strike against what the number can still
move.  Informed traders are told these odds, makers hear of them late, and the
determination reads the number itself, so prices, news and results agree.

Everything is a whole number: odds in 1/10,000, numbers in 1/100 of their unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final, Protocol

from trueup.core.instant import MINUTE, Instant
from trueup.sim.chance import Chance, between

CERTAIN: Final = 10_000
"""Odds of one: the same scale as a price in 1/10,000 dollar."""

_NORMAL_STEP: Final = 5
_NORMAL: Final = (
    5_000, 5_199, 5_398, 5_596, 5_793, 5_987, 6_179, 6_368, 6_554, 6_736,
    6_915, 7_088, 7_257, 7_422, 7_580, 7_734, 7_881, 8_023, 8_159, 8_289,
    8_413, 8_531, 8_643, 8_749, 8_849, 8_944, 9_032, 9_115, 9_192, 9_265,
    9_332, 9_394, 9_452, 9_505, 9_554, 9_599, 9_641, 9_678, 9_713, 9_744,
    9_772, 9_798, 9_821, 9_842, 9_861, 9_878, 9_893, 9_906, 9_918, 9_929,
    9_938, 9_946, 9_953, 9_960, 9_965, 9_970, 9_974, 9_978, 9_981, 9_984,
    9_987, 9_989, 9_990, 9_992, 9_993, 9_994, 9_995, 9_996, 9_997, 9_997,
    9_998, 9_998, 9_998, 9_999, 9_999, 9_999, 9_999, 9_999, 10_000, 10_000,
    10_000,
)  # fmt: skip
"""The standard normal distribution at 0.00, 0.05 … 4.00 deviations, in 1/10,000."""


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `low` to `high`, both included; `None` is without end."""

    low: int | None
    high: int | None

    def __contains__(self, number: int) -> bool:
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )


class Hidden(Protocol):
    """A hidden number.  It may be asked for instants in time order only."""

    def expected(self, at: Instant) -> int:
        """Where it is expected to end, in 1/100, by whoever knows it at `at`."""
        ...

    def deviation(self, at: Instant) -> int:
        """How far it may still move until its end (one deviation), in 1/100."""
        ...


def final_number(hidden: Hidden, at: Instant) -> int:
    """The whole number at which it has ended, to the nearest; halves go up."""
    return (hidden.expected(at) + 50) // 100


def odds(hidden: Hidden, at: Instant, wanted: Range) -> int:
    """The odds, in 1/10,000, that the number will end inside `wanted`."""
    centre, deviation = hidden.expected(at), hidden.deviation(at)
    above = CERTAIN if wanted.high is None else _below(wanted.high * 100 + 50, centre, deviation)
    below = 0 if wanted.low is None else _below(wanted.low * 100 - 50, centre, deviation)
    return max(0, above - below)


def _below(limit: int, centre: int, deviation: int) -> int:
    """The odds of ending below `limit`."""
    if deviation <= 0:
        return CERTAIN if centre < limit else 0
    return normal(100 * (limit - centre) // deviation)


def normal(hundredths: int) -> int:
    """The standard normal distribution at so many 1/100 deviations, in 1/10,000."""
    size = abs(hundredths)
    place, rest = divmod(size, _NORMAL_STEP)
    if place >= len(_NORMAL) - 1:
        upper = CERTAIN
    else:
        low, high = _NORMAL[place], _NORMAL[place + 1]
        upper = low + (high - low) * rest // _NORMAL_STEP
    return upper if hundredths >= 0 else CERTAIN - upper


class Walk:
    """A number that takes a random step of up to `swing` (1/100) every `every` microseconds.

    It stands at `start` until `begins`, and nothing moves it from `ends` on.  The steps are
    drawn in order from its own chance, so it is the same whoever asks, however often.
    """

    def __init__(
        self, chance: Chance, start: int, *, swing: int, every: int, begins: Instant, ends: Instant
    ) -> None:
        self._chance = chance
        self._number = start
        self._swing = swing
        self._every = every
        self._begins = begins
        self._steps = 0
        self._steps_max = max(0, ends - begins) // every

    def expected(self, at: Instant) -> int:
        """Where it stands: a walk is expected to end where it is."""
        due = self._steps_at(at)
        while self._steps < due:
            self._number += between(self._chance, -self._swing, self._swing)
            self._steps += 1
        return self._number

    def deviation(self, at: Instant) -> int:
        """One deviation of the steps that are left."""
        left = self._steps_max - self._steps_at(at)
        # A step is uniform over 2·swing + 1 numbers: its variance is swing·(swing + 1)/3.
        return isqrt(left * self._swing * (self._swing + 1) // 3)

    def _steps_at(self, at: Instant) -> int:
        return min(self._steps_max, max(0, at - self._begins) // self._every)


class Surprising:
    """A number of which the last part is not known before its hour: a release's surprise.

    `surprise` is one deviation of it, in 1/100.  It is drawn once, when the hour has come.
    """

    _PARTS: Final = 12
    """A sum of so many uniform draws is as good as normal."""

    def __init__(self, hidden: Hidden, chance: Chance, surprise: int, *, ends: Instant) -> None:
        self._hidden = hidden
        self._surprise = surprise
        self._ends = ends
        # Twelve uniform draws between −1/2 and 1/2 have a variance of one.
        drawn = sum(between(chance, -500, 500) for _ in range(self._PARTS))
        self._turn = drawn * surprise // 1_000

    def expected(self, at: Instant) -> int:
        """Where it stands; from its hour on with the surprise."""
        number = self._hidden.expected(at)
        return number if at < self._ends else number + self._turn

    def deviation(self, at: Instant) -> int:
        """What it may still move, the surprise included."""
        return 0 if at >= self._ends else isqrt(self._hidden.deviation(at) ** 2 + self._surprise**2)


class Overdone:
    """A number as a market feels it: news moves it too far, and then it comes back.

    Now and then, once in `_NEWS_EVERY` steps on average, what is felt begins to leave the
    number, within `_SPREADS` steps, by some part of what the number may still move; then
    that fades with each step.  In the end the number itself stands.  Everybody who trades
    is told what is felt, so prices overreact, and whoever knows that can earn by it.
    """

    _NEWS_EVERY: Final = 30
    _SPREADS: Final = 3
    _FADES: Final = 95
    """Percent of what was felt that are left after a step."""
    _JUMP: Final = (500, 1_000)
    """How far a piece of news goes, in thousandths of a deviation."""

    def __init__(
        self, hidden: Hidden, chance: Chance, *, every: int, begins: Instant, ends: Instant
    ) -> None:
        self._hidden = hidden
        self._chance = chance
        self._every = every
        self._begins = begins
        self._ends = ends
        self._steps = 0
        self._share = 0
        self._spreading: list[int] = []

    def expected(self, at: Instant) -> int:
        """What is felt, and from the end on what is."""
        number = self._hidden.expected(at)
        due = max(0, min(at, self._ends) - self._begins) // self._every
        while self._steps < due:
            self._steps += 1
            self._step()
        if at >= self._ends:
            return number
        return number + self._hidden.deviation(at) * self._share // 1_000

    def _step(self) -> None:
        # Towards zero from either side.
        self._share = abs(self._share) * self._FADES // 100 * (1 if self._share > 0 else -1)
        if self._chance.randrange(0, self._NEWS_EVERY) == 0:
            jump = between(self._chance, *self._JUMP)
            part = (jump if self._chance.randrange(0, 2) else -jump) // self._SPREADS
            self._spreading = [part] * self._SPREADS
        if self._spreading:
            self._share += self._spreading.pop()

    def deviation(self, at: Instant) -> int:
        """How far the number may still move."""
        return self._hidden.deviation(at)


class Stretch:
    """A number that ends when the walk behind it passes `ends`: one quarter of a long walk."""

    def __init__(self, walk: Walk, *, swing: int, every: int, ends: Instant) -> None:
        self._walk = walk
        self._swing = swing
        self._every = every
        self._ends = ends
        self._final: int | None = None

    def expected(self, at: Instant) -> int:
        """Where the walk stands, or stood at the end.  Ask once at the end, before later."""
        if self._final is not None:
            return self._final
        number = self._walk.expected(Instant(min(at, self._ends)))
        if at >= self._ends:
            self._final = number
        return number

    def deviation(self, at: Instant) -> int:
        """One deviation of the steps until the end."""
        left = max(0, self._ends - at) // self._every
        return isqrt(left * self._swing * (self._swing + 1) // 3)


class Game:
    """The lead of the home team: `favour` (1/100 points) is what it is expected to win by.

    Both teams score as football teams do, three or seven points at a time; the last
    minute decides.
    """

    LENGTH: Final = 190 * MINUTE
    """From kick-off to the final whistle, breaks included."""

    _DEVIATION: Final = 1_628
    """The root of 2 × 3.5 scores × 37.86, the mean of a score's square."""

    _SCORES: Final = (3, 7, 7, 3, 7, 6, 8)
    _PER_TEAM: Final = 35
    """Scores of a team in ten games."""

    def __init__(self, chance: Chance, favour: int, *, kick_off: Instant) -> None:
        self._chance = chance
        self._favour = favour
        self._kick_off = kick_off
        self._minutes = 0
        self._minutes_max = self.LENGTH // MINUTE
        self.home = 0
        self.away = 0

    @property
    def ends(self) -> Instant:
        """The final whistle."""
        return Instant(self._kick_off + self.LENGTH)

    def expected(self, at: Instant) -> int:
        """The lead now and what the favour is still worth."""
        self._play(at)
        return (self.home - self.away) * 100 + self._favour * self._left(at) // self._minutes_max

    def deviation(self, at: Instant) -> int:
        """One deviation of the points still to come."""
        return isqrt(self._DEVIATION**2 * self._left(at) // self._minutes_max)

    def _left(self, at: Instant) -> int:
        return self._minutes_max - self._minute(at)

    def _minute(self, at: Instant) -> int:
        return min(self._minutes_max, max(0, at - self._kick_off) // MINUTE)

    def _play(self, at: Instant) -> None:
        minute = self._minute(at)
        while self._minutes < minute:
            self._minutes += 1
            self.home += self._scored(self._favour)
            self.away += self._scored(-self._favour)

    def _scored(self, favour: int) -> int:
        """Points of one team in one minute; half of the favour makes it score more often."""
        # A score is worth 5.9 points: favour/2 points more a game are favour/1180 scores more.
        per_game = self._PER_TEAM * 118 + favour
        if self._chance.randrange(0, 1_180 * self._minutes_max) >= per_game:
            return 0
        return self._SCORES[self._chance.randrange(0, len(self._SCORES))]
