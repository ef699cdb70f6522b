"""Users with a home, and exchanges on this machine with and without faults."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import SystemClock, seeded
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))

from typing_user import User, copy_home

OpenServer = Callable[[Faults], SandboxServer]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody who has just installed it."""
    folder = tmp_path / "work"
    folder.mkdir()
    return User(tmp_path / "home", folder, monkeypatch)


@pytest.fixture(scope="session")
def settled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of somebody who has run `init` on the built-in sandbox."""
    folder = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as patch:
        user = User(folder / "home", folder, patch)
        assert user.type("init", "--yes").code == 0
    return folder / "home"


@pytest.fixture
def settled(user: User, settled_home: Path) -> User:
    """Somebody whose books are there and close."""
    copy_home(settled_home, user.home)
    return user


@pytest.fixture(scope="session")
def world() -> World:
    """The built-in account whose history ends today, as `sandbox serve` shows it."""
    return account_world(seeded(DEFAULT_SEED), SystemClock().now())


@pytest.fixture(scope="session")
def server(world: World) -> Iterator[SandboxServer]:
    settings = Settings(limits=UNLIMITED)
    with SandboxServer(world, clock=SystemClock().now, settings=settings) as server:
        yield server


@pytest.fixture
def open_server(world: World) -> Iterator[OpenServer]:
    opened: list[SandboxServer] = []

    def start(faults: Faults) -> SandboxServer:
        settings = Settings(limits=UNLIMITED, faults=faults)
        opened.append(SandboxServer(world, clock=SystemClock().now, settings=settings))
        opened[-1].start()
        return opened[-1]

    yield start
    for each in opened:
        each.stop()
