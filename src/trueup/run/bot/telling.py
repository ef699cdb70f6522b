"""What followers of a running bot hear: tops as they move, and the rest whenever it is other than before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from trueup.core.ids import Ticker
from trueup.engine.market import Top
from trueup.engine.state import State
from trueup.run.bot.status import Status, as_document, shown_markets, top_document

TOPS_EVERY: Final = 0.1
"""Seconds between two looks at the tops.  With the beat of a page it is most of a figure's age."""

STATUS_EVERY: Final = 3
"""So many of these looks after the last one the whole status is looked at, too."""

_RESTLESS: Final = frozenset({"at", "tops", "fair", "connections"})
"""Parts of the status that change by themselves; they do not make it news."""


class Door(Protocol):
    """Where followers wait: the control channel."""

    @property
    def has_listeners(self) -> bool:
        """Whether anybody follows."""
        ...

    def push(self, event: str, document: Mapping[str, object]) -> None:
        """Tell all of them."""
        ...


class Teller:
    """Tells followers what moved since it told them last.  Costs nothing while nobody follows.

    A status that is told carries no tops: a follower got all of them with its first one,
    and hears of those that move.
    """

    def __init__(self, state: State, status: Callable[[], Status], door: Door) -> None:
        self._state = state
        self._status = status
        self._door = door
        self._tops: dict[Ticker, Top] = {}
        self._lasting: dict[str, Any] = {}
        self._fair: list[tuple[str, str, str | None]] = []
        self._looks = 0

    async def run(self) -> None:
        """Look and tell, for ever."""
        while True:
            await asyncio.sleep(TOPS_EVERY)
            self.look()

    def look(self) -> None:
        """Tell what moved."""
        if not self._door.has_listeners:
            self._tops, self._lasting = {}, {}
            return
        if tops := self._moved():
            self._door.push("tops", {"tops": tops})
        self._looks += 1
        if self._looks % STATUS_EVERY:
            return
        document = as_document(self._status())
        lasting = {name: part for name, part in document.items() if name not in _RESTLESS}
        fair = [(each["strategy"], each["ticker"], each["fair"]) for each in document["fair"]]
        if lasting != self._lasting:
            self._door.push("status", {**document, "tops": []})
        elif fair != self._fair:
            self._door.push("fair", {"fair": document["fair"]})
        self._lasting, self._fair = lasting, fair

    def _moved(self) -> list[dict[str, Any]]:
        """The tops that are other ones than at the last look, whatever their own time says."""
        now = {each: self._state.tops[each] for each in shown_markets(self._state)}
        told, self._tops = self._tops, now
        return [
            top_document(self._state, ticker)
            for ticker, top in now.items()
            if told.get(ticker) is not top
        ]
