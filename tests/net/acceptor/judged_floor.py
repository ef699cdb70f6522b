"""A served floor for other people's clients: they are the judges, we are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from served_floor import MAKER, TICKER, ServedFloor

from trueup.core.instant import HOUR, Instant, parse_instant
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import KeyPair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, SystemClock
from trueup.sim import commands as c
from trueup.sim.exchange import Exchange

KEY_ID = "5a2d0b3e-7c41-4a8e-9d02-6b1f00c0ffee"


@dataclass(frozen=True)
class Judged:
    """A running sandbox, and what a client needs to reach it."""

    server: SandboxServer
    clock: Callable[[], Instant]
    key_file: Path

    @property
    def host(self) -> str:
        return self.server.base_url

    def settle(self) -> None:
        """Let the match be over: Lepchenko won, and everybody is paid at once."""
        self.server.step(c.CloseMarket(at=self.clock(), ticker=TICKER))
        self.server.step(
            c.DetermineMarket(
                at=self.clock(), ticker=TICKER, result=MarketResult.YES, value=ONE_DOLLAR
            )
        )


OpenJudged = Callable[[Personality], Judged]


def judged(personality: Personality, pair: KeyPair, key_file: Path) -> Judged:
    """Start a sandbox of its time that takes signatures of today."""
    wall = SystemClock().now
    opened = Instant(wall() - 3 * HOUR)
    if personality is Personality.OLD:
        opened = parse_instant("2025-10-14T12:00:00Z")
    floor = ServedFloor(
        cash="1000", opened=opened, settlement_timer=0, exchange=Exchange(row_delay=0)
    )
    floor.quote("0.47", "0.52", "30")
    floor.order(MAKER, Side.YES, "5", "0.40")
    clock = wall if personality is Personality.PRESENT else ShiftedClock.starting_at(floor.now).now
    settings = Settings(personality=personality, limits=UNLIMITED)
    server = SandboxServer(
        floor.world(), clock=clock, wall_clock=wall, settings=settings, pair=pair
    )
    server.start()
    return Judged(server, clock, key_file)
