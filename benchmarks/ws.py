"""Order-book changes, decoded and applied: our client against a `websockets` + `json` client.

The same 260-byte changes of 20 markets come from another process over the loopback
interface.  What is measured is the time from the snapshots to the last change.  The
ceiling is what this machine does in memory without any socket: a bare msgspec decode
and one dictionary update.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import msgspec
import websockets
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.measure import Case, in_turn, plain, show
from benchmarks.ws_feeder import MARKETS, changes, feeding, snapshots
from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.net.client import open_async_client
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.ws.channels import Channel
from trueup.wire.ws.client_session import ClientSession
from trueup.wire.ws.client_subscription import ChannelOptions

COUNT = 200_000
ROUNDS = 5
NOW = Instant(1_790_000_000_000_000)
SUBSCRIBE = {
    "id": 1,
    "cmd": "subscribe",
    "params": {
        "channels": ["orderbook_delta"],
        "market_tickers": MARKETS,
        "use_yes_price": False,
    },
}


# -- in memory -----------------------------------------------------------------


class _Body(msgspec.Struct, gc=False):
    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: str


class _Change(msgspec.Struct, gc=False):
    seq: int
    msg: _Body


def bare(frames: list[bytes]) -> None:
    """The ceiling: decode four fields, update one dictionary, check nothing."""
    decode = msgspec.json.Decoder(_Change).decode
    books: dict[str, dict[tuple[str, str], int]] = {market: {} for market in MARKETS}
    for frame in frames:
        body = decode(frame).msg
        levels, key = books[body.market_ticker], (body.side, body.price_dollars)
        delta = body.delta_fp
        levels[key] = levels.get(key, 0) + int(delta[:-3] + delta[-2:])


def session(frames: list[bytes]) -> None:
    """Our session and books: sequence, both prices, levels below zero, all of it."""
    client = ClientSession()
    client.connected(NOW)
    options = ChannelOptions(use_yes_price=False)
    client.subscribe(Channel.ORDERBOOK, MARKETS, now=NOW, options=options)
    client.receive('{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}', NOW)
    for frame in snapshots():
        client.receive(frame, NOW)
    receive = client.receive
    for frame in frames:
        receive(frame, NOW)
    assert client.counts["gap"] == client.counts["negative level"] == 0
    assert client.frames == len(frames) + len(MARKETS) + 1


# -- over a socket -------------------------------------------------------------


async def with_websockets(port: int) -> float:
    """What people write: `websockets`, `json.loads`, a dictionary a side, a check of seq."""
    books: dict[str, dict[str, dict[str, float]]] = {}
    url = f"ws://127.0.0.1:{port}/trade-api/ws/v2"
    async with websockets.connect(url, max_size=None, compression=None) as socket:
        await socket.send(json.dumps(SUBSCRIBE))
        last = 0
        while last < len(MARKETS):
            message = json.loads(await socket.recv())
            if message["type"] != "orderbook_snapshot":
                continue
            body, last = message["msg"], message["seq"]
            books[body["market_ticker"]] = {
                side: {price: float(count) for price, count in body[f"{side}_dollars_fp"]}
                for side in ("yes", "no")
            }
        started = time.perf_counter()
        await socket.send('{"id":2,"cmd":"list_subscriptions"}')
        async for text in socket:
            message = json.loads(text)
            if message["seq"] != last + 1:
                raise ValueError(message["seq"])
            last, body = last + 1, message["msg"]
            levels, price = books[body["market_ticker"]][body["side"]], body["price_dollars"]
            count = levels.get(price, 0.0) + float(body["delta_fp"])
            if count > 0:
                levels[price] = count
            else:
                levels.pop(price, None)
        seconds = time.perf_counter() - started
    assert last == len(MARKETS) + COUNT
    return seconds


async def with_trueup(port: int) -> float:
    """Our client as anybody uses it."""

    async def sleep(microseconds: int) -> None:
        await asyncio.sleep(microseconds / SECOND)

    client = open_async_client(
        resolve_endpoint(Venue.SANDBOX, f"http://127.0.0.1:{port}"),
        signer_for("key", Ed25519PrivateKey.generate()),
        clock=lambda: Instant(time.time_ns() // 1000),
        sleep=sleep,
        chance=random.Random(1),  # noqa: S311
    )
    async with client:
        # The feeder knows one subscription: wish for all markets before anything is said.
        waiting = [asyncio.create_task(client.watch_book(Ticker(one))) for one in MARKETS]
        await asyncio.gather(*waiting)
        line = client.streams.line
        assert line is not None
        started = time.perf_counter()
        line.session.ask_subscriptions()
        line.wish()
        while line.is_connected:  # noqa: ASYNC110  # a poll every 10 ms costs little
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - started
        assert line.session.frames == COUNT + len(MARKETS) + 1
        assert line.session.counts["gap"] == line.session.counts["negative level"] == 0
    return seconds


def main() -> None:
    """Run all cases and print the two tables."""
    frames = changes(COUNT)
    title = f"{COUNT:,} order-book changes decoded and applied, in memory"
    cases = {
        "bare msgspec + dict (ceiling)": plain(lambda: bare(frames)),
        "trueup session + books": plain(lambda: session(frames)),
    }
    timings = in_turn(cases, rounds=ROUNDS)
    show(
        title,
        timings,
        peer="bare msgspec + dict (ceiling)",
        per=dict.fromkeys(timings, COUNT),
        unit="change",
    )
    with feeding(COUNT) as port:
        peers: dict[str, Case] = {
            "websockets + json": _over(port, with_websockets),
            "trueup client": _over(port, with_trueup),
        }
        timings = in_turn(peers, rounds=ROUNDS)
    title = f"{COUNT:,} order-book changes over a socket"
    show(title, timings, peer="websockets + json", per=dict.fromkeys(timings, COUNT), unit="change")


def _over(port: int, run: Callable[[int], Coroutine[Any, Any, float]]) -> Case:
    """A round over a connection of its own.  Connecting is a part of both in the same way."""

    @contextmanager
    def case() -> Generator[Callable[[], object]]:
        yield lambda: asyncio.run(run(port))

    return case
