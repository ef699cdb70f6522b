"""Orders over HTTP: what is asked, what is answered, and what the exchange then knows."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
from asker import Answered, Asker
from served_floor import MAKER, OTHER, TICKER, US, RunningClock, ServedFloor

from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import MINUTE
from trueup.core.market import MarketResult
from trueup.core.units import Price
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import KeyPair, new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import signer_for
from trueup.sim import commands as c
from trueup.wire.signing import REST_PREFIX

ORDERS = "/portfolio/events/orders"
MAKERS_KEY = new_ed25519_pair("maker", member=MAKER)

Open = Callable[..., Asker]


def new_order(**changes: object) -> dict[str, object]:
    order: dict[str, object] = {
        "ticker": TICKER,
        "client_order_id": str(uuid4()),
        "side": "bid",
        "count": "1.00",
        "price": "0.4800",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }
    return order | changes


@pytest.fixture
def open_floor() -> Iterator[Open]:
    askers: list[Asker] = []

    def start(
        floor: ServedFloor, *, settings: Settings | None = None, pair: KeyPair | None = None
    ) -> Asker:
        clock = RunningClock(floor.now)
        server = SandboxServer(
            floor.world(),
            clock=clock,
            settings=settings or Settings(limits=UNLIMITED),
            pair=pair,
            keys=[MAKERS_KEY.registered],
        )
        server.start()
        askers.append(Asker(server, clock))
        return askers[-1]

    yield start
    for asker in askers:
        asker.close()
        asker.server.stop()


@pytest.fixture
def floor() -> ServedFloor:
    floor = ServedFloor()
    floor.quote("0.47", "0.52")
    return floor


@pytest.fixture
def us(open_floor: Open, floor: ServedFloor) -> Asker:
    return open_floor(floor)


@pytest.fixture
def maker(us: Asker) -> Iterator[Asker]:
    asker = Asker(us.server, us.clock, signer_for("maker", MAKERS_KEY.private))
    yield asker
    asker.close()


def code(answer: Answered) -> tuple[int, object]:
    """Status and code of a refusal in the nested shape."""
    error = answer.tree["error"]
    assert isinstance(error, dict)
    return answer.status, cast("dict[str, object]", error)["code"]


def order_of(asker: Asker, order_id: object) -> dict[str, Any]:
    return cast("dict[str, Any]", asker.get(f"/portfolio/orders/{order_id}").tree["order"])


# -- placing -----------------------------------------------------------------------------------


def test_an_order_rests_and_can_be_read(us: Asker) -> None:
    asked = new_order(price="0.0100")

    placed = us.post(ORDERS, asked)

    assert placed.status == 201
    assert placed.tree.keys() == {
        "order_id",
        "client_order_id",
        "fill_count",
        "remaining_count",
        "ts_ms",
    }
    assert (placed.tree["fill_count"], placed.tree["remaining_count"]) == ("0.00", "1.00")
    order = order_of(us, placed.tree["order_id"])
    assert (order["status"], order["book_side"], order["yes_price_dollars"]) == (
        "resting",
        "bid",
        "0.0100",
    )
    assert order["client_order_id"] == asked["client_order_id"]


def test_a_taker_fills_at_the_makers_price_and_pays_its_fee(us: Asker) -> None:
    placed = us.post(ORDERS, new_order(price="0.9900", time_in_force="immediate_or_cancel"))

    assert placed.tree["fill_count"] == "1.00"
    assert placed.tree["remaining_count"] == "0.00"
    assert placed.tree["average_fill_price"] == "0.5200"
    assert placed.tree["average_fee_paid"] == "0.0175"
    (fill,) = us.get("/portfolio/fills").rows("fills")
    assert (fill["fee_cost"], fill["is_taker"]) == ("0.017500", True)
    order = order_of(us, placed.tree["order_id"])
    assert (order["status"], order["taker_fees_dollars"]) == ("executed", "0.017500")
    (trade,) = us.raw(f"/markets/trades?ticker={TICKER}").rows("trades")
    assert trade["trade_id"] == fill["trade_id"]


def test_both_sides_hear_of_their_fill(us: Asker, maker: Asker) -> None:
    us.post(ORDERS, new_order(price="0.5200"))

    (ours,), (theirs,) = (
        us.get("/portfolio/fills").rows("fills"),
        maker.get("/portfolio/fills").rows("fills"),
    )

    assert ours["trade_id"] == theirs["trade_id"]
    assert (ours["is_taker"], theirs["is_taker"]) == (True, False)
    assert (ours["book_side"], theirs["book_side"]) == ("bid", "ask")
    assert (theirs["side"], theirs["action"]) == ("yes", "sell")


def test_what_an_order_is_told_is_kept(us: Asker) -> None:
    later = us.clock() // 1_000_000 + 3600
    placed = us.post(
        ORDERS,
        new_order(
            expiration_time=later, cancel_order_on_pause=True, post_only=True, price="0.4800"
        ),
    )

    order = order_of(us, placed.tree["order_id"])
    assert order["cancel_order_on_pause"] is True
    assert order["self_trade_prevention_type"] == "taker_at_cross"
    assert str(order["expiration_time"]).startswith("2026-10-14")
    assert "order_group_id" not in order


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "0.5150"}, (400, "invalid_price")),
        ({"price": "0.51555"}, (400, "invalid_price")),
        ({"price": "0.0000"}, (400, "invalid_price")),
        ({"price": "1.0000"}, (400, "invalid_price")),
        ({"price": "-0.5"}, (400, "invalid_price")),
        ({"price": "half"}, (400, "invalid_price")),
        ({"count": "0.001"}, (400, "invalid_order_size")),
        ({"count": "0"}, (400, "invalid_order_size")),
        ({"count": "-1"}, (400, "invalid_order_size")),
        ({"count": "10099.00", "price": "0.4800"}, (400, "insufficient_balance")),
        ({"ticker": "KXNOSUCHMARKET"}, (404, "market_not_found")),
        ({"post_only": True, "price": "0.9900"}, (400, "invalid_order")),
        ({"side": "buy"}, (400, "invalid_parameters")),
        ({"time_in_force": "GTT"}, (400, "invalid_parameters")),
        ({"ticker": ""}, (400, "invalid_parameters")),
        ({"order_group_id": "no-such-group"}, (404, "order_group_not_found")),
        (
            {"time_in_force": "fill_or_kill", "price": "0.5200", "count": "4.00"},
            (409, "fill_or_kill_insufficient_resting_volume"),
        ),
        ({"reduce_only": True}, (400, "invalid_order")),
        ({"expiration_time": 1_000_000_000}, (400, "invalid_parameters")),
        (
            {"expiration_time": 4_000_000_000, "time_in_force": "immediate_or_cancel"},
            (400, "invalid_parameters"),
        ),
        ({"subaccount": 7}, (404, "not_found")),
        ({"exchange_index": 3}, (404, "market_not_found")),
    ],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(
    us: Asker, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    before = us.get("/portfolio/balance").tree["balance_dollars"]

    answer = us.post(ORDERS, new_order(**changes))

    assert code(answer) == expected
    assert us.get("/portfolio/balance").tree["balance_dollars"] == before
    assert us.get("/portfolio/orders").rows("orders") == []


def test_a_post_only_order_that_crosses_says_so(us: Asker) -> None:
    answer = us.post(ORDERS, new_order(post_only=True, price="0.9900"))

    assert answer.tree == {
        "error": {"code": "invalid_order", "message": "invalid order", "details": "post only cross"}
    }


@pytest.mark.parametrize(
    ("field", "value", "found", "go_type"),
    [
        ("count", 1, "number", "string"),
        ("price", 0.48, "number", "string"),
        ("ticker", ["a"], "array", "string"),
        ("post_only", "true", "string", "bool"),
        ("subaccount", "0", "string", "int"),
        ("expiration_time", 1.5, "number 1.5", "int64"),
    ],
)
def test_another_json_type_is_refused_in_the_decoders_words(
    us: Asker, field: str, value: object, found: str, go_type: str
) -> None:
    answer = us.post(ORDERS, new_order(**{field: value}))

    assert answer.status == 400
    assert answer.tree == {
        "code": "bad_request",
        "message": "bad request",
        "details": f"json: cannot unmarshal {found} into Go struct field "
        f"CreateOrderV2Request.{field} of type {go_type}",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"{broken", b"[1,", b'"\xff"', b"[" * 5_000, b"nul"])
def test_a_body_that_is_no_json_gets_the_flat_shape(us: Asker, body: bytes) -> None:
    answer = us.ask("POST", ORDERS, body=body)

    assert answer.status == 400
    assert (answer.tree["code"], answer.tree["message"]) == ("bad_request", "bad request")
    assert answer.tree["details"]


def test_a_body_without_its_type_is_refused(us: Asker) -> None:
    answer = us.raw(ORDERS, us.signed_headers(ORDERS, method="POST"), method="POST", body=b"{}")

    assert code(answer) == (400, "invalid_content_type")


def test_a_body_beyond_all_measure_is_refused(us: Asker) -> None:
    answer = us.ask("POST", ORDERS, body=b'{"ticker":"' + b"x" * (2 << 20) + b'"}')

    assert answer.status == 413
    assert us.get("/portfolio/balance").status == 200


def test_a_name_is_good_for_one_order_for_ever(us: Asker) -> None:
    asked = new_order(price="0.0100")
    first = us.post(ORDERS, asked)

    again = us.post(ORDERS, asked)
    us.delete(f"{ORDERS}/{first.tree['order_id']}")
    after_cancel = us.post(ORDERS, asked)

    assert code(again) == code(after_cancel) == (409, "order_already_exists")


def test_meeting_our_own_order_cancels_the_newcomer(us: Asker) -> None:
    resting = us.post(ORDERS, new_order(price="0.4900", post_only=True))

    crossing = us.post(
        ORDERS, new_order(side="ask", price="0.4900", time_in_force="immediate_or_cancel")
    )

    assert crossing.status == 201
    assert (crossing.tree["fill_count"], crossing.tree["remaining_count"]) == ("0.00", "0.00")
    assert order_of(us, resting.tree["order_id"])["status"] == "resting"


def test_cash_lies_per_shard(open_floor: Open) -> None:
    floor = ServedFloor(shard=Shard(2))
    us = open_floor(floor)

    placed = us.post(ORDERS, new_order())
    direct = us.post(ORDERS, new_order(exchange_index=2))
    elsewhere = us.post(ORDERS, new_order(exchange_index=0))

    assert (placed.status, direct.status) == (201, 201)
    assert code(elsewhere) == (404, "market_not_found")
    breakdown = cast(
        "list[dict[str, object]]", us.get("/portfolio/balance").tree["balance_breakdown"]
    )
    assert {one["exchange_index"]: one["balance"] for one in breakdown} == {
        0: "0.0000",
        2: "99.0400",
    }


def test_a_closed_market_takes_no_orders(us: Asker) -> None:
    us.server.step(c.CloseMarket(at=us.clock(), ticker=TICKER))

    assert code(us.post(ORDERS, new_order())) == (409, "market_closed")


def test_a_paused_market_takes_no_orders(us: Asker) -> None:
    us.server.step(c.PauseMarket(at=us.clock(), ticker=TICKER))

    assert code(us.post(ORDERS, new_order())) == (400, "market_inactive")
    assert us.post(ORDERS, new_order(ticker=OTHER)).status == 201


def test_a_trading_pause_is_told_and_takes_cancellations(us: Asker) -> None:
    placed = us.post(ORDERS, new_order())
    us.server.step(c.SetExchangeStatus(at=us.clock(), exchange_active=True, trading_active=False))

    refused = us.post(ORDERS, new_order())
    canceled = us.delete(f"{ORDERS}/{placed.tree['order_id']}")
    status = us.raw("/exchange/status").tree

    assert code(refused) == (400, "trading_paused")
    assert canceled.status == 200
    assert (status["exchange_active"], status["trading_active"]) == (True, False)


# -- cancelling --------------------------------------------------------------------------------


def test_cancelling_tells_what_was_taken_off(us: Asker) -> None:
    placed = us.post(ORDERS, new_order(count="2.50"))

    canceled = us.delete(f"{ORDERS}/{placed.tree['order_id']}")

    assert canceled.status == 200
    assert canceled.tree["reduced_by"] == "2.50"
    assert order_of(us, placed.tree["order_id"])["status"] == "canceled"


def test_a_404_on_cancel_tells_nothing(us: Asker) -> None:
    """Cancelled, executed and unknown orders get the same bytes."""
    canceled = us.post(ORDERS, new_order(price="0.0100")).tree["order_id"]
    us.delete(f"{ORDERS}/{canceled}")
    executed = us.post(ORDERS, new_order(price="0.5200")).tree["order_id"]

    bodies = {
        us.delete(f"{ORDERS}/{one}").body
        for one in (canceled, executed, "00000000-0000-0000-0000-000000000000")
    }

    assert bodies == {b'{"error":{"code":"not_found","message":"not found"}}'}


def test_nobody_cancels_anothers_order(us: Asker, maker: Asker) -> None:
    placed = us.post(ORDERS, new_order())

    assert maker.delete(f"{ORDERS}/{placed.tree['order_id']}").status == 404
    assert order_of(us, placed.tree["order_id"])["status"] == "resting"


def test_without_a_ticker_only_the_first_shard_is_searched(open_floor: Open) -> None:
    us = open_floor(ServedFloor(shard=Shard(2)))
    order_id = us.post(ORDERS, new_order()).tree["order_id"]

    blind = us.delete(f"{ORDERS}/{order_id}")
    insisting = us.delete(f"{ORDERS}/{order_id}?exchange_index=-1")
    told = us.delete(f"{ORDERS}/{order_id}?market_ticker={TICKER}")

    assert (blind.status, insisting.status, told.status) == (404, 400, 200)


def test_a_read_may_lag_behind_a_cancellation(open_floor: Open, floor: ServedFloor) -> None:
    us = open_floor(floor, settings=Settings(limits=UNLIMITED, lag=40_000))
    placed = us.post(ORDERS, new_order())
    for _ in range(60):
        us.raw("/exchange/status")
    us.delete(f"{ORDERS}/{placed.tree['order_id']}")

    stale = order_of(us, placed.tree["order_id"])["status"]
    again = us.delete(f"{ORDERS}/{placed.tree['order_id']}").status
    for _ in range(60):
        us.raw("/exchange/status")

    assert (stale, again) == ("resting", 404)
    assert order_of(us, placed.tree["order_id"])["status"] == "canceled"


def test_cancelling_everything_answers_nothing(us: Asker, maker: Asker) -> None:
    for price in ("0.0100", "0.0200"):
        us.post(ORDERS, new_order(price=price))

    answer = us.delete(ORDERS)

    assert (answer.status, answer.body) == (204, b"")
    assert us.get("/portfolio/orders?status=resting").rows("orders") == []
    assert len(maker.get("/portfolio/orders?status=resting").rows("orders")) == 2


# -- changing ----------------------------------------------------------------------------------


def amendment(**changes: object) -> dict[str, object]:
    return {"ticker": TICKER, "side": "bid", "price": "0.4800", "count": "2.00"} | changes


def test_an_amendment_sets_the_total(us: Asker) -> None:
    order_id = us.post(ORDERS, new_order()).tree["order_id"]

    amended = us.post(f"{ORDERS}/{order_id}/amend", amendment(price="0.4900", count="5.00"))

    assert amended.status == 200
    assert amended.tree["remaining_count"] == "5.00"
    order = order_of(us, order_id)
    assert (order["yes_price_dollars"], order["remaining_count_fp"]) == ("0.4900", "5.00")


def test_an_amendment_may_trade(us: Asker) -> None:
    order_id = us.post(ORDERS, new_order()).tree["order_id"]

    amended = us.post(f"{ORDERS}/{order_id}/amend", amendment(price="0.5200", count="4.00"))

    assert (amended.tree["fill_count"], amended.tree["remaining_count"]) == ("3.00", "1.00")
    assert amended.tree["average_fill_price"] == "0.5200"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"side": "ask"}, (400, "order_side_mismatch")),
        ({"ticker": OTHER}, (400, "order_ticker_mismatch")),
        ({"client_order_id": "another"}, (400, "order_id_and_client_order_id_mismatch")),
        ({"price": "0.4850"}, (400, "invalid_price")),
        ({"ticker": "KXNOSUCHMARKET"}, (404, "not_found")),
    ],
)
def test_an_amendment_must_be_about_the_order(
    us: Asker, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    order_id = us.post(ORDERS, new_order()).tree["order_id"]

    assert code(us.post(f"{ORDERS}/{order_id}/amend", amendment(**changes))) == expected


def test_a_decrease_is_by_or_to(us: Asker) -> None:
    order_id = us.post(ORDERS, new_order(count="5.00")).tree["order_id"]
    path = f"{ORDERS}/{order_id}/decrease"

    by = us.post(path, {"reduce_by": "1.50"})
    to = us.post(path, {"reduce_to": "2.00"})
    both = us.post(path, {"reduce_by": "1.00", "reduce_to": "1.00"})
    neither = us.post(path, {})

    assert (by.tree["remaining_count"], to.tree["remaining_count"]) == ("3.50", "2.00")
    assert (both.status, neither.status) == (400, 400)


# -- batches -----------------------------------------------------------------------------------


def test_orders_of_a_batch_fail_one_by_one(us: Asker) -> None:
    good, bad = new_order(), new_order(price="0.4850")

    answer = us.post(f"{ORDERS}/batched", {"orders": [good, bad]})

    assert answer.status == 201
    first, second = answer.rows("orders")
    assert first["client_order_id"] == good["client_order_id"]
    assert first["remaining_count"] == "1.00"
    assert second["client_order_id"] == bad["client_order_id"]
    assert cast("dict[str, object]", second["error"])["code"] == "invalid_price"


def test_cancellations_of_a_batch_fail_one_by_one(us: Asker) -> None:
    order_id = us.post(ORDERS, new_order()).tree["order_id"]

    answer = us.delete(
        f"{ORDERS}/batched", {"orders": [{"order_id": order_id}, {"order_id": "unknown"}]}
    )

    assert answer.status == 200
    first, second = answer.rows("orders")
    assert (first["order_id"], first["reduced_by"]) == (order_id, "1.00")
    assert (second["order_id"], second["reduced_by"]) == ("unknown", "0.00")
    assert cast("dict[str, object]", second["error"])["code"] == "not_found"


def test_a_batch_is_billed_item_by_item(open_floor: Open, floor: ServedFloor) -> None:
    us = open_floor(floor, settings=Settings())
    eleven = [new_order(price="0.0100") for _ in range(11)]

    too_much = us.post(f"{ORDERS}/batched", {"orders": eleven})
    fits = us.post(f"{ORDERS}/batched", {"orders": eleven[:10]})
    nothing_left = us.post(f"{ORDERS}/batched", {"orders": eleven[10:]})

    assert (too_much.status, fits.status, nothing_left.status) == (429, 201, 429)


# -- scopes and subaccounts --------------------------------------------------------------------


def test_a_key_that_may_only_read_places_nothing(open_floor: Open, floor: ServedFloor) -> None:
    us = open_floor(floor, pair=new_ed25519_pair("reader", scopes=("read",)))

    assert code(us.post(ORDERS, new_order())) == (403, "permission_denied")
    assert us.get("/portfolio/orders").status == 200


def test_a_key_that_may_trade_places_orders(open_floor: Open, floor: ServedFloor) -> None:
    us = open_floor(floor, pair=new_ed25519_pair("trader", scopes=("read", "write::trade")))

    assert us.post(ORDERS, new_order()).status == 201
    assert us.post("/portfolio/order_groups/create", {"contracts_limit": 5}).status == 201


def test_a_locked_key_trades_in_its_own_subaccount(open_floor: Open, floor: ServedFloor) -> None:
    one = Subaccount(1)
    floor.step(c.OpenSubaccount(at=floor.now, member=US, subaccount=one))
    us = open_floor(floor, pair=new_ed25519_pair("locked", subaccount=one))

    own = us.post(ORDERS, new_order())
    other = us.post(ORDERS, new_order(subaccount=0))

    assert code(own) == (400, "insufficient_balance")
    assert other.status == 403


# -- order groups and the queue ----------------------------------------------------------------


def test_a_group_stops_what_fills_too_much(us: Asker) -> None:
    made = us.post("/portfolio/order_groups/create", {"contracts_limit_fp": "2.00"})
    group = made.tree["order_group_id"]
    resting = us.post(ORDERS, new_order(order_group_id=group, price="0.0100"))

    us.post(ORDERS, new_order(order_group_id=group, price="0.5200", count="2.00"))
    late = us.post(ORDERS, new_order(order_group_id=group))
    us.put(f"/portfolio/order_groups/{group}/reset", {})
    fresh = us.post(ORDERS, new_order(order_group_id=group))

    assert made.status == 201
    assert order_of(us, resting.tree["order_id"])["status"] == "canceled"
    assert code(late) == (400, "exceeded_order_group_risk_limit")
    assert fresh.status == 201
    assert order_of(us, fresh.tree["order_id"])["order_group_id"] == group


def test_groups_are_listed_limited_and_deleted(us: Asker) -> None:
    group = us.post("/portfolio/order_groups/create", {"contracts_limit": 7}).tree["order_group_id"]
    order_id = us.post(ORDERS, new_order(order_group_id=group)).tree["order_id"]
    path = f"/portfolio/order_groups/{group}"

    (listed,) = us.get("/portfolio/order_groups").rows("order_groups")
    shown = us.get(path).tree
    limited = us.put(path + "/limit", {"contracts_limit_fp": "3.00"})
    deleted = us.delete(path)

    assert (listed["id"], listed["contracts_limit_fp"]) == (group, "7.00")
    assert shown["orders"] == [order_id]
    assert (limited.status, deleted.status, us.get(path).status) == (200, 200, 404)
    assert order_of(us, order_id)["status"] == "canceled"


@pytest.mark.parametrize("limit", [{}, {"contracts_limit": 0}, {"contracts_limit_fp": "2000000"}])
def test_a_group_needs_a_limit(us: Asker, limit: dict[str, object]) -> None:
    assert us.post("/portfolio/order_groups/create", limit).status == 400


def test_the_queue_is_counted_in_contracts(us: Asker) -> None:
    behind = us.post(ORDERS, new_order(price="0.4700")).tree["order_id"]
    first = us.post(ORDERS, new_order(price="0.4800")).tree["order_id"]

    places = us.get(f"/portfolio/orders/queue_positions?market_tickers={TICKER}")
    one = us.get(f"/portfolio/orders/{behind}/queue_position")

    assert {
        row["order_id"]: row["queue_position_fp"] for row in places.rows("queue_positions")
    } == {
        behind: "4.00",
        first: "0.00",
    }
    assert one.tree == {"queue_position_fp": "4.00"}
    assert us.get("/portfolio/orders/unknown/queue_position").status == 404


# -- settlement --------------------------------------------------------------------------------


def test_a_bought_contract_is_settled_and_the_row_comes_later(us: Asker) -> None:
    us.post(ORDERS, new_order(price="0.5200", count="2.00"))
    us.server.step(c.CloseMarket(at=us.clock(), ticker=TICKER))
    us.server.step(
        c.DetermineMarket(
            at=us.clock(), ticker=TICKER, result=MarketResult.YES, value=Price.parse("1")
        )
    )
    before = us.get("/portfolio/settlements").rows("settlements")
    cast("RunningClock", us.clock).skip(61 * MINUTE)

    (row,) = us.get("/portfolio/settlements").rows("settlements")

    assert before == []
    assert (row["revenue"], row["yes_count_fp"], row["fee_cost"]) == (200, "2.00", "0.035000")


def test_a_bot_that_dies_in_mid_request_is_no_error_of_the_exchange(
    us: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    head = [f"{name}: {value}" for name, value in us.signed_headers(ORDERS, method="POST").items()]
    lines = [f"POST {REST_PREFIX}{ORDERS} HTTP/1.1", "Host: x", *head]
    lines += ["Content-Type: application/json", "Content-Length: 100", "", '{"ticker":']

    with socket.create_connection(("127.0.0.1", us.server.port)) as line:
        line.sendall("\r\n".join(lines).encode())
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    us.server.stop()

    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]
