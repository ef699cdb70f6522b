"""The books beside a bot: looked at in another process, believed at the second look."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from demo_desk import OpenDemo

from trueup.core.errors import ConfigError
from trueup.core.instant import SECOND
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.state import Settings
from trueup.net.acceptor.server import SandboxServer
from trueup.run.books.once import Standing, look
from trueup.run.books.settings import BooksSettings, check_books
from trueup.run.bot.at_work import BotAtWork
from trueup.run.bot.books_beside import BooksBeside
from trueup.run.clock import SystemClock
from trueup.run.config import load_config

SCRIPT = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
answers = sorted(folder.glob("*.json"))
print(answers[0].read_text())
if len(answers) > 1:
    answers[0].unlink()
"""
"""A process that answers with the first file, and takes it away unless it is the last one."""


@dataclass
class Bench:
    """What `BooksBeside` needs of a bot, with what it was told."""

    folder: Path
    given: list[i.Input] = field(default_factory=list[i.Input])
    told: list[f.Decision | f.Alert] = field(default_factory=list[f.Decision | f.Alert])
    listeners: list[Any] = field(default_factory=list[Any])
    looks: int = 0

    def will_say(self, *standings: Standing) -> None:
        for number, each in enumerate(standings):
            (self.folder / f"{number}.json").write_bytes(msgspec.json.encode(each))

    def at_work(self) -> BotAtWork:
        bench = self

        class Hearing:
            listeners = bench.listeners

            def __call__(self, told: f.Decision | f.Alert) -> None:
                bench.told.append(told)

        state = SimpleNamespace(settings=Settings())
        live = SimpleNamespace(give=self.given.append, machine=SimpleNamespace(state=state))
        return cast(
            "BotAtWork",
            SimpleNamespace(clock=SystemClock(), hearing=Hearing(), live=live, books=None),
        )

    def beside(self, settings: BooksSettings | None = None, script: str = SCRIPT) -> BooksBeside:
        path = self.folder / "say.py"
        path.write_text(script, encoding="utf-8")
        command = (sys.executable, str(path), str(self.folder))
        return BooksBeside(settings or BooksSettings(), command, {}, look_again=SECOND // 100)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


CLOSED = Standing(at="now", closes=True, verdict="The books close")
BROKEN = Standing(at="now", worst="2.50", words="a payout is missing", breaks=("a payout …",))


def test_books_that_close_are_told_to_the_machine_and_shown(bench: Bench) -> None:
    bench.will_say(CLOSED)
    work = bench.at_work()

    asyncio.run(bench.beside().look(work))

    (proven,) = bench.given
    assert isinstance(proven, i.BooksProven)
    assert proven.closes
    assert work.books is not None
    assert work.books["verdict"] == "The books close"


def test_break_that_closes_by_itself_halts_nothing(bench: Bench) -> None:
    bench.will_say(BROKEN, CLOSED)

    asyncio.run(bench.beside().look(bench.at_work()))

    (proven,) = bench.given
    assert isinstance(proven, i.BooksProven)
    assert proven.closes


def test_break_that_stays_is_given_with_its_size_and_words(bench: Bench) -> None:
    bench.will_say(BROKEN, BROKEN)

    asyncio.run(bench.beside().look(bench.at_work()))

    (proven,) = bench.given
    assert isinstance(proven, i.BooksProven)
    assert not proven.closes
    assert proven.worst == Money.parse("2.50")
    assert proven.words == "a payout is missing"


def test_small_break_is_not_looked_at_twice(bench: Bench) -> None:
    bench.will_say(msgspec.structs.replace(BROKEN, worst="0.40"), CLOSED)

    asyncio.run(bench.beside().look(bench.at_work()))

    (proven,) = bench.given
    assert isinstance(proven, i.BooksProven)
    assert proven.worst == Money.parse("0.40")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("raise SystemExit('no such database')", "no such database"),
        ("pass", "the process ended with 0"),
        (SCRIPT, "somebody else writes"),
    ],
)
def test_proof_that_cannot_be_made_is_told_and_halts_nothing(
    bench: Bench, script: str, words: str
) -> None:
    bench.will_say(Standing(trouble="somebody else writes"))
    work = bench.at_work()

    asyncio.run(bench.beside(script=script).look(work))

    assert bench.given == []
    (alert,) = bench.told
    assert isinstance(alert, f.Alert)
    assert words in alert.words
    assert work.books is not None
    assert words in work.books["trouble"]


def test_settlement_is_followed_by_a_proof_out_of_turn(bench: Bench) -> None:
    bench.will_say(CLOSED)
    settings = BooksSettings(every="1h", after_settlement="5s")

    async def go() -> None:
        work = bench.at_work()
        running = asyncio.create_task(bench.beside(settings)(work))
        await _until(lambda: len(bench.given) == 1)
        long_ago = SystemClock().now() - 10 * SECOND
        paid = f.Alert(at=cast("Any", long_ago), kind=f.AlertKind.SETTLEMENT, words="paid")
        bench.listeners[0](paid)
        await _until(lambda: len(bench.given) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(go())


async def _until(true: Any) -> None:
    async with asyncio.timeout(90):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_look_syncs_and_proves(demo: OpenDemo, server: SandboxServer) -> None:
    with demo(server) as account:
        account.backfill()

        standing = look(account)

        assert standing.closes, standing.verdict
        assert standing.worst == "0.00"
        assert account.books.lease.holder(SystemClock().now()) is None, "given back for others"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('every = "soon"', "soon"),
        ('after_settlement = "1s"', "at least 5"),
        ("often = 1", "often"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(f"[books]\n{text}\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=words):
        load_config(tmp_path)


def test_books_can_be_switched_off(tmp_path: Path) -> None:
    settings = BooksSettings(every="off")

    check_books(settings, tmp_path)

    assert not settings.is_on
