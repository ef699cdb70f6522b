"""A process that speaks just enough WebSocket to push order-book changes as fast as a socket takes them.

It answers one subscription with its acknowledgement and a snapshot for every market, and
then writes changes that were framed beforehand, so that it costs the readers as little
as possible of the machine.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import multiprocessing
import random
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection

MARKETS = [f"KXBTC15M-26MAY1101{number:02}-{number:02}" for number in range(20)]
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CHUNK = 1 << 20
_SHORT, _MEDIUM = 126, 1 << 16


def snapshots() -> list[bytes]:
    """A book of 40 levels a side for every market."""
    frames: list[bytes] = []
    for seq, market in enumerate(MARKETS, start=1):
        yes = [[f"0.{price:02}00", "10000.00"] for price in range(5, 45)]
        no = [[f"0.{price:02}00", "10000.00"] for price in range(5, 45)]
        frames.append(
            json.dumps(
                {
                    "type": "orderbook_snapshot",
                    "sid": 1,
                    "seq": seq,
                    "msg": {
                        "market_ticker": market,
                        "market_id": "9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1",
                        "yes_dollars_fp": yes,
                        "no_dollars_fp": no,
                    },
                },
                separators=(",", ":"),
            ).encode()
        )
    return frames


def changes(count: int) -> list[bytes]:
    """Changes as they are on the wire, 260 bytes each; levels stay above zero."""
    chance = random.Random(7)  # noqa: S311
    frames: list[bytes] = []
    for seq in range(len(MARKETS) + 1, len(MARKETS) + 1 + count):
        sign, size = ("", chance.randrange(1, 400_00)) if seq % 2 else ("-", 1)
        whole, rest = divmod(size, 100)
        frames.append(
            (
                f'{{"type":"orderbook_delta","sid":1,"seq":{seq},"msg":{{"market_ticker":'
                f'"{chance.choice(MARKETS)}","market_id":"9b0f6b43-5b68-4f9f-9f02-9a2d1b8ac1a1",'
                f'"price_dollars":"0.{chance.randrange(5, 45):02}00","delta_fp":'
                f'"{sign}{whole}.{rest:02}","side":"{chance.choice(("yes", "no"))}",'
                f'"ts":"2026-07-01T02:31:45.308599Z","ts_ms":1782873105308}}}}\n'
            ).encode()
        )
    return frames


def framed(payload: bytes, opcode: int = 1) -> bytes:
    """One unmasked WebSocket frame."""
    size = len(payload)
    if size < _SHORT:
        head = bytes((0x80 | opcode, size))
    elif size < _MEDIUM:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + payload


@contextmanager
def feeding(count: int) -> Generator[int]:
    """A feeder in a process of its own; its port."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(count, theirs), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(count: int, told: Connection) -> None:
    asyncio.run(_run(count, told))


async def _run(count: int, told: Connection) -> None:
    beginning = b"".join(framed(one) for one in snapshots())
    stream = b"".join(framed(one) for one in changes(count))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b":")[1].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        await reader.read(_CHUNK)
        ack = b'{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}'
        writer.write(framed(ack) + beginning)
        await reader.read(_CHUNK)
        for start in range(0, len(stream), _CHUNK):
            writer.write(stream[start : start + _CHUNK])
            await writer.drain()
        writer.write(framed(b"\x03\xe8", 8))
        await writer.drain()
        await reader.read(_CHUNK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=_CHUNK)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()
