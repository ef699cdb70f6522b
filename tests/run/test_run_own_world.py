"""The page finds the world that a bot without an exchange of its own trades."""

from __future__ import annotations

import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from trueup.run.bot.own_world import own_world_of_bot, tell_own_world, world_path
from trueup.run.bot.places import intents_path
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.store.intents import IntentLog

WORLD = {"TRUEUP_BASE_URL": "http://127.0.0.1:1/trade-api/v2", "KALSHI_API_KEY_ID": "k"}


@pytest.fixture
def settings(tmp_path: Path) -> DeskSettings:
    return read_desk_settings({"TRUEUP_HOME": str(tmp_path)})


def no_time(microseconds: int) -> None:
    pytest.fail(f"waited {microseconds} µs for a bot that does not run")


def test_world_is_found_while_the_bot_runs_and_not_afterwards(settings: DeskSettings) -> None:
    with IntentLog(intents_path(settings)), ExitStack() as run:
        tell_own_world(settings, WORLD, run)
        assert own_world_of_bot(settings, no_time) == WORLD
        assert stat.S_IMODE(world_path(settings).stat().st_mode) == 0o600

    assert not world_path(settings).exists()
    assert own_world_of_bot(settings, no_time) == {}


def test_what_a_killed_bot_left_behind_leads_nowhere(settings: DeskSettings) -> None:
    tell_own_world(settings, WORLD, ExitStack())

    assert own_world_of_bot(settings, no_time) == {}


def test_bot_that_only_starts_is_waited_for(settings: DeskSettings) -> None:
    waited: list[int] = []

    with IntentLog(intents_path(settings)), ExitStack() as run:

        def sleep(microseconds: int) -> None:
            waited.append(microseconds)
            if len(waited) == 3:
                tell_own_world(settings, WORLD, run)

        assert own_world_of_bot(settings, sleep) == WORLD

    assert len(waited) == 3


def test_bot_at_another_exchange_has_no_world_of_its_own(settings: DeskSettings) -> None:
    with IntentLog(intents_path(settings)), ExitStack() as run:
        tell_own_world(settings, {}, run)
        assert own_world_of_bot(settings, lambda _: None) == {}
