"""A living world served on a real port, with a bare client and the control token."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import urllib3
from asker import Answered, Asker

from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import SystemClock
from trueup.run.sandbox.living import BRIEF_WARM_UP, Prepared, Wish, prepare
from trueup.sim.faults import Fault
from trueup.testing.sandbox import DEFAULT_START

TOKEN = "let-me-in"
ORDERS = "/portfolio/events/orders"
Tree = dict[str, Any]


@dataclass
class LivingDesk:
    """Asks the exchange with a key, and steers it with the token."""

    server: SandboxServer
    asker: Asker
    prepared: Prepared

    def raw_control(
        self,
        word: str,
        tree: object = None,
        *,
        method: str = "POST",
        token: str = TOKEN,
        body: bytes | None = None,
    ) -> Answered:
        answer = urllib3.request(
            method,
            f"{self.server.origin}/control/{word}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            body=msgspec.json.encode(tree) if tree is not None else body,
            retries=False,
            timeout=60,
        )
        return Answered(answer.status, answer.data, dict(answer.headers))

    def control(self, word: str, **fields: object) -> Tree:
        answered = self.raw_control(word, fields)
        assert answered.status == 200, answered
        return answered.tree

    def refused(self, word: str, **fields: object) -> tuple[int, str]:
        answered = self.raw_control(word, fields)
        assert answered.status >= 400, answered
        return answered.status, str(cast("Tree", answered.tree["error"])["message"])

    def quoted(self, *, series: str = "KXHIGHNY") -> Tree:
        """A market of the series with both a bid and an ask."""
        markets = self.control("markets", status="active", series=series)["markets"]
        return next(
            one
            for one in markets
            if one["bid"] and one["ask"] and one["bid"] > "0.15" and one["ask"] < "0.85"
        )

    def order(
        self, ticker: str, *, side: str, price: str, count: str = "5.00", name: str
    ) -> Answered:
        return self.asker.post(
            ORDERS,
            {
                "ticker": ticker,
                "client_order_id": name,
                "side": side,
                "count": count,
                "price": price,
                "time_in_force": "good_till_canceled",
                "self_trade_prevention_type": "taker_at_cross",
            },
        )


@contextmanager
def living_desk(
    world: str = "temperatures",
    *,
    speed: int = 0,
    faults: tuple[Fault, ...] = (),
    token: str = TOKEN,
    density: int | None = None,
) -> Generator[LivingDesk, None, None]:
    prepared = prepare(
        Wish(
            world=world,
            seed=5,
            speed=speed,
            start=DEFAULT_START,
            warm_up=BRIEF_WARM_UP,
            faults=faults,
            token=token,
            density=density,
        )
    )
    clock = SystemClock().now
    server = SandboxServer(prepared.living, clock=clock, settings=Settings(limits=UNLIMITED))
    with server:
        asker = Asker(server, clock)
        try:
            yield LivingDesk(server, asker, prepared)
        finally:
            asker.close()
