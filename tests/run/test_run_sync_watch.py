"""A scheduled sync tells its operator of breaks, of silence, and of a bot that has died."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from trueup.core.errors import Unreachable
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.net.control import Whereabouts
from trueup.run.books.account import Account, open_account
from trueup.run.bot.places import control_path
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.run.operator.beside import Operator, OperatorOptions
from trueup.run.operator.log_reading import Filter, read_log
from trueup.run.operator.sync_watch import SyncWatch

GONE = 2**22 + 1
"""A process number that Linux never gives."""


@dataclass
class Watched:
    settings: DeskSettings
    operator: Operator
    watch: SyncWatch
    account: Account

    def alerts(self) -> list[tuple[str, str]]:
        """Kind and words of all alerts so far; ends the watching."""
        self.operator.close()
        lines = read_log(self.settings.home, self.settings.config, Filter(program="sync"))
        return [(each["alert"], each["event"]) for each in lines if "alert" in each]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    environment = {"TRUEUP_HOME": str(tmp_path)}
    settings = read_desk_settings(environment)
    operator = Operator(settings, OperatorOptions(role="sync"))
    with open_account(environment=environment) as account:
        account.backfill()
        watch = SyncWatch(settings, operator, pause_seconds=900)
        yield Watched(settings, operator, watch, account)
    operator.close()


def test_books_that_close_are_well(watched: Watched) -> None:
    watched.watch.succeeded(watched.account)

    assert watched.operator.health()["healthy"] is True
    assert b"trueup_books_close 1.0" in watched.operator.metrics.page()
    assert watched.alerts() == []


def test_break_is_told_once(watched: Watched) -> None:
    watched.account.open_with(Money.parse("5.00"), at="2020-01-01T00:00:00Z")

    for _ in range(3):
        watched.watch.succeeded(watched.account)

    health = watched.operator.health()
    assert health["healthy"] is False
    assert health["reasons"][0].startswith("books: ")
    told = watched.alerts()
    assert {kind for kind, _ in told} == {"books"}
    assert len(told) == len(set(told)), "each of them once, in three rounds"


def test_silence_is_told_after_three_rounds_and_so_is_its_end(watched: Watched) -> None:
    for _ in range(5):
        watched.watch.failed(Unreachable("the exchange did not answer in time"))
    watched.watch.succeeded(watched.account)

    kinds, words = zip(*watched.alerts(), strict=True)
    assert kinds == ("connection", "connection")
    assert "failed 3 times in a row" in words[0]
    assert "works again" in words[1]


def test_bot_that_died_without_a_word_is_told(watched: Watched) -> None:
    where = Whereabouts(port=1, token="x", pid=GONE, started_at=Instant(1))
    control_path(watched.settings).write_bytes(msgspec.json.encode(where))

    watched.watch.succeeded(watched.account)

    ((kind, words),) = watched.alerts()
    assert kind == "dead_bot"
    assert str(GONE) in words


def test_sync_that_ends_by_an_error_says_so(watched: Watched) -> None:
    def end_badly() -> None:
        with watched.operator:
            raise Unreachable("the key was revoked")

    with pytest.raises(Unreachable):
        end_badly()

    again = Operator(watched.settings, OperatorOptions(role="sync"))
    again.begin(watched.watch.condition)
    with pytest.raises(Unreachable), again:
        raise Unreachable("the key was revoked")

    ((kind, words),) = watched.alerts()  # restarted, it ended in the same way: told once
    assert (kind, words) == ("dead_bot", "the sync ended: Unreachable: the key was revoked")
