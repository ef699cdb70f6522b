"""A FIX client that stays connected.

    async with FixClient(endpoint, signer=signer, store=store, …) as client:
        async for event in client.events():
            match event: …

`events` yields what the session's machine says, in order, and connects again when the line
breaks or the other side falls silent, with a new signature and a growing pause each time.
It ends after `logout`, and raises when no further attempt would help: `FixRefused`,
`SequencesDiffer`, or `Unreachable` when the exchange could not be reached for too long.

A message counts as received when the loop asks for the next event: a process that dies
in the middle of one sees it again on the sessions that retransmit.  Up to `HELD_MAX`
messages wait for the loop; then reading stops, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self

from trueup.core.errors import ProtocolBroken, Unreachable
from trueup.core.instant import SECOND, Instant
from trueup.net.fix.endpoints import FixEndpoint, client_tls
from trueup.net.fix.refusals import FixRefused, judge_refusal
from trueup.net.fix.store import NOT_HEARD, SessionStore
from trueup.net.retry import Chance
from trueup.wire.fix.errors import FixBroken, Garbled
from trueup.wire.fix.frame import Framer
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.message import Message
from trueup.wire.fix.numbering import Sequences
from trueup.wire.fix.session import Session
from trueup.wire.fix.session_states import (
    Deliver,
    Disconnect,
    Ending,
    LoggedOn,
    Missed,
    Output,
    State,
    Transmit,
    Unreadable,
)

HELD_MAX: Final = 1_000
READ_BYTES: Final = 1 << 16
CONNECT_SECONDS: Final = 10
_FIRST_PAUSE: Final = SECOND
_LONGEST_PAUSE: Final = 60 * SECOND


class FixSigner(Protocol):
    """Whoever can sign a logon."""

    @property
    def key_id(self) -> str:
        """The public name of the key."""
        ...

    def sign(self, text: bytes) -> str:
        """The signature in base64."""
        ...


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection ended and will be made again after a pause (microseconds)."""

    reason: str
    attempt: int
    pause: int


class SequencesDiffer(ProtocolBroken):
    """The numbers of both sides do not fit; nothing more can be exchanged."""

    remedy = "Log on once with a reset (141=Y), and fetch what may have been missed by REST."


FixEvent = Output | Reconnecting


class FixClient:
    """One session of one key.  All times in microseconds."""

    def __init__(
        self,
        endpoint: FixEndpoint,
        *,
        signer: FixSigner,
        store: SessionStore,
        clock: Callable[[], Instant],
        chance: Chance,
        options: LogonOptions | None = None,
        tls: ssl.SSLContext | None = None,
        patience: int = 3_600 * SECOND,
        may_reset: bool = False,
    ) -> None:
        """`patience` is how long the exchange may be out of reach before that is an error.

        With `may_reset` numbers that do not fit are no error: they begin anew, which throws
        away what was missed.  Kinds that begin anew with every logon need no permission.
        """
        self.endpoint = endpoint
        self._options = options or LogonOptions()
        self._signer = signer
        self._store = store
        self._clock = clock
        self._chance = chance
        self._tls = tls or client_tls()
        self._patience = patience
        self._may_reset = may_reset or endpoint.kind.terms.must_reset
        self._session = self._machine(store.sequences)
        self._writer: asyncio.StreamWriter | None = None
        self._held: deque[tuple[Output, int | None]] = deque()
        self._losses = 0
        """How many of those held say that something will never come."""
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._leaving = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def is_established(self) -> bool:
        """Whether messages can be sent now."""
        return self._session.state is State.ESTABLISHED

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that the exchange has sent so far was handled."""
        return self.is_established and not self._held and not self._session.is_catching_up

    @property
    def held(self) -> int:
        """How many events wait for the loop."""
        return len(self._held)

    @property
    def unknown_fields(self) -> dict[tuple[str, str], int]:
        """How often which field came that the dictionary does not have."""
        return self._session.unknown_fields

    async def send(self, message: Message) -> int:
        """Send a message and wait while too much is unsent; like `put`."""
        sequence = self.put(message)
        writer = self._writer
        if writer is not None:
            with suppress(OSError):
                await writer.drain()
        return sequence

    def put(self, message: Message) -> int:
        """Hand a message to the connection; returns its number, by which a Reject names it.

        Raises `CallerError` when the session does not take it now.
        """
        sequence = self._session.sequences.next_out
        self._act(self._session.send(message, self._clock()))
        return sequence

    def break_off(self) -> None:
        """Break the connection without a word; `events` goes on with the next one.

        What the other side has not read by then it never will.
        """
        if self._writer is not None:
            self._writer.transport.abort()

    def logout(self, text: str = "") -> None:
        """End the session in good order; `events` ends when the exchange has answered."""
        self._leaving.set()
        self._act(self._session.logout(self._clock(), text))

    async def close(self) -> None:
        """Close the connection at once."""
        self._leaving.set()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def events(self) -> AsyncGenerator[FixEvent]:
        """Everything that happens, over all connections."""
        attempt, heard_at = 0, self._clock()
        while True:
            end: Disconnect | None = None
            async for output in self._connection():
                if isinstance(output, LoggedOn):
                    attempt, heard_at = 0, self._clock()
                    # A reset was wanted once; after a broken line it would lose reports.
                    self._options = replace(self._options, reset=False)
                if isinstance(output, Disconnect):
                    end = output
                yield output
            if end is None or self._leaving.is_set():
                return
            if end.ending is Ending.REFUSED:
                heard_at = self._clock()
            attempt += 1
            pause = self._pause_after(end, attempt)
            if self._clock() - heard_at > self._patience:
                raise Unreachable(f"{self.endpoint} could not be reached: {end.text}")
            yield Reconnecting(end.text, attempt, pause)
            if await self._left_during(pause):
                return

    async def _left_during(self, pause: int) -> bool:
        """Wait for the next attempt; true when somebody wanted to leave meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause / SECOND):
                await self._leaving.wait()
        return self._leaving.is_set()

    def _pause_after(self, end: Disconnect, attempt: int) -> int:
        if end.ending is Ending.OUT_OF_SEQUENCE and self._may_reset:
            self._options = replace(self._options, reset=True)
        elif end.ending is Ending.OUT_OF_SEQUENCE:
            raise SequencesDiffer(f"{self.endpoint.kind}: {end.text}", evidence=end.text)
        at_least = 0
        if end.ending is Ending.REFUSED:
            refusal = judge_refusal(end.text)
            if refusal.pause is None:
                raise FixRefused(
                    f"{self.endpoint.kind} refused the logon: {end.text}",
                    status=0,
                    details=end.text,
                    remedy=refusal.remedy,
                )
            at_least = refusal.pause
        ceiling = min(_LONGEST_PAUSE, _FIRST_PAUSE << min(attempt - 1, 6))
        return at_least + self._chance.randrange(ceiling + 1)

    async def _connection(self) -> AsyncGenerator[Output]:
        """One connection from the first byte to the last."""
        if self._options.reset or self.endpoint.kind.terms.must_reset:
            # The exchange throws away what was missed before we hear that it did.
            self._store.hear(NOT_HEARD)
        self._session = self._machine(self._store.sequences)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    self.endpoint.host, self.endpoint.port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            yield Disconnect(Ending.LOST, _why_unreachable(self.endpoint, error))
            return
        self._writer = writer
        self._held.clear()
        self._losses = 0
        self._room.set()
        reading = asyncio.create_task(self._read(reader))
        try:
            while True:
                while self._held:
                    output, _ = self._held[0]
                    if _is_loss(output):
                        # From here on a listener hears anew; anybody else does not.
                        self._store.hear(NOT_HEARD)
                    yield output
                    self._held.popleft()
                    self._losses -= _is_loss(output)
                    self._save()
                    self._room.set()
                    if isinstance(output, Disconnect):
                        return
                self._news.clear()
                await self._news.wait()
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            self._session.disconnected()
            self._writer = None
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        try:
            self._act(self._session.connect(self._clock()))
            while self._session.state is not State.DISCONNECTED:
                received = await self._wait(reader)
                if received is None:
                    self._act(self._session.tick(self._clock()))
                    continue
                if not received:
                    break
                framer.feed(received)
                while (frame := framer.next_frame()) is not None:
                    self._act(_with_frame(self._session.receive(frame, self._clock()), frame))
        except FixBroken as error:
            self._hold(Disconnect(Ending.BROKEN, str(error)), None)
        except OSError as error:
            self._hold(Disconnect(Ending.LOST, f"the connection broke: {error}"), None)
        else:
            self._act(self._session.disconnected())

    async def _wait(self, reader: asyncio.StreamReader) -> bytes | None:
        """Bytes, none at the end, or None when the machine wants to be woken."""
        wake_at = self._session.wake_at
        seconds = None if wake_at is None else max(0, wake_at - self._clock()) / SECOND
        try:
            async with asyncio.timeout(seconds):
                await self._room.wait()
                return await reader.read(READ_BYTES)
        except TimeoutError:
            return None

    def _act(self, outputs: list[Output]) -> None:
        """Do what the machine says.

        What came is held and the numbers are stored before anything is written.
        """
        for output in outputs:
            if isinstance(output, Deliver):
                self._hold(output, output.received.header.sequence)
            elif isinstance(output, Unreadable) and output.error.header is not None:
                self._hold(output, output.error.header.sequence)
            elif not isinstance(output, Transmit):
                self._hold(output, None)
        self._save()
        if self._writer is not None:
            self._writer.writelines(each.raw for each in outputs if isinstance(each, Transmit))

    def _hold(self, output: Output, sequence: int | None) -> None:
        self._held.append((output, sequence))
        self._losses += _is_loss(output)
        if len(self._held) >= HELD_MAX:
            self._room.clear()
        self._news.set()

    def _save(self) -> None:
        """Store the numbers; what the loop has not handled counts as not received."""
        own = self._session.sequences
        oldest = next((sequence for _, sequence in self._held if sequence is not None), None)
        next_in = own.next_in if oldest is None else min(own.next_in, oldest)
        self._store.save(Sequences(own.next_out, next_in), is_in_order=not self._losses)

    def _machine(self, sequences: Sequences) -> Session:
        return Session.initiator(
            self.endpoint.kind,
            key_id=self._signer.key_id,
            sign=self._signer.sign,
            options=self._options,
            sequences=sequences,
        )


def _is_loss(output: Output) -> bool:
    """Whether it says that something will never come."""
    return isinstance(output, Missed) or (isinstance(output, LoggedOn) and output.was_reset)


def _with_frame(outputs: list[Output], frame: bytes | Garbled) -> list[Output]:
    """The outputs of one message, of which a delivered one carries its own bytes."""
    return [
        Deliver(each.received, frame)
        if isinstance(each, Deliver) and isinstance(frame, bytes)
        else each
        for each in outputs
    ]


def _why_unreachable(endpoint: FixEndpoint, error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{endpoint} did not prove who it is: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{endpoint} does not speak TLS as expected ({error.reason or error})"
    if isinstance(error, TimeoutError):
        return f"{endpoint} did not answer within {CONNECT_SECONDS} s"
    return (
        f"{endpoint} cannot be reached: {error.strerror if isinstance(error, OSError) else error}"
    )
