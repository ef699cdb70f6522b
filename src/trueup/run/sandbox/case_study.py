"""The case study retold: 90 days, some 22 economic markets, two strategies, two outages, a CPI week.

A living market that overdoes its news, an exchange that answers 503 for some minutes on
two days, and the trader's machine with mean reversion and momentum beside it, polling
every 90 seconds as the study did: all in virtual time and from one seed, so it is the
same again every time.  When the days are over the same exchange is served over HTTP,
and the ordinary books are fetched from it, reconciled and proven.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from trueup.core.alerts import AlertKind
from trueup.core.facts import BankingStatus
from trueup.core.ids import ClientOrderId, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.units import ZERO_MONEY, Count, Money, Ratio
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.market import Listing
from trueup.engine.sizing import Percent
from trueup.engine.state import Settings
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategy import Mandate, Strategy
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.living import Living
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as ServerSettings
from trueup.run.bot.decision_log import DecisionLog, line_of
from trueup.run.clock import Clock, VirtualClock, seeded
from trueup.run.private_files import write_private_file
from trueup.run.sandbox.living import Chances, identifiers
from trueup.run.sandbox.simulated import SimulatedVenue
from trueup.sim import commands as c
from trueup.sim.chance import between
from trueup.sim.conditions import Conditions, Outage
from trueup.sim.faults import FaultPlan
from trueup.sim.living.built_in import living_world
from trueup.sim.living.world import USER, GivenAccount, LivingWorld, Opening
from trueup.store.private_folder import make_private_folder

WORLD: Final = "overreacting"
START: Final = parse_instant("2026-07-06T04:00:00Z")
"""A Monday, midnight in New York."""

CAPITAL: Final = Money.parse("5000")
POLL: Final = 90 * SECOND
WATCHED: Final = 22
AFTERWARDS: Final = 2 * DAY
"""After the last day positions are kept until what closes then has settled."""

_OUTAGE: Final = (8, 12)
"""How long an outage lasts, in minutes."""

_DAY_BEGINS, _DAY_ENDS = 9, 17
"""Between these Eastern hours the outages begin: when somebody trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is told.  `density` is how often a market is traded in: turns an hour."""

    seed: int = 7
    days: int = 90
    density: int = 6
    outages: int = 2


@dataclass(slots=True)
class Heard:
    """An outage, and what the bot did about it."""

    began: Instant
    ended: Instant
    halted_at: Instant | None = None
    lifted_at: Instant | None = None
    words: str = ""


@dataclass(slots=True)
class Played:
    """The days as they went."""

    study: Study
    world: LivingWorld
    venue: SimulatedVenue
    machine: Machine
    began: Instant
    ended: Instant
    outages: list[Heard]
    watched: int = 0
    listed: int = 0
    names: tuple[str, ...] = field(default_factory=tuple[str, ...])


Told = Callable[[int], None]
"""Hears after each simulated day how many are over."""


def nobody(_day: int) -> None:
    """Does not care."""


def strategies() -> list[tuple[Strategy, Mandate]]:
    """Mean reversion and momentum, half of the money each.

    The study's 2 % of the portfolio for a trade are 4 % of mean reversion's half; momentum,
    which buys after the move, gets half of that.
    """
    half = Money(CAPITAL.units // 2)
    wide = {
        "order_count_max": Count.of_contracts(5_000),
        "position_max": Count.of_contracts(5_000),
        "exposure_max": half,
    }
    limits = case_study_limits(None, **wide)
    return [
        (MeanReversion(sizing=Percent(Ratio(4, 100))), Mandate(capital=half, limits=limits)),
        (Momentum(sizing=Percent(Ratio(2, 100))), Mandate(capital=half, limits=limits)),
    ]


def play(study: Study, told: Told = nobody) -> Played:
    """Let the days pass."""
    world = living_world(
        WORLD,
        Chances(study.seed),
        Opening(
            start=START,
            accounts=(GivenAccount(deposit=ZERO_MONEY),),
            density=study.density,
            mishap_rate=0,
        ),
    )
    end = Instant(START + study.days * DAY)
    outages = outages_of(study)
    venue = SimulatedVenue(
        world.exchange,
        USER,
        chance=seeded(f"{study.seed}/line"),
        conditions=Conditions(outages=tuple(Outage(x.began, x.ended) for x in outages)),
        poll=POLL,
        batch=POLL,
    )
    for command in _deposit():
        venue.command(command)
    numbers = count(1)
    machine = Machine(
        strategies(),
        Settings(
            limits=Limits(
                order_count_max=Count.of_contracts(5_000),
                position_max=Count.of_contracts(5_000),
                exposure_max=CAPITAL,
            )
        ),
        lambda name: ClientOrderId(f"{name}-{next(numbers)}"),
    )
    played = Played(study, world, venue, machine, START, end, outages)
    played.names = tuple(machine.state.running)
    _let_the_world_act(world, venue, Instant(end + AFTERWARDS))
    venue.start(machine)
    for day in range(study.days):
        venue.run(Instant(START + (day + 1) * DAY))
        watched = max(len(each.universe) for each in machine.state.running.values())
        played.watched = max(played.watched, watched)
        told(day + 1)
    played.listed = len(world.exchange.books.listings.markets)
    venue.crash()
    venue.run(Instant(end + AFTERWARDS))
    _note_halts(played)
    return played


def outages_of(study: Study) -> list[Heard]:
    """When the exchange answers nothing: on days apart, for 8 to 12 minutes, in trading hours."""
    chance = seeded(f"{study.seed}/outages")
    found: list[Heard] = []
    for number in range(study.outages):
        day = (2 * number + 1) * study.days // (2 * study.outages)
        # 04:00 UTC is midnight in New York all summer.
        minute = between(chance, _DAY_BEGINS * 60, _DAY_ENDS * 60)
        began = Instant(START + day * DAY + minute * MINUTE)
        seconds = between(chance, _OUTAGE[0] * 60, _OUTAGE[1] * 60)
        found.append(Heard(began, Instant(began + seconds * SECOND)))
    return found


def _deposit() -> Iterator[c.Command]:
    yield c.Deposit(
        at=START,
        member=USER,
        banking_id="first-deposit",
        amount=CAPITAL,
        fee=ZERO_MONEY,
        method="ach",
    )
    yield c.ConcludeBanking(
        at=START, member=USER, banking_id="first-deposit", status=BankingStatus.APPLIED
    )


def _let_the_world_act(world: LivingWorld, venue: SimulatedVenue, until: Instant) -> None:
    """Everybody else trades, and markets are listed and decided, while the venue's time passes."""

    def act() -> None:
        world.advance(venue.now, venue.hear)
        following = world.next_at()
        if following is not None and following <= until:
            venue.at(following, act)

    first = world.next_at()
    if first is not None:
        venue.at(first, act)


def _note_halts(played: Played) -> None:
    """What the bot did about each outage, by its own alerts."""
    for outage in played.outages:
        until = Instant(outage.ended + HOUR)
        for alert in played.venue.heard.alerts:
            if not outage.began <= alert.at <= until:
                continue
            if alert.kind is AlertKind.HALT and outage.halted_at is None:
                outage.halted_at, outage.words = alert.at, alert.words
            if alert.kind is AlertKind.LIFTED and outage.halted_at is not None:
                outage.lifted_at = outage.lifted_at or alert.at


def write_decisions(played: Played, path: Path) -> None:
    """Everything that the bot said, as its decision log."""
    told = [*played.venue.heard.decisions, *played.venue.heard.alerts]
    told.sort(key=lambda each: each.at)
    with DecisionLog(path) as log:
        for each in told:
            log.write(line_of(each))


CONFIG: Final = """\
# Whose orders are whose, by how their ids begin.
[strategies.mean-reversion]
client_id_prefixes = ["mean-reversion-"]
[strategies.momentum]
client_id_prefixes = ["momentum-"]
"""


@dataclass(frozen=True, slots=True)
class Served:
    """What points commands at the exchange, and by which time they work."""

    environment: Mapping[str, str]
    clock: Clock


@contextmanager
def served(played: Played, folder: Path) -> Generator[Served]:
    """The exchange as it stands after the last day, over HTTP.  Its time stands still."""
    home = folder / "home"
    make_private_folder(home)
    (home / "config.toml").write_text(CONFIG, encoding="utf-8")
    seed = played.study.seed
    clock = VirtualClock(played.venue.now, speed=0)
    living = Living(
        world=played.world,
        clock=clock,
        plan=FaultPlan(seeded(f"{seed}/faults"), (), seed=seed),
        seed=seed,
        rebuild=None,
    )
    server = SandboxServer(
        living,
        clock=clock.now,
        settings=ServerSettings(limits=UNLIMITED, new_id=identifiers(seed)),
    )
    server.start()
    try:
        key = folder / "case-study.pem"
        write_private_file(key, server.pair.pem)
        environment = {
            "TRUEUP_HOME": str(home),
            "TRUEUP_BASE_URL": server.base_url,
            "KALSHI_API_KEY_ID": server.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(key),
        }
        yield Served(environment, clock)
    finally:
        server.stop()


@dataclass(frozen=True, slots=True)
class Release:
    """A CPI release of the days: its event and when its markets closed."""

    event: str
    at: Instant
    markets: tuple[Ticker, ...]


def cpi_releases(played: Played) -> list[Release]:
    """The CPI releases within the days, in order."""
    by_event: dict[str, list[Listing]] = {}
    for listing in played.machine.state.listings.values():
        closes = listing.market.close_at
        if listing.event.series_ticker == "KXCPI" and closes is not None and closes < played.ended:
            by_event.setdefault(listing.event_ticker, []).append(listing)
    found = [
        Release(
            event,
            max(each.market.close_at or START for each in some),
            tuple(x.ticker for x in some),
        )
        for event, some in by_event.items()
    ]
    return sorted(found, key=lambda each: each.at)
