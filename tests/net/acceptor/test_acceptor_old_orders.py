"""The first order API: buy and sell, yes and no, in dollars (March 2026) and in cents (2025)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
from asker import Answered, Asker
from served_floor import TICKER, RunningClock, ServedFloor

from trueup.core.instant import parse_instant
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings

ORDERS = "/portfolio/orders"
OPENED = {
    Personality.JUNE_2026: parse_instant("2026-06-10T12:00:00Z"),
    Personality.MARCH_2026: parse_instant("2026-03-20T12:00:00Z"),
    Personality.OLD: parse_instant("2025-10-14T12:00:00Z"),
}

Record = dict[str, Any]


def start(personality: Personality) -> Iterator[Asker]:
    floor = ServedFloor(opened=OPENED[personality])
    floor.quote("0.47", "0.52")
    clock = RunningClock(floor.now)
    settings = Settings(personality=personality, limits=UNLIMITED)
    with SandboxServer(floor.world(), clock=clock, settings=settings) as server:
        asker = Asker(server, clock)
        yield asker
        asker.close()


@pytest.fixture
def march() -> Iterator[Asker]:
    yield from start(Personality.MARCH_2026)


@pytest.fixture
def old() -> Iterator[Asker]:
    yield from start(Personality.OLD)


@pytest.fixture(params=[Personality.JUNE_2026, Personality.MARCH_2026])
def dollars(request: pytest.FixtureRequest) -> Iterator[Asker]:
    yield from start(request.param)


def new_order(**changes: object) -> Record:
    order: Record = {
        "ticker": TICKER,
        "side": "yes",
        "action": "buy",
        "count_fp": "2.00",
        "yes_price_dollars": "0.4500",
        "client_order_id": str(uuid4()),
    }
    return {name: value for name, value in (order | changes).items() if value is not None}


def order_in(answer: Answered) -> Record:
    return cast("Record", answer.tree["order"])


def code(answer: Answered) -> tuple[int, object]:
    return answer.status, cast("Record", answer.tree["error"])["code"]


def test_an_order_in_dollars_rests_and_is_taken_back(dollars: Asker) -> None:
    placed = dollars.post(ORDERS, new_order())
    order = order_in(placed)

    canceled = dollars.delete(f"{ORDERS}/{order['order_id']}")

    assert (placed.status, canceled.status) == (201, 200)
    assert (order["status"], order["remaining_count_fp"]) == ("resting", "2.00")
    assert (order["yes_price_dollars"], order["no_price_dollars"]) == ("0.4500", "0.5500")
    assert canceled.tree["reduced_by_fp"] == "2.00"
    assert order_in(canceled)["status"] == "canceled"


@pytest.mark.parametrize(
    ("side", "action", "price", "position"),
    [
        ("yes", "buy", {"yes_price_dollars": "0.5200"}, "1.00"),
        ("yes", "buy", {"no_price_dollars": "0.4800"}, "1.00"),
        ("no", "sell", {"no_price_dollars": "0.4800"}, "1.00"),
        ("no", "buy", {"no_price_dollars": "0.5300"}, "-1.00"),
        ("no", "buy", {"yes_price_dollars": "0.4700"}, "-1.00"),
        ("yes", "sell", {"yes_price_dollars": "0.4700"}, "-1.00"),
    ],
)
def test_the_words_decide_the_direction_and_are_kept(
    march: Asker, side: str, action: str, price: Record, position: str
) -> None:
    asked = new_order(side=side, action=action, count_fp="1.00", yes_price_dollars=None) | price

    order = order_in(march.post(ORDERS, asked))
    (fill,) = march.get("/portfolio/fills").rows("fills")
    (held,) = march.get("/portfolio/positions").rows("market_positions")

    assert (order["status"], order["side"], order["action"]) == ("executed", side, action)
    assert (fill["side"], fill["action"]) == (side, action)
    assert held["position_fp"] == position


def test_fees_are_charged_whatever_a_guide_says(march: Asker) -> None:
    order = order_in(
        march.post(ORDERS, new_order(count=1, count_fp=None, yes_price_dollars="0.52"))
    )

    # Until May 2026 balances were kept in cents, and fees made up the difference.
    assert order["taker_fees_dollars"] == "0.020000"
    (fill,) = march.get("/portfolio/fills").rows("fills")
    assert fill["fee_cost"] == "0.020000"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"yes_price_dollars": None}, (400, "invalid_order")),
        ({"no_price_dollars": "0.5500"}, (400, "invalid_parameters")),
        ({"count_fp": None}, (400, "invalid_parameters")),
        ({"count": 3}, (400, "invalid_parameters")),
        ({"side": "bid"}, (400, "invalid_parameters")),
        ({"yes_price_dollars": "0.4550"}, (400, "invalid_price")),
        ({"ticker": "KXNOSUCHMARKET"}, (404, "market_not_found")),
        ({"count_fp": "1000.00"}, (400, "insufficient_balance")),
        ({"action": "sell", "sell_position_floor": 0}, (400, "exceeded_sell_position_floor")),
        ({"post_only": True, "yes_price_dollars": "0.9900"}, (400, "invalid_order")),
    ],
)
def test_what_cannot_be_taken_is_refused(
    march: Asker, changes: Record, expected: tuple[int, str]
) -> None:
    assert code(march.post(ORDERS, new_order(**changes))) == expected


def test_a_number_with_places_is_no_count(march: Asker) -> None:
    answer = march.post(ORDERS, new_order(count=2.5, count_fp=None))

    assert answer.status == 400
    assert answer.tree["details"] == (
        "json: cannot unmarshal number 2.5 into Go struct field CreateOrderRequest.count "
        "of type int"
    )


def test_a_cost_limit_fills_whole_or_not_at_all(march: Asker) -> None:
    dear = march.post(ORDERS, new_order(yes_price_dollars="0.9900", buy_max_cost=100))
    cheap = march.post(ORDERS, new_order(yes_price_dollars="0.9900", buy_max_cost=104))

    assert dear.status == 409
    assert order_in(cheap)["status"] == "executed"


def test_an_amendment_shows_both_orders(march: Asker) -> None:
    placed = order_in(march.post(ORDERS, new_order()))
    asked = new_order(
        count_fp="5.00", yes_price_dollars="0.4600", client_order_id=placed["client_order_id"]
    )

    amended = march.post(f"{ORDERS}/{placed['order_id']}/amend", asked)

    before, after = cast("Record", amended.tree["old_order"]), order_in(amended)
    assert (before["yes_price_dollars"], after["yes_price_dollars"]) == ("0.4500", "0.4600")
    assert after["remaining_count_fp"] == "5.00"


def test_a_decrease_takes_contracts_off(march: Asker) -> None:
    placed = order_in(march.post(ORDERS, new_order(count_fp="5.00")))

    decreased = march.post(f"{ORDERS}/{placed['order_id']}/decrease", {"reduce_by": 2})
    senseless = march.post(f"{ORDERS}/{placed['order_id']}/decrease", {})

    assert order_in(decreased)["remaining_count_fp"] == "3.00"
    assert code(senseless) == (400, "invalid_parameters")


def test_batches_fail_one_by_one_and_hold_twenty(march: Asker) -> None:
    good, bad = new_order(), new_order(yes_price_dollars="0.4550")

    placed = march.post(f"{ORDERS}/batched", {"orders": [good, bad]})
    first, second = placed.rows("orders")
    order_id = cast("Record", first["order"])["order_id"]
    canceled = march.delete(f"{ORDERS}/batched", {"ids": [order_id, "unknown"]})
    too_many = march.post(f"{ORDERS}/batched", {"orders": [new_order() for _ in range(21)]})

    assert (placed.status, first["error"], second["order"]) == (201, None, None)
    assert cast("Record", second["error"])["code"] == "invalid_price"
    assert [row["reduced_by_fp"] for row in canceled.rows("orders")] == ["2.00", "0.00"]
    assert too_many.status == 400


def test_the_second_api_did_not_exist_yet(march: Asker) -> None:
    assert march.post("/portfolio/events/orders", {}).status == 404


def test_the_present_exchange_has_closed_the_first_one() -> None:
    floor = ServedFloor()
    clock = RunningClock(floor.now)
    with SandboxServer(floor.world(), clock=clock, settings=Settings()) as server:
        asker = Asker(server, clock)
        answers = [
            asker.post(ORDERS, new_order()),
            asker.delete(f"{ORDERS}/some-id"),
            asker.post(f"{ORDERS}/some-id/amend", {}),
            asker.post(f"{ORDERS}/batched", {}),
        ]
        listed = asker.get(ORDERS)
        asker.close()

    assert {code(one) for one in answers} == {(410, "deprecated_v1_order_endpoint")}
    assert listed.status == 200


# -- 2025 --------------------------------------------------------------------------------------


def test_an_order_in_cents_rests_fills_and_is_taken_back(old: Asker) -> None:
    cents = {"ticker": TICKER, "side": "yes", "action": "buy", "count": 2}

    resting = order_in(old.post(ORDERS, cents | {"yes_price": 45, "client_order_id": "a"}))
    canceled = old.delete(f"{ORDERS}/{resting['order_id']}")
    taken = order_in(old.post(ORDERS, cents | {"yes_price": 52, "client_order_id": "b"}))

    assert (resting["yes_price"], resting["remaining_count"]) == (45, 2)
    assert canceled.tree["reduced_by"] == 2
    assert (taken["status"], taken["taker_fill_cost"]) == ("executed", 104)
    assert taken["taker_fees"] == 4


def test_a_market_order_takes_the_best_price(old: Asker) -> None:
    order = {"ticker": TICKER, "side": "no", "action": "buy", "count": 1, "type": "market"}

    placed = order_in(old.post(ORDERS, order | {"client_order_id": "m"}))

    assert placed["status"] == "executed"
    assert placed["taker_fill_cost"] == 53


def test_a_book_in_cents_has_the_best_bid_last(old: Asker) -> None:
    book = cast("Record", old.get(f"/markets/{TICKER}/orderbook").tree["orderbook"])

    assert (book["yes"], book["no"]) == ([[47, 3]], [[48, 3]])
    assert book["yes_dollars"] == [["0.4700", "3.00"]]
