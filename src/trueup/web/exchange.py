"""The page's own look at the exchange: what no book and no bot tells.

However many tabs look at the same thing it is asked once, at a gentle pace, on threads of its
own, and only while somebody looks.  The exchange may not be there at any time; then what was
seen last stays, with its age and the trouble in words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, Generic, TypeVar, cast

from trueup.core.errors import TrueupError
from trueup.core.instant import SECOND, Instant
from trueup.net.client import Client
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import Desk, DeskSettings
from trueup.run.markets.watch import open_onlooker
from trueup.web.live import Moved
from trueup.web.values.shown import sentences

T = TypeVar("T")
Look = Callable[[Client], T]
Note = Callable[[Moved], None]

REST_SHARE: Final = 8
"""After a look, this many times as long as it took is rested."""
MARKETS: Final = "markets"
"""Under this name all markets are looked over; what was seen last is kept for exports."""
_THREADS: Final = 3
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight(Generic[T]):
    """What was seen last: the value with its time, or `None`, and what keeps from seeing more."""

    value: T | None = None
    at: Instant | None = None
    trouble: str = ""


@dataclass(slots=True)
class _Followed:
    followers: int
    task: asyncio.Task[None]
    seen: asyncio.Event


class Exchange:
    """Looks at the exchange for whoever has a page open.  Belongs to one event loop."""

    def __init__(self, settings: DeskSettings, note: Note, machine: Clock | None = None) -> None:
        self._settings = settings
        self._note = note
        self._machine = SystemClock() if machine is None else machine
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="trueup-web-exchange")
        self._opening = Lock()
        self._client: Client | None = None
        self._followed: dict[str, _Followed] = {}
        self._sights: dict[str, Sight[Any]] = {}

    def follow(self, name: str, look: Look[T], *, every: int) -> Callable[[], None]:
        """Look now, and again `every` so many microseconds, until what is returned is called.

        Everybody who follows the same `name` shares one look.
        """
        known = self._followed.get(name)
        if known is None:
            seen = asyncio.Event()
            task = asyncio.create_task(self._run(name, look, every, seen))
            known = self._followed[name] = _Followed(0, task, seen)
        known.followers += 1
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if has_left:
                return
            has_left = True
            known.followers -= 1
            if not known.followers and self._followed.get(name) is known:
                del self._followed[name]
                known.task.cancel()
                if name != MARKETS:
                    self._sights.pop(name, None)

        return leave

    def sight(self, name: str, look: Look[T]) -> Sight[T]:
        """What was seen last under this name by a look like this one."""
        del look  # it only says of which type the sight is
        return cast("Sight[T]", self._sights.get(name, Sight()))

    async def soon(self, name: str, *, patience: float = 0.6) -> None:
        """Wait a moment for the first sight of what is followed."""
        known = self._followed.get(name)
        if known is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(known.seen.wait(), patience)

    async def stop(self) -> None:
        """Stop looking, and close the client."""
        tasks = [each.task for each in self._followed.values()]
        self._followed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What is still being asked ends by its own time limit.
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def _run(self, name: str, look: Look[Any], every: int, seen: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = self._machine.now()
            try:
                value = await loop.run_in_executor(self._threads, self._ask, look)
                self._sights[name] = Sight(value, self._settings.clock.now())
            except TrueupError as error:
                self._fail(name, sentences(error, error.remedy))
            except Exception as error:  # noqa: BLE001  # whatever it says, the page goes on
                _log.exception("the exchange cannot be looked at")
                self._fail(name, f"{type(error).__name__}: {error}")
            seen.set()
            self._note(Moved.MARKETS)
            took = self._machine.now() - began
            await asyncio.sleep(max(every, took * REST_SHARE) / SECOND)

    def _fail(self, name: str, words: str) -> None:
        last = self._sights.get(name, Sight())
        self._sights[name] = Sight(last.value, last.at, words)

    def _ask(self, look: Look[T]) -> T:
        with self._opening:
            if self._client is None:
                self._client = open_onlooker(self._settings, Desk(self._settings))
        return look(self._client)
