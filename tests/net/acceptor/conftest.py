"""The built-in world on a real port, made once for all tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from trueup.core.instant import Instant
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import KeyPair, RegisteredKey, new_rsa_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, seeded
from trueup.sim.recorded import Recording
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))

from asker import Asker, OpenSandbox
from judged_floor import KEY_ID, Judged, OpenJudged, judged


@pytest.fixture(scope="session")
def world() -> World:
    return account_world(seeded(DEFAULT_SEED))


@pytest.fixture(scope="session")
def clock(world: World) -> Callable[[], Instant]:
    """Time goes on from the end of the world."""
    return ShiftedClock.starting_at(world.end).now


@pytest.fixture(scope="session")
def sandbox(world: World, clock: Callable[[], Instant]) -> Iterator[Asker]:
    """The world as served by default, but for the rate limit."""
    with SandboxServer(world, clock=clock, settings=Settings(limits=UNLIMITED)) as server:
        asker = Asker(server, clock)
        yield asker
        asker.close()


@pytest.fixture
def open_sandbox(world: World, clock: Callable[[], Instant]) -> Iterator[OpenSandbox]:
    opened: list[Asker] = []

    def start(
        settings: Settings,
        *,
        source: World | Recording | None = None,
        pair: KeyPair | None = None,
        keys: Sequence[RegisteredKey] = (),
    ) -> Asker:
        server = SandboxServer(
            source or world, clock=clock, settings=settings, pair=pair, keys=keys
        )
        server.start()
        opened.append(Asker(server, clock))
        return opened[-1]

    yield start
    for asker in opened:
        asker.close()
        asker.server.stop()


@pytest.fixture(scope="session")
def open_judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenJudged]:
    """Starts a sandbox for other people's clients, with an RSA key in a file."""
    opened: list[Judged] = []
    pair = new_rsa_pair(KEY_ID)
    key_file = tmp_path_factory.mktemp("judges") / "key.pem"
    key_file.write_bytes(pair.pem)

    def start(personality: Personality) -> Judged:
        opened.append(judged(personality, pair, key_file))
        return opened[-1]

    yield start
    for one in opened:
        one.server.stop()
