"""The operator's channel: who gets in, what comes out, and what a dead bot's file says."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from trueup.core.errors import CallerError, NotAuthorized
from trueup.core.instant import Instant
from trueup.net.control import (
    AsyncControl,
    Control,
    NoBot,
    Said,
    Whereabouts,
    read_whereabouts,
    write_whereabouts,
)
from trueup.net.control_server import ControlServer


class Desk:
    """A room with nothing in it but what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Said]] = []
        self.waited = False

    def status(self) -> Mapping[str, object]:
        return {"state": "trading"}

    def decisions(self, *, after: int | None, limit: int) -> Sequence[Mapping[str, object]]:
        return [{"n": (after or 0) + 1, "limit": limit}]

    def obey(self, command: str, said: Said) -> Mapping[str, object]:
        if said.strategy == "nobody":
            raise CallerError("no strategy 'nobody' runs here", remedy="These do: threshold.")
        self.heard.append((command, said))
        return {"command": command}

    async def kept(self, command: str) -> bool:
        assert command == self.heard[-1][0]
        self.waited = True
        return True


@asynccontextmanager
async def opened(path: Path, room: Desk | None = None) -> AsyncGenerator[ControlServer]:
    server = ControlServer(path, room or Desk(), started_at=Instant(0))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def with_server(path: Path, check: Callable[[ControlServer], Awaitable[None]]) -> None:
    async def go() -> None:
        async with opened(path) as server:
            await check(server)

    asyncio.run(go())


async def ask(path: Path, method: str = "GET", to: str = "/status", **changes: Any) -> int:
    where = read_whereabouts(path)
    headers = {"Authorization": f"Bearer {where.token}"} | changes.pop("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, where.origin + to, headers=headers, **changes) as answer,
    ):
        return answer.status


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control-sandbox-main.json"


def test_both_clients_see_and_steer(path: Path) -> None:
    room = Desk()

    async def go() -> None:
        async with opened(path, room), AsyncControl(path) as control:
            assert await control.status() == {"state": "trading"}
            assert await control.decisions(after=7, limit=3) == {
                "decisions": [{"n": 8, "limit": 3}]
            }
            answer = await control.say("pause", Said(by="ann", words="CPI day"))
            assert (answer["durable"], room.waited) == (True, True), "it survives a kill -9"
            blocking = await asyncio.to_thread(Control, path)
            assert await asyncio.to_thread(blocking.status) == {"state": "trading"}
            await asyncio.to_thread(blocking.say, "kill", Said(by="bob"))

    asyncio.run(go())

    assert room.heard == [("pause", Said(by="ann", words="CPI day")), ("kill", Said(by="bob"))]


def test_file_is_for_its_owner_alone_and_goes_with_the_bot(path: Path) -> None:
    def look() -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert set(json.loads(path.read_text())) == {"port", "token", "pid", "started_at"}

    async def check(_: ControlServer) -> None:
        await asyncio.to_thread(look)

    with_server(path, check)

    assert not path.exists()
    with pytest.raises(NoBot, match="no bot is running on this account"):
        Control(path)


def test_file_of_another_bot_is_left_alone(path: Path) -> None:
    other = Whereabouts(port=1, token="other", pid=os.getpid(), started_at=Instant(0))

    async def check(_: ControlServer) -> None:
        write_whereabouts(path, other)

    with_server(path, check)

    assert read_whereabouts(path) == other


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"headers": {"Authorization": "Bearer wrong"}}, 401),
        ({"headers": {"Authorization": ""}}, 401),
        ({"headers": {"Authorization": "Bearer ümlaut"}}, 401),
        ({"headers": {"Host": "evil.example"}}, 403),
        ({"headers": {"Origin": "https://evil.example"}}, 403),
        ({"to": "/nothing"}, 404),
        ({"to": "/pause"}, 405),
        ({"to": "/decisions?after=-1"}, 400),
        ({"to": "/decisions?limit=all"}, 400),
        ({"method": "POST", "to": "/pause", "data": b"{"}, 400),
        ({"method": "POST", "to": "/pause", "data": b'{"by": ""}'}, 400),
        ({"method": "POST", "to": "/pause", "data": b'{"by": "a", "all": true}'}, 400),
        ({"method": "POST", "to": "/pause", "data": b'{"by": "a\\nb"}'}, 400),
        ({"method": "POST", "to": "/pause", "data": b'{"by": "a"}'}, 200),
        ({"method": "POST", "to": "/pause", "data": b" " * 20_000}, 413),
    ],
    ids=str,
)
def test_door_opens_for_the_token_and_sense_alone(
    path: Path, changes: dict[str, Any], status: int
) -> None:
    async def check(_: ControlServer) -> None:
        assert await ask(path, **changes) == status

    with_server(path, check)


def test_nothing_listens_beyond_the_loopback(path: Path) -> None:
    async def check(_: ControlServer) -> None:
        port = read_whereabouts(path).port
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await asyncio.open_connection("127.0.0.2", port)

    with_server(path, check)


def test_refusal_comes_with_its_remedy(path: Path) -> None:
    async def check(_: ControlServer) -> None:
        async with AsyncControl(path) as control:
            with pytest.raises(CallerError, match="nobody") as caught:
                await control.say("pause", Said(by="ann", strategy="nobody"))
        assert caught.value.remedy == "These do: threshold."

    with_server(path, check)


def test_token_of_an_earlier_bot_is_refused(path: Path) -> None:
    async def check(_: ControlServer) -> None:
        async with AsyncControl(path) as control:
            where = read_whereabouts(path)
            write_whereabouts(
                path,
                Whereabouts(port=where.port, token="old", pid=where.pid, started_at=Instant(0)),
            )
            assert await control.status()
        async with AsyncControl(path) as stale:
            with pytest.raises(NotAuthorized, match="not the token"):
                await stale.status()
        write_whereabouts(path, where)

    with_server(path, check)


def test_follower_hears_what_happens_until_the_bot_ends(path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        async with opened(path) as server:

            async def follow() -> None:
                async with AsyncControl(path) as control:
                    heard.extend([each async for each in control.events()])

            following = asyncio.create_task(follow())
            while not server.has_listeners:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            server.push("alert", {"words": "all trading halted"})
        await following
        return heard

    assert asyncio.run(go()) == [
        {"event": "status", "state": "trading"},
        {"event": "alert", "words": "all trading halted"},
    ]


def test_slow_follower_is_told_how_much_it_missed(path: Path) -> None:
    async def go() -> list[dict[str, Any]]:
        async with opened(path) as server, AsyncControl(path) as control:
            events = control.events()
            first = await anext(events)
            for number in range(1_500):
                server.push("decision", {"number": number})
            told = [first, await anext(events), await anext(events)]
            await events.aclose()  # type: ignore[attr-defined]
            return told

    _, lagging, oldest = asyncio.run(go())

    assert lagging["event"] == "lagging"
    assert lagging["left_out"] >= 499
    assert oldest["number"] == lagging["left_out"]


def test_file_of_a_process_that_died_is_recognised(path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_whereabouts(path, Whereabouts(port=1, token="t", pid=gone.pid, started_at=Instant(0)))

    with pytest.raises(NoBot, match=f"process {gone.pid} ended without"):
        Control(path)


def test_number_of_a_dead_bot_that_belongs_to_another_program_now(path: Path) -> None:
    write_whereabouts(path, Whereabouts(port=1, token="t", pid=os.getpid(), started_at=Instant(0)))

    with pytest.raises(NoBot, match="does not answer"):
        Control(path).status()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"port": "x"}', b"\xff"])
def test_damaged_file_is_no_bot(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(NoBot, match="cannot be used"):
        Control(path)


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="only Linux tells of such processes"
)
def test_a_process_that_died_and_that_nobody_has_asked_after_is_recognised_too(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        write_whereabouts(
            path, Whereabouts(port=1, token="x", pid=child.pid, started_at=Instant(0))
        )
        with pytest.raises(NoBot, match="stopped by force"):
            read_whereabouts(path)
