"""The WebSocket over real sockets: handshake, acks, books, private channels, slow readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast

import aiohttp
import msgspec
import pytest
from asker import Asker
from served_floor import MAKER, OPENED, OTHER, TICKER, US, RunningClock, ServedFloor

from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Subaccount
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.net.acceptor.gate import Caller
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import KeyPair, new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.acceptor.stream import Connection, Markets, StreamTerms
from trueup.net.signer import Signer, signer_for
from trueup.sim import commands as c
from trueup.wire.signing import WEBSOCKET_PATH
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.server_session import ServerSession

T = TypeVar("T")
Tree = dict[str, Any]
MAKERS_KEY = new_ed25519_pair("maker", member=MAKER)
SECONDS_MAX = 90

_numbers = count(1)


@dataclass
class Stream:
    """One connection of a test."""

    socket: aiohttp.ClientWebSocketResponse

    async def say(self, command: str, command_id: int = 1, **params: object) -> None:
        await self.socket.send_json({"id": command_id, "cmd": command, "params": params})

    async def hear(self) -> Tree:
        message = await self.socket.receive(timeout=SECONDS_MAX)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        text = cast("str", message.data)
        assert text.endswith("}\n")
        return cast("Tree", msgspec.json.decode(text))

    async def hear_type(self, kind: str) -> Tree:
        """The next message of a type, whatever comes before it."""
        while (heard := await self.hear())["type"] != kind:
            pass
        return heard


class Desk:
    """A served floor, and the means to connect to it."""

    def __init__(self, server: SandboxServer, clock: RunningClock) -> None:
        self.server = server
        self.clock = clock
        self.asker = Asker(server, clock)
        self.signer: Signer = self.asker.signer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}{WEBSOCKET_PATH}"

    def headers(self, signer: Signer | None = None) -> dict[str, str]:
        return (signer or self.signer).headers("GET", WEBSOCKET_PATH, self.clock())

    def run(self, play: Callable[[Stream], Awaitable[T]], signer: Signer | None = None) -> T:
        async def connected() -> T:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(self.url, headers=self.headers(signer)) as socket,
            ):
                return await asyncio.wait_for(play(Stream(socket)), SECONDS_MAX)

        return asyncio.run(connected())

    async def step(self, command: c.Command) -> None:
        await asyncio.to_thread(self.server.step, command)

    async def order(
        self, member: c.Member, side: Side, size: str, price: str, *, subaccount: int = 0
    ) -> OrderId:
        number = next(_numbers)
        order_id = OrderId(f"11111111-0000-4000-8000-{number:012d}")
        await self.step(
            c.PlaceOrder(
                at=self.clock(),
                member=member,
                subaccount=Subaccount(subaccount),
                order_id=order_id,
                client_order_id=ClientOrderId(f"streamed-{number}"),
                ticker=TICKER,
                side=side,
                price=Price.parse(price),
                count=Count.parse(size),
            )
        )
        return order_id


Open = Callable[..., Desk]


@pytest.fixture
def open_desk() -> Iterator[Open]:
    desks: list[Desk] = []

    def start(*, streams: StreamTerms | None = None, pair: KeyPair | None = None) -> Desk:
        floor = ServedFloor(cash="1000")
        floor.quote("0.47", "0.52")
        clock = RunningClock(floor.now)
        server = SandboxServer(
            floor.world(),
            clock=clock,
            settings=Settings(limits=UNLIMITED, streams=streams),
            pair=pair,
            keys=[MAKERS_KEY.registered],
        )
        server.start()
        desks.append(Desk(server, clock))
        return desks[-1]

    yield start
    for desk in desks:
        desk.asker.close()
        desk.server.stop()


@pytest.fixture
def desk(open_desk: Open) -> Desk:
    return open_desk()


# -- handshake ---------------------------------------------------------------------------------


def refused(desk: Desk, headers: dict[str, str]) -> int:
    async def knock() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(desk.url, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return asyncio.run(knock())


def test_a_stream_opens_with_a_good_signature_only(desk: Desk) -> None:
    good = desk.headers()
    rest_path = desk.signer.headers("GET", "/trade-api/v2/ws", desk.clock())
    stranger = signer_for("nobody", new_ed25519_pair("nobody").private)

    assert refused(desk, good) == 101
    assert refused(desk, {}) == 401
    assert refused(desk, rest_path) == 401
    assert refused(desk, desk.headers(stranger)) == 401


def test_a_key_that_may_only_write_opens_no_stream(open_desk: Open) -> None:
    desk = open_desk(pair=new_ed25519_pair("narrow", scopes=("write::trade",)))

    assert refused(desk, desk.headers()) == 403


def test_the_path_without_an_upgrade_is_a_bad_request(desk: Desk) -> None:
    async def ask() -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(desk.url, headers=desk.headers()) as answer,
        ):
            return answer.status

    assert asyncio.run(ask()) == 400


def test_the_exchange_pings_with_a_heartbeat(open_desk: Open) -> None:
    desk = open_desk(streams=StreamTerms(ping_seconds=0.05))

    async def listen() -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(desk.url, headers=desk.headers(), autoping=False) as socket,
        ):
            message = await socket.receive(timeout=SECONDS_MAX)
            assert message.type is aiohttp.WSMsgType.PING
            return cast("bytes", message.data)

    assert asyncio.run(listen()) == b"heartbeat"


def test_who_does_not_answer_pings_is_dropped(open_desk: Open) -> None:
    desk = open_desk(streams=StreamTerms(ping_seconds=0.05, silence_seconds=0.2))

    async def listen() -> aiohttp.WSMsgType:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(desk.url, headers=desk.headers(), autoping=False) as socket,
        ):
            while True:
                message = await socket.receive(timeout=SECONDS_MAX)
                if message.type is not aiohttp.WSMsgType.PING:
                    return message.type

    assert asyncio.run(listen()) in {
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.ERROR,
    }


# -- public channels ---------------------------------------------------------------------------


def test_a_book_begins_with_a_snapshot_and_goes_on_by_deltas(desk: Desk) -> None:
    async def play(stream: Stream) -> list[Tree]:
        await stream.say(
            "subscribe",
            channels=["orderbook_delta", "trade"],
            market_tickers=[TICKER],
            use_yes_price=False,
        )
        heard = [await stream.hear() for _ in range(3)]
        await desk.order(US, Side.YES, "2", "0.48")
        heard.append(await stream.hear())
        await desk.order(MAKER, Side.NO, "1", "0.48")
        return [*heard, await stream.hear(), await stream.hear()]

    first, second, snapshot, placed, *traded = desk.run(play)

    acks = {
        one["msg"]["channel"]: one["msg"]["sid"]
        for one in (first, second, snapshot)
        if one["type"] == "subscribed"
    }
    (book,) = [one for one in (first, second, snapshot) if one["type"] == "orderbook_snapshot"]
    assert set(acks) == {"orderbook_delta", "trade"}
    assert (book["sid"], book["seq"]) == (acks["orderbook_delta"], 1)
    assert book["msg"]["yes_dollars_fp"] == [["0.4700", "3.00"]]
    assert book["msg"]["no_dollars_fp"] == [["0.4800", "3.00"]]
    assert (placed["type"], placed["seq"]) == ("orderbook_delta", 2)
    assert placed["msg"]["delta_fp"] == "2.00"
    assert placed["msg"]["client_order_id"].startswith("streamed-")
    by_type = {one["type"]: one for one in traded}
    assert by_type["orderbook_delta"]["msg"]["delta_fp"] == "-1.00"
    assert by_type["trade"]["msg"]["taker_book_side"] == "ask"


def test_only_its_owner_reads_the_name_of_an_order_off_the_book(desk: Desk) -> None:
    async def play(stream: Stream) -> Tree:
        await stream.say("subscribe", channels=["orderbook_delta"], market_tickers=[TICKER])
        await stream.hear_type("orderbook_snapshot")
        await desk.order(MAKER, Side.YES, "2", "0.46")
        return await stream.hear_type("orderbook_delta")

    heard = desk.run(play)

    assert "client_order_id" not in heard["msg"]
    assert "subaccount" not in heard["msg"]


def test_the_ticker_channel_tells_the_top(desk: Desk) -> None:
    async def play(stream: Stream) -> Tree:
        await stream.say("subscribe", channels=["ticker"])
        await stream.hear_type("subscribed")
        await desk.order(MAKER, Side.YES, "2", "0.49")
        return await stream.hear_type("ticker")

    heard = desk.run(play)["msg"]

    assert (heard["yes_bid_dollars"], heard["yes_ask_dollars"]) == ("0.4900", "0.5200")
    assert heard["yes_bid_size_fp"] == "2.00"


def test_what_is_decided_about_a_market_is_told_and_its_opening_is_not(desk: Desk) -> None:
    async def play(stream: Stream) -> list[Tree]:
        await stream.say("subscribe", channels=["market_lifecycle_v2"])
        await stream.hear_type("subscribed")
        await desk.step(c.PauseMarket(at=desk.clock(), ticker=OTHER))
        await desk.step(c.CloseMarket(at=desk.clock(), ticker=TICKER))
        await desk.step(
            c.DetermineMarket(
                at=desk.clock(), ticker=TICKER, result=MarketResult.NO, value=Price.parse("0")
            )
        )
        heard: list[Tree] = []
        while not heard or heard[-1]["msg"]["event_type"] != "determined":
            heard.append(await stream.hear())
        return heard

    heard = desk.run(play)

    assert [one["msg"]["event_type"] for one in heard] == [
        "deactivated",
        "close_date_updated",
        "determined",
    ]
    assert heard[-1]["msg"]["result"] == "no"
    assert [one["seq"] for one in heard] == [1, 2, 3]


# -- private channels --------------------------------------------------------------------------


def test_fills_and_orders_are_told_to_their_member_only(desk: Desk) -> None:
    channels = ["fill", "user_orders", "market_positions"]

    async def play(stream: Stream) -> list[Tree]:
        await stream.say("subscribe", channels=channels)
        for _ in channels:
            await stream.hear_type("subscribed")
        await desk.order(MAKER, Side.YES, "1", "0.10")
        await desk.order(US, Side.YES, "2", "0.52")
        return [await stream.hear() for _ in range(4)]

    heard = desk.run(play)

    types = [one["type"] for one in heard]
    assert sorted(types) == ["fill", "market_position", "user_order", "user_order"]
    fill = heard[types.index("fill")]["msg"]
    assert (fill["count_fp"], fill["is_taker"], fill["post_position_fp"]) == ("2.00", True, "2.00")
    assert fill["client_order_id"].startswith("streamed-")
    orders = [one["msg"] for one in heard if one["type"] == "user_order"]
    assert {one["user_id"] for one in orders} == {US}
    assert orders[-1]["status"] == "executed"


def test_the_maker_hears_of_the_same_trade_as_a_maker(desk: Desk) -> None:
    async def play(stream: Stream) -> Tree:
        await stream.say("subscribe", channels=["fill"])
        await stream.hear_type("subscribed")
        await desk.order(US, Side.YES, "1", "0.52")
        return await stream.hear_type("fill")

    heard = desk.run(play, signer_for("maker", MAKERS_KEY.private))["msg"]

    assert (heard["is_taker"], heard["book_side"]) == (False, "ask")


def test_a_locked_key_hears_of_its_own_subaccount(open_desk: Open) -> None:
    desk = open_desk(pair=new_ed25519_pair("locked", subaccount=Subaccount(1)))

    async def play(stream: Stream) -> Tree:
        await desk.step(c.OpenSubaccount(at=desk.clock(), member=US, subaccount=Subaccount(1)))
        await desk.step(
            c.TransferSubaccount(
                at=desk.clock(),
                member=US,
                transfer_id="to-one",
                amount=Money.parse("10"),
                from_subaccount=PRIMARY,
                to_subaccount=Subaccount(1),
                shard=SHARD_ZERO,
            )
        )
        await stream.say("subscribe", channels=["user_orders"])
        await stream.hear_type("subscribed")
        await desk.order(US, Side.YES, "1", "0.11")
        await desk.order(US, Side.YES, "1", "0.12", subaccount=1)
        return await stream.hear_type("user_order")

    assert desk.run(play)["msg"]["yes_price_dollars"] == "0.1200"


# -- commands that make no sense ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{broken", 1),
        ('{"id":7,"cmd":"dance","params":{}}', 5),
        ('{"id":7,"cmd":"subscribe","params":{"channels":["gossip"]}}', 8),
        ('{"id":7,"cmd":"subscribe","params":{}}', 3),
        ('{"id":7,"cmd":"subscribe"}', 2),
        ('{"id":7,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}', 14),
        ('{"id":7,"cmd":"unsubscribe","params":{"sids":[99]}}', 7),
        ('{"id":7,"cmd":"update_subscription","params":{"sid":99,"action":"add_markets"}}', 7),
    ],
)
def test_a_senseless_command_is_answered_and_the_stream_goes_on(
    desk: Desk, text: str, error: int
) -> None:
    async def play(stream: Stream) -> tuple[Tree, Tree]:
        await stream.socket.send_str(text)
        first = await stream.hear()
        await stream.say("subscribe", channels=["trade"])
        return first, await stream.hear()

    first, then = desk.run(play)

    assert (first["type"], first["msg"]["code"]) == ("error", error)
    assert then["type"] == "subscribed"


# -- slow readers ------------------------------------------------------------------------------


def connection(waiting_max: int) -> tuple[Connection, ServerSession]:
    """A connection that nobody sends for: its frames wait for ever."""
    floor = ServedFloor()
    session = ServerSession(US, Markets(floor.exchange))
    terms = StreamTerms(frames_waiting_max=waiting_max)
    clock = RunningClock(floor.now)
    return Connection(session, Caller("key", US), terms, clock=clock), session


def test_who_reads_too_slowly_loses_the_subscription() -> None:
    slow, session = connection(waiting_max=5)
    session.receive(b'{"id":1,"cmd":"subscribe","params":{"channels":["trade"]}}', OPENED)

    slow.tell([b"frame"] * 5, Channel.TRADE)
    slow.tell([b"frame"], Channel.TRADE)

    (left,) = slow.waiting
    assert msgspec.json.decode(left)["msg"]["code"] == 25
    assert session.channels == frozenset()
    assert not slow.is_cut


def test_who_floods_and_never_reads_is_cut(open_desk: Open) -> None:
    """Answers to commands wait, too; who does not take them cannot make them pile up."""
    desk = open_desk(streams=StreamTerms(frames_waiting_max=200, compresses=False))

    async def play(stream: Stream) -> None:
        for cents in range(1, 47):
            await desk.order(MAKER, Side.YES, "1", f"0.{cents:02d}")
        await stream.say("subscribe", channels=["orderbook_delta"], market_tickers=[TICKER])
        wish = {"sid": 1, "action": "get_snapshot", "market_tickers": [TICKER]}
        with suppress(ConnectionError):
            for _ in range(20_000):
                await stream.say("update_subscription", 2, **wish)
        streams = desk.server.streams
        assert streams is not None
        while streams.connections:  # noqa: ASYNC110  # nothing rings
            await asyncio.sleep(0.01)

    desk.run(play)
    assert desk.asker.get("/portfolio/balance").status == 200


def test_the_server_stops_while_somebody_is_connected(desk: Desk) -> None:
    async def play(stream: Stream) -> aiohttp.WSMsgType:
        await stream.say("subscribe", channels=["trade"])
        await stream.hear()
        await asyncio.to_thread(desk.server.stop)
        return (await stream.socket.receive(timeout=SECONDS_MAX)).type

    assert desk.run(play) in {
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.CLOSING,
        aiohttp.WSMsgType.ERROR,
    }
