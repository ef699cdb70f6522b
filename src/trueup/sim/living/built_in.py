"""The built-in worlds by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant
from trueup.sim.exchange import Exchange
from trueup.sim.living.claims import Claims
from trueup.sim.living.football import Sundays
from trueup.sim.living.planned import ChanceSource, Programme
from trueup.sim.living.quarters import COINS, Quarters
from trueup.sim.living.releases import Decisions, Prices
from trueup.sim.living.temperatures import CITIES, Temperatures
from trueup.sim.living.traders import usual_roster
from trueup.sim.living.world import LivingWorld, Opening

Build = Callable[[ChanceSource, Instant], tuple[Programme, ...]]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """What a world holds, in words and as its calendar."""

    words: str
    programmes: Build


def _economics(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return Decisions(chances, start), Prices(chances, start)


def _overreacting(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return (
        Decisions(chances, start, overdone=True),
        Prices(chances, start, overdone=True),
        Claims(chances, start, overdone=True),
    )


def _temperatures(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return tuple(Temperatures(chances, start, city) for city in CITIES[:3])


def _crypto(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return tuple(Quarters(chances, start, coin) for coin in COINS[:2])


def _football(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return (Sundays(chances, start),)


def _mixed(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return (
        *_economics(chances, start),
        Temperatures(chances, start, CITIES[0]),
        Quarters(chances, start, COINS[0]),
    )


def _everything(chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    return (
        *_economics(chances, start),
        *_temperatures(chances, start),
        *_crypto(chances, start),
        *_football(chances, start),
    )


WORLDS: Final[dict[str, BuiltIn]] = {
    "economics": BuiltIn("Fed decisions, the federal funds rate and consumer prices", _economics),
    "overreacting": BuiltIn(
        "Fed, consumer prices and jobless claims in a market that overdoes its news",
        _overreacting,
    ),
    "temperatures": BuiltIn("daily high temperatures of three cities", _temperatures),
    "crypto": BuiltIn("fifteen-minute markets on Bitcoin and Ether", _crypto),
    "football": BuiltIn("seven games every Sunday, winners and spreads", _football),
    "mixed": BuiltIn("about 22 markets: Fed, CPI, New York's weather, Bitcoin", _mixed),
    "everything": BuiltIn("all of the worlds at once", _everything),
}

DEFAULT_WORLD: Final = "everything"


def programmes_of(name: str, chances: ChanceSource, start: Instant) -> tuple[Programme, ...]:
    """The calendar of a built-in world.  `ConfigError` lists the names for an unknown one."""
    known = WORLDS.get(name)
    if known is None:
        raise ConfigError(
            f"there is no built-in world {name!r}", remedy=f"Use one of: {', '.join(WORLDS)}."
        )
    return known.programmes(chances, start)


def living_world(
    name: str, chances: ChanceSource, opening: Opening, exchange: Exchange | None = None
) -> LivingWorld:
    """A built-in world as of `opening.start`, with the usual traders.

    On an `exchange` with a past it goes on where that ended.
    """
    begin = Instant(opening.start - opening.warm_up)
    return LivingWorld(
        Exchange() if exchange is None else exchange,
        programmes_of(name, chances, begin),
        usual_roster(),
        chances=chances,
        opening=opening,
    )
