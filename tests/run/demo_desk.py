"""An account at an exchange on this machine: in small pages, and with every request counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from trueup.core.errors import NotFound
from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.server import SandboxServer
from trueup.net.client import Client
from trueup.net.http import SyncTransport
from trueup.net.session import Answered, Event
from trueup.run.books.account import Account
from trueup.run.books.fetching import Told, tell_nobody
from trueup.run.clock import Clock
from trueup.run.desk import Desk, DeskSettings, read_desk_settings
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

PAGE_SIZE = 25


def write_key(path: Path, server: SandboxServer) -> Path:
    """The private key of a server, as its owner keeps it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(server.pair.pem)
    return path


def environment_of(server: SandboxServer, *, home: Path, key_file: Path) -> dict[str, str]:
    """What a user sets to reach a server as if it were the demo."""
    return {
        "TRUEUP_HOME": str(home),
        "TRUEUP_BASE_URL": server.base_url,
        "TRUEUP_ALLOW_HOST": f"127.0.0.1:{server.port}",
        "KALSHI_ENV": "demo",
        "KALSHI_API_KEY_ID": server.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(key_file),
    }


class SmallPages(Client):
    """A client that asks for small pages, and may be refused some operations."""

    size = PAGE_SIZE
    refused: frozenset[str] = frozenset()

    def send(self, call: Call[T]) -> T:
        if call.operation in self.refused:
            raise NotFound(f"{call.operation} is not here", status=404)
        return super().send(call)

    def pages(self, call: Call[Page[T]]) -> Iterator[Page[T]]:
        query = tuple((n, str(self.size) if n == "limit" else v) for n, v in call.query)
        return super().pages(replace(call, query=query))


@dataclass
class Heard:
    """What the client told."""

    events: list[Event] = field(default_factory=list[Event])

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def count(self, operation: str) -> int:
        """How many requests of an operation were answered."""
        return sum(
            1 for each in self.events if isinstance(each, Answered) and each.operation == operation
        )


class DemoDesk(Desk):
    """A desk whose client asks for small pages."""

    def __init__(
        self, settings: DeskSettings, *, heard: Heard, refused: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(settings, on_event=heard)
        self._refused = refused
        self._small: SmallPages | None = None

    def client(self) -> Client:
        if self._small is None:
            session = super().client().session
            transport = SyncTransport(clock=self.clock.now, limits=session.options.limits)
            self._small = SmallPages(session, transport=transport, sleep=self.clock.sleep)
            self._small.refused = self._refused
        return self._small

    def close(self) -> None:
        if self._small is not None:
            self._small.close()
            self._small = None
        super().close()


class OpenDemo(Protocol):
    """Opens the account of a home at a server."""

    def __call__(
        self,
        server: SandboxServer,
        *,
        told: Told = tell_nobody,
        heard: Heard | None = None,
        refused: frozenset[str] = frozenset(),
        clock: Clock | None = None,
        home: str = "home",
        key_of: SandboxServer | None = None,
    ) -> Account: ...


class OpenServer(Protocol):
    """Starts a server of the built-in world with faults."""

    def __call__(self, faults: Faults) -> SandboxServer: ...


def open_demo(
    environment: Mapping[str, str],
    *,
    clock: Clock,
    told: Told = tell_nobody,
    heard: Heard | None = None,
    refused: frozenset[str] = frozenset(),
) -> Account:
    """The account that an environment means, in small pages."""
    settings = read_desk_settings(environment, clock=clock)
    return Account(DemoDesk(settings, heard=heard or Heard(), refused=refused), told=told)


def interrupt_after(pages: int) -> Callable[[str, int], None]:
    """A listener that presses Ctrl-C when so many pages are stored."""
    seen = 0

    def told(what: str, records: int) -> None:
        nonlocal seen
        del what, records
        seen += 1
        if seen == pages:
            raise KeyboardInterrupt

    return told
