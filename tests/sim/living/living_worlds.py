"""Small living worlds for tests, and an eye on everything that happens in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.run.clock import seeded
from trueup.sim import events as e
from trueup.sim.chance import Chance
from trueup.sim.living.built_in import living_world
from trueup.sim.living.world import LivingWorld, Opening

START = parse_instant("2026-10-16T16:00:00Z")
"""A Friday noon in New York."""


def chances(seed: int):  # noqa: ANN201
    def of(name: str) -> Chance:
        return seeded(f"{seed}/{name}")

    return of


@dataclass
class Watched:
    """A world, and all it did since its start."""

    world: LivingWorld
    events: list[e.Event] = field(default_factory=list[e.Event])

    def run(self, hours: int) -> Watched:
        self.world.advance(Instant(self.world.end + hours * HOUR), self.events.extend)
        return self

    def of(self, kind: type[e.Event]) -> list[e.Event]:
        return [event for event in self.events if type(event) is kind]

    @property
    def refused(self) -> list[e.Refused]:
        return [event for event in self.events if isinstance(event, e.Refused)]

    def path(self, ticker: Ticker) -> list[MarketStatus]:
        return [
            event.status
            for event in self.events
            if isinstance(event, e.MarketMoved) and event.ticker == ticker
        ]

    def statuses(self) -> Counter[MarketStatus]:
        states = self.world.exchange.books.listings.markets.values()
        return Counter(state.status for state in states)


def watch(
    name: str, *, seed: int = 1, start: Instant = START, density: int = 6, mishaps: int = 100
) -> Watched:
    return Watched(
        living_world(
            name,
            chances(seed),
            Opening(start=start, density=density, mishap_rate=mishaps, warm_up=2 * HOUR),
        )
    )
