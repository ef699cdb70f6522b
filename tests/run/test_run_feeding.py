"""Feeds beside a bot: their signals reach it, their troubles are told and stop nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from trueup.core.alerts import Alert, AlertKind
from trueup.core.errors import ProtocolBroken, Unreachable
from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant, parse_instant
from trueup.core.units import Money, Ratio
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.market import Top
from trueup.engine.signals import AnchorSignal
from trueup.engine.strategies.news import News
from trueup.net.feeds.source import Heard
from trueup.run.bot.assembly import run_bot
from trueup.run.bot.at_work import Beside, BotAtWork
from trueup.run.bot.connections import Connections
from trueup.run.bot.feeding import Feeding, configure, feeds_beside
from trueup.run.bot.options import plain_options
from trueup.run.clock import ManualClock
from trueup.run.desk import read_desk_settings

NOON = parse_instant("2026-10-06T16:00:00Z")
SIGNAL = AnchorSignal(ticker=Ticker("KXFED"), probability=Ratio(1, 2), source="x", at=NOON)


@dataclass
class Place:
    """A source that says what the test wants: a `Heard`, or an error to raise."""

    says: list[Heard | Exception]
    name: str = "place"
    every: int = 30 * SECOND
    asked: int = 0

    async def read(self, now: Instant) -> Heard:
        del now
        self.asked += 1
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        pass


@dataclass
class Room:
    """Somebody who feeds a machine, and everything that was heard."""

    given: list[i.Input] = field(default_factory=list[i.Input])
    told: list[f.Decision | Alert] = field(default_factory=list[f.Decision | Alert])
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    connections: Connections = field(default_factory=Connections)

    def ask(self, *places: Place, times: int = 1) -> None:
        feeding = Feeding(
            places,
            give=self.given.append,
            told=self.told.append,
            clock=self.clock,
            connections=self.connections,
        )

        async def rounds() -> None:
            for _ in range(times):
                for place in places:
                    await feeding.ask(place)
                self.clock.sleep(MINUTE)

        asyncio.run(rounds())

    def alerts(self) -> list[str]:
        return [each.words for each in self.told if isinstance(each, Alert)]

    def decisions(self) -> list[f.Decision]:
        return [each for each in self.told if isinstance(each, f.Decision)]


def test_signals_reach_the_machine() -> None:
    room = Room()

    room.ask(Place([Heard((SIGNAL,))]), times=2)

    assert [each.signal for each in room.given if isinstance(each, i.SignalSeen)] == [SIGNAL] * 2
    assert room.told == []
    assert [each.is_up for each in room.connections.all()] == [True]


@pytest.mark.parametrize(
    "trouble",
    [
        Unreachable("the wire is down"),
        ProtocolBroken("the wire talks nonsense"),
        RuntimeError("a defect of ours"),
        RecursionError("a deep page"),
    ],
)
def test_trouble_is_told_once_and_its_end_too(trouble: Exception) -> None:
    room = Room()

    room.ask(
        Place([trouble, trouble, trouble, Heard((SIGNAL,))]), Place([Heard()], "other"), times=4
    )

    assert len(room.given) == 1
    assert [each.kind for each in room.told if isinstance(each, Alert)] == [AlertKind.FEED] * 2
    fails, back = room.alerts()
    assert fails.startswith("feed place fails: ")
    assert str(trouble) in fails
    assert back == "feed place is back after 3 min"


def test_what_is_not_used_stands_in_the_decision_log_and_not_at_every_look() -> None:
    room = Room()
    stale = [
        Heard(refused=(f"KX: market 7 of polymarket was read {n} s from now",)) for n in range(40)
    ]

    room.ask(Place([*stale]), times=31)

    lines = room.decisions()
    assert [(each.strategy, each.verdict) for each in lines] == [("feeds", f.Verdict.REFUSED)] * 3
    assert [(each.at - NOON) // MINUTE for each in lines] == [0, 15, 30]


def test_a_source_that_fails_is_asked_less_often_until_it_is_back() -> None:
    place = Place([*[Unreachable("down")] * 6, Heard()])
    pauses: list[float] = []
    room = Room()

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise asyncio.CancelledError

    async def work() -> None:
        feeding = Feeding(
            [place],
            give=room.given.append,
            told=room.told.append,
            clock=room.clock,
            sleep=note,
        )
        await feeding.run()

    asyncio.run(work())

    assert pauses == [60, 120, 240, 300, 300, 300, 30, 30]


def a_market(bot: BotAtWork) -> Top | None:
    """A market that can be bought, once the bot knows one."""
    tops = bot.live.machine.state.tops.values()
    return next((each for each in tops if each.ask is not None and each.ask_size), None)


def was_heard(bot: BotAtWork, feed: str) -> bool:
    return any(
        each.name == feed and each.heard_at is not None for each in bot.live.connections.all()
    )


def sends_news(path: Path, bought: asyncio.Event) -> Beside:
    """A program beside the bot that appends a judged story to a file, and waits for the fill."""

    async def program(bot: BotAtWork) -> None:
        while (top := a_market(bot)) is None:  # noqa: ASYNC110  # the bot has no bell for it
            await asyncio.sleep(0.05)
        # The file is followed from its end: the first look must be over.
        while not was_heard(bot, "file"):  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.05)
        story = {
            "headline": "It is certain now",
            "ticker": top.ticker,
            "direction": "positive",
            "confidence": "0.95",
        }
        with path.open("a") as file:
            file.write("no JSON at all\n" + json.dumps(story) + "\n")
        await bought.wait()
        bot.live.stop()

    return program


def test_news_in_a_file_trades_on_the_sandbox_beside_feeds_that_are_down(tmp_path: Path) -> None:
    """The real bot, the real file, a dead feed and a mapping that cannot be reached."""
    (tmp_path / "config.toml").write_text(
        '[feeds.file]\npath = "news.jsonl"\n'
        '[feeds.news.dead]\nurl = "http://127.0.0.1:9/feed"\n'
        '[[feeds.topics]]\ntickers = ["KX"]\nabout = ["x"]\n'
        '[feeds.fedwatch]\nplace = "none.csv"\n'
    )
    settings = read_desk_settings({"TRUEUP_HOME": str(tmp_path)})
    told: list[f.Decision | Alert] = []
    bought = asyncio.Event()

    def hear(each: f.Decision | Alert) -> None:
        told.append(each)
        if isinstance(each, Alert) and each.kind is AlertKind.FILL:
            bought.set()

    report = run_bot(
        settings,
        replace(
            plain_options([News()], Money.parse("250")),
            world="economics",
            leave_after=3 * MINUTE,
        ),
        said=hear,
        started=lambda _: None,
        beside=(
            feeds_beside(configure(settings)),
            sends_news(tmp_path / "news.jsonl", bought),
        ),
    )

    assert report.fills >= 1
    sent = [e for e in told if isinstance(e, f.Decision) and e.verdict is f.Verdict.SENT]
    assert "It is certain now" in str(sent[0].wish)
    words = [each.words for each in told if isinstance(each, Alert)]
    assert any("feed dead fails" in each for each in words)
    assert any("feed FedWatch fails" in each for each in words)
    log = Path(report.decisions).read_text()
    assert "JSON is malformed" in log
