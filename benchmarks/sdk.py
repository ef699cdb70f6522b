"""Signed requests: our two clients against the official SDKs, on the same local server.

One call of `GET /portfolio/balance` after the other with an RSA key (the SDKs that
Python 3.11 can install know no other), and for the event loop 16 at a time.  The
server is a process of its own that answers from memory.

    pip install kalshi_python_sync kalshi_python_async
"""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.exchange_stub import COSTS, LIMITS
from benchmarks.measure import in_turn, plain, show
from trueup.core.instant import SECOND, Instant
from trueup.net.client import open_async_client, open_client
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.wire.rest import portfolio

CALLS = 400
AT_ONCE = 16
ROUNDS = 5
_BALANCE = {"balance": 9801, "balance_dollars": "98.0186", "portfolio_value": 0, "updated_ts": 1}


def _answer(body: object) -> bytes:
    text = json.dumps(body).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(text) + text


def _serve(told: Connection) -> None:
    answers = {b"/account/limits": _answer(LIMITS), b"/account/endpoint_costs": _answer(COSTS)}
    balance = _answer(_BALANCE)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].removeprefix(b"/trade-api/v2")
                writer.write(answers.get(path, balance))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def serving() -> Generator[int]:
    """The server; its port."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _configuration(sdk: Any, port: int, key: RSAPrivateKey) -> Any:
    configuration = sdk.Configuration(host=f"http://127.0.0.1:{port}/trade-api/v2")
    configuration.api_key_id = "key"
    form = PrivateFormat.TraditionalOpenSSL
    configuration.private_key_pem = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    return configuration


def _all_at_once(call: Callable[[], Awaitable[object]]) -> Awaitable[object]:
    async def some() -> None:
        for _ in range(CALLS // AT_ONCE):
            await call()

    return asyncio.gather(*(some() for _ in range(AT_ONCE)))


def _blocking(port: int, key: RSAPrivateKey) -> None:
    sdk = importlib.import_module("kalshi_python_sync")
    theirs = sdk.KalshiClient(_configuration(sdk, port, key))
    ours = open_client(
        resolve_endpoint(Venue.SANDBOX, f"http://127.0.0.1:{port}"),
        signer_for("key", key),
        clock=_now,
        sleep=lambda microseconds: time.sleep(microseconds / SECOND),
        chance=random.Random(1),  # noqa: S311
    )
    with ours:
        ours.learn_limits()

        def peer() -> None:
            for _ in range(CALLS):
                assert theirs.get_balance().balance == _BALANCE["balance"]

        def own() -> None:
            for _ in range(CALLS):
                assert ours.send(portfolio.balance()).low.units == 98_018_600

        name = f"kalshi_python_sync {version('kalshi_python_sync')}"
        timings = in_turn({name: plain(peer), "trueup, blocking": plain(own)}, rounds=ROUNDS)
    title = f"{CALLS} signed requests, one after the other"
    show(title, timings, peer=name, per=dict.fromkeys(timings, CALLS), unit="request")


def _awaiting(port: int, key: RSAPrivateKey) -> None:
    sdk = importlib.import_module("kalshi_python_async")
    name = f"kalshi_python_async {version('kalshi_python_async')}"

    async def sleep(microseconds: int) -> None:
        await asyncio.sleep(microseconds / SECOND)

    async def peer() -> None:
        async with sdk.KalshiClient(_configuration(sdk, port, key)) as client:
            await _all_at_once(client.get_balance)

    async def own() -> None:
        client = open_async_client(
            resolve_endpoint(Venue.SANDBOX, f"http://127.0.0.1:{port}"),
            signer_for("key", key),
            clock=_now,
            sleep=sleep,
            chance=random.Random(1),  # noqa: S311
        )
        async with client:
            await client.learn_limits()
            await _all_at_once(lambda: client.send(portfolio.balance()))

    cases = {
        name: plain(lambda: asyncio.run(peer())),
        "trueup, event loop": plain(lambda: asyncio.run(own())),
    }
    timings = in_turn(cases, rounds=ROUNDS)
    title = f"{CALLS} signed requests, {AT_ONCE} at a time"
    show(title, timings, peer=name, per=dict.fromkeys(timings, CALLS), unit="request")


def _now() -> Instant:
    return Instant(time.time_ns() // 1000)


def main() -> None:
    """Both tables, or what has to be installed first."""
    try:
        for name in ("kalshi_python_sync", "kalshi_python_async"):
            version(name)
    except PackageNotFoundError as missing:
        sys.stderr.write(
            f"sdk: left out, {missing.name} is not installed (see benchmarks/sdk.py)\n"
        )
        return
    key = generate_private_key(public_exponent=65537, key_size=2048)
    with serving() as port:
        _blocking(port, key)
        _awaiting(port, key)
