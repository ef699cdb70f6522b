"""The WebSocket of the sandbox: real sockets around the exchange's session machine.

The hub listens to the floor.  What the streams tell of an event is encoded once
and handed to every connection that wants it; each connection has its own task
that sends, and a bound on what may wait for a slow reader.  Whoever does not
read loses the fullest of its subscriptions first (error 25), whoever does not
answer pings the connection.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType, web

from trueup.core import announcements as a
from trueup.core.ids import Subaccount, Ticker
from trueup.core.orderbook import BookSnapshot
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Caller, Clock, Gate
from trueup.net.acceptor.replies import Reply
from trueup.sim.announcing import announcements, snapshot, top
from trueup.sim.commands import Member
from trueup.sim.events import BookChanged, Event
from trueup.sim.exchange import Exchange
from trueup.wire.signing import WEBSOCKET_PATH
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.publication import Publication
from trueup.wire.ws.server_session import HEARTBEAT, ServerSession, SessionLimits

FRAMES_WAITING_MAX: Final = 20_000
"""How many frames may wait for a slow reader."""

_MESSAGE_BYTES_MAX: Final = 64 << 20
_MARKETS: Final = UUID("0b1f3c86-54c1-4b52-9a53-3d6f5f9c7a10")
"""The name space of market ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTerms:
    """How the exchange treats connections.

    `ping_seconds` lie between two pings; after `silence_seconds` without an
    answer the connection is dropped.  `compresses` accepts permessage-deflate
    (since September 2026); with `tells_clock` books carry the exchange's clock;
    `limits` are those of the session.
    """

    ping_seconds: float = 10.0
    silence_seconds: float = 30.0
    frames_waiting_max: int = FRAMES_WAITING_MAX
    compresses: bool = True
    tells_clock: bool = True
    limits: SessionLimits = field(default_factory=SessionLimits)


class Markets:
    """What the session machine asks about markets, and the exchange's clock of each book.

    The clock counts the steps of the floor; several changes of one step share it.
    """

    def __init__(self, exchange: Exchange, *, tells_clock: bool = True) -> None:
        self._exchange = exchange
        self._tells_clock = tells_clock
        self._clocks: dict[Ticker, int] = {}
        self.clock = 0
        self._tickers: dict[str, Ticker] = {}
        self._ids: dict[Ticker, str] = {}

    @property
    def tells_clock(self) -> bool:
        """Whether books and their changes carry the exchange's clock."""
        return self._tells_clock

    def hear(self, events: tuple[Event, ...]) -> None:
        """Take note of a step."""
        self.clock += 1
        for event in events:
            if isinstance(event, BookChanged):
                self._clocks[event.terms.ticker] = self.clock

    def book(self, ticker: Ticker) -> BookSnapshot | None:
        """The order book at this moment; `None` for a market that does not exist."""
        state = self._exchange.books.listings.markets.get(ticker)
        return None if state is None else snapshot(state, clock=self._clocks.get(ticker, 0))

    def top(self, ticker: Ticker) -> a.TickerAnnounced | None:
        """What the ticker channel would say of a market at this moment."""
        state = self._exchange.books.listings.markets.get(ticker)
        return None if state is None else top(self._exchange, state)

    def market_id(self, ticker: Ticker) -> str:
        """The market's UUID; empty for a market that does not exist."""
        known = self._ids.get(ticker)
        if known is None:
            if ticker not in self._exchange.books.listings.markets:
                return ""
            known = self._ids[ticker] = str(uuid5(_MARKETS, ticker))
            self._tickers[known] = ticker
        return known

    def ticker_of(self, market_id: str) -> Ticker | None:
        """The market with this UUID."""
        if market_id not in self._tickers:
            for ticker in self._exchange.books.listings.markets:
                self.market_id(ticker)
        return self._tickers.get(market_id)


class Connection:
    """One client: its session, and what waits to be sent to it."""

    def __init__(
        self, session: ServerSession, caller: Caller, terms: StreamTerms, *, clock: Clock
    ) -> None:
        self.session = session
        self.caller = caller
        self._terms = terms
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._of_channel: Counter[Channel] = Counter()
        self._wake = asyncio.Event()
        self.is_cut = False

    @property
    def waiting(self) -> tuple[bytes, ...]:
        """The frames that have not been sent yet, oldest first."""
        return tuple(self._waiting)

    def hears(self, member: Member | None, subaccount: Subaccount | None) -> bool:
        """Whether a key that is locked to one subaccount may hear of this one."""
        locked = self.caller.subaccount
        return locked is None or member != self.caller.member or subaccount in {None, locked}

    def tell(self, frames: list[bytes], channel: Channel | None = None) -> None:
        """Let frames wait to be sent.  Too many, and the fullest subscription ends."""
        if not frames or self.is_cut:
            return
        self._waiting.extend(frames)
        if channel is not None:
            self._of_channel[channel] += len(frames)
        if len(self._waiting) > self._terms.frames_waiting_max:
            self._overflow()
        self._wake.set()

    def _overflow(self) -> None:
        (channel, _), *_ = self._of_channel.most_common(1) or [(None, 0)]
        ended = [] if channel is None else self.session.overflow(channel, self._clock())
        if not ended:
            # Nothing left to end, and still nobody reads.
            self.cut()
            return
        # What had been promised to it is dropped with it: a reader that comes back finds
        # the error, and nothing after it that it would have to sort out.
        self._waiting.clear()
        self._of_channel.clear()
        self._waiting.extend(ended)

    def cut(self) -> None:
        """End the connection without a word, as a broken line does."""
        self.is_cut = True
        self._wake.set()

    async def send_all(self, socket: web.WebSocketResponse) -> None:
        """Send what waits, for ever; returns when the connection is cut."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting and not self.is_cut:
                await socket.send_frame(self._waiting.popleft(), WSMsgType.TEXT)
            self._of_channel.clear()
            if self.is_cut:
                return


Deliver = Callable[[Connection, Publication, list[bytes]], None]
"""Hands the frames of a publication to a connection; faults do it badly on purpose."""


def deliver_whole(connection: Connection, publication: Publication, frames: list[bytes]) -> None:
    """Everything, in order."""
    connection.tell(frames, publication.channel)


class StreamHub:
    """All connections, and what they hear of the floor."""

    def __init__(
        self,
        floor: Floor,
        gate: Gate,
        terms: StreamTerms,
        *,
        clock: Clock,
        world_clock: Clock,
        deliver: Deliver = deliver_whole,
    ) -> None:
        self._floor = floor
        self._gate = gate
        self._terms = terms
        self._clock = clock
        self._world_clock = world_clock
        self._markets = Markets(floor.exchange, tells_clock=terms.tells_clock)
        self._connections: dict[Connection, None] = {}
        self.deliver = deliver
        floor.listen(self._hear)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Everybody who is connected, longest first."""
        return tuple(self._connections)

    def close(self) -> None:
        """End all connections: the server stops."""
        for connection in self.connections:
            connection.cut()

    # -- what happens ----------------------------------------------------------------------

    def _hear(self, events: tuple[Event, ...]) -> None:
        markets = self._markets
        markets.hear(events)
        if not self._connections:
            return
        wanted = {one for each in self._connections for one in each.session.channels}
        if not wanted:
            return
        for event in events:
            for told in announcements(self._floor.exchange, event, clock=markets.clock):
                publication = Publication(told.value, markets, user=told.member or "")
                if publication.channel in wanted:
                    self._publish(publication, told.member, told.subaccount)

    def _publish(
        self, publication: Publication, member: Member | None, subaccount: Subaccount | None
    ) -> None:
        now = self._clock()
        for connection in tuple(self._connections):
            if not connection.hears(member, subaccount):
                continue
            frames = connection.session.publish(publication, now)
            if frames:
                self.deliver(connection, publication, frames)

    # -- a connection ----------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Shake hands, and serve until one side leaves."""
        caller = self._gate.admit_stream(request.headers, path=WEBSOCKET_PATH)
        if isinstance(caller, Reply):
            return web.Response(
                status=caller.status, body=caller.body, content_type=caller.content_type
            )
        socket = web.WebSocketResponse(
            autoping=False, max_msg_size=_MESSAGE_BYTES_MAX, compress=self._terms.compresses
        )
        await socket.prepare(request)
        session = ServerSession(caller.member, self._markets, self._terms.limits)
        connection = Connection(session, caller, self._terms, clock=self._clock)
        self._connections[connection] = None
        try:
            await self._serve(connection, socket)
        finally:
            self._connections.pop(connection, None)
        return socket

    async def _serve(self, connection: Connection, socket: web.WebSocketResponse) -> None:
        heart = _Heart(self._terms)
        tasks = [
            asyncio.create_task(one)
            for one in (
                connection.send_all(socket),
                heart.beat(socket),
                self._receive(connection, socket, heart),
            )
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if connection.is_cut or heart.is_lost:
            _abort(socket)
        with suppress(ConnectionError, ClientConnectionResetError, asyncio.TimeoutError):
            await asyncio.wait_for(socket.close(code=WSCloseCode.GOING_AWAY), 1)

    async def _receive(
        self, connection: Connection, socket: web.WebSocketResponse, heart: _Heart
    ) -> None:
        async for message in socket:
            match message.type:
                case WSMsgType.TEXT | WSMsgType.BINARY:
                    self._floor.catch_up(self._world_clock())
                    frames = connection.session.receive(message.data, self._clock())
                    connection.tell(frames)
                case WSMsgType.PING:
                    await socket.pong(message.data)
                case WSMsgType.PONG:
                    heart.is_answered()
                case _:
                    return


class _Heart:
    """Pings every few seconds, and notices when nobody answers."""

    def __init__(self, terms: StreamTerms) -> None:
        self._terms = terms
        self._unanswered = 0
        self.is_lost = False

    def is_answered(self) -> None:
        """The client is alive."""
        self._unanswered = 0

    async def beat(self, socket: web.WebSocketResponse) -> None:
        """Ping for ever; returns when too many stay unanswered."""
        every = self._terms.ping_seconds
        while self._unanswered * every < self._terms.silence_seconds:
            await asyncio.sleep(every)
            self._unanswered += 1
            # A line that is full of unread frames must not stop the count.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(socket.ping(HEARTBEAT), every)
        self.is_lost = True


def _abort(socket: web.WebSocketResponse) -> None:
    """Drop the line at once: a close frame would wait behind everything unread."""
    transport = socket.get_extra_info("transport")
    request_transport = transport if isinstance(transport, asyncio.Transport) else None
    if request_transport is not None:
        request_transport.abort()
