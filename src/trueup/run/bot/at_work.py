"""A bot at work: what runs beside its loops can look at, hear, and give to the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from trueup.core.instant import Instant
from trueup.core.version import VERSION
from trueup.net.client import AsyncClient
from trueup.net.session import Event
from trueup.run.bot.connections import WEBSOCKET, Connection
from trueup.run.bot.hearing import Hearing
from trueup.run.bot.live import LiveBot
from trueup.run.bot.status import About, Status, status_of
from trueup.run.bot.tally import Tally
from trueup.run.clock import Clock
from trueup.run.desk import DeskSettings


@dataclass(slots=True)
class BotAtWork:
    """The parts of a running bot.  `hearing.listeners` hear its decisions and alerts;
    `live.give` gives the machine an input (a signal, a proof of the books).
    """

    settings: DeskSettings
    live: LiveBot
    client: AsyncClient
    hearing: Hearing
    tally: Tally
    clock: Clock
    started_at: Instant
    events: list[Callable[[Event], None]] = field(default_factory=list[Callable[[Event], None]])
    """These hear what the client does: calls, retries, waits."""
    is_real: bool = False
    """Whether its orders go to the production exchange."""
    books: Mapping[str, Any] | None = None
    """The last proof of the books, in plain JSON values; whoever proves sets it."""

    def status(self, *, tops: bool = True) -> Status:
        """What it is doing now, with the tops of its markets or without."""
        config = self.settings.config
        about = About(
            venue=config.venue,
            account=config.account,
            mode=self.settings.mode,
            live=self.is_real,
            version=VERSION,
            pid=os.getpid(),
            started_at=self.started_at,
            at=self.clock.now(),
            is_ready=self.live.ready.is_set(),
            connections=self._connections(),
            books=self.books,
        )
        return status_of(self.live.machine.state, self.tally, about, tops=tops)

    def _connections(self) -> tuple[Connection, ...]:
        line = self.client.streams.line if self.live.is_streaming else None
        if line is None:
            return self.live.connections.all()
        heard = line.alive_at if line.is_connected else None
        words = "" if line.is_connected else "no connection stands"
        socket = Connection(name=WEBSOCKET, heard_at=heard, words=words)
        return (*self.live.connections.all(), socket)


Beside = Callable[[BotAtWork], Coroutine[Any, Any, None]]
"""Something that runs beside the bot until the bot ends, when it is cancelled.  Its own
trouble must not stop the bot: what it raises is told as an alert.
"""
