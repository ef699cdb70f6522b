"""Order entry on the wire: what is sent is what is meant, and what comes back is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import (
    COUNTS,
    INSTANTS,
    NAMES,
    ORDER_PRICES,
    SECONDS,
    SHARDS,
    SOME,
    SUBACCOUNTS,
)

from trueup.core.errors import CallerError, ProtocolBroken
from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant, from_milliseconds, from_seconds
from trueup.core.order_entry import (
    NO_EXPIRY,
    Amendment,
    Cancellation,
    Decrease,
    ItemRefused,
    ItemUnknown,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderDecreased,
    OrderPlaced,
)
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import Count, Price
from trueup.wire.rest import order_groups, orders
from trueup.wire.rest import order_shapes as shapes
from trueup.wire.rest.bodies import BodyRefused, read_body, write_body
from trueup.wire.rest.encode import to_json
from trueup.wire.rest.errors import ErrorShape

ORDER = NewOrder(
    ticker=Ticker("KXHIGHNY-26JUN11-T80"),
    side=Side.YES,
    count=Count.of_contracts(10),
    price=Price.of_cents(56),
    client_order_id=ClientOrderId("8c35"),
)
NEW_ORDERS = st.builds(
    NewOrder,
    ticker=NAMES.map(Ticker),
    side=st.sampled_from(Side),
    count=SOME,
    price=ORDER_PRICES,
    client_order_id=NAMES.map(ClientOrderId),
    time_in_force=st.sampled_from(TimeInForce),
    self_trade_prevention=st.sampled_from(SelfTradePrevention),
    expires_at=st.none() | SECONDS,
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    cancel_on_pause=st.booleans(),
    group_id=st.none() | NAMES.map(OrderGroupId),
    subaccount=st.none() | SUBACCOUNTS,
    shard=st.none() | SHARDS,
)
MILLISECONDS = st.integers(1_500_000_000_000, 2_000_000_000_000).map(from_milliseconds)
AVERAGES = st.integers(0, 10_000).map(lambda units: Fraction(units, 10_000))
PLACED = st.builds(
    OrderPlaced,
    order_id=NAMES.map(OrderId),
    client_order_id=NAMES.map(ClientOrderId),
    fill_count=COUNTS,
    remaining_count=COUNTS,
    average_fill_price=st.none() | AVERAGES,
    average_fee=st.none() | AVERAGES,
    at=MILLISECONDS,
)
CANCELED = st.builds(
    OrderCanceled,
    order_id=NAMES.map(OrderId),
    client_order_id=NAMES.map(ClientOrderId),
    reduced_by=COUNTS,
    at=MILLISECONDS,
)
REFUSED = st.builds(
    ItemRefused,
    order_id=NAMES.map(OrderId),
    client_order_id=NAMES.map(ClientOrderId),
    code=NAMES,
    message=NAMES,
    details=NAMES,
)


def body_of(raw: bytes | None) -> dict[str, Any]:
    assert raw is not None
    return json.loads(raw)


# -- what is sent ------------------------------------------------------------------------------


def test_new_order_is_sent_in_strings_and_in_yes_prices() -> None:
    call = orders.create(replace(ORDER, side=Side.NO))

    assert (call.method, call.path) == ("POST", "/portfolio/events/orders")
    assert body_of(call.body) == {
        "ticker": "KXHIGHNY-26JUN11-T80",
        "side": "ask",
        "count": "10.00",
        "price": "0.5600",
        "client_order_id": "8c35",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    }


def test_everything_that_differs_from_the_default_is_sent() -> None:
    order = replace(
        ORDER,
        expires_at=from_seconds(1_800_000_000),
        post_only=True,
        cancel_on_pause=True,
        group_id=OrderGroupId("g1"),
        subaccount=Subaccount(0),
        shard=Shard(2),
    )

    sent = body_of(orders.create(order).body)

    assert sent["expiration_time"] == 1_800_000_000
    assert sent["post_only"] is True
    assert sent["cancel_order_on_pause"] is True
    assert (sent["order_group_id"], sent["subaccount"], sent["exchange_index"]) == ("g1", 0, 2)


def test_amendment_keeps_clears_or_sets_the_expiry() -> None:
    amendment = Amendment(
        order_id=OrderId("o1"),
        ticker=ORDER.ticker,
        side=ORDER.side,
        price=ORDER.price,
        count=ORDER.count,
        subaccount=Subaccount(3),
    )

    kept = orders.amend(amendment)
    cleared = body_of(orders.amend(replace(amendment, expires_at=NO_EXPIRY)).body)

    assert kept.path == "/portfolio/events/orders/o1/amend"
    assert dict(kept.query) == {"subaccount": "3"}
    assert body_of(kept.body) == {
        "ticker": "KXHIGHNY-26JUN11-T80",
        "side": "bid",
        "price": "0.5600",
        "count": "10.00",
    }
    assert cleared["expiration_time"] == 0


def test_decrease_says_by_or_to() -> None:
    by = orders.decrease(Decrease(order_id=OrderId("o1"), by=Count(150), ticker=ORDER.ticker))
    to = orders.decrease(Decrease(order_id=OrderId("o1"), to=Count(0), shard=Shard(1)))

    assert body_of(by.body) == {"reduce_by": "1.50", "market_ticker": ORDER.ticker}
    assert body_of(to.body) == {"reduce_to": "0.00", "exchange_index": 1}


def test_cancel_names_its_market_so_that_the_shard_is_found() -> None:
    call = orders.cancel(Cancellation(order_id=OrderId("o1"), ticker=ORDER.ticker))

    assert (call.method, call.body) == ("DELETE", None)
    assert dict(call.query) == {"market_ticker": ORDER.ticker}


def test_batch_is_billed_item_by_item() -> None:
    created = orders.create_batch([ORDER, replace(ORDER, client_order_id=ClientOrderId("b"))])
    canceled = orders.cancel_batch([Cancellation(order_id=OrderId("o1"))] * 3)

    assert (created.items, created.cost) == (2, 10)
    assert (canceled.items, canceled.cost) == (3, 2)
    assert body_of(canceled.body) == {"orders": [{"order_id": "o1"}] * 3}


def test_only_what_may_be_said_twice_may_be_repeated() -> None:
    assert orders.cancel_all().idempotent
    assert not orders.create(ORDER).idempotent
    assert not orders.create_batch([ORDER]).idempotent
    assert not orders.cancel(Cancellation(order_id=OrderId("o1"))).idempotent
    assert order_groups.trigger(OrderGroupId("g")).idempotent
    assert not order_groups.reset(OrderGroupId("g")).idempotent


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (replace(ORDER, count=Count(0)), "more than 0 contracts"),
        (replace(ORDER, price=Price(0)), "between"),
        (replace(ORDER, price=Price(10_000)), "between"),
        (replace(ORDER, client_order_id=ClientOrderId("")), "client_order_id"),
        (replace(ORDER, reduce_only=True), "immediate_or_cancel"),
        (
            replace(
                ORDER,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
                expires_at=from_seconds(1_800_000_000),
            ),
            "good_till_canceled",
        ),
        (replace(ORDER, time_in_force=TimeInForce.FILL_OR_KILL, post_only=True), "post_only"),
    ],
)
def test_order_that_no_market_takes_is_refused_here(wrong: NewOrder, says: str) -> None:
    with pytest.raises(CallerError, match=says):
        orders.create(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        Decrease(order_id=OrderId("o1")),
        Decrease(order_id=OrderId("o1"), by=Count(1), to=Count(1)),
        Decrease(order_id=OrderId("o1"), by=Count(0)),
        Decrease(order_id=OrderId("o1"), to=Count(-1)),
    ],
)
def test_decrease_that_makes_no_sense_is_refused_here(wrong: Decrease) -> None:
    with pytest.raises(CallerError):
        orders.decrease(wrong)


def test_empty_batch_is_refused_here() -> None:
    with pytest.raises(CallerError, match="at least one"):
        orders.create_batch([])
    with pytest.raises(CallerError, match="at least one"):
        orders.cancel_batch([])


# -- both ways ---------------------------------------------------------------------------------


@given(NEW_ORDERS)
def test_new_order_is_read_as_it_was_meant(order: NewOrder) -> None:
    assert read_body(shapes.NEW_ORDER, write_body(shapes.NEW_ORDER, order)) == order


@given(st.lists(NEW_ORDERS, min_size=1, max_size=4))
def test_batch_is_read_as_it_was_meant(batch: list[NewOrder]) -> None:
    written = write_body(shapes.BATCH_CREATE, shapes.BatchCreate(orders=tuple(batch)))

    assert read_body(shapes.BATCH_CREATE, written).orders == tuple(batch)


@given(
    st.builds(
        Amendment,
        order_id=NAMES.map(OrderId),
        ticker=NAMES.map(Ticker),
        side=st.sampled_from(Side),
        price=ORDER_PRICES,
        count=SOME,
        client_order_id=st.none() | NAMES.map(ClientOrderId),
        new_client_order_id=st.none() | NAMES.map(ClientOrderId),
        expires_at=st.none() | SECONDS | st.just(NO_EXPIRY),
        subaccount=st.none() | SUBACCOUNTS,
        shard=st.none() | SHARDS,
    )
)
def test_amendment_is_read_as_it_was_meant(amendment: Amendment) -> None:
    beside = {"order_id": amendment.order_id, "subaccount": amendment.subaccount}

    written = write_body(shapes.AMENDMENT, amendment)

    assert read_body(shapes.AMENDMENT, written, also=beside) == amendment


@given(PLACED)
def test_answer_to_an_order_is_read_back(placed: OrderPlaced) -> None:
    assert orders.create(ORDER).decode(to_json(shapes.PLACED.write(placed))) == placed


@given(st.lists(PLACED | REFUSED, min_size=1, max_size=4))
def test_answer_to_a_batch_is_read_back(items: list[OrderPlaced | ItemRefused]) -> None:
    body = to_json({"orders": [shapes.write_placed_item(item) for item in items]})

    assert orders.create_batch([ORDER] * len(items)).decode(body) == tuple(items)


@given(st.lists(CANCELED | REFUSED, min_size=1, max_size=4))
def test_answer_to_a_batch_of_cancels_is_read_back(
    items: list[OrderCanceled | ItemRefused],
) -> None:
    body = to_json({"orders": [shapes.write_canceled_item(item) for item in items]})
    asked = [Cancellation(order_id=OrderId("o"))] * len(items)

    assert orders.cancel_batch(asked).decode(body) == tuple(items)


@given(
    st.builds(
        OrderAmended,
        order_id=NAMES.map(OrderId),
        client_order_id=NAMES.map(ClientOrderId),
        fill_count=st.none() | COUNTS,
        remaining_count=st.none() | COUNTS,
        average_fill_price=st.none() | AVERAGES,
        average_fee=st.none() | AVERAGES,
        at=MILLISECONDS,
    )
)
def test_answer_to_an_amendment_is_read_back(amended: OrderAmended) -> None:
    assert shapes.AMENDED.read(to_json(shapes.AMENDED.write(amended))) == amended


@given(INSTANTS)
def test_times_are_cut_to_what_the_wire_holds(at: Instant) -> None:
    decreased = OrderDecreased(
        order_id=OrderId("o"), client_order_id=ClientOrderId("c"), remaining_count=Count(1), at=at
    )

    read = shapes.DECREASED.read(to_json(shapes.DECREASED.write(decreased)))

    assert 0 <= at - read.at < 1000


# -- what comes back ---------------------------------------------------------------------------


def test_order_that_met_our_own_is_accepted_but_dead() -> None:
    body = (
        b'{"client_order_id":"8ae6","fill_count":"0.00","order_id":"07ac",'
        b'"remaining_count":"0.00","ts_ms":1781159381287}'
    )

    placed = orders.create(ORDER).decode(body)

    assert (placed.fill_count, placed.remaining_count) == (Count(0), Count(0))
    assert placed.average_fill_price is None


def test_success_without_an_order_is_no_success() -> None:
    with pytest.raises(ProtocolBroken, match="order_id"):
        orders.create(ORDER).decode(b"{}")


def test_batch_row_that_says_nothing_is_an_unknown_order() -> None:
    body = (
        b'{"orders":[{"client_order_id":"a"},{"error":{"code":"invalid_price"},'
        b'"client_order_id":"b","fill_count":null}]}'
    )

    unknown, refused = orders.create_batch([ORDER, ORDER]).decode(body)

    assert unknown == ItemUnknown(order_id=OrderId(""), client_order_id=ClientOrderId("a"))
    assert isinstance(refused, ItemRefused)
    assert refused.code == "invalid_price"


def test_batch_answer_of_another_length_is_not_matched_up() -> None:
    with pytest.raises(ProtocolBroken, match="2 orders was answered with 1"):
        orders.create_batch([ORDER, ORDER]).decode(b'{"orders":[{"client_order_id":"a"}]}')


def test_unknown_fields_of_a_batch_are_found() -> None:
    body = b'{"orders":[{"order_id":"o","mood":1,"error":{"code":"x","hint":"y"}}]}'

    assert orders.create_batch([ORDER]).unknown_fields(body) == ("mood", "error.hint")


def test_queue_positions_are_read_in_both_forms() -> None:
    new = b'{"queue_positions":[{"order_id":"o","market_ticker":"T","queue_position_fp":"12.50"}]}'
    old = b'{"queue_positions":[{"order_id":"o","market_ticker":"T","queue_position":103}]}'

    assert orders.queue_positions().decode(new)[0].contracts_ahead == Count(1_250)
    assert orders.queue_positions().decode(old)[0].contracts_ahead == Count.of_contracts(103)
    assert orders.queue_position(OrderId("o")).decode(b'{"queue_position":3}') == Count(300)


# -- what the exchange refuses to read ---------------------------------------------------------


def without(name: str) -> bytes:
    tree = body_of(orders.create(ORDER).body)
    del tree[name]
    return json.dumps(tree).encode()


def with_(**changed: object) -> bytes:
    return json.dumps(body_of(orders.create(ORDER).body) | changed).encode()


def test_number_for_a_string_is_refused_in_the_recorded_words() -> None:
    with pytest.raises(BodyRefused) as caught:
        read_body(shapes.NEW_ORDER, with_(count=1, price=0.01))

    assert caught.value.shape is ErrorShape.FLAT
    assert caught.value.refusal.code == "bad_request"
    assert caught.value.refusal.details == (
        "json: cannot unmarshal number into Go struct field CreateOrderV2Request.count "
        "of type string"
    )


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"[]", "bad_request", "cannot unmarshal array"),
        (b'"x"', "bad_request", "cannot unmarshal string"),
        (b"{", "bad_request", ""),
        (with_(post_only="yes"), "bad_request", "of type bool"),
        (with_(expiration_time=1.5), "bad_request", "number 1.5"),
        (without("ticker"), "invalid_parameters", "'required' tag"),
        (with_(ticker=""), "invalid_parameters", "'required' tag"),
        (without("time_in_force"), "invalid_parameters", "'required' tag"),
        (without("self_trade_prevention_type"), "invalid_parameters", "SelfTradePreventionType"),
        (with_(side="yes"), "invalid_parameters", "'oneof' tag"),
        (with_(time_in_force="GTT"), "invalid_parameters", "'oneof' tag"),
        (with_(count="0.001"), "invalid_order_size", "finer"),
        (with_(count="many"), "invalid_order_size", "count"),
        (with_(price="1.5"), "invalid_price", "price"),
        (with_(price="0.56001"), "invalid_price", "finer"),
    ],
)
def test_malformed_order_is_refused(body: bytes, code: str, says: str) -> None:
    with pytest.raises(BodyRefused) as caught:
        read_body(shapes.NEW_ORDER, body)

    assert caught.value.refusal.code == code
    assert says in caught.value.refusal.details


def test_malformed_order_in_a_batch_is_refused_with_its_place() -> None:
    item = body_of(with_(count=1))

    with pytest.raises(BodyRefused, match=r"BatchCreateOrdersV2Request\.orders\.count"):
        read_body(shapes.BATCH_CREATE, json.dumps({"orders": [item]}).encode())
    with pytest.raises(BodyRefused, match=r"CreateOrderV2Request\.Ticker"):
        read_body(shapes.BATCH_CREATE, b'{"orders":[{"side":"bid"}]}')


def test_unknown_fields_and_nulls_are_ignored() -> None:
    assert read_body(shapes.NEW_ORDER, with_(mood="good", post_only=None)) == ORDER


def test_order_without_a_name_may_come_from_others() -> None:
    assert read_body(shapes.NEW_ORDER, without("client_order_id")).client_order_id == ""


# -- order groups ------------------------------------------------------------------------------


def test_group_is_created_with_its_limit() -> None:
    call = order_groups.create(Count.of_contracts(50), subaccount=Subaccount(1))

    assert body_of(call.body) == {"contracts_limit_fp": "50.00", "subaccount": 1}
    assert call.decode(b'{"order_group_id":"g","subaccount":1,"exchange_index":0}').group_id == "g"
    assert call.decode(b'{"order_group_id":"g"}').subaccount == 0


def test_whole_contracts_are_a_limit_too() -> None:
    read = read_body(order_groups.NEW_GROUP, b'{"contracts_limit":7}')

    assert (read.limit, read.whole_limit) == (None, Count.of_contracts(7))


def test_group_without_orders_is_read() -> None:
    body = b'{"is_auto_cancel_enabled":true,"orders":null,"contracts_limit_fp":"5.00"}'

    group = order_groups.group(OrderGroupId("g")).decode(body)

    assert (group.order_ids, group.limit) == ((), Count(500))


def test_limit_of_nothing_is_refused_here() -> None:
    with pytest.raises(CallerError, match="limit"):
        order_groups.create(Count(0))
    with pytest.raises(CallerError, match="limit"):
        order_groups.set_limit(OrderGroupId("g"), Count(0))
