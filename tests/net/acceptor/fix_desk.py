"""A served floor with FIX sessions over TLS, and clients that connect to them."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from asker import Asker
from served_floor import MAKER, RunningClock, ServedFloor

from trueup.net.acceptor.fix_gateway import fix_side
from trueup.net.acceptor.fix_terms import FixTerms
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import KeyPair, new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.fix.certificates import self_signed
from trueup.net.fix.client import FixClient, FixEvent
from trueup.net.fix.endpoints import FixEndpoint, client_tls, server_tls
from trueup.net.fix.store import SessionStore
from trueup.net.signer import signer_for
from trueup.net.venues import Venue
from trueup.run.clock import SystemClock
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.message import Message
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, LoggedOn

LOCAL = "127.0.0.1"
SECONDS_MAX = 90
M = TypeVar("M", bound=Message)
wall = SystemClock().now

TRADER = new_ed25519_pair("fix-trader")
WATCHER = new_ed25519_pair("fix-watcher", scopes=("read",))
SETTLER = new_ed25519_pair("fix-settler")
MAKERS = new_ed25519_pair("fix-maker", member=MAKER)
PAIRS = (TRADER, WATCHER, SETTLER, MAKERS)


class Hasty(random.Random):
    """Always draws the shortest pause."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        del start, stop, step
        return 0


@dataclass
class Line:
    """A connected client, and everything that it heard."""

    client: FixClient
    events: list[FixEvent] = field(default_factory=list[FixEvent])
    news: asyncio.Event = field(default_factory=asyncio.Event)
    taken: int = 0
    reading: asyncio.Task[None] | None = None

    async def read(self) -> None:
        try:
            async for event in self.client.events():
                self.events.append(event)
                self.news.set()
        finally:
            self.news.set()

    async def next(self, kind: type[M], fits: Callable[[M], bool] = lambda _: True) -> M:
        """The next message of a type, whatever comes before it."""
        async with asyncio.timeout(SECONDS_MAX):
            while True:
                while self.taken < len(self.events):
                    event = self.events[self.taken]
                    self.taken += 1
                    if isinstance(event, Deliver):
                        message = event.received.message
                        if isinstance(message, kind) and fits(message):
                            return message
                if self.reading is not None and self.reading.done():
                    self.reading.result()
                    raise AssertionError(f"the session ended: {self.events[-1]}")
                self.news.clear()
                await self.news.wait()

    async def ask(self, message: Message, kind: type[M]) -> M:
        """Send a message, and the next one of a type that comes."""
        await self.client.send(message)
        return await self.next(kind)

    def heard(self, kind: type[M]) -> list[M]:
        return [
            event.received.message
            for event in self.events
            if isinstance(event, Deliver) and isinstance(event.received.message, kind)
        ]


class FixDesk:
    """The server with its FIX sessions."""

    def __init__(self, server: SandboxServer, floor: ServedFloor, tls: ssl.SSLContext) -> None:
        self.server = server
        self.floor = floor
        self.tls = tls
        self.asker = Asker(server, floor_clock(floor))

    @asynccontextmanager
    async def line(
        self, kind: SessionKind, pair: KeyPair, folder: Path, **options: Any
    ) -> AsyncGenerator[Line]:
        """A client that is logged on; it raises what the logon was refused with."""
        assert self.server.fix is not None
        key_id = pair.registered.key_id
        endpoint = FixEndpoint(Venue.SANDBOX, kind, LOCAL, self.server.fix.ports[kind])
        store = SessionStore.open(folder, endpoint, key_id)
        client = FixClient(
            endpoint,
            signer=signer_for(key_id, pair.private),
            store=store,
            clock=wall,
            chance=Hasty(),
            options=LogonOptions(**options),
            tls=self.tls,
        )
        line = Line(client)
        task = line.reading = asyncio.create_task(line.read())
        try:
            await _on(line, task)
            yield line
        finally:
            await client.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            store.close()


async def _on(line: Line, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while not any(isinstance(event, LoggedOn) for event in line.events):
            if task.done():
                task.result()
                raise AssertionError(f"the session ended: {line.events}")
            line.news.clear()
            await line.news.wait()


def floor_clock(floor: ServedFloor) -> RunningClock:
    return RunningClock(floor.now)


@contextmanager
def fix_desk(floor: ServedFloor, folder: Path, **terms: Any) -> Generator[FixDesk]:
    """A running server; `terms` are those of `FixTerms`."""
    signed = self_signed(LOCAL, wall())
    certificate, key = folder / "fix.crt", folder / "fix.key"
    certificate.write_bytes(signed.certificate)
    key.write_bytes(signed.key)
    fix = FixTerms(tls=server_tls(certificate, key), **terms)
    settings = Settings(limits=UNLIMITED, fix=fix_side(fix))
    server = SandboxServer(
        floor.world(),
        clock=floor_clock(floor),
        wall_clock=wall,
        keys=[pair.registered for pair in PAIRS],
        settings=settings,
    )
    with server:
        desk = FixDesk(server, floor, client_tls(certificate))
        try:
            yield desk
        finally:
            desk.asker.close()
