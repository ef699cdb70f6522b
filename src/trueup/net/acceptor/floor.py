"""The exchange's machine together with everybody who listens to it.

Whoever lets something happen (a request, a world of makers and traders, the
control API, a FIX session) does it through `Floor.step`, so that every event
reaches every listener once, in order, before the step returns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trueup.core.instant import Instant
from trueup.sim import commands as c
from trueup.sim.events import Event
from trueup.sim.exchange import Exchange

Listener = Callable[[tuple[Event, ...]], None]
"""Hears the events of one step.  It must not step the exchange itself."""


Tamper = Callable[[c.Command], c.Command | None]
"""A fault: what happens just before a command, and is told only after it."""


class Surroundings(Protocol):
    """Whatever goes on around the exchange by itself."""

    def advance(self, until: Instant, listen: Listener) -> None:
        """Let everything happen that is due until then, and the exchange catch up with it."""
        ...


class Floor:
    """Steps the exchange and tells the listeners.  `around` goes on by itself as time passes."""

    def __init__(self, exchange: Exchange, around: Surroundings | None = None) -> None:
        self.exchange = exchange
        self.tamper: Tamper | None = None
        self._around = around
        self._listeners: list[Listener] = []

    def step(self, command: c.Command) -> tuple[Event, ...]:
        """Carry a command out; the listeners have heard of it when this returns."""
        before = None if self.tamper is None else self.tamper(command)
        unseen = () if before is None else self.exchange.step(before)
        events = self.exchange.step(command)
        self._tell(events)
        self._tell(unseen)
        return events

    def _tell(self, events: tuple[Event, ...]) -> None:
        if events:
            for listener in tuple(self._listeners):
                listener(events)

    def time_for(self, at: Instant) -> Instant:
        """The time of a command given at `at`: never before the last one."""
        return Instant(max(at, self.exchange.now))

    def catch_up(self, at: Instant) -> None:
        """Let everything happen that is due until `at`."""
        if at <= self.exchange.now:
            return
        if self._around is not None:
            self._around.advance(at, self._tell)
            return
        due = self.exchange.next_due()
        if due is not None and due <= at:
            self.step(c.Advance(at=at))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` about all further events; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
