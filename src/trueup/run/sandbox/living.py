"""A living world made ready to be served: its clock, its chance, its faults."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError
from trueup.core.instant import HOUR, MINUTE, Instant
from trueup.net.acceptor.living import Living
from trueup.run.archive.recorded_books import load_recorded_books
from trueup.run.clock import Clock, SystemClock, VirtualClock, seeded
from trueup.sim.chance import identifier
from trueup.sim.exchange import Exchange
from trueup.sim.faults import Fault, FaultPlan
from trueup.sim.living.built_in import DEFAULT_WORLD, WORLDS, living_world
from trueup.sim.living.replay import Replay
from trueup.sim.living.scenario_file import ScenarioText
from trueup.sim.living.scenario_world import Scenario, scenario_of
from trueup.sim.living.world import DENSITY, WARM_UP, GivenAccount, LivingWorld, Opening
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

HOME_WORLD: Final = "mixed"
"""What goes on around the built-in account unless another world is named."""

LIVELY: Final = 90
"""Turns of a trader per market and hour when somebody watches at normal speed."""

_FAST: Final = 30
"""From this speed on a world is traded as sparsely as one that is skipped through."""


@dataclass(frozen=True, slots=True)
class Chances:
    """A generator of its own for every name, all from one seed."""

    seed: int

    def __call__(self, name: str) -> random.Random:
        """The generator of that name."""
        return seeded(f"{self.seed}/{name}")


def identifiers(seed: int) -> Callable[[], str]:
    """Ids for orders, groups and the like: the same again for the same seed."""
    chance = seeded(f"{seed}/ids")
    return lambda: identifier(chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which world is wanted: a built-in one by name, or a scenario file.

    `speed` and `density` of `None` are the scenario's own, or what fits; so is a
    `start` of `None`: the machine's present.
    """

    world: str = DEFAULT_WORLD
    scenario: Path | None = None
    seed: int | None = None
    speed: int | None = None
    density: int | None = None
    start: Instant | None = None
    warm_up: int = WARM_UP
    with_history: bool = False
    """Whether the user's account is the built-in one, with months of trading behind it."""
    mishap_rate: int = 100
    accounts: tuple[GivenAccount, ...] = (GivenAccount(),)
    faults: tuple[Fault, ...] = ()
    token: str = ""
    """What opens the control API over HTTP; empty: nothing does."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world with everything that runs it, and what it is in words."""

    living: Living
    words: str
    history: World | None = None
    """The built-in account's past, where there is one."""


def prepare(wish: Wish, machine: Clock | None = None) -> Prepared:
    """Make the world that is wanted.

    Raises `ConfigError` for an unknown name, a file that cannot be read, or a
    mistake in it, with its line and key.
    """
    now = (SystemClock() if machine is None else machine).now()
    start = Instant(now - now % MINUTE) if wish.start is None else wish.start
    if wish.scenario is not None:
        return _of_scenario(wish, wish.scenario, start, machine)
    seed = DEFAULT_SEED if wish.seed is None else wish.seed
    speed = 1 if wish.speed is None else wish.speed
    opening = Opening(
        start=start,
        accounts=wish.accounts,
        density=_density(speed) if wish.density is None else wish.density,
        mishap_rate=wish.mishap_rate,
        warm_up=wish.warm_up,
    )

    def past(seed: int) -> World | None:
        if not wish.with_history:
            return None
        return account_world(seeded(seed), Instant(start - wish.warm_up))

    def build(seed: int, history: World | None) -> LivingWorld:
        exchange = None if history is None else history.exchange
        return living_world(wish.world, Chances(seed), opening, exchange)

    history = past(seed)
    world = build(seed, history)
    return Prepared(
        Living(
            world=world,
            clock=_clock(start, speed, began=start if wish.start is None else now, machine=machine),
            plan=FaultPlan(seeded(f"{seed}/faults"), wish.faults, seed=seed),
            seed=seed,
            rebuild=lambda seed: build(seed, past(seed)),
            token=wish.token,
        ),
        f"a living world, {wish.world} ({WORLDS[wish.world].words}), seed {seed}",
        history,
    )


def replay(folder: Path, wish: Wish, machine: Clock | None = None) -> Prepared:
    """A folder of recorded order books as the market, from the recording's own time on."""
    recorded = load_recorded_books(folder)
    seed = DEFAULT_SEED if wish.seed is None else wish.seed
    speed = 1 if wish.speed is None else wish.speed
    return Prepared(
        Living(
            world=Replay(Exchange(), recorded, wish.accounts),
            clock=VirtualClock(recorded.start, speed=speed, machine=machine),
            plan=FaultPlan(seeded(f"{seed}/faults"), wish.faults, seed=seed),
            seed=seed,
            rebuild=None,
            token=wish.token,
        ),
        f"recorded order books of {len(recorded.markets)} markets from {folder}",
    )


def _clock(start: Instant, speed: int, *, began: Instant, machine: Clock | None) -> VirtualClock:
    """The world's clock.  At normal speed it does not lack the time that making the world took:
    a world of the present shows the machine's time.
    """
    clock = VirtualClock(start, speed=speed, machine=machine)
    if speed == 1:
        clock.advance(max(0, (SystemClock() if machine is None else machine).now() - began))
    return clock


def _density(speed: int) -> int:
    """Lively where somebody watches, sparse where time is skipped."""
    return LIVELY if 0 < speed < _FAST else DENSITY


def _of_scenario(wish: Wish, path: Path, start: Instant, machine: Clock | None) -> Prepared:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the scenario {path} cannot be read: {error}", remedy="Name a TOML file."
        ) from error
    text = ScenarioText(content, str(path))

    def build(seed: int | None) -> Scenario:
        return scenario_of(text, start, Chances, seed=seed)

    scenario = build(wish.seed)
    speed = scenario.speed if wish.speed is None else wish.speed
    return Prepared(
        Living(
            world=scenario.world,
            clock=VirtualClock(scenario.world.opening.start, speed=speed, machine=machine),
            plan=FaultPlan(
                seeded(f"{scenario.seed}/faults"),
                (*scenario.faults, *wish.faults),
                seed=scenario.seed,
            ),
            seed=scenario.seed,
            rebuild=lambda seed: build(seed).world,
            token=wish.token,
        ),
        f"the scenario {scenario.name} of {path}, seed {scenario.seed}",
    )


BRIEF_WARM_UP: Final = HOUR
"""Enough for books that look lived in, for tests that start many worlds."""
