"""The other venue's public services on this machine: markets and books in their own form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self


@dataclass
class OtherHouse:
    """Serves markets by id; each has a YES and a NO token with one ask.  A context."""

    asks: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Market id → what YES and NO cost."""
    size: str = "100"
    is_down: bool = False
    page: str = ""
    """What stands at ``/fresh``."""
    url: str = ""

    def __enter__(self) -> Self:
        house = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                if name == "fresh":
                    self._send(200, house.page.encode())
                    return
                self._say(house.market(name) if name in house.asks else None)

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                asked = [each["token_id"] for each in json.loads(raw)]
                self._say([house.book(token) for token in asked])

            def _say(self, content: object) -> None:
                is_there = content is not None and not house.is_down
                self._send(200 if is_there else 503, json.dumps(content).encode())

            def _send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def market(self, name: str) -> Mapping[str, object]:
        return {
            "id": name,
            "question": f"Question {name}?",
            "outcomes": '["Yes", "No"]',
            "clobTokenIds": json.dumps([f"{name}-yes", f"{name}-no"]),
            "active": True,
            "closed": False,
            "acceptingOrders": True,
            "feeSchedule": {"rate": 0.04, "exponent": 1},
        }

    def book(self, token: str) -> Mapping[str, object]:
        name, _, side = token.partition("-")
        ask = self.asks[name][0 if side == "yes" else 1]
        return {"asset_id": token, "bids": [], "asks": [{"price": ask, "size": self.size}]}
