"""Fifteen-minute crypto: will the price be at or above where the quarter began?

One quarter follows the other without a pause.  Prices have a tenth of a cent
near the edges, counts are fractional, and the books are the liveliest of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core import catalog
from trueup.core.grid import TAPERED_DECI_CENT
from trueup.core.ids import Shard
from trueup.core.instant import DAY, EASTERN, MINUTE, SECOND, Instant, to_datetime
from trueup.sim.chance import between
from trueup.sim.living.hidden import Range, Stretch, Walk
from trueup.sim.living.planned import (
    ChanceSource,
    PlannedEvent,
    PlannedMarket,
    day_code,
    eastern_date,
    event_of,
    market_of,
    series_of,
)
from trueup.sim.living.questions import InRange

CRYPTO_SHARD: Final = Shard(2)
QUARTER: Final = 15 * MINUTE

_EVERY: Final = 5 * SECOND
_ENDLESS: Final = 20_000 * DAY


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin: where its price begins and by how much (both in cents) it moves in five seconds."""

    series: str
    name: str
    price: int
    swing: int


COINS: Final = (
    Coin("KXBTC15M", "Bitcoin", 9_100_000, 900),
    Coin("KXETH15M", "Ether", 310_000, 42),
    Coin("KXSOL15M", "Solana", 18_500, 3),
)


class Quarters:
    """One coin's quarters.  Each is planned when it opens, for only then its strike is known."""

    def __init__(self, chances: ChanceSource, start: Instant, coin: Coin) -> None:
        self._coin = coin
        self._series = series_of(
            coin.series,
            f"{coin.name} price up in 15 minutes",
            category="Crypto",
            tags=(coin.name,),
        )
        self._opens = Instant(start - start % QUARTER)
        self._chance = chances(coin.series)
        self._swing = coin.swing * 100
        self._price = Walk(
            self._chance,
            coin.price * 100,
            swing=self._swing,
            every=_EVERY,
            begins=self._opens,
            ends=Instant(self._opens + _ENDLESS),
        )
        self._chances = chances

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """The coin's series."""
        return (self._series,)

    @property
    def next_at(self) -> Instant:
        """When the next quarter opens."""
        return self._opens

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The next quarter."""
        opens, closes = self._opens, Instant(self._opens + QUARTER)
        self._opens = closes
        strike = self._price.expected(opens) // 100
        ends = to_datetime(closes).astimezone(EASTERN)
        code = f"{day_code(eastern_date(closes))}{ends.hour:02}{ends.minute:02}"
        event = event_of(
            self._series,
            code,
            f"{self._coin.name} up in the quarter to {ends.hour:02}:{ends.minute:02} Eastern?",
            exclusive=False,
        )
        market = market_of(
            event,
            f"{ends.minute:02}",
            f"{self._coin.name} at or above ${strike // 100:,}.{strike % 100:02}?",
            opens=opens,
            closes=closes,
            shard=CRYPTO_SHARD,
        )
        quarter = Stretch(self._price, swing=self._swing, every=_EVERY, ends=closes)
        wait = between(self._chances(event.ticker), 4, 20)
        return (
            PlannedEvent(
                listed_at=opens,
                event=event,
                markets=(
                    PlannedMarket(
                        market=market,
                        question=InRange(quarter, Range(strike, None)),
                        grid=TAPERED_DECI_CENT,
                        settlement_timer=60 * SECOND,
                    ),
                ),
                decided_at=closes,
                determined_at=Instant(closes + wait * SECOND),
                busy=800,
            ),
        )
