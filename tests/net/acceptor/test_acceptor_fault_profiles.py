"""Fault profiles as a client meets them, over real HTTP and real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import aiohttp
import msgspec
import pytest
from living_desk import LivingDesk, living_desk

from trueup.core.instant import from_datetime
from trueup.run.clock import SystemClock
from trueup.wire.signing import WEBSOCKET_PATH

T = TypeVar("T")
SECONDS_MAX = 90
Tree = dict[str, Any]


@pytest.fixture
def desk() -> Iterator[LivingDesk]:
    with living_desk() as desk:
        yield desk


# -- requests ----------------------------------------------------------------------------------


def test_an_accepted_order_whose_answer_is_503_is_there(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    desk.control("fault", name="accepted-then-503", times=1)

    answered = desk.order(ticker, side="bid", price="0.0100", name="lost")

    assert answered.status == 503
    (order,) = desk.asker.get("/portfolio/orders").rows("orders")
    assert (order["client_order_id"], order["status"]) == ("lost", "resting")
    assert desk.order(ticker, side="bid", price="0.0100", name="lost").status == 409


def test_a_2xx_without_an_order_took_effect(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    desk.control("fault", name="2xx-without-order", times=1)

    answered = desk.order(ticker, side="bid", price="0.0100", name="empty")

    assert (answered.status, answered.body) == (201, b"{}")
    assert len(desk.control("orders")["orders"]) == 1


def test_an_outage_does_nothing(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    desk.control("fault", name="outage", times=1)

    assert desk.order(ticker, side="bid", price="0.0100", name="never").status == 503
    assert desk.control("orders")["orders"] == []


def test_a_storm_answers_most_with_429_and_the_same_again_from_the_seed() -> None:
    def statuses() -> list[int]:
        with living_desk() as desk:
            desk.control("fault", name="429-storm")
            return [desk.asker.get("/exchange/status").status for _ in range(30)]

    first = statuses()

    assert set(first) == {200, 429}
    assert first.count(429) > 12
    assert statuses() == first


def test_a_slow_exchange_takes_its_time(desk: LivingDesk) -> None:
    desk.control("fault", name="slow", amount=60, times=1)

    begin = time.monotonic()
    desk.asker.get("/exchange/status")

    assert time.monotonic() - begin >= 0.06


def test_a_skewed_clock_refuses_good_signatures_and_says_so_in_its_date(desk: LivingDesk) -> None:
    desk.control("fault", name="clock-skew", amount=120)

    refused = desk.asker.get("/portfolio/balance")
    ahead = desk.asker.raw(
        "/portfolio/balance", desk.asker.signed_headers("/portfolio/balance", off=120_000_000)
    )

    assert refused.status == 401
    assert ahead.status == 200
    shown = from_datetime(parsedate_to_datetime(refused.headers["Date"]))
    assert shown - SystemClock().now() > 110_000_000


def test_a_fill_on_an_order_that_is_being_cancelled(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]
    order_id = desk.order(ticker, side="bid", price="0.0100", count="10", name="race").tree[
        "order_id"
    ]
    desk.control("fault", name="fill-on-canceled", times=1)

    canceled = desk.asker.delete(f"/portfolio/events/orders/{order_id}")

    assert canceled.status == 200
    assert float(cast("str", canceled.tree["reduced_by"])) == 5
    (fill,) = desk.asker.get("/portfolio/fills").rows("fills")
    assert (fill["order_id"], fill["count_fp"]) == (order_id, "5.00")
    (order,) = desk.control("orders")["orders"]
    assert (order["status"], order["filled"]) == ("canceled", "5.00")


# -- rows --------------------------------------------------------------------------------------


def settled(desk: LivingDesk) -> str:
    """Buy, and let the market settle; the row would be listed by now."""
    market = desk.quoted()
    desk.order(market["ticker"], side="bid", price="0.9900", count="2", name="in")
    desk.control("determine", ticker=market["ticker"], result="yes")
    desk.control("settle", ticker=market["ticker"])
    desk.control("advance", by="30s")
    return market["ticker"]


def rows(desk: LivingDesk) -> list[Tree]:
    return cast("list[Tree]", desk.asker.get("/portfolio/settlements").rows("settlements"))


@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        ("settlement-missing", [0, 0]),
        ("settlement-late", [0, 1]),
        ("settlement-duplicated", [2, 2]),
    ],
)
def test_settlement_rows_are_missing_late_or_doubled(
    desk: LivingDesk, fault: str, counts: list[int]
) -> None:
    desk.control("fault", name=fault)
    settled(desk)

    first = len(rows(desk))
    desk.control("advance", by="20m")

    assert [first, len(rows(desk))] == counts


def test_a_settlement_row_is_revised_after_a_minute(desk: LivingDesk) -> None:
    desk.control("fault", name="settlement-revised", amount=7)
    settled(desk)

    (first,) = rows(desk)
    desk.control("advance", by="2m")
    (second,) = rows(desk)

    assert (first["revenue"], second["revenue"]) == (200, 207)


def test_a_fee_is_off_by_one_unit_and_only_as_reported(desk: LivingDesk) -> None:
    settled(desk)
    (before,) = desk.asker.get("/portfolio/fills").rows("fills")
    cash = desk.control("account")["cash"]

    desk.control("fault", name="fee-off-by-one")
    (after,) = desk.asker.get("/portfolio/fills").rows("fills")

    units = [round(float(cast("str", row["fee_cost"])) * 1_000_000) for row in (before, after)]
    assert units[1] - units[0] == 100
    assert desk.control("account")["cash"] == cash


# -- streams -----------------------------------------------------------------------------------


class Listener:
    """One socket on the books of one market."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, desk: LivingDesk) -> None:
        self.socket = socket
        self.desk = desk

    async def subscribe(self, ticker: str) -> None:
        params = {"channels": ["orderbook_delta"], "market_tickers": [ticker]}
        await self.socket.send_json({"id": 1, "cmd": "subscribe", "params": params})
        while (await self.hear())["type"] != "orderbook_snapshot":
            pass

    async def hear(self) -> Tree:
        message = await self.socket.receive(timeout=SECONDS_MAX)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(message.type)
        return cast("Tree", msgspec.json.decode(cast("str", message.data)))

    async def stir(self, ticker: str, times: int) -> None:
        """Change the book so many times."""
        for number in range(times):
            await asyncio.to_thread(
                self.desk.order, ticker, side="bid", price="0.0100", count="1", name=f"s{number}"
            )

    async def sequence(self) -> list[int]:
        """The numbers of what was told until now: the answer to a command comes after it."""
        await self.socket.send_json({"id": 2, "cmd": "list_subscriptions"})
        heard: list[int] = []
        while (message := await self.hear())["type"] != "ok":
            heard.append(message["seq"])
        return heard


def listen(desk: LivingDesk, play: Callable[[Listener], Awaitable[T]]) -> T:
    async def run() -> T:
        url = f"{desk.server.origin}{WEBSOCKET_PATH}"
        headers = desk.asker.signer.headers("GET", WEBSOCKET_PATH, SystemClock().now())
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers) as ws,
        ):
            return await play(Listener(ws, desk))

    return asyncio.run(run())


def heard_under(
    desk: LivingDesk, fault: str, percent: int = 100, times: int | None = None
) -> list[int]:
    ticker = desk.quoted()["ticker"]

    async def play(listener: Listener) -> list[int]:
        await listener.subscribe(ticker)
        await asyncio.to_thread(
            desk.control,
            "fault",
            name=fault,
            percent=percent,
            **({"times": times} if times else {}),
        )
        await listener.stir(ticker, 6)
        return await listener.sequence()

    return listen(desk, play)


def test_without_a_fault_every_number_comes_once_in_order(desk: LivingDesk) -> None:
    heard = heard_under(desk, "slow", percent=0)

    assert heard == list(range(heard[0], heard[0] + 6))


def test_a_lost_message_leaves_a_gap(desk: LivingDesk) -> None:
    heard = heard_under(desk, "sequence-gap", times=1)

    assert len(heard) == 5
    assert heard == list(range(3, 8))


def test_a_message_comes_twice(desk: LivingDesk) -> None:
    heard = heard_under(desk, "duplicate-messages", times=2)

    assert heard == [heard[0], heard[0], heard[2], heard[2], *range(heard[2] + 1, heard[2] + 5)]


def test_two_messages_change_places(desk: LivingDesk) -> None:
    heard = heard_under(desk, "reordered-messages", times=1)

    assert heard[0] == heard[1] + 1
    assert sorted(heard) == list(range(heard[1], heard[1] + 6))


def test_a_stalled_stream_stays_open_and_says_nothing(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    async def play(listener: Listener) -> tuple[list[int], bool]:
        await listener.subscribe(ticker)
        await asyncio.to_thread(desk.control, "fault", name="silent-stall")
        await listener.stir(ticker, 3)
        return await listener.sequence(), listener.socket.closed

    assert listen(desk, play) == ([], False)


def test_a_connection_is_cut(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    async def play(listener: Listener) -> bool:
        await listener.subscribe(ticker)
        await asyncio.to_thread(desk.control, "fault", name="disconnects", percent=100)
        await listener.stir(ticker, 1)
        try:
            while True:
                await listener.hear()
        except ConnectionResetError:
            return True

    assert listen(desk, play)


def test_a_reset_cuts_every_stream(desk: LivingDesk) -> None:
    ticker = desk.quoted()["ticker"]

    async def play(listener: Listener) -> bool:
        await listener.subscribe(ticker)
        await asyncio.to_thread(desk.control, "reset")
        try:
            while True:
                await listener.hear()
        except ConnectionResetError:
            return True

    assert listen(desk, play)


def test_a_running_world_is_heard_without_asking() -> None:
    with living_desk(speed=3_600, density=60) as desk:
        market = desk.quoted()

        async def play(listener: Listener) -> int:
            await listener.subscribe(market["ticker"])
            return (await listener.hear())["seq"]

        assert listen(desk, play) >= 2
