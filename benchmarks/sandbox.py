"""How many orders a second the sandbox takes through HTTP, beside a server that does nothing.

    python -m benchmarks.sandbox [--orders N]

Every order is signed (Ed25519), sent over a kept connection by one of several
tasks of one client process, verified, matched, charged and answered by the
sandbox in another process.  The peer is the same web server and the same client
with a constant answer: what HTTP alone costs on this machine.  The figure that
counts is the server's: the client signs beforehand.  Beside the clock's figure
stands the one by the server's own processor time, which a busy machine and a slow
client do not spoil.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import aiohttp
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trueup.core.instant import Instant
from trueup.net.loops import loop_factory
from trueup.net.signer import Ed25519Signer
from trueup.wire.signing import REST_PREFIX

ROOT = Path(__file__).parents[1]
KEY_ID = "5a2d0b3e-7c41-4a8e-9d02-6b1f00c0ffee"
PATH = REST_PREFIX + "/portfolio/events/orders"
TICKER = "KXBENCH-26OCT14-A"
TASKS = 16
ORDERS = 6_000


# -- the servers, each in a process of its own -------------------------------------------------


async def serve_nothing() -> None:
    """The peer: reads a request and gives a constant answer."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=201, body=b"{}", content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], time.process_time(), flush=True)
    await asyncio.Event().wait()


async def serve_sandbox(key_file: Path) -> None:
    from benchmarks.sandbox_floor import floor, stations_of  # noqa: PLC0415  # this process only
    from trueup.net.acceptor.server import serve  # noqa: PLC0415

    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(stations_of(floor(), KEY_ID, key_file), 0, started=started))
    print(await started, time.process_time(), flush=True)
    await task


class Server:
    """A server in a process of its own; `cpu` is known once it has ended."""

    def __init__(self, kind: str, key_file: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.sandbox", "--serve", kind]
        command += ["--key", str(key_file)]
        self._process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        port, begun = self._process.stdout.readline().split()
        self.port, self._begun = int(port), float(begun)
        self.cpu = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        _pid, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime - self._begun


# -- the client --------------------------------------------------------------------------------


def bodies(count: int) -> list[bytes]:
    """Orders on both sides that rest, cross and fill."""
    made: list[bytes] = []
    for number in range(count):
        side, price = ("bid", 40 + number % 12) if number % 2 else ("ask", 48 + number % 12)
        order = {
            "ticker": TICKER,
            "client_order_id": f"bench-{number}",
            "side": side,
            "count": "1.00",
            "price": f"0.{price:02d}00",
            "time_in_force": "good_till_canceled",
            "self_trade_prevention_type": "maker",
        }
        made.append(msgspec.json.encode(order))
    return made


async def send_all(port: int, requests: list[tuple[bytes, dict[str, str]]]) -> float:
    """Orders a second."""
    waiting = iter(requests)
    url = f"http://127.0.0.1:{port}{PATH}"
    statuses: dict[int, int] = {}

    async def send(session: aiohttp.ClientSession) -> None:
        for body, headers in waiting:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                statuses[answer.status] = statuses.get(answer.status, 0) + 1

    connector = aiohttp.TCPConnector(limit=TASKS)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(send(session) for _ in range(TASKS)))
        took = time.perf_counter() - begun
    assert statuses == {201: len(requests)}, statuses
    return len(requests) / took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--serve", choices=["nothing", "sandbox"])
    parser.add_argument("--key", type=Path, default=Path("bench-key.pem"))
    asked = parser.parse_args()
    if asked.serve:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve_nothing() if asked.serve == "nothing" else serve_sandbox(asked.key))
    else:
        measure(asked.orders)


def measure(count: int) -> None:
    import tempfile  # noqa: PLC0415  # the measuring process only

    from trueup.net.acceptor.keys import new_ed25519_pair  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key.pem"
        key_file.write_bytes(new_ed25519_pair(KEY_ID).pem)
        private = load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(private, Ed25519PrivateKey)
        signer = Ed25519Signer(KEY_ID, private)
        by_clock: dict[str, float] = {}
        by_cpu: dict[str, float] = {}
        for kind in ("nothing", "sandbox"):
            with Server(kind, key_file) as server:
                now = Instant(time.time_ns() // 1_000)
                headers = {"Content-Type": "application/json"} | signer.headers("POST", PATH, now)
                requests = [(body, headers) for body in bodies(count)]
                by_clock[kind] = asyncio.run(send_all(server.port, requests))
            by_cpu[kind] = count / server.cpu
    for kind, words in (("nothing", "a server that does nothing"), ("sandbox", "the sandbox")):
        print(
            f"{words:28}{by_clock[kind]:8,.0f} a second, "
            f"{by_cpu[kind]:8,.0f} a second of its processor time"
        )
    print(f"{'ratio':28}{by_cpu['sandbox'] / by_cpu['nothing']:8.2f}")


if __name__ == "__main__":
    main()
