"""The books as the pages see them: read only, on threads and connections of their own.

Nothing here takes the writer lease or writes a byte, so a page can neither slow nor stop
whoever keeps the books.  There are two lanes: *quick* questions answer a page within
milliseconds; *slow* ones (the proof, the profit reports) walk over the whole history and
are asked again only so often that they take a small share of one processor.

Answers are remembered until another connection has written something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from trueup.core.errors import BooksError, TrueupError
from trueup.core.instant import SECOND, Instant
from trueup.run.books.account import Account
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import Desk, DeskSettings
from trueup.store.opening import sqlite_path

T = TypeVar("T")
Question = Callable[[Account], T]

REST_SHARE: Final = 8
"""A slow question rests this many times as long as it took."""


class BooksState(StrEnum):
    """Whether there is anything to show."""

    FINE = "fine"
    ABSENT = "absent"
    UNUSABLE = "unusable"
    """Of another version or account, locked, damaged, or not to be reached."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of the books, and what a person should know and do about it."""

    state: BooksState
    words: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer to a slow question: of which version of the books, as of when, how long it took."""

    value: T
    version: int
    at: Instant
    microseconds: int


def newest_reading(account: Account) -> Instant | None:
    """The newest sign that the exchange was asked: a sync, or a balance reading."""
    read = [each.observed_at for each in account.books.latest_balances()]
    synced = account.as_of()
    return max([*read, *([] if synced is None else [synced])], default=None)


class _Lane:
    """One thread with one open account that cannot write."""

    def __init__(self, settings: DeskSettings, name: str) -> None:
        self._settings = settings
        self._account: Account | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"trueup-web-{name}")

    async def run(self, question: Question[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._ask, question)

    def _ask(self, question: Question[T]) -> T:
        if self._account is None:
            desk = Desk(self._settings)
            desk.books(create=False, read_only=True)
            self._account = Account(desk)
        return question(self._account)

    async def reopen(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)

    def close(self) -> None:
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _close(self) -> None:
        account, self._account = self._account, None
        if account is not None:
            with suppress(TrueupError):
                account.close()


class BooksReader:
    """Answers questions about the books.  Belongs to one event loop; close it at the end."""

    def __init__(self, settings: DeskSettings, machine: Clock | None = None) -> None:
        self.settings = settings
        self.condition = Condition(BooksState.ABSENT, "Nothing was looked at yet.")
        self.version = 0
        """Counts the changes that were noticed."""
        self._machine = SystemClock() if machine is None else machine
        self._quick = _Lane(settings, "quick")
        self._slow = _Lane(settings, "slow")
        self._file: tuple[int, int] | None = None
        self._content: int | str | None = None
        self.asked_at: Instant | None = None
        """When the exchange was last asked about the account's cash."""
        self._answers: dict[str, tuple[int, asyncio.Future[Any]]] = {}
        self._slow_answers: dict[str, Answer[Any]] = {}
        self._questions: dict[str, Question[Any]] = {}
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._fresh: list[Callable[[], Awaitable[None]]] = []

    def now(self) -> Instant:
        """The account's time (the sandbox world has its own)."""
        return self.settings.clock.now()

    async def look(self) -> bool:
        """Notice changes: of the file, of its content, of what keeps it from being read."""
        place = self._place()
        if place != self._file:
            # Another file has taken the place of the one that is open: restored or moved.
            await self._reopen()
        content: int | str
        try:
            content = await self._quick.run(lambda account: account.books.changes())
            if content != self._content:
                self.asked_at = await self._quick.run(newest_reading)
            condition = Condition(BooksState.FINE)
        except BooksError as error:
            content = str(error)
            absent = place is None and sqlite_path(self._database()) is not None
            state = BooksState.ABSENT if absent else BooksState.UNUSABLE
            condition = Condition(state, str(error), error.remedy)
            await self._reopen()
        changed = (place, content, condition) != (self._file, self._content, self.condition)
        self._file, self._content, self.condition = place, content, condition
        if changed:
            self.version += 1
            self._answers.clear()
        return changed

    async def ask(self, name: str, question: Question[T]) -> T:
        """A quick question; the same answer for everybody until the books change.

        Raises `BooksError`.
        """
        known = self._answers.get(name)
        if known is not None and known[0] == self.version:
            return await asyncio.shield(known[1])
        task = asyncio.ensure_future(self._quick.run(question))
        self._answers[name] = (self.version, task)
        try:
            return await asyncio.shield(task)
        except BaseException:
            self._answers.pop(name, None)
            raise

    async def page(self, question: Question[T]) -> T:
        """A quick question whose answer is not worth remembering, such as one page of rows."""
        return await self._quick.run(question)

    def latest(self, name: str, question: Question[T]) -> Answer[T] | None:
        """The newest answer to a slow question, `None` before the first; asks again when due."""
        self._questions[name] = question
        answer = self._slow_answers.get(name)
        if name not in self._running and self._is_due(answer):
            task = asyncio.ensure_future(self._answer(name, question))
            self._running[name] = task
            task.add_done_callback(lambda _: self._running.pop(name, None))
        return answer

    def renew(self) -> None:
        """Ask every slow question again whose answer is of older books and has rested enough."""
        for name, question in tuple(self._questions.items()):
            self.latest(name, question)

    async def soon(
        self, name: str, question: Question[T], *, patience: float = 0.5
    ) -> Answer[T] | None:
        """The newest answer to a slow question, waiting a moment for the very first one."""
        answer = self.latest(name, question)
        running = self._running.get(name)
        if answer is None and running is not None:
            await asyncio.wait({running}, timeout=patience)
            answer = self._slow_answers.get(name)
        return answer

    def when_fresh(self, told: Callable[[], Awaitable[None]]) -> None:
        """Have `told` called whenever a slow question has a new answer."""
        self._fresh.append(told)

    def close(self) -> None:
        """Close the connections."""
        for task in self._running.values():
            task.cancel()
        self._quick.close()
        self._slow.close()

    def _is_due(self, answer: Answer[Any] | None) -> bool:
        if self.condition.state is not BooksState.FINE:
            return False
        if answer is None:
            return True
        rested = self._machine.now() - answer.at
        return answer.version != self.version and rested >= answer.microseconds * REST_SHARE

    async def _answer(self, name: str, question: Question[T]) -> None:
        version, began = self.version, self._machine.now()
        with suppress(BooksError):
            value = await self._slow.run(question)
            ended = self._machine.now()
            self._slow_answers[name] = Answer(value, version, ended, ended - began)
            for told in self._fresh:
                await told()

    async def _reopen(self) -> None:
        self._answers.clear()
        await self._quick.reopen()
        await self._slow.reopen()

    def _database(self) -> str:
        return Desk(self.settings).database

    def _place(self) -> tuple[int, int] | None:
        """Which file it is; `None` for one that is not there, and for a server."""
        path = sqlite_path(self._database())
        if path is None:
            return None
        try:
            found = Path(path).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


STALE_AFTER: Final = 15 * SECOND
"""Figures of a living feed that are older than this are shown as stale."""
