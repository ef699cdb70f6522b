"""`markets watch` against a served exchange."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typing_user import User

from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import SystemClock, seeded
from trueup.sim.scenario import DEFAULT_SEED, account_world


@pytest.fixture(scope="module")
def floor() -> Iterator[SandboxServer]:
    clock = SystemClock()
    world = account_world(seeded(DEFAULT_SEED), clock.now())
    with SandboxServer(world, clock=clock.now, settings=Settings(limits=UNLIMITED)) as server:
        yield server


@pytest.fixture
def watcher(user: User, floor: SandboxServer) -> User:
    user.points_at(floor)
    return user


@pytest.fixture
def market(watcher: User) -> str:
    (row, *_) = watcher.json("markets", "list", "--limit", "1")["markets"]
    return row["ticker"]


def test_the_book_of_a_market_is_shown_as_it_moves(watcher: User, market: str) -> None:
    watcher.json("order", "place", "buy", "3", "yes", market, "0.05", "--post-only")

    said = watcher.type("markets", "watch", market, "--updates", "1")

    assert said.code == 0
    assert "bid 3.00 × 0.05   ask nobody" in said.out


def test_with_json_every_line_is_an_object(watcher: User, market: str) -> None:
    said = watcher.type("markets", "watch", market, "--updates", "1", "--json")

    [row] = [json.loads(line) for line in said.out.splitlines()]
    assert (row["venue"], row["kind"], row["state"]) == ("demo", "book", "valid")
    assert row["ticker"] == market


def test_a_market_that_does_not_exist_is_named(watcher: User) -> None:
    said = watcher.type("markets", "watch", "KXNO-1")

    assert said.code == 1
    assert "nothing to watch under KXNO-1" in said.err
    assert "markets list" in said.err
