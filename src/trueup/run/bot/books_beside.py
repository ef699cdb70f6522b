"""The books beside a running bot: proven at its start, again and again, and after settlements.

Each look is a process of its own (`run/books/once.py`).  Listing an account takes time
while it trades, so a break may be only that: one above the limit is looked at once more
before it halts anything.  A proof that could not be made halts nothing, and is told.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import BooksError, with_remedy
from trueup.core.instant import SECOND, Instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.run.books.once import Standing, worst_of
from trueup.run.books.settings import BooksSettings
from trueup.run.bot.at_work import Beside, BotAtWork
from trueup.run.bot.practice import note_proof, proofs_path
from trueup.run.bot.reach import Reach
from trueup.run.desk import DeskSettings

_LOOK_AGAIN: Final = 20 * SECOND
_ENDS_IN: Final = 5
"""Seconds that an interrupted look is given to put its database in order."""


def books_of(settings: DeskSettings, reach: Reach) -> tuple[Beside, ...]:
    """What keeps the books of a bot at this exchange; nothing where that is switched off."""
    books = settings.config.books
    if not books.is_on:
        return ()
    environment = {
        **settings.environment,
        "TRUEUP_HOME": str(settings.home),
        **reach.environment,
    }
    account = (settings.venue.value, settings.config.account)
    command = (sys.executable, "-m", "trueup.run.books.once", *account)
    return (BooksBeside(books, command, environment, log=proofs_path(settings)),)


class BooksBeside:
    """Keeps the books of a bot.  `command` looks once, in a process with this `environment`.

    Proofs are noted in `log`, and `look_again` (microseconds) is how long a break has to close by itself.
    """

    def __init__(
        self,
        settings: BooksSettings,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        look_again: int = _LOOK_AGAIN,
        log: Path | None = None,
    ) -> None:
        self._settings = settings
        self._command = command
        self._environment = environment
        self._look_again = look_again
        self._log = log
        self._settled_at: Instant | None = None
        self._bell = asyncio.Event()

    async def __call__(self, work: BotAtWork) -> None:
        """Look until cancelled."""

        def hear(told: f.Decision | f.Alert) -> None:
            if isinstance(told, f.Alert) and told.kind is f.AlertKind.SETTLEMENT:
                self._settled_at = told.at
                self._bell.set()

        work.hearing.listeners.append(hear)
        while True:
            self._settled_at = None
            await self.look(work)
            await self._wait(work)

    async def look(self, work: BotAtWork) -> None:
        """Look once, and once more when that would halt something; tell what was seen."""
        standing = await self._standing()
        if self._halts(standing, work.live.machine.state.settings.break_max):
            await asyncio.sleep(self._look_again / SECOND)
            standing = await self._standing()
        now = work.clock.now()
        work.books = msgspec.to_builtins(standing)
        self._note(work, standing)
        if standing.trouble:
            words = f"the books could not be proven: {standing.trouble}"
            work.hearing(f.Alert(at=now, kind=f.AlertKind.TROUBLE, words=words, key="books"))
            return
        work.live.give(
            i.BooksProven(
                at=now,
                closes=standing.closes,
                worst=worst_of(standing),
                words=standing.words,
            )
        )

    def _note(self, work: BotAtWork, standing: Standing) -> None:
        if self._log is None:
            return
        try:
            note_proof(self._log, standing)
        except BooksError as error:
            # The proof stands all the same; only the count of clean days will lack it.
            words, at = with_remedy(error), work.clock.now()
            work.hearing(f.Alert(at=at, kind=f.AlertKind.TROUBLE, words=words, key="proofs"))

    @staticmethod
    def _halts(standing: Standing, break_max: Money) -> bool:
        worst = ZERO_MONEY if standing.trouble else worst_of(standing)
        return worst > break_max

    async def _wait(self, work: BotAtWork) -> None:
        """Until the next look is due."""
        due = Instant(work.clock.now() + self._settings.pause)
        while (left := due - work.clock.now()) > 0:
            self._bell.clear()
            if self._settled_at is not None:
                due = min(due, Instant(self._settled_at + self._settings.settlement_pause))
                left = due - work.clock.now()
                if left <= 0:
                    return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), left / SECOND)

    async def _standing(self) -> Standing:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                env=dict(self._environment),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            return Standing(trouble=f"no process could be started for it: {error.strerror}")
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            await _end(process)
            raise
        try:
            return msgspec.json.decode(out, type=Standing)
        except msgspec.MsgspecError:
            last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
            return Standing(trouble=last or f"the process ended with {process.returncode}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_ENDS_IN):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
