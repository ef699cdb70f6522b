"""One WebSocket to the exchange, kept standing: connect, listen, reconnect.

`trueup.wire.ws.client_session` decides everything about messages; this module
has the socket, the time and the patience.

- Every attempt is signed anew: the exchange refuses old timestamps.
- After a failure the next attempt waits longer, up to a ceiling, with full
  jitter; a connection that stood for a while starts over from short waits.
- A wrong key is no reason to go on: after a second 401 in a row everything that
  is watched fails with `NotAuthorized`.
- The exchange pings every ten seconds.  A line that is open but on which neither
  data nor a ping came for `silence` is given up (pings may be late under load,
  so less than 30 s is refused).

The socket is drained in its own task, whatever readers do: a client that does
not read is cut off by the exchange (error 25).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from trueup.core.errors import (
    ConfigError,
    ExchangeRefused,
    NotAuthorized,
    TrueupError,
)
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.net.request import USER_AGENT
from trueup.net.retry import Chance
from trueup.net.session import Clock
from trueup.net.signer import Signer
from trueup.net.venues import Endpoint, websocket_url
from trueup.net.watch import Bell
from trueup.wire.signing import WEBSOCKET_PATH
from trueup.wire.ws import client_events as e
from trueup.wire.ws.client_session import ClientSession

_MESSAGE_BYTES_MAX: Final = 64 << 20
_SILENCE_MIN: Final = 30 * SECOND
_TICK: Final = SECOND // 10
_TICKS_A_SECOND: Final = 10
_IN_ONE_GO: Final = 256
_GOODBYE_SECONDS: Final = 2
_UNAUTHORIZED_MAX: Final = 2
_UNAUTHORIZED: Final = frozenset({401, 403})
_PASSING: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """How a line is kept.  Times in microseconds.

    `steady` is how long a connection has to stand before the next failure counts as
    the first one again.  `compresses` asks for permessage-deflate: less traffic for
    more work (the exchange offers it since September 2026).  `tells_books` announces
    every change of an order book, not only that there was one.
    """

    connect: int = 10 * SECOND
    silence: int = 45 * SECOND
    first_pause: int = SECOND // 4
    longest_pause: int = 30 * SECOND
    steady: int = 60 * SECOND
    compresses: bool = False
    tells_books: bool = False

    def __post_init__(self) -> None:
        if self.silence < _SILENCE_MIN:
            raise ConfigError(
                f"a silence of {self.silence / SECOND:g} s is too short to give a line up",
                remedy="Pings come every 10 s and may be late: use 30 s or more.",
            )


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection stands.  `attempt` counts from 1 since the last one that was steady."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection ended, or could not be made; the next attempt is `microseconds` away."""

    reason: str
    microseconds: int


@dataclass(frozen=True, slots=True)
class Resynced:
    """REST was read for a private channel: why, and how much it knew that we did not."""

    channel: str
    why: str
    news: int


LineEvent = Connected | Disconnected | Resynced | e.Event


def ignore_line_event(event: LineEvent) -> None:
    """The listener of those who do not listen."""
    del event


Heard = Callable[[Sequence[e.Event]], None]


class Line:
    """One connection that is made again and again.  `heard` gets what comes, in order."""

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer,
        *,
        clock: Clock,
        sleep: Callable[[int], Awaitable[None]],
        chance: Chance,
        heard: Heard,
        options: LineOptions,
        on_event: Callable[[LineEvent], None] = ignore_line_event,
    ) -> None:
        self.session: Final = ClientSession(tells_books=options.tells_books)
        self.bells: Final[dict[Ticker, list[Bell]]] = {}
        """Whom a change of a book wakes, by market."""
        self.counts: Counter[str] = Counter()
        """``connections``, ``failed attempts`` and ``silences``."""
        self._url = websocket_url(endpoint)
        self._host = endpoint.host
        self._signer = signer
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._heard = heard
        self._options = options
        self._on_event = on_event
        self._now = clock()
        self._alive_at = self._now
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._wish = asyncio.Event()
        self._reconnect_reason = ""
        self.failure: TrueupError | None = None

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands."""
        return self._socket is not None

    @property
    def alive_at(self) -> Instant:
        """When something last came over it."""
        return self._alive_at

    def now(self) -> Instant:
        """The time by the line's clock."""
        return self._clock()

    def wish(self) -> None:
        """The session has something to say."""
        self._wish.set()

    async def keep(self) -> None:
        """Connect, listen and reconnect until cancelled or until it is hopeless (`failure`)."""
        attempt, unauthorized = 0, 0
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as opener:
            while self.failure is None:
                attempt += 1
                began = self._clock()
                try:
                    reason = await self._connect_and_listen(opener, attempt)
                    unauthorized = 0
                except _Refusal as refusal:
                    reason = str(refusal)
                    is_unauthorized = refusal.status in _UNAUTHORIZED
                    unauthorized = unauthorized + 1 if is_unauthorized else 0
                    if not refusal.may_pass or unauthorized >= _UNAUTHORIZED_MAX:
                        self.failure = _failure(self._host, refusal)
                        break
                self._tell(self.session.disconnected(reason))
                if self._clock() - began >= self._options.steady:
                    attempt = 0
                pause = self._pause(attempt)
                self._on_event(Disconnected(reason, pause))
                await self._sleep(pause)

    def _pause(self, attempt: int) -> int:
        ceiling = min(
            self._options.longest_pause, self._options.first_pause << min(max(0, attempt - 1), 20)
        )
        return self._chance.randrange(ceiling + 1)

    async def _connect_and_listen(self, opener: aiohttp.ClientSession, attempt: int) -> str:
        """One connection from its handshake to its end; why it ended."""
        socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        try:
            async with asyncio.timeout(self._options.connect / SECOND):
                socket = await opener.ws_connect(
                    self._url,
                    headers=self._headers(),
                    autoping=False,
                    max_msg_size=_MESSAGE_BYTES_MAX,
                    compress=15 if self._options.compresses else 0,
                    decode_text=False,
                )
            self.counts["connections"] += 1
            self._on_event(Connected(attempt))
            return await self._listen(socket)
        except aiohttp.WSServerHandshakeError as error:
            self.counts["failed attempts"] += 1
            raise _Refusal(error.status, error.message) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.counts["failed attempts"] += 1
            return f"the exchange could not be connected to ({type(error).__name__})"
        finally:
            self._socket = None
            if socket is not None:
                await _close(socket)

    def _headers(self) -> Mapping[str, str]:
        """Signed now: a signature is good for seconds."""
        signed = self._signer.headers("GET", WEBSOCKET_PATH, self._clock())
        return {"User-Agent": USER_AGENT, **signed}

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> str:
        self._socket = socket
        self._now = self._alive_at = self._clock()
        self._reconnect_reason = ""
        self.session.connected(self._now)
        self._wish.set()
        helpers = [
            asyncio.create_task(self._talk(socket)),
            asyncio.create_task(self._watch(socket)),
        ]
        try:
            return await self._drain(socket)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _drain(  # noqa: C901  # one loop without calls: it is the hot path
        self, socket: aiohttp.ClientWebSocketResponse[bool]
    ) -> str:
        """Take every message at once; this loop must never wait for a reader."""
        receive, session_receive, heard = socket.receive, self.session.receive, self._heard
        text, book_changed, bells = WSMsgType.TEXT, e.BookChanged, self.bells
        taken = 0
        while True:
            message = await receive()
            if message.type is text:
                events = session_receive(message.data, self._now)
                if events:
                    first = events[0]
                    if isinstance(first, book_changed):
                        # Hundreds of thousands of these a second may come, each alone.
                        for bell in bells.get(first.ticker, ()):
                            if not bell.is_rung:
                                bell.ring()
                    else:
                        heard(events)
                taken += 1
                if taken % _IN_ONE_GO == 0:
                    # A burst must not keep the pings, the commands and the readers waiting.
                    self._note_alive()
                    await asyncio.sleep(0)
                continue
            self._note_alive()
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                heard(session_receive(message.data, self._now))
            elif message.type is not WSMsgType.PONG:
                is_error = message.type is WSMsgType.ERROR
                return self._reconnect_reason or _ending(socket.close_code, is_error=is_error)

    def _note_alive(self) -> None:
        self._now = self._alive_at = self._clock()

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Send what the session has to say, whenever there is something."""
        while True:
            await self._wish.wait()
            self._wish.clear()
            for command in self.session.commands():
                with suppress(ConnectionError, aiohttp.ClientError):
                    await socket.send_str(command.decode())

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Keep the time, and notice when nothing comes any more."""
        ticks = 0
        while True:
            before = self.session.frames
            await self._sleep(_TICK)
            self._now = self._clock()
            if self.session.frames != before:
                self._alive_at = self._now
            elif self._now - self._alive_at > self._options.silence:
                self.counts["silences"] += 1
                await self._give_up(
                    socket, f"nothing came for {self._options.silence / SECOND:g} s"
                )
                return
            ticks += 1
            if ticks % _TICKS_A_SECOND == 0:
                self._tell(self.session.tick(self._now))
            if self._reconnect_reason:
                await self._give_up(socket, self._reconnect_reason)
                return
            self._wish.set()

    async def _give_up(self, socket: aiohttp.ClientWebSocketResponse[bool], reason: str) -> None:
        self._reconnect_reason = reason
        await _close(socket)

    def _tell(self, events: Sequence[e.Event]) -> None:
        if events:
            self._heard(events)

    def reconnect(self, reason: str) -> None:
        """Give this connection up at the next tick."""
        self._reconnect_reason = self._reconnect_reason or reason

    async def stop(self) -> None:
        """Close the connection politely."""
        if self._socket is not None:
            await self._give_up(self._socket, "closed by us")


def _ending(code: int | None, *, is_error: bool) -> str:
    if is_error:
        return "the connection broke"
    return f"the exchange closed the connection (code {code})"


async def _close(socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
    """Say goodbye, but do not wait long for somebody who may be gone."""
    with suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await socket.close()


class _Refusal(Exception):
    """The handshake was answered with a status instead of a connection."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the exchange refused the connection: {status} {message}".strip())
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Whether trying again makes sense.  A signature may have been a little too old."""
        return (
            self.status >= _SERVER_ERROR or self.status in _PASSING or self.status in _UNAUTHORIZED
        )


def _failure(host: str, refusal: _Refusal) -> ExchangeRefused:
    if refusal.status in _UNAUTHORIZED:
        return NotAuthorized(
            f"{host} does not accept the key for its stream ({refusal.status})",
            status=refusal.status,
            remedy="Check the key id, that the key belongs to this venue, and the clock: "
            "`trueup doctor`.",
        )
    return ExchangeRefused(f"{host}: {refusal}", status=refusal.status)
