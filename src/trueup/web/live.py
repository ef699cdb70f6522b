"""What moves: the hub watches the books and the bot, and tells every open page.

A page never asks the clock or the database by itself.  However many tabs are open, the
books are looked at once, and every figure is computed once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from trueup.core.errors import TrueupError
from trueup.web.reading import BooksReader

LOOK_EVERY: Final = 0.25
"""Seconds between two looks; also how often a page is told at most."""

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


Told = Callable[[frozenset[Moved]], Awaitable[None]]


class Hub:
    """Tells pages what has moved.  Belongs to one event loop."""

    def __init__(self, reader: BooksReader) -> None:
        self._reader = reader
        self._listeners: list[Told] = []
        self._moved: set[Moved] = set()
        self._task: asyncio.Task[None] | None = None
        reader.when_fresh(self._fresh)

    @property
    def listeners(self) -> int:
        """How many pages are open."""
        return len(self._listeners)

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def note(self, moved: Moved) -> None:
        """Something has moved: pages hear of it at the next beat."""
        self._moved.add(moved)

    def follow(self, told: Told) -> Callable[[], None]:
        """Have `told` called when something moves; returns what ends that."""
        self._listeners.append(told)

        def leave() -> None:
            with suppress(ValueError):
                self._listeners.remove(told)

        return leave

    async def _run(self) -> None:
        while True:
            try:
                if await self._reader.look():
                    self.note(Moved.BOOKS)
                if self._listeners:
                    self._reader.renew()
            except TrueupError as error:
                _log.warning("the books cannot be watched: %s", error)
            if self._moved:
                moved, self._moved = frozenset(self._moved), set()
                await self._tell(moved)
            await asyncio.sleep(LOOK_EVERY)

    async def _tell(self, moved: frozenset[Moved]) -> None:
        for told in tuple(self._listeners):
            try:
                await told(moved)
            except Exception:  # noqa: BLE001  # one page's trouble is not the others'
                _log.exception("a page could not be brought up to date")

    async def _fresh(self) -> None:
        self.note(Moved.BOOKS)
