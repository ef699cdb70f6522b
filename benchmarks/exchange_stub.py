"""A local server that answers listings from memory, as fast as it can.

It runs as its own process, so that its work is not charged to the client's, and
renders every page once, at the start.  One fill and one settlement a market.

    python -m benchmarks.exchange_stub COUNT   (prints its port, serves until killed)
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

EPOCH = 1_790_000_000
"""September 2026: inside one rounding regime of fees."""


def iso(seconds: int) -> str:
    days, rest = divmod(seconds - 1_788_220_800, 86_400)  # 2026-09-01
    return f"2026-09-{1 + days:02d}T{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}.500000Z"


def settlement(number: int) -> dict[str, object]:
    won = number % 3 != 0
    return {
        "ticker": f"KXBENCH-26SEP{number:06d}-T1",
        "exchange_index": 0,
        "event_ticker": f"KXBENCH-26SEP{number:06d}",
        "market_result": "yes" if won else "no",
        "yes_count_fp": "10.00",
        "no_count_fp": "0.00",
        "yes_total_cost_dollars": "4.000000",
        "no_total_cost_dollars": "0.000000",
        "revenue": 1000 if won else 0,
        "fee_cost": "0.168000",
        "value": 100 if won else 0,
        "settled_time": iso(EPOCH + 1000 + number),
    }


def fill(number: int) -> dict[str, object]:
    ticker = f"KXBENCH-26SEP{number:06d}-T1"
    identity = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "fill_id": identity,
        "trade_id": identity,
        "exchange_index": 0,
        "order_id": f"{number:08x}-1111-4000-8000-000000000000",
        "ticker": ticker,
        "market_ticker": ticker,
        "side": "yes",
        "action": "buy",
        "outcome_side": "yes",
        "book_side": "bid",
        "count_fp": "10.00",
        "yes_price_dollars": "0.4000",
        "no_price_dollars": "0.6000",
        "is_taker": True,
        "fee_cost": "0.168000",
        "created_time": iso(EPOCH + number),
        "ts": EPOCH + number,
        "subaccount_number": 0,
    }


def pages(name: str, rows: list[dict[str, object]], size: int) -> dict[str, bytes]:
    """Cursor → body, newest first as the exchange lists."""
    rows = rows[::-1]
    bodies: dict[str, bytes] = {}
    for start in range(0, max(1, len(rows)), size):
        more = start + size < len(rows)
        body = {name: rows[start : start + size], "cursor": str(start + size) if more else ""}
        bodies[str(start) if start else ""] = json.dumps(body, separators=(",", ":")).encode()
    return bodies


def application(count: int) -> web.Application:
    settlements = [settlement(number) for number in range(count)]
    fills = [fill(number) for number in range(count)]
    rendered = {
        ("fills", size): pages("fills", fills, size) for size in (100, 1000)
    } | {("settlements", size): pages("settlements", settlements, size) for size in (100, 1000)}

    async def listing(request: web.Request) -> web.Response:
        size = int(request.query.get("limit", "100"))
        body = rendered[request.match_info["name"], size][request.query.get("cursor", "")]
        return web.Response(body=body, content_type="application/json")

    server = web.Application()
    server.router.add_get("/trade-api/v2/portfolio/{name}", listing)
    return server


@contextmanager
def serving(count: int) -> Iterator[str]:
    """Run the stub in its own process; gives its origin, ``http://127.0.0.1:PORT``."""
    command = [sys.executable, "-m", "benchmarks.exchange_stub", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def main() -> None:
    import asyncio

    async def serve() -> None:
        runner = web.AppRunner(application(int(sys.argv[1])), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
