"""The built-in account: months of trading that happened to nobody, from a seed.

One member trades weather, economics and crypto by a bot, sells now and then by
hand, and makes markets.  Everything that makes books hard to keep happens
somewhere: pairs closed at $1, fractional counts, prices of a tenth of a cent,
sales before settlement, scalar results, a disputed determination, fee changes,
an override, a waiver, two subaccounts, two shards, money that came and went.
The bot was down twice, so it missed settlements; the first time is so long ago
that the exchange has dropped the rows.

The same seed and end give the same world on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.instant import DAY, Instant, parse_instant
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.sim.chance import Chance
from trueup.sim.exchange import Exchange
from trueup.sim.worlds.cash import cash
from trueup.sim.worlds.crypto import crypto
from trueup.sim.worlds.economics import economics
from trueup.sim.worlds.making import making
from trueup.sim.worlds.plan import Plan, Window
from trueup.sim.worlds.present import present
from trueup.sim.worlds.weather import weather

DEFAULT_SEED: Final = 58
DEFAULT_END: Final = parse_instant("2026-10-15T16:00:00Z")
"""The present of the built-in world, unless another is asked for."""

OLD_END: Final = parse_instant("2025-10-15T16:00:00Z")
"""The end of a world that fits the exchange's form of 2025."""

MARCH_END: Final = parse_instant("2026-03-20T16:00:00Z")
JUNE_END: Final = parse_instant("2026-06-11T16:00:00Z")
"""The ends of worlds that fit the exchange's forms of those months."""

DAYS: Final = 150
MEMBER: Final = c.Member("5f0b3c1e-7a52-4d0e-9c41-2f6f0d1e8a77")

_DOWN_DAYS: Final = ((75, 72), (16, 11))
"""When the bot was down, in days before the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An exchange with a history, and what is known about it by construction."""

    exchange: Exchange
    member: c.Member
    end: Instant
    down: tuple[Window, ...]
    commands: tuple[c.Command, ...]
    events: tuple[e.Event, ...]


def account_world(
    chance: Chance, end: Instant = DEFAULT_END, *, whole_contracts: bool = False
) -> World:
    """The built-in account as of `end`.

    The end also decides which fee rules held: the world ends where you put it,
    and its fills are charged by the rules of their own dates.  A world of
    `whole_contracts` and whole cents, ended before 2026, fits the form of then.
    """
    plan = Plan(chance, MEMBER, end, days=DAYS, whole=whole_contracts)
    down = tuple(
        Window(Instant(end - begin * DAY), Instant(end - until * DAY))
        for begin, until in _DOWN_DAYS
    )
    cash(plan)
    weather(plan, down)
    economics(plan)
    crypto(plan)
    making(plan)
    present(plan)
    exchange = Exchange()
    commands = plan.commands()
    return World(
        exchange=exchange,
        member=MEMBER,
        end=end,
        down=down,
        commands=commands,
        events=perform(exchange, (*commands, c.Advance(at=end))),
    )


def perform(exchange: Exchange, commands: tuple[c.Command, ...]) -> tuple[e.Event, ...]:
    """Carry out commands that must all be accepted; returns every event."""
    events: list[e.Event] = []
    for command in commands:
        for event in exchange.step(command):
            if isinstance(event, e.Refused):
                message = f"the exchange refused {event.command}: {event.reason}"
                raise InvariantBroken(message)
            events.append(event)
    return tuple(events)
