"""Which of a bot's feeds are heard, since when, what their last trouble was, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.core.instant import Instant, format_age
from trueup.net.ws import Connected, Disconnected, LineEvent, Resynced
from trueup.wire.ws import client_events as e

WEBSOCKET: Final = "websocket"
"""The one connection that all streams share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One feed.  `heard_at` is when it last brought something (or said that all is well)."""

    name: str
    heard_at: Instant | None = None
    failed_at: Instant | None = None
    words: str = ""
    """What went wrong last; empty since it was heard again."""

    @property
    def is_up(self) -> bool:
        """Whether it was heard and has not failed since."""
        return self.heard_at is not None and not self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happened to a connection: `what` in a word or two, `words` with the details."""

    name: str
    what: str
    words: str = ""
    is_trouble: bool = False


@dataclass(slots=True)
class Connections:
    """All feeds of a bot by name.  `listeners` hear what happens to them, for the log."""

    listeners: list[Callable[[Happening], None]] = field(
        default_factory=list[Callable[[Happening], None]]
    )

    _known: dict[str, Connection] = field(default_factory=dict[str, Connection])

    def expect(self, name: str) -> None:
        """There is such a feed; nothing was heard of it yet."""
        self._known.setdefault(name, Connection(name=name))

    def heard(self, name: str, at: Instant) -> None:
        """Something came."""
        known = self._known.get(name) or Connection(name=name)
        self._known[name] = replace(known, heard_at=at, words="")
        if known.words:
            self.happened(Happening(name=name, what="heard again"))

    def failed(self, name: str, at: Instant, words: str) -> None:
        """It broke, or a read failed."""
        known = self._known.get(name) or Connection(name=name)
        self._known[name] = replace(known, failed_at=at, words=words)
        if words != known.words:
            self.happened(Happening(name=name, what="failed", words=words, is_trouble=True))

    def happened(self, happening: Happening) -> None:
        """Tell the listeners."""
        for listener in self.listeners:
            listener(happening)

    def line(self, event: LineEvent) -> None:
        """Something happened to the connection of the streams."""
        happening = _of_the_line(event)
        if happening is not None:
            self.happened(happening)

    def all(self) -> tuple[Connection, ...]:
        """Every feed, by name."""
        return tuple(self._known[name] for name in sorted(self._known))


def _of_the_line(event: LineEvent) -> Happening | None:
    """What is worth a line in the log: sessions and subscriptions, not single messages."""
    match event:
        case Connected(attempt):
            told = _line("connected", "" if attempt == 1 else f"attempt {attempt}")
        case Disconnected(reason, microseconds):
            again = f"{reason}; again in {format_age(microseconds)}"
            told = _line("disconnected", again, is_trouble=True)
        case Resynced(channel, why, news):
            told = _line("read again", f"{channel} by REST, since {why}: {news} news")
        case e.Live(channel):
            told = _line("subscribed", channel)
        case e.Gap(channel, expected, got):
            told = _line("gap", f"{channel}: {got} came after {expected - 1}", is_trouble=True)
        case e.Lost(channel, reason):
            told = _line("subscription lost", f"{channel}: {reason}", is_trouble=True)
        case e.Refused(channel, code, text):
            told = _line("refused", f"{channel or 'command'}: {code} {text}", is_trouble=True)
        case e.MustReconnect(reason):
            told = _line("reconnects", reason, is_trouble=True)
        case e.Unreadable(kind, reason):
            told = _line("unreadable message", f"{kind}: {reason}", is_trouble=True)
        case _:
            told = None
    return told


def _line(what: str, words: str, *, is_trouble: bool = False) -> Happening:
    return Happening(name=WEBSOCKET, what=what, words=words, is_trouble=is_trouble)
