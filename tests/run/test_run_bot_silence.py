"""A bot that does not answer: what `bot status` says is what is known, and what to do about it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trueup.core.instant import MINUTE, SECOND, Instant, parse_instant
from trueup.net.control import Control, NoBot, Whereabouts, write_whereabouts
from trueup.run.bot.places import control_path, intents_path
from trueup.run.bot.steering import what_remains
from trueup.run.clock import ManualClock
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.store.intents import IntentLog

NOON = parse_instant("2026-10-20T12:00:00Z")


@pytest.fixture
def settings(tmp_path: Path) -> DeskSettings:
    return read_desk_settings({"TRUEUP_HOME": str(tmp_path)})


@pytest.fixture
def held(settings: DeskSettings) -> Iterator[None]:
    """Somebody holds the account's intent log."""
    with IntentLog(intents_path(settings)):
        yield


def say_where(settings: DeskSettings, *, port: int, started: int = 0, touched: int = 0) -> None:
    """A control file of this process; ages in microseconds, at noon."""
    path = control_path(settings)
    began = Instant(NOON - started)
    write_whereabouts(path, Whereabouts(port=port, token="t", pid=os.getpid(), started_at=began))
    at = (NOON - touched) * 1000
    os.utime(path, ns=(at, at))


def remains(settings: DeskSettings) -> dict[str, Any]:
    with pytest.raises(NoBot) as caught:
        Control(control_path(settings)).status()
    return what_remains(settings, caught.value, clock=ManualClock(NOON))


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("file", "state", "words", "remedy"),
    [
        (None, "ending", "is ending", "Ask again"),
        ({"port": 0, "started": 4 * SECOND}, "starting", "since 4 s: it does not", "Ask again"),
        ({"port": 0, "started": 5 * MINUTE}, "starting", "since 5 min", "end it (kill "),
        ({"port": 1, "touched": 3 * SECOND}, "busy", "its loop turned 3 s ago", "Ask again"),
        ({"port": 1, "touched": 40 * SECOND}, "hangs", "not turned for 40 s", "trueup bot kill"),
    ],
)
def test_silence_is_told_apart_by_what_is_known(
    settings: DeskSettings, file: dict[str, int] | None, state: str, words: str, remedy: str
) -> None:
    if file is not None:
        say_where(settings, **file)

    told = remains(settings)

    assert (told["running"], told["state"]) == (True, state)
    assert words in told["words"]
    assert remedy in told["remedy"]


def test_number_that_another_program_has_by_now_is_no_bot(settings: DeskSettings) -> None:
    """Nobody holds the log, so whoever bears the number is no bot of this account."""
    say_where(settings, port=1)

    told = remains(settings)

    assert (told["running"], told["state"]) == (False, "none")
    assert "another program by now" in told["words"]


def test_bot_that_was_stopped_by_force_is_said_to_be_gone(settings: DeskSettings) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    where = Whereabouts(port=1, token="t", pid=gone.pid, started_at=Instant(0))
    write_whereabouts(control_path(settings), where)

    told = remains(settings)

    assert (told["running"], told["state"]) == (False, "none")
    assert "stopped by force" in told["words"]
    assert "recovers" in told["remedy"]
