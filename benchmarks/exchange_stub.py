"""A local server that answers listings from memory, as fast as it can.

It runs as its own process, so that its work is not charged to the client's, and
renders every page once, at the start.  One fill and one settlement a market.

    python -m benchmarks.exchange_stub COUNT   (prints its port, serves until killed)
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).parents[1]
EPOCH = datetime(2026, 9, 21, 14, 13, 20, 500_000, tzinfo=UTC)
"""September 2026: inside one rounding regime of fees."""

UNLIMITED = 1_000_000_000
"""Tokens per second: the client must not be slowed down by a budget."""

LIMITS: dict[str, object] = {
    "usage_tier": "benchmark",
    "read": {"refill_rate": UNLIMITED, "bucket_capacity": UNLIMITED},
    "write": {"refill_rate": UNLIMITED, "bucket_capacity": UNLIMITED},
    "grants": [],
}
COSTS: dict[str, object] = {"default_cost": 10, "endpoint_costs": []}


def iso(seconds: int) -> str:
    """The time so many seconds after `EPOCH`, as the exchange writes it."""
    moment = EPOCH + timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def ticker_of(number: int) -> str:
    return f"KXBENCH-26SEP{number:06d}-T1"


@dataclass(frozen=True)
class Trade:
    """One invented trade: what was bought and what became of it."""

    contracts: int
    yes: bool
    cents: int
    """The YES price."""
    won: bool
    """Whether the market ended YES."""

    @property
    def cost(self) -> int:
        """What was paid, in cents."""
        return self.contracts * (self.cents if self.yes else 100 - self.cents)

    @property
    def fee(self) -> int:
        """7 % of contracts × price × (1 − price), rounded up to $0.0001."""
        return -(-7 * self.contracts * self.cents * (100 - self.cents) // 100)

    @property
    def revenue(self) -> int:
        """The payout, in cents."""
        return 100 * self.contracts if self.yes == self.won else 0


def trade_of(number: int) -> Trade:
    """Sizes, prices, sides and results that are not all alike."""
    return Trade(
        contracts=1 + number * 7 % 60,
        yes=number % 4 != 0,
        cents=2 + number * 13 % 97,
        won=number % 3 != 0,
    )


def settlement(number: int) -> dict[str, object]:
    trade = trade_of(number)
    held, other = ("yes", "no") if trade.yes else ("no", "yes")
    return {
        "ticker": ticker_of(number),
        "exchange_index": 0,
        "event_ticker": f"KXBENCH-26SEP{number:06d}",
        "market_result": "yes" if trade.won else "no",
        f"{held}_count_fp": f"{trade.contracts}.00",
        f"{other}_count_fp": "0.00",
        f"{held}_total_cost_dollars": dollars(trade.cost, 100),
        f"{other}_total_cost_dollars": "0.000000",
        "revenue": trade.revenue,
        "fee_cost": dollars(trade.fee, 10_000),
        "value": 100 if trade.won else 0,
        "settled_time": iso(1000 + number),
    }


def fill(number: int) -> dict[str, object]:
    trade = trade_of(number)
    ticker, side = ticker_of(number), "yes" if trade.yes else "no"
    identity = f"{number:08x}-0000-4000-8000-000000000000"
    return {
        "fill_id": identity,
        "trade_id": identity,
        "exchange_index": 0,
        "order_id": f"{number:08x}-1111-4000-8000-000000000000",
        "ticker": ticker,
        "market_ticker": ticker,
        "side": side,
        "action": "buy",
        "outcome_side": side,
        "book_side": "bid" if trade.yes else "ask",
        "count_fp": f"{trade.contracts}.00",
        "yes_price_dollars": f"0.{trade.cents:02d}00",
        "no_price_dollars": f"0.{100 - trade.cents:02d}00",
        "is_taker": True,
        "fee_cost": dollars(trade.fee, 10_000),
        "created_time": iso(number),
        "ts": int(EPOCH.timestamp()) + number,
        "subaccount_number": 0,
    }


def dollars(amount: int, parts: int) -> str:
    """An amount in `parts` of a dollar as the exchange writes it."""
    whole, rest = divmod(amount * (1_000_000 // parts), 1_000_000)
    return f"{whole}.{rest:06d}"


def render(name: str, rows: list[dict[str, object]], size: int) -> dict[str, bytes]:
    """Cursor → body, newest first as the exchange lists."""
    bodies: dict[str, bytes] = {}
    for start in range(0, max(1, len(rows)), size):
        more = start + size < len(rows)
        newest = rows[len(rows) - start - size if more else 0 : len(rows) - start]
        body = {name: newest[::-1], "cursor": str(start + size) if more else ""}
        bodies[str(start) if start else ""] = json.dumps(body, separators=(",", ":")).encode()
    return bodies


def application(count: int) -> web.Application:
    """The server for `count` markets; pages of 1,000 and of 100 rows."""
    fills = [fill(number) for number in range(count)]
    settlements = [settlement(number) for number in range(count)]
    bodies = {
        ("fills", "1000"): render("fills", fills, 1000),
        ("settlements", "1000"): render("settlements", settlements, 1000),
        ("fills", "100"): render("fills", fills, 100),
        ("settlements", "100"): render("settlements", settlements, 100),
    }
    asides = {"limits": json.dumps(LIMITS).encode(), "endpoint_costs": json.dumps(COSTS).encode()}

    async def listing(request: web.Request) -> web.Response:
        pages = bodies[request.match_info["name"], request.query.get("limit", "100")]
        body = pages[request.query.get("cursor", "")]
        return web.Response(body=body, content_type="application/json")

    async def aside(request: web.Request) -> web.Response:
        return web.Response(
            body=asides[request.match_info["name"]], content_type="application/json"
        )

    server = web.Application()
    server.router.add_get("/trade-api/v2/portfolio/{name}", listing)
    server.router.add_get("/trade-api/v2/account/{name}", aside)
    return server


@contextmanager
def serving(count: int) -> Generator[str]:
    """Run the stub in its own process; gives its origin, ``http://127.0.0.1:PORT``."""
    command = [sys.executable, "-m", "benchmarks.exchange_stub", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def serve(count: int) -> None:
    """Serve on a free port of this machine, and print it."""
    runner = web.AppRunner(application(count), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    asyncio.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
