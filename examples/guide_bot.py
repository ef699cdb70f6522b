"""A bot of March 2026 on an exchange of March 2026: REST, a stream and two thresholds.

The bot below knows nothing of trueup: it signs, asks and listens as the guides of
that time teach it, with orders of the first API in dollar strings.  The sandbox
answers as the exchange did then.  No network, no money.

python examples/guide_bot.py
"""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.units import Money
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.keys import new_rsa_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, SystemClock, seeded
from trueup.sim import commands as c
from trueup.sim.scenario import DEFAULT_SEED, MARCH_END, account_world

MAKER = c.Member("3a4e8f60-0a3f-4f57-9d1c-0a5d5e0c2b11")

# -- what a bot's author writes ----------------------------------------------------------------


class KalshiClient:
    """Signs every request with RSA-PSS, as the guides show it."""

    def __init__(
        self, session: aiohttp.ClientSession, key_id: str, pem: bytes, base_url: str
    ) -> None:
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, RSAPrivateKey):
            raise SystemExit("this is no RSA key")
        self.session, self.key_id, self.key, self.base_url = session, key_id, key, base_url

    def headers(self, method: str, path: str) -> dict[str, str]:
        """The three headers; the query is not signed."""
        stamp = str(int(time.time() * 1000))
        scheme = padding.PSS(
            mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH
        )
        signature = self.key.sign((stamp + method + path).encode(), scheme, hashes.SHA256())
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
            "KALSHI-ACCESS-TIMESTAMP": stamp,
        }

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What the exchange answers; anything but success is an error."""
        headers = self.headers("GET", "/trade-api/v2" + path)
        async with self.session.get(
            self.base_url + path, headers=headers, params=params
        ) as response:
            response.raise_for_status()
            return dict(await response.json())

    async def place(self, ticker: str, side: str, count: int, price: str) -> dict[str, Any]:
        """A limit order; the price is that of the side."""
        path = "/portfolio/orders"
        order = {
            "ticker": ticker,
            "side": side,
            "action": "buy",
            "count_fp": f"{count}.00",
            f"{side}_price_dollars": price,
            "client_order_id": str(uuid.uuid4()),
        }
        headers = self.headers("POST", "/trade-api/v2" + path)
        async with self.session.post(self.base_url + path, headers=headers, json=order) as response:
            response.raise_for_status()
            return dict((await response.json())["order"])


async def first_open_market(client: KalshiClient) -> str:
    """Scan what is open, cheapest first."""
    found = (await client.get("/markets", {"status": "open", "limit": "200"}))["markets"]
    print(f"{len(found)} open markets")
    return str(min(found, key=lambda market: Decimal(market["yes_ask_dollars"]))["ticker"])


async def buy_below(client: KalshiClient, ticker: str, threshold: str) -> None:
    """Buy what is offered, if it is cheap enough."""
    book = (await client.get(f"/markets/{ticker}/orderbook"))["orderbook_fp"]
    price, size = book["no_dollars"][-1]
    ask = Decimal(1) - Decimal(price)
    print(f"{ticker}: offered at {ask}, {size} contracts")
    if ask <= Decimal(threshold):
        order = await client.place(ticker, "yes", 5, str(ask))
        print(f"order {order['status']}, filled {order['fill_count_fp']}")


async def portfolio_summary(client: KalshiClient, ticker: str) -> None:
    """Cash, and what is held of one market."""
    balance = await client.get("/portfolio/balance")
    positions = await client.get("/portfolio/positions", {"ticker": ticker})
    print(f"cash: ${balance['balance'] / 100:.2f}")
    for position in positions["market_positions"]:
        print(f"held: {position['position_fp']} for ${position['market_exposure_dollars']}")


async def bot(client: KalshiClient, ticker: str, websocket_url: str) -> None:
    """Buy once, and believe it when the exchange says so."""
    headers = client.headers("GET", "/trade-api/ws/v2")
    async with client.session.ws_connect(websocket_url, headers=headers) as stream:
        await stream.send_json({"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"]}})
        print(f"stream: {(await stream.receive_json())['type']}")
        await buy_below(client, ticker, "0.40")
        told = (await stream.receive_json())["msg"]
        print(f"stream: bought {told['count_fp']} at {told['yes_price_dollars']}")
    await portfolio_summary(client, ticker)


# -- the exchange ------------------------------------------------------------------------------


async def main() -> None:
    """Serve March 2026, with somebody to trade with, and let the bot run."""
    wall = SystemClock().now
    clock = ShiftedClock.starting_at(MARCH_END).now
    world = account_world(seeded(DEFAULT_SEED), end=MARCH_END)
    ours, makers = new_rsa_pair("bot"), new_rsa_pair("maker", member=MAKER)
    with SandboxServer(
        world,
        clock=clock,
        wall_clock=wall,
        settings=Settings(personality=Personality.MARCH_2026),
        pair=ours,
        keys=[makers.registered],
    ) as server:
        server.step(c.OpenAccount(at=clock(), member=MAKER, precision=Precision.DIRECT))
        welcome = c.Credit(
            at=clock(),
            member=MAKER,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            amount=Money.parse("500"),
            reason="welcome",
        )
        server.step(welcome)
        async with aiohttp.ClientSession() as session:
            client = KalshiClient(session, "bot", ours.pem, server.base_url)
            maker = KalshiClient(session, "maker", makers.pem, server.base_url)
            ticker = await first_open_market(client)
            await maker.place(ticker, "no", 20, "0.65")
            await bot(client, ticker, server.websocket_url)


if __name__ == "__main__":
    asyncio.run(main())
