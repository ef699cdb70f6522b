"""The built-in world at an exchange on this machine, and homes of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.books.account import Account
from trueup.run.books.fetching import Told, tell_nobody
from trueup.run.clock import Clock, ShiftedClock, seeded
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))

from demo_desk import Heard, OpenDemo, OpenServer, environment_of, open_demo, write_key
from script_exchange import OPENED


@pytest.fixture(scope="session")
def world() -> World:
    return account_world(seeded(DEFAULT_SEED))


@pytest.fixture(scope="session")
def clock(world: World) -> ShiftedClock:
    return ShiftedClock.starting_at(world.end)


@pytest.fixture(scope="session")
def server(world: World, clock: ShiftedClock) -> Iterator[SandboxServer]:
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        yield server


@pytest.fixture
def open_server(world: World, clock: ShiftedClock) -> Iterator[OpenServer]:
    opened: list[SandboxServer] = []

    def start(faults: Faults) -> SandboxServer:
        settings = Settings(limits=UNLIMITED, faults=faults)
        opened.append(SandboxServer(world, clock=clock.now, settings=settings))
        opened[-1].start()
        return opened[-1]

    yield start
    for each in opened:
        each.stop()


@pytest.fixture
def demo(tmp_path: Path, clock: ShiftedClock) -> OpenDemo:
    shown = clock

    def start(
        server: SandboxServer,
        *,
        told: Told = tell_nobody,
        heard: Heard | None = None,
        refused: frozenset[str] = frozenset(),
        clock: Clock | None = None,
        home: str = "home",
        key_of: SandboxServer | None = None,
    ) -> Account:
        key_file = write_key(tmp_path / "key.pem", key_of or server)
        environment = environment_of(server, home=tmp_path / home, key_file=key_file)
        return open_demo(environment, clock=clock or shown, told=told, heard=heard, refused=refused)

    return start


@pytest.fixture(autouse=True)
def closed_books() -> Iterator[None]:
    """Small books in memory end with their test."""
    yield
    while OPENED:
        OPENED.pop().close()
