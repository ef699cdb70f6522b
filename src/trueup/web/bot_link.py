"""The page's line to the bot: its status, the tops of its markets and its decisions, as they come.

The bot is another process.  It may not be there, may end, may hang or may be started again at
any time; each of these is shown and none of them is an error of the page.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from trueup.core.catalog import Quote
from trueup.core.errors import TrueupError
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, parse_instant
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.net.control import AsyncControl, Said
from trueup.run.bot.decision_log import Line, read_decisions
from trueup.run.bot.places import control_path, decisions_path, kill_path
from trueup.run.bot.status import FairShown, Status, TopShown
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import DeskSettings
from trueup.web.live import Moved

LINES: Final = 300
"""How many lines of the decision log the page keeps at hand."""

_AGAIN: Final = 1.0
"""Seconds until a bot that was not there is looked for again."""
_log: Final = logging.getLogger(__name__)

Note = Callable[[Moved], None]


class BotLink:
    """What is known of the account's bot.  Belongs to one event loop."""

    def __init__(self, settings: DeskSettings, note: Note, machine: Clock | None = None) -> None:
        self.settings = settings
        self.status: Status | None = None
        """What the bot said last; `None` while none is there."""
        self.why = "Looking for a bot …"
        """Why there is none, in words."""
        self.remedy = ""
        self.heard_at: Instant | None = None
        """When the bot was last heard of, by this machine's clock."""
        self.tops: dict[Ticker, Quote] = {}
        self.shown_tops: dict[Ticker, TopShown] = {}
        self.fair: list[FairShown] = []
        """What its strategies think that markets are worth."""
        self.lines: deque[Line] = deque(maxlen=LINES)
        self._note = note
        self._machine = SystemClock() if machine is None else machine
        self._task: asyncio.Task[None] | None = None

    @property
    def is_there(self) -> bool:
        """Whether a bot answers."""
        return self.status is not None

    @property
    def is_killed(self) -> bool:
        """Whether the account's kill switch is on."""
        return kill_path(self.settings).exists()

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def say(self, command: str, said: Said) -> dict[str, Any]:
        """Give a command.  Raises `NoBot`, or `CallerError` for what the bot refuses."""
        async with AsyncControl(control_path(self.settings)) as control:
            return await control.say(command, said)

    async def _run(self) -> None:
        await self._read_log()
        while True:
            try:
                async with AsyncControl(control_path(self.settings)) as control:
                    async for event in control.events():
                        self._hear(event)
                        if event.get("event") == "lagging":
                            self._hear({"event": "status", **await control.status()})
                self._lose("The bot has ended.", "")
            except TrueupError as error:
                self._lose(str(error), error.remedy)
            except msgspec.MsgspecError as error:
                words = f"The bot that runs is of another version than this page ({error})."
                self._lose(words, "Start both again.")
            except Exception as error:  # noqa: BLE001  # whatever it says, the page goes on
                _log.exception("the bot cannot be followed")
                self._lose(f"{type(error).__name__}: {error}", "")
            await asyncio.sleep(_AGAIN)

    async def _read_log(self) -> None:
        with suppress(TrueupError):
            path = decisions_path(self.settings)
            lines = await asyncio.to_thread(lambda: read_decisions(path, limit=LINES))
            self.lines.extend(lines)

    def _lose(self, why: str, remedy: str) -> None:
        if self.status is not None or self.why != why:
            self._note(Moved.BOT)
        self.status, self.why, self.remedy = None, why, remedy
        self.tops.clear()
        self.fair = []

    def _hear(self, event: Mapping[str, Any]) -> None:
        self.heard_at = self._machine.now()
        kind = event.get("event")
        if kind == "status":
            self.status = msgspec.convert(dict(event), Status)
            self._take_tops(self.status.tops)
            self.fair = self.status.fair
            self._note(Moved.BOT)
            self._note(Moved.TOPS)
        elif kind == "tops":
            self._take_tops(msgspec.convert(event["tops"], list[TopShown]))
            self._note(Moved.TOPS)
        elif kind == "fair":
            self.fair = msgspec.convert(event["fair"], list[FairShown])
            self._note(Moved.TOPS)
        elif kind in {"decision", "alert"}:
            self.lines.append({name: each for name, each in event.items() if name != "event"})
            self._note(Moved.DECISIONS)

    def _take_tops(self, tops: list[TopShown]) -> None:
        for each in tops:
            ticker = Ticker(each.ticker)
            self.shown_tops[ticker] = each
            self.tops[ticker] = quote_of(each)


def quote_of(top: TopShown) -> Quote:
    """A top as the quote that marks are taken from."""
    return Quote(
        ticker=Ticker(top.ticker),
        yes_bid=_price(top.bid),
        yes_ask=_price(top.ask),
        last=_price(top.last),
        volume=ZERO_COUNT,
        volume_24h=Count.parse(top.volume_24h),
        open_interest=ZERO_COUNT,
    )


def _price(text: str | None) -> Price | None:
    return None if text is None else Price.parse(text)


def heard(text: str | None) -> Instant | None:
    """A time of the status document."""
    return None if text is None else parse_instant(text)
