"""The client's streams against the sandbox's: two sides that were written apart."""

from __future__ import annotations

import asyncio
import random
import time

from served_floor import TICKER, US, ServedFloor

from trueup.core.ids import PRIMARY, ClientOrderId, OrderId
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import Count, Price
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.client import open_async_client
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.sim import commands as c


def test_a_trade_is_heard_as_a_fill_a_trade_an_order_and_a_change_of_the_book() -> None:
    floor = ServedFloor(cash="1000")
    floor.quote("0.47", "0.52")
    began = time.monotonic()

    def clock() -> Instant:
        return Instant(floor.now + SECOND + int((time.monotonic() - began) * SECOND))

    async def sleep(microseconds: int) -> None:
        await asyncio.sleep(microseconds / SECOND)

    async def watched(server: SandboxServer) -> None:
        client = open_async_client(
            resolve_endpoint(Venue.SANDBOX, server.origin),
            signer_for(server.key_id, server.pair.private),
            clock=clock,
            sleep=sleep,
            chance=random.Random(1),  # noqa: S311
        )
        async with client, asyncio.timeout(90):
            fills, trades = client.watch_fills(), client.watch_trades([TICKER])
            orders, book = client.watch_orders(), await client.watch_book(TICKER)
            assert (book.best_bid, book.best_ask) == (Price.parse("0.47"), Price.parse("0.52"))
            # Commands go out in order: what was wished for before the book is heard by now.
            await asyncio.to_thread(take, server)

            filled, trade, order = await anext(fills), await anext(trades), await anext(orders)
            while [level.count for level in book.asks()] != [Count.parse("1")]:
                await book.changed()

        assert (filled.count, filled.price, filled.side) == (
            Count.parse("2"),
            Price.parse("0.52"),
            Side.YES,
        )
        assert filled.fee is not None
        assert trade.trade_id == filled.trade_id
        assert order.order_id == filled.order_id
        assert order.status is OrderStatus.EXECUTED

    def take(server: SandboxServer) -> None:
        server.step(
            c.PlaceOrder(
                at=clock(),
                member=US,
                subaccount=PRIMARY,
                order_id=OrderId("00000000-0000-4000-8000-000000000077"),
                client_order_id=ClientOrderId("watched-1"),
                ticker=TICKER,
                side=Side.YES,
                price=Price.parse("0.52"),
                count=Count.parse("2"),
            )
        )

    with SandboxServer(floor.world(), clock=clock, settings=Settings(limits=UNLIMITED)) as server:
        asyncio.run(watched(server))
