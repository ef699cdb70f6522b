"""An exchange over real sockets that misbehaves on command, and a client in fast motion.

It speaks through the sandbox's own session machine; what it does badly is the line:
it drops connections, falls silent, refuses handshakes and forgets to tell.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from exchange_floor import Floor

from trueup.core import announcements as a
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker, TradeId
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.private_watch import Backing
from trueup.net.session import Options
from trueup.net.signer import signer_for
from trueup.net.streams import StreamOptions
from trueup.net.venues import Venue, resolve_endpoint
from trueup.net.ws import LineEvent, LineOptions
from trueup.wire.rest import encode
from trueup.wire.signing import WEBSOCKET_PATH
from trueup.wire.ws.server_session import HEARTBEAT, ServerSession

T = TypeVar("T")

FED, CPI = Ticker("KXFED-26DEC-T3.75"), Ticker("KXCPI-26NOV-T0.3")
NOON = Instant(1_790_000_000_000_000)
SPEED = 200
"""How much faster than ours the client's time runs."""

SECONDS_MAX = 90


class FastTime:
    """A clock that goes on while somebody sleeps, and a sleep that is short."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Instant:
        self.now = Instant(self.now + 10)
        return self.now

    async def sleep(self, microseconds: int) -> None:
        await asyncio.sleep(microseconds / SECOND / SPEED)
        self.now = Instant(self.now + microseconds)


@dataclass
class BadExchange:
    """What it knows, whom it talks to, and how it behaves."""

    floor: Floor = field(default_factory=lambda: Floor(FED, CPI))
    fills: list[Filled] = field(default_factory=list[Filled])
    orders: list[OrderReported] = field(default_factory=list[OrderReported])
    refuses: list[int] = field(default_factory=list[int])
    """Statuses with which the next handshakes are answered."""
    is_silent: bool = False
    door: asyncio.Event = field(default_factory=asyncio.Event)
    """Handshakes are answered while it is set; else they wait."""
    stamps: list[str] = field(default_factory=list[str])
    lines: list[tuple[ServerSession, web.WebSocketResponse]] = field(
        default_factory=list[tuple[ServerSession, web.WebSocketResponse]]
    )
    time: FastTime = field(default_factory=FastTime)

    def __post_init__(self) -> None:
        self.door.set()

    async def tell(self, value: a.Announcement, *, user: str = "") -> None:
        """Tell every connection."""
        publication = self.floor.publication(value, user=user)
        for session, socket in self.lines:
            for frame in session.publish(publication, self.time.now):
                await self.send(socket, frame)

    async def send(self, socket: web.WebSocketResponse, frame: bytes) -> None:
        if not self.is_silent:
            await socket.send_str(frame.decode())

    async def say(self, text: str) -> None:
        """Send any text to every connection."""
        for _, socket in self.lines:
            await socket.send_str(text)

    async def drop(self) -> None:
        """Break all connections."""
        for _, socket in list(self.lines):
            await socket.close()

    async def trade(self, ticker: Ticker, side: Side, price: int, count: int) -> None:
        await self.tell(self.floor.change(ticker, side, price, count))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self.stamps.append(request.headers["KALSHI-ACCESS-TIMESTAMP"])
        await self.door.wait()
        if self.refuses:
            return web.Response(status=self.refuses.pop(0))
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        line = (ServerSession("me", self.floor), socket)
        self.lines.append(line)
        try:
            if not self.is_silent:
                await socket.ping(HEARTBEAT)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    for frame in line[0].receive(message.data, self.time.now):
                        await self.send(socket, frame)
        finally:
            self.lines.remove(line)
        return socket

    async def list_fills(self, request: web.Request) -> web.Response:
        since = int(request.query["min_ts"]) * SECOND
        rows = [encode.fill(one) for one in reversed(self.fills) if one.at >= since]
        return web.Response(body=encode.to_json(encode.page("fills", rows)))

    async def list_orders(self, request: web.Request) -> web.Response:
        status = request.query.get("status")
        since = int(request.query.get("min_ts", 0)) * SECOND
        rows = [
            encode.order(one)
            for one in self.orders
            if one.created_at >= since and status in {None, one.status.value}
        ]
        return web.Response(body=encode.to_json(encode.page("orders", rows)))

    async def one_order(self, request: web.Request) -> web.Response:
        for one in self.orders:
            if one.order_id == request.match_info["id"]:
                return web.Response(body=encode.to_json({"order": encode.order(one)}))
        return web.Response(
            status=404, body=b'{"error":{"code":"not_found","message":"not found"}}'
        )


@dataclass
class Play:
    """What a test works with."""

    exchange: BadExchange
    client: AsyncClient
    events: list[LineEvent]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        while not is_so():  # noqa: ASYNC110  # what is waited for sets no event
            await asyncio.sleep(0.002)


@asynccontextmanager
async def served(exchange: BadExchange, **options: Any) -> AsyncGenerator[Play]:
    application = web.Application()
    application.router.add_get(WEBSOCKET_PATH, exchange.stream)
    application.router.add_get("/trade-api/v2/portfolio/fills", exchange.list_fills)
    application.router.add_get("/trade-api/v2/portfolio/orders", exchange.list_orders)
    application.router.add_get("/trade-api/v2/portfolio/orders/{id}", exchange.one_order)
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    events: list[LineEvent] = []
    client = open_async_client(
        resolve_endpoint(Venue.SANDBOX, f"http://127.0.0.1:{port}"),
        signer_for("key", Ed25519PrivateKey.generate()),
        clock=exchange.time,
        sleep=exchange.time.sleep,
        chance=random.Random(1),  # noqa: S311
        options=Options(),
    )
    client.stream_with(
        StreamOptions(
            line=LineOptions(silence=30 * SECOND),
            backing=Backing(every=MINUTE, settle=SECOND),
            on_event=events.append,
            **options,
        )
    )
    try:
        async with client:
            yield Play(exchange, client, events)
    finally:
        await exchange.drop()
        await runner.cleanup()


def play(
    story: Callable[[Play], Coroutine[Any, Any, T]],
    exchange: BadExchange | None = None,
    **options: Any,
) -> T:
    """Run a story against an exchange within bounded time."""

    async def run() -> T:
        async with served(exchange or BadExchange(), **options) as stage:
            async with asyncio.timeout(SECONDS_MAX):
                return await story(stage)

    return asyncio.run(run())


def a_fill(number: int, seconds: int = 0, ticker: Ticker = FED) -> Filled:
    return Filled(
        trade_id=TradeId(f"t{number}"),
        order_id=OrderId(f"o{number}"),
        ticker=ticker,
        side=Side.YES,
        count=Count.of_contracts(number),
        price=Price.of_cents(40),
        fee=Money.parse("0.01"),
        is_taker=True,
        at=Instant(NOON + seconds * SECOND),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def an_order(
    number: int, status: OrderStatus = OrderStatus.RESTING, *, filled: int = 0, seconds: int = 0
) -> OrderReported:
    return OrderReported(
        order_id=OrderId(f"o{number}"),
        client_order_id=ClientOrderId(f"c{number}"),
        ticker=FED,
        side=Side.YES,
        status=status,
        price=Price.of_cents(40),
        initial_count=Count.of_contracts(10),
        fill_count=Count.of_contracts(filled),
        remaining_count=Count.of_contracts(10 - filled)
        if status is OrderStatus.RESTING
        else ZERO_COUNT,
        taker_fees=ZERO_MONEY,
        maker_fees=ZERO_MONEY,
        taker_fill_cost=ZERO_MONEY,
        maker_fill_cost=ZERO_MONEY,
        created_at=NOON,
        updated_at=Instant(NOON + seconds * SECOND),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )
