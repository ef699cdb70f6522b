"""What moves: the hub watches the books and the bot, and tells every open page.

A page never asks the clock or the database by itself.  However many tabs are open, the
books are looked at once, and what moves is computed once in a beat (`Hub.once`).  A page
that waits for something keeps no other one waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar, cast

from trueup.core.errors import TrueupError
from trueup.web.reading import BooksReader

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at the books."""

BEAT: Final = 0.1
"""Seconds between two beats at least.  A beat comes as soon as something moves."""

T = TypeVar("T")
_log: Final = logging.getLogger(__name__)


class Moved(StrEnum):
    """What has moved."""

    BOOKS = "books"
    """The books, or an answer about them."""
    BOT = "bot"
    """The bot's state."""
    TOPS = "tops"
    """Bids and asks of markets."""
    DECISIONS = "decisions"
    """The decision log."""
    MARKETS = "markets"
    """What the page itself reads at the exchange."""


Told = Callable[[], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _Follower:
    told: Told
    minds: frozenset[Moved]
    page: str
    is_due: bool = False
    task: asyncio.Task[None] | None = None


class Hub:
    """Tells pages what has moved.  Belongs to one event loop."""

    def __init__(self, reader: BooksReader) -> None:
        self._reader = reader
        self._followers: list[_Follower] = []
        self._moved: set[Moved] = set()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._beat = 0
        self._shared: dict[str, tuple[int, object, object]] = {}
        reader.when_fresh(self._fresh)

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len({each.page for each in self._followers})

    def start(self) -> None:
        """Begin to watch."""
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._run())]

    async def stop(self) -> None:
        """Stop watching."""
        tasks = [*self._tasks, *(each.task for each in self._followers if each.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def note(self, moved: Moved) -> None:
        """Something has moved: pages hear of it at the next beat."""
        self._moved.add(moved)
        self._woken.set()

    def follow(self, told: Told, minds: frozenset[Moved], *, page: str) -> Callable[[], None]:
        """Have `told` called when something that it minds moves; returns what ends that.

        It is not called again before it has ended; what moves meanwhile is told then.
        """
        follower = _Follower(told, minds, page)
        self._followers.append(follower)

        def leave() -> None:
            with suppress(ValueError):
                self._followers.remove(follower)

        return leave

    def once(self, name: str, basis: object, make: Callable[[], T]) -> T:
        """What `make` makes of `basis` and of what moves: once in a beat, the same for every page."""
        known = self._shared.get(name)
        if known is not None and known[0] == self._beat and known[1] is basis:
            return cast("T", known[2])
        made = make()
        self._shared[name] = self._beat, basis, made
        return made

    async def _watch(self) -> None:
        while True:
            try:
                if await self._reader.look():
                    self.note(Moved.BOOKS)
                if self._followers:
                    self._reader.renew()
            except TrueupError as error:
                _log.warning("the books cannot be watched: %s", error)
            await asyncio.sleep(LOOK_EVERY)

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            moved, self._moved = self._moved, set()
            self._beat += 1
            for each in self._followers:
                if each.minds & moved:
                    each.is_due = True
                    if each.task is None:
                        each.task = asyncio.create_task(self._tell(each))
            await asyncio.sleep(BEAT)

    async def _tell(self, follower: _Follower) -> None:
        try:
            while follower.is_due:
                follower.is_due = False
                await follower.told()
        except Exception:  # noqa: BLE001  # one page's trouble is not the others'
            _log.exception("a page could not be brought up to date")
        finally:
            follower.task = None

    async def _fresh(self) -> None:
        self.note(Moved.BOOKS)
