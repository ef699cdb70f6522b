"""A small bot of the kind that people write: it signs, buys what is cheap, and keeps its head.

It knows nothing of trueup: this could be your own.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SERVER_ERROR = 500


class Bot:
    """Buys one contract of every market that is offered at or below its limit."""

    def __init__(self, base_url: str, key_id: str, private_key_path: Path) -> None:
        self._base_url = base_url
        self._key_id = key_id
        key = serialization.load_pem_private_key(private_key_path.read_bytes(), password=None)
        self._key = cast("Ed25519PrivateKey", key)
        self._pool = urllib3.PoolManager()

    def buy_below(self, limit: float) -> list[str]:
        """Returns the ids of the orders that are known to exist."""
        bought: list[str] = []
        for market in self._ask("GET", "/markets?status=open&limit=200")["markets"]:
            offered = float(market["yes_ask_dollars"])
            if 0 < offered <= limit:
                order_id = self._buy(market["ticker"], market["yes_ask_dollars"])
                if order_id:
                    bought.append(order_id)
        return bought

    def _buy(self, ticker: str, price: str) -> str | None:
        name = str(uuid.uuid4())
        order = {
            "ticker": ticker,
            "client_order_id": name,
            "side": "bid",
            "count": "1.00",
            "price": price,
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
        }
        try:
            return self._ask("POST", "/portfolio/events/orders", order).get("order_id")
        except RuntimeError:
            # Nobody knows whether it was taken: ask, never send again.
            return self._find(ticker, name)

    def _find(self, ticker: str, name: str) -> str | None:
        for order in self._ask("GET", f"/portfolio/orders?ticker={ticker}")["orders"]:
            if order["client_order_id"] == name:
                return str(order["order_id"])
        return None

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = self._base_url + path
        now = str(int(time.time() * 1000))
        text = (now + method + urlsplit(url).path).encode()
        answer = self._pool.request(
            method,
            url,
            body=None if body is None else json.dumps(body),
            headers={
                "Content-Type": "application/json",
                "KALSHI-ACCESS-KEY": self._key_id,
                "KALSHI-ACCESS-TIMESTAMP": now,
                "KALSHI-ACCESS-SIGNATURE": base64.b64encode(self._key.sign(text)).decode(),
            },
            retries=False,
        )
        if answer.status >= SERVER_ERROR:
            # Not even JSON, mostly.
            raise RuntimeError(f"{method} {path}: {answer.status}")
        tree = cast("dict[str, Any]", json.loads(answer.data))
        if method == "POST" and not tree.get("order_id"):
            raise RuntimeError(f"{method} {path}: {answer.status} {tree}")
        return tree
