"""The listening side: TLS connections to sessions of the exchange's kind.

`FixAcceptor` listens for one kind of session.  It keeps, for every key, what the exchange
keeps: the numbers of the session and what was sent, so that a client that comes back gets
what it missed.  A second connection of a key is refused.  What the messages mean is the
business of the `application` that it is given.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol

from trueup.core.instant import HOUR, SECOND, Instant
from trueup.wire.fix.admission import Admission
from trueup.wire.fix.codec import Codec, Received
from trueup.wire.fix.errors import FixBroken
from trueup.wire.fix.frame import Framer
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Message, Sender
from trueup.wire.fix.messages.session import Header, Logon
from trueup.wire.fix.numbering import FROM_ONE, Sequences
from trueup.wire.fix.resend import MemoryLog
from trueup.wire.fix.session import Session
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, Disconnect, LoggedOn, Output, State, Transmit

RETENTION_HOURS: Final = 24
UNSENT_BYTES_MAX: Final = 16 << 20
"""A client that does not read is dropped when so much waits for it."""

CUT: Final = None
"""In the place of a message: the connection breaks here."""


@dataclass(frozen=True, slots=True)
class Late:
    """In the place of a message: what follows waits so long (microseconds)."""

    microseconds: int


OnTheLine = Sequence[bytes | Late | None]
Line = Callable[[bytes], OnTheLine]
"""What becomes of a message on its way to the client.  Everything as it is, unless a test or
a sandbox wants something to go wrong.
"""

_READ_BYTES: Final = 1 << 16


class Application(Protocol):
    """What stands behind the sessions."""

    def judge(self, header: Header, logon: Logon, text: bytes) -> str:
        """Why a logon is refused (its signature covers `text`); empty to let it in."""
        ...

    def logged_on(self, peer: Peer) -> None:
        """A client is there."""
        ...

    def received(self, peer: Peer, received: Received) -> None:
        """A client sent a message."""
        ...

    def left(self, peer: Peer, end: Disconnect) -> None:
        """A client is gone."""
        ...


@dataclass(slots=True)
class _Remembered:
    """What is kept of one key between its connections."""

    log: MemoryLog
    sequences: Sequences = FROM_ONE
    unit: PriceUnit = PriceUnit.CENTS


class Peer:
    """One client that is logged on."""

    def __init__(self, acceptor: FixAcceptor, session: Session, logon: Logon) -> None:
        self.logon = logon
        self._acceptor = acceptor
        self._session = session

    @property
    def key_id(self) -> str:
        """Whose key it is."""
        return self._session.peer

    @property
    def kind(self) -> SessionKind:
        """Which session it is on."""
        return self._session.kind

    def send(self, message: Message) -> None:
        """Send a message; raises `CallerError` when the client is gone."""
        self._acceptor.send(self._session, message)


class FixAcceptor:
    """Listens for one kind of session."""

    def __init__(
        self,
        kind: SessionKind,
        application: Application,
        *,
        clock: Callable[[], Instant],
        tls: ssl.SSLContext,
        name: str = "",
        line: Line | None = None,
    ) -> None:
        self._line = line
        self.kind = kind
        self._application = application
        self._clock = clock
        self._tls = tls
        self._name = name
        self._remembered: dict[str, _Remembered] = {}
        self._writers: dict[Session, asyncio.StreamWriter] = {}
        self._peers: dict[Session, Peer] = {}
        self._late: dict[asyncio.StreamWriter, deque[bytes | Late | None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port (0 takes any free one)."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls)
        taken: int = self._server.sockets[0].getsockname()[1]
        return taken

    async def stop(self) -> None:
        """Log everybody out and stop listening."""
        if self._server is not None:
            self._server.close()
        for session in list(self._peers):
            self._act(session, session.logout(self._clock(), "the exchange is closing"))
        for writer in list(self._writers.values()):
            writer.close()

    def drop(self, key_id: str) -> None:
        """Break a client's connection without a word."""
        for session, writer in list(self._writers.items()):
            if session.peer == key_id:
                writer.transport.abort()

    def send(self, session: Session, message: Message) -> None:
        """Send a message to one client."""
        self._act(session, session.send(message, self._clock()))

    def publish(self, key_id: str, message: Message) -> None:
        """A message for one key: sent when it is connected, kept for later when it is not.

        Sessions that do not send again keep nothing.
        """
        for session in self._peers:
            if session.peer == key_id:
                self.send(session, message)
                return
        if self.kind.terms.retransmits:
            self._keep_for_later(self._remember(key_id), key_id, message)

    def _keep_for_later(self, remembered: _Remembered, key_id: str, message: Message) -> None:
        now = self._clock()
        header = Header(
            sender=self._name or self.kind.value,
            target=key_id,
            sequence=remembered.sequences.next_out,
            sending_time=now,
        )
        raw = Codec(reads=Sender.CLIENT, unit=remembered.unit).encode(header, message)
        remembered.log.put(header.sequence, raw, now)
        remembered.sequences = replace(remembered.sequences, next_out=header.sequence + 1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending: list[Logon] = []

        def admit(header: Header, logon: Logon, text: bytes) -> Admission | str:
            refused = self._admit(header, logon, text)
            pending.append(logon)
            return refused

        session = Session.acceptor(self.kind, admit=admit, name=self._name)
        self._writers[session] = writer
        framer = Framer()
        try:
            self._act(session, session.connect(self._clock()))
            while session.state is not State.DISCONNECTED:
                received = await _wait(reader, session, self._clock())
                if received is None:
                    self._act(session, session.tick(self._clock()))
                    continue
                if not received:
                    break
                framer.feed(received)
                while (frame := framer.next_frame()) is not None:
                    self._act(session, session.receive(frame, self._clock()), pending)
                await writer.drain()
        except (FixBroken, OSError):
            pass  # Nothing can be answered to a peer that speaks no FIX or is gone.
        finally:
            self._act(session, session.disconnected())
            del self._writers[session]
            self._late.pop(writer, None)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _admit(self, header: Header, logon: Logon, text: bytes) -> Admission | str:
        if any(session.peer == header.sender for session in self._peers):
            return "already exists"
        refused = self._application.judge(header, logon, text)
        if refused:
            return refused
        remembered = self._remember(header.sender, logon.retention_hours or RETENTION_HOURS)
        remembered.unit = PriceUnit.DOLLARS if logon.use_dollars else PriceUnit.CENTS
        return Admission(
            log=remembered.log,
            unit=remembered.unit,
            next_out=remembered.sequences.next_out,
            next_in=remembered.sequences.next_in,
        )

    def _remember(self, key_id: str, hours: int = RETENTION_HOURS) -> _Remembered:
        if key_id not in self._remembered:
            self._remembered[key_id] = _Remembered(MemoryLog(hours * HOUR))
        return self._remembered[key_id]

    def _act(
        self, session: Session, outputs: list[Output], logons: list[Logon] | None = None
    ) -> None:
        writer = self._writers[session]
        self._keep(session)
        for output in outputs:
            match output:
                case Transmit(raw):
                    for passed in (raw,) if self._line is None else self._line(raw):
                        self._write(writer, passed)
                case LoggedOn():
                    peer = self._peers[session] = Peer(self, session, (logons or [])[-1])
                    self._keep(session)
                    self._application.logged_on(peer)
                case Deliver(received):
                    self._application.received(self._peers[session], received)
                case Disconnect():
                    self._keep(session)
                    peer = self._peers.pop(session, None)
                    if peer is not None:
                        self._application.left(peer, output)
                    writer.close()
                case _:
                    pass
        self._keep(session)

    def _write(self, writer: asyncio.StreamWriter, raw: bytes | Late | None) -> None:
        """Write, or put it behind what waits for its time already."""
        waiting = self._late.get(writer)
        if isinstance(raw, Late):
            if waiting is None:
                self._late[writer] = deque()
                self._pass_later(writer, raw)
            else:
                waiting.append(raw)
        elif waiting is not None:
            waiting.append(raw)
        else:
            self._write_now(writer, raw)

    def _pass_later(self, writer: asyncio.StreamWriter, late: Late) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(late.microseconds / SECOND, self._pass_waiting, writer)

    def _pass_waiting(self, writer: asyncio.StreamWriter) -> None:
        waiting = self._late.get(writer)
        while waiting:
            following = waiting.popleft()
            if isinstance(following, Late):
                self._pass_later(writer, following)
                return
            self._write_now(writer, following)
        self._late.pop(writer, None)

    @staticmethod
    def _write_now(writer: asyncio.StreamWriter, raw: bytes | None) -> None:
        transport = writer.transport
        if raw is None or transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            transport.abort()
        elif not transport.is_closing():
            writer.write(raw)

    def _keep(self, session: Session) -> None:
        if session in self._peers:
            self._remembered[session.peer].sequences = session.sequences


async def _wait(reader: asyncio.StreamReader, session: Session, now: Instant) -> bytes | None:
    wake_at = session.wake_at
    seconds = None if wake_at is None else max(0, wake_at - now) / SECOND
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(_READ_BYTES)
    except TimeoutError:
        return None
