"""Orders by FIX on the same exchange as REST and WebSocket, over real TLS sockets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fix_desk import MAKERS, TRADER, WATCHER, FixDesk, Line, fix_desk
from served_floor import TICKER, US, ServedFloor

from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.net.acceptor.keys import KeyPair
from trueup.net.fix.refusals import FixRefused
from trueup.wire.fix.messages.orders import (
    EventResendComplete,
    EventResendReject,
    EventResendRequest,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderGroupRequest,
    OrderGroupResponse,
    OrderMassCancelReport,
    OrderMassCancelRequest,
)
from trueup.wire.fix.messages.session import BusinessMessageReject
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.words import ExecType, OrderGroupAction, OrderState, TimeInForce
from trueup.wire.signing import WEBSOCKET_PATH

NR, DC, RT, PT = SessionKind.NR, SessionKind.DC, SessionKind.RT, SessionKind.PT


def order(
    name: str,
    price: str,
    size: str = "2",
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELED,
    **more: Any,
) -> NewOrderSingle:
    return NewOrderSingle(
        client_order_id=name,
        quantity=Count.parse(size),
        price=Price.parse(price),
        side=Side.YES,
        symbol=TICKER,
        time_in_force=time_in_force,
        **more,
    )


def cancel(name: str, original: str) -> OrderCancelRequest:
    return OrderCancelRequest(
        client_order_id=name, original_client_order_id=original, side=Side.YES, symbol=TICKER
    )


def replaced(
    name: str, original: str, size: str, price: str | None = None
) -> OrderCancelReplaceRequest:
    return OrderCancelReplaceRequest(
        client_order_id=name,
        original_client_order_id=original,
        quantity=Count.parse(size),
        price=None if price is None else Price.parse(price),
        side=Side.YES,
        symbol=TICKER,
    )


def quoted() -> ServedFloor:
    floor = ServedFloor()
    floor.quote("0.40", "0.60")
    return floor


def kinds(line: Line) -> list[ExecType]:
    return [report.execution_type for report in line.heard(ExecutionReport)]


@pytest.mark.parametrize("kind", [NR, RT])
def test_an_order_by_fix_is_the_order_that_rest_shows(kind: SessionKind, tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(kind, TRADER, tmp_path) as line:
            new = await line.ask(order("c-1", "0.50"), ExecutionReport)
            assert (new.execution_type, new.order_status) == (ExecType.NEW, OrderState.NEW)
            (row,) = desk.asker.get("/portfolio/orders").rows("orders")
            assert row["order_id"] == new.order_id
            assert (row["client_order_id"], row["status"]) == ("c-1", "resting")
            gone = await line.ask(cancel("c-2", "c-1"), ExecutionReport)
            assert gone.execution_type is ExecType.CANCELED
            assert (gone.client_order_id, gone.original_client_order_id) == ("c-2", "c-1")
            assert desk.asker.get("/portfolio/orders").rows("orders")[0]["status"] == "canceled"

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_trade_tells_price_fee_and_the_position_after_it(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path) as line:
            await line.client.send(order("c-1", "0.60", "5"))
            trade = await line.next(ExecutionReport, lambda r: r.execution_type is ExecType.TRADE)
            assert kinds(line) == [ExecType.NEW, ExecType.TRADE]
            assert (trade.last_price, trade.last_quantity) == (
                Price.parse("0.60"),
                Count.parse("3"),
            )
            assert (trade.long_quantity, trade.short_quantity) == (Count.parse("3"), Count(0))
            assert trade.leaves_quantity == Count.parse("2")
            assert trade.is_aggressor
            (fill,) = desk.asker.get("/portfolio/fills").rows("fills")
            assert fill["trade_id"] == trade.trade_match_id
            assert Money.parse(str(fill["fee_cost"])) == trade.fees[0].amount

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_without_the_flag_a_first_trade_swallows_the_new(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        options = {"new_before_trade": False, "skip_pending_reports": False}
        async with desk.line(NR, TRADER, tmp_path, **options) as line:
            await line.client.send(order("c-1", "0.60", "3"))
            trade = await line.next(ExecutionReport, lambda r: r.execution_type is ExecType.TRADE)
            assert kinds(line) == [ExecType.PENDING_NEW, ExecType.TRADE]
            assert line.heard(ExecutionReport)[0].execution_id == "-1;-1"
            assert trade.order_status is OrderState.FILLED

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_orders_that_cannot_be_are_canceled_or_rejected_with_the_exchanges_words(
    tmp_path: Path,
) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path, new_before_trade=True) as line:

            async def last(message: NewOrderSingle) -> tuple[ExecType, str | None, str | None]:
                await line.client.send(message)
                told = await line.next(
                    ExecutionReport, lambda r: r.execution_type is not ExecType.NEW
                )
                return told.execution_type, told.reject_reason, told.text

            post = order("c-1", "0.60", instructions="6")
            assert await last(post) == (ExecType.CANCELED, None, "POST_ONLY_CROSS")
            kill = order("c-2", "0.60", "9", time_in_force=TimeInForce.FILL_OR_KILL)
            assert await last(kill) == (ExecType.CANCELED, None, "FOK_INSUFFICIENT_VOLUME")
            dear = order("c-3", "0.50", "900000")
            assert await last(dear) == (ExecType.REJECTED, "3", "INSUFFICIENT_BALANCE")
            again = order("c-1", "0.50")
            assert await last(again) == (ExecType.REJECTED, "6", "ORDER_ALREADY_EXISTS")

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_changing_an_order_and_what_cannot_be_changed(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path) as line:
            await line.ask(order("c-1", "0.50", "4"), ExecutionReport)
            less = await line.ask(replaced("c-2", "c-1", "3"), ExecutionReport)
            assert (less.execution_type, less.client_order_id) == (ExecType.REPLACED, "c-2")
            assert less.original_client_order_id == "c-1"
            assert less.leaves_quantity == Count.parse("3")
            moved = await line.ask(replaced("c-3", "c-2", "3", "0.45"), ExecutionReport)
            assert moved.price == Price.parse("0.45")
            off = await line.ask(replaced("c-4", "c-3", "3", "0.455"), OrderCancelReject)
            assert (off.reason, off.text) == ("99", "INVALID_PRICE")
            nobody = await line.ask(cancel("c-5", "never"), OrderCancelReject)
            assert (nobody.reason, nobody.order_id) == ("1", "NONE")
            await line.ask(cancel("c-6", "c-3"), ExecutionReport)
            late = await line.ask(cancel("c-7", "c-3"), OrderCancelReject)
            assert (late.reason, late.order_status) == ("0", OrderState.CANCELED)

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_mass_cancel_takes_the_sessions_own_orders_once_a_second(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path) as line:
            for name in ("c-1", "c-2"):
                await line.ask(order(name, "0.35"), ExecutionReport)
            for name in ("m-1", "m-2"):
                await line.client.send(OrderMassCancelRequest(client_order_id=name))
            assert (await line.next(OrderMassCancelReport)).client_order_id == "m-1"
            gone = [await line.next(ExecutionReport) for _ in range(2)]
            assert {each.client_order_id for each in gone} == {"c-1", "c-2"}
            assert (await line.next(BusinessMessageReject)).reason == "8"
            rows = desk.asker.get("/portfolio/orders?status=resting").rows("orders")
            assert [row["client_order_id"] for row in rows] == ["seeded-3"]

    floor = quoted()
    floor.order(US, Side.YES, "1", "0.30")  # not on this session
    with fix_desk(floor, tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_trade_by_fix_is_told_on_the_websocket(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        headers = desk.asker.signer.headers("GET", WEBSOCKET_PATH, desk.asker.clock())
        url = f"http://127.0.0.1:{desk.server.port}{WEBSOCKET_PATH}"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, headers=headers) as socket,
            desk.line(NR, TRADER, tmp_path) as line,
        ):
            wish = {"id": 1, "cmd": "subscribe", "params": {"channels": ["fill"]}}
            await socket.send_json(wish)
            assert (await socket.receive_json(timeout=90))["type"] == "subscribed"
            await line.client.send(order("c-1", "0.60", "3"))
            trade = await line.next(ExecutionReport, lambda r: r.execution_type is ExecType.TRADE)
            told = await socket.receive_json(timeout=90)
            assert told["type"] == "fill"
            assert told["msg"]["trade_id"] == trade.trade_match_id
            assert told["msg"]["order_id"] == trade.order_id

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_a_listener_hears_what_the_account_does_by_rest(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(RT, WATCHER, tmp_path, is_listener=True) as listener,
            desk.line(NR, MAKERS, tmp_path) as other,
        ):
            body = {
                "ticker": TICKER,
                "side": "bid",
                "count": "3.00",
                "price": "0.6000",
                "client_order_id": "by-rest",
                "time_in_force": "good_till_canceled",
                "self_trade_prevention_type": "taker_at_cross",
            }
            placed = desk.asker.post("/portfolio/events/orders", body)
            assert placed.status == 201, placed
            trade = await listener.next(
                ExecutionReport, lambda r: r.execution_type is ExecType.TRADE
            )
            assert trade.client_order_id == "by-rest"
            assert trade.order_id == placed.tree["order_id"]
            assert not other.heard(ExecutionReport)

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_orders_go_with_a_connection_that_asked_for_it(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path, cancel_orders_on_disconnect=True) as line:
            await line.ask(order("c-1", "0.50"), ExecutionReport)

        def rests() -> bool:
            (row,) = desk.asker.get("/portfolio/orders").rows("orders")
            return row["status"] != "canceled"

        async with asyncio.timeout(90):
            while rests():  # noqa: ASYNC110  # nothing rings
                await asyncio.sleep(0.02)

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_drop_copy_sends_executions_again_by_their_id(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with (
            desk.line(NR, TRADER, tmp_path) as line,
            desk.line(DC, WATCHER, tmp_path) as copy,
        ):
            first = await line.ask(order("c-1", "0.50"), ExecutionReport)
            second = await line.ask(cancel("c-2", "c-1"), ExecutionReport)
            request = EventResendRequest(begin_execution_id=first.execution_id)
            done = await copy.ask(request, EventResendComplete)
            assert done.events == 2
            assert copy.heard(ExecutionReport) == [first, second]
            old = EventResendRequest(begin_execution_id="0;0;0")
            assert (await copy.ask(old, EventResendReject)).reason == "3"
            ahead = EventResendRequest(
                begin_execution_id=first.execution_id, end_execution_id="999999;0;0"
            )
            assert (await copy.ask(ahead, EventResendReject)).reason == "4"

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


def test_an_order_group_by_fix_cancels_its_orders(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path) as line:
            create = OrderGroupRequest(action=OrderGroupAction.CREATE, limit=10)
            group = (await line.ask(create, OrderGroupResponse)).order_group_id
            await line.ask(order("c-1", "0.50", secondary_client_order_id=group), ExecutionReport)
            trigger = OrderGroupRequest(action=OrderGroupAction.TRIGGER, order_group_id=group)
            gone = await line.ask(trigger, ExecutionReport)
            assert (gone.execution_type, gone.text) == (ExecType.CANCELED, "ORDER_GROUP_CANCEL")
            await line.next(OrderGroupResponse)
            unknown = OrderGroupRequest(action=OrderGroupAction.RESET, order_group_id="nobody")
            assert (await line.ask(unknown, BusinessMessageReject)).text == "ORDER_GROUP_NOT_FOUND"

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


async def _refusal(desk: FixDesk, kind: SessionKind, pair: KeyPair, folder: Path) -> str:
    with pytest.raises(FixRefused) as refused:
        async with desk.line(kind, pair, folder):
            pass
    return str(refused.value)


def test_logons_are_refused_for_signature_scope_and_tier(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        forged = KeyPair(TRADER.registered, WATCHER.private)
        assert "signature error" in await _refusal(desk, NR, forged, tmp_path)
        assert "may not do this" in await _refusal(desk, NR, WATCHER, tmp_path)
        assert "API usage level" in await _refusal(desk, PT, TRADER, tmp_path)

    with fix_desk(quoted(), tmp_path, not_entitled=frozenset({PT})) as desk:
        asyncio.run(story(desk))


def test_a_key_has_one_connection_over_all_sessions(tmp_path: Path) -> None:
    async def story(desk: FixDesk) -> None:
        async with desk.line(NR, TRADER, tmp_path):
            waiting = asyncio.create_task(_open_and_close(desk, PT, TRADER, tmp_path))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await waiting
        async with desk.line(PT, TRADER, tmp_path):
            pass

    with fix_desk(quoted(), tmp_path) as desk:
        asyncio.run(story(desk))


async def _open_and_close(desk: FixDesk, kind: SessionKind, pair: KeyPair, folder: Path) -> None:
    async with desk.line(kind, pair, folder):
        pass
