"""`fix listen`: what a FIX session says, as it comes, into the log and the books.

Every message is in the log, and what it says of money in the books, before anybody hears
of it.  The log has one line each, the time in front, as `fix decode` and `fix report` read
it.  Only then does the message count as received: a listener that dies in between gets
it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final, Self

from trueup.core.errors import BooksError, ConfigError, writing_remedy
from trueup.core.instant import SECOND, Instant, format_instant
from trueup.net.fix.client import FixClient, FixEvent, Reconnecting
from trueup.net.fix.endpoints import client_tls
from trueup.net.fix.refusals import judge_refusal
from trueup.net.fix.store import SessionStore
from trueup.run.books.account import Account
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import make_home
from trueup.run.desk import Desk, DeskSettings
from trueup.run.fix.booking import FixBooks
from trueup.run.fix.reach import fix_certificate, fix_endpoint, fix_signer
from trueup.wire.fix.explain import Explained, Explainer
from trueup.wire.fix.log_lines import read_log
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import (
    Deliver,
    Disconnect,
    Ending,
    LoggedOn,
    Missed,
    Skipped,
    Unreadable,
)

_SESSIONS: Final = {kind.name: kind for kind in SessionKind if kind.terms.settlement_on_request}
RETENTION_HOURS_MAX: Final = 72
STILL_THERE_SECONDS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenWish:
    """Which session to listen to.

    `address` (host or host:port) replaces the venue's own; `certificate` is the file that a
    sandbox wrote.  `reset` begins the numbering anew, which throws away what was missed.
    With `log_only` the books are left alone.
    """

    session: str = SessionKind.PT.name
    address: str = ""
    certificate: Path | None = None
    reset: bool = False
    log_only: bool = False

    @property
    def kind(self) -> SessionKind:
        """The session.  Raises `ConfigError` for one that has nothing to listen to."""
        kind = _SESSIONS.get(self.session.upper().removeprefix("KALSHI"))
        if kind is None:
            raise ConfigError(
                f"there is nothing to listen to on a session {self.session!r}",
                remedy=f"Use one of {', '.join(_SESSIONS)}: PT tells settlements, RT and NR also "
                "what happens to orders.",
            )
        return kind

    def options(self) -> LogonOptions:
        """How the session is opened: PT as it is, the others as a listener."""
        terms = self.kind.terms
        return LogonOptions(
            reset=self.reset,
            is_listener=terms.may_listen,
            receive_settlement_reports=True,
            retention_hours=RETENTION_HOURS_MAX if terms.retransmits else None,
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """One message, or (`explained` is `None`) something that happened to the session.

    `is_loss` says that messages will never come, `booked` what the books made of it (empty:
    it is nothing for them).
    """

    at: Instant
    words: str
    explained: Explained | None = None
    is_loss: bool = False
    booked: str = ""


class FixLog:
    """A log of received messages, which only grows.  Close it, or use it in a `with`."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file

    @classmethod
    def open(cls, path: Path) -> Self:
        """The log at a path, for its owner alone.  Raises `ConfigError`."""
        make_home(path.parent)
        try:
            path.touch(mode=0o600)
            return cls(path, path.open("ab"))
        except OSError as error:
            raise ConfigError(
                f"the log {path} cannot be written: {error.strerror}",
                remedy=writing_remedy(error),
            ) from error

    def write(self, raw: bytes, at: Instant) -> str:
        """Keep a message; returns its line."""
        line = f"{format_instant(at)} ".encode() + raw
        self._file.write(line + b"\n")
        self._file.flush()
        return line.decode("utf-8", "surrogateescape")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()


def log_folder(settings: DeskSettings) -> Path:
    """Where the logs of all sessions are."""
    return settings.home / "fix"


def log_files(settings: DeskSettings) -> list[Path]:
    """The logs of the settings' venue and account."""
    return sorted(log_folder(settings).glob(f"{_log_name(settings, '*')}"))


def _log_name(settings: DeskSettings, session: str) -> str:
    return f"{settings.venue}-{settings.config.account}-{session}.log"


async def listen_fix(settings: DeskSettings, wish: ListenWish) -> AsyncGenerator[Heard]:
    """Everything that a session says, over all connections, until the caller stops.

    Raises `ConfigError` without a key or an address, and what `FixClient` raises.
    """
    kind, clock = wish.kind, SystemClock()
    endpoint = fix_endpoint(settings, kind, wish.address)
    make_home(log_folder(settings))
    with Desk(settings) as desk:
        found = desk.credentials()
        signer = fix_signer(None if found is None else found.signer)
        with (
            FixLog.open(log_folder(settings) / _log_name(settings, kind.name)) as log,
            SessionStore.open(
                log_folder(settings), endpoint, signer.key_id, listens=not wish.log_only
            ) as store,
            _books(desk, wish, signer.key_id, store=store) as books,
        ):
            client = FixClient(
                endpoint,
                signer=signer,
                store=store,
                clock=clock.now,
                chance=unseeded(),
                options=wish.options(),
                tls=client_tls(fix_certificate(settings, wish.certificate)),
            )
            ear = _Ear(client, log, Explainer(wish.options().unit), books, clock)
            async with client, aclosing(ear.listen()) as stream:
                async for heard in stream:
                    yield heard


@contextmanager
def _books(
    desk: Desk, wish: ListenWish, key_id: str, *, store: SessionStore
) -> Generator[FixBooks | None]:
    """The books to write into; `None` when only the log is wanted."""
    if wish.log_only:
        yield None
        return
    account, hours = Account(desk), RETENTION_HOURS_MAX
    with FixBooks(account, wish.kind, key_id, store=store, retention_hours=hours) as books:
        yield books


@dataclass(frozen=True, slots=True)
class _Ear:
    """One client's events on their way into log and books."""

    client: FixClient
    log: FixLog
    explainer: Explainer
    books: FixBooks | None
    clock: SystemClock

    async def listen(self) -> AsyncGenerator[Heard]:
        """Everything that was heard, in order."""
        keeping = asyncio.create_task(self._keep())
        try:
            async with aclosing(self.client.events()) as events:
                async for event in events:
                    at = self.clock.now()
                    booked = self._book(event, at)
                    heard = _heard(event, self.log, self.explainer, at)
                    if heard is not None:
                        yield replace(heard, booked=booked)
        finally:
            keeping.cancel()
            self._still_there()

    def _book(self, event: FixEvent, at: Instant) -> str:
        """Put an event into the books, and say in a few words what became of it."""
        books, words = self.books, ""
        if books is None:
            return words
        match event:
            case Deliver(received, raw):
                taken = books.take(received, raw, at)
                words = "" if taken is None else taken.words
            case Unreadable(error):
                books.unreadable(error, at)
            case LoggedOn(_, was_reset):
                books.logged_on(was_reset=was_reset, at=at)
            case Missed():
                books.missed(at)
            case _:
                pass
        # The event at hand is held until the next one is asked for.
        books.rest(at_once=self.client.held <= 1)
        return words

    async def _keep(self) -> None:
        """While nothing comes, note now and then that nothing was missed."""
        while True:
            await asyncio.sleep(STILL_THERE_SECONDS)
            with suppress(BooksError):
                self._still_there()

    def _still_there(self) -> None:
        if self.books is not None and self.client.is_caught_up:
            self.books.heard(self.clock.now())
            self.books.rest(at_once=True)


def _heard(event: FixEvent, log: FixLog, explainer: Explainer, at: Instant) -> Heard | None:
    if isinstance(event, Deliver):
        (message,) = read_log([log.write(event.raw, at)])
        explained = explainer.explain(message)
        return Heard(at, explained.words, explained)
    if isinstance(event, Unreadable):
        log.write(event.error.raw, at)
    words = _words(event)
    return Heard(at, words, is_loss=isinstance(event, Unreadable | Missed)) if words else None


def _words(event: FixEvent) -> str:
    """What happened to the session; empty for what is of no interest."""
    match event:
        case Unreadable(error):
            words = f"a message cannot be read and is in the log: {error}"
        case Skipped(error):
            words = f"bytes that are no message were skipped: {error}"
        case Missed(begin, end, reason):
            numbers = f"{begin} to {end}" if end >= begin else f"from {begin} on"
            words = f"messages {numbers} will not come ({reason}): `trueup sync` asks REST"
        case LoggedOn(_, was_reset):
            words = "logged on" + (", numbers began anew" if was_reset else "")
        case Disconnect(Ending.REFUSED, text):
            refusal = judge_refusal(text)
            # One that ends everything is an error with its remedy.
            more = "" if refusal.pause is None else f". {refusal.remedy}"
            words = f"{Ending.REFUSED}: {text}{more}"
        case Disconnect(ending, text):
            words = f"{ending}: {text}"
        case Reconnecting(_, attempt, pause):
            words = f"attempt {attempt} in {pause // SECOND} s"
        case _:
            words = ""
    return words
