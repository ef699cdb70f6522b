"""The communications channel: who hears of which request, which quote, in which words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from hashlib import sha256
from typing import Any, cast

import aiohttp
import msgspec
from asker import Asker
from rfq_desk import MAKER, RfqDesk, rfq_desk
from served_floor import EVENT, TICKER, US

from trueup.wire.rest import portfolio
from trueup.wire.signing import WEBSOCKET_PATH

SECONDS_MAX = 90
NOBODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
Tree = dict[str, Any]


def name_of(member: str) -> str:
    return sha256(member.encode()).hexdigest()


def heard(
    desk: RfqDesk, play: Callable[[], object], *, own_only: bool = False, last: str
) -> list[list[Tree]]:
    """What we, the maker and the stranger hear while `play` happens; somebody hears `last`.

    Each asks for its subscriptions afterwards: what was told before comes before the answer.
    """

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> list[Tree]:
        found: list[Tree] = []
        while True:
            message = await socket.receive(timeout=SECONDS_MAX)
            assert message.type is aiohttp.WSMsgType.TEXT, message
            tree = cast("Tree", msgspec.json.decode(cast("str", message.data)))
            if tree["type"] == "ok":
                return found
            if tree["type"] != "subscribed":
                found.append(tree)

    async def all_of_it() -> list[list[Tree]]:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            sockets = [
                await stack.enter_async_context(connect(session, asker))
                for asker in (desk.us, desk.maker, desk.stranger)
            ]
            for socket in sockets:
                params: Tree = {"channels": ["communications"]}
                if own_only:
                    params["user_filter"] = "self"
                await socket.send_json({"id": 1, "cmd": "subscribe", "params": params})
                assert (await socket.receive_json(timeout=SECONDS_MAX))["type"] == "subscribed"
            await asyncio.to_thread(play)
            for socket in sockets:
                await socket.send_json({"id": 2, "cmd": "list_subscriptions"})
            return await asyncio.gather(*map(listen, sockets))

    def connect(session: aiohttp.ClientSession, asker: Asker) -> Any:
        headers = asker.signer.headers("GET", WEBSOCKET_PATH, desk.clock())
        return session.ws_connect(
            f"http://127.0.0.1:{desk.server.port}{WEBSOCKET_PATH}", headers=headers
        )

    told = asyncio.run(asyncio.wait_for(all_of_it(), SECONDS_MAX))
    assert any(tree["type"] == last for side in told for tree in side), told
    return told


def kinds(side: list[Tree]) -> list[str]:
    return [tree["type"] for tree in side]


def test_requests_are_told_to_all_and_quotes_to_their_two_sides() -> None:
    with rfq_desk() as desk:

        def play() -> None:
            desk.agree()
            desk.us.send(portfolio.balance())

        ours, makers, strangers = heard(desk, play, last="quote_executed")

    way = ["rfq_created", "quote_created", "quote_accepted", "quote_executed", "rfq_deleted"]
    assert kinds(ours) == kinds(makers) == way
    assert kinds(strangers) == ["rfq_created", "rfq_deleted"]
    assert [tree["seq"] for tree in ours] == [1, 2, 3, 4, 5]


def test_messages_carry_what_the_exchange_documents() -> None:
    with rfq_desk() as desk:
        made: list[str] = []

        def play() -> None:
            made.extend(desk.agree())
            made.append(str(desk.quote(desk.maker, *made)["creator_order_id"]))

        _, makers, _ = heard(desk, play, last="quote_executed")

    rfq_id, quote_id, order_id = made
    asked, quoted, accepted, executed, deleted = (tree["msg"] for tree in makers)
    assert asked == {
        "id": rfq_id, "creator_id": name_of(US), "market_ticker": TICKER, "event_ticker": EVENT,
        "contracts_fp": "10.00", "created_ts": asked["created_ts"],
    }  # fmt: skip
    names = {
        "quote_id": quote_id, "rfq_id": rfq_id, "market_ticker": TICKER,
        "quote_creator_id": name_of(MAKER), "rfq_creator_id": name_of(US),
    }  # fmt: skip
    offer = {
        **names, "event_ticker": EVENT, "yes_bid_dollars": "0.4800", "no_bid_dollars": "0.4800",
        "yes_contracts_offered_fp": "10.00", "no_contracts_offered_fp": "10.00",
    }  # fmt: skip
    assert quoted == {**offer, "created_ts": quoted["created_ts"]}
    assert accepted == {**offer, "accepted_side": "yes", "contracts_accepted_fp": "10.00"}
    assert executed == {
        **names, "order_id": order_id, "client_order_id": executed["client_order_id"],
        "executed_ts": executed["executed_ts"],
    }  # fmt: skip
    assert deleted["id"] == rfq_id
    assert "deleted_ts" in deleted


def test_each_side_hears_of_its_own_order() -> None:
    with rfq_desk() as desk:

        def play() -> None:
            desk.agree()
            desk.us.send(portfolio.balance())

        ours, makers, _ = heard(desk, play, last="quote_executed")
        client_ids = {
            str(one["client_order_id"])
            for asker in (desk.us, desk.maker)
            for one in asker.get("/portfolio/orders?status=executed").rows("orders")
        }

    told = {side[3]["msg"]["client_order_id"] for side in (ours, makers)}
    assert len(told) == 2
    assert told <= client_ids


def test_who_hides_is_named_to_itself_only() -> None:
    with rfq_desk() as desk:
        ours, makers, strangers = heard(
            desk, lambda: desk.ask_for(obscure_creator_id=True), last="rfq_created"
        )

    shown = [side[0]["msg"]["creator_id"] for side in (ours, makers, strangers)]
    assert shown == [name_of(US), NOBODY, NOBODY]


def test_own_requests_only_where_that_is_asked_for() -> None:
    with rfq_desk() as desk:

        def play() -> None:
            rfq_id = desk.ask_for()
            desk.answer(rfq_id)
            desk.us.delete(f"/communications/rfqs/{rfq_id}")

        ours, makers, strangers = heard(desk, play, own_only=True, last="quote_created")

    assert kinds(ours) == ["rfq_created", "quote_created", "rfq_deleted"]
    assert kinds(makers) == ["quote_created"]
    assert strangers == []
