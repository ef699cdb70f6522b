"""Changing orders: what keeps the place in the queue and what loses it; groups; pauses."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from small_exchange import RAIN, SNOW
from trading_floor import ANN, BOB, CAT, Floor, trading_floor

from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderGroupId, OrderId, Shard, Ticker
from trueup.core.instant import SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.sim import commands as c
from trueup.sim import events as e

GROUP = OrderGroupId("group")


def amend(floor: Floor, order_id: OrderId, count: str, price: str) -> c.AmendOrder:
    order = floor.order(order_id)
    return c.AmendOrder(
        at=floor.now,
        member=order.terms.member,
        order_id=order_id,
        ticker=order.terms.ticker,
        side=order.terms.side,
        price=Price.parse(price),
        count=Count.parse(count),
    )


def queue(floor: Floor) -> list[OrderId]:
    book = floor.exchange.books.listings.markets[RAIN].book
    return [order.terms.order_id for level in book.bids.from_best() for order in level]


@pytest.mark.parametrize(
    ("count", "price", "first"),
    [
        ("4", "0.50", True),
        ("10", "0.50", True),
        ("11", "0.50", False),
        ("10", "0.49", False),
    ],
)
def test_only_a_smaller_count_keeps_the_place(count: str, price: str, first: bool) -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.bid(BOB, "10", "0.50")

    floor.step(amend(floor, order, count, price))

    assert (queue(floor)[0] == order) is first
    assert floor.refusals() == []


def test_another_expiry_keeps_the_place_and_holds() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.bid(BOB, "10", "0.50")
    ends = Instant(floor.now + 10 * SECOND)

    floor.step(replace(amend(floor, order, "10", "0.50"), expires_at=ends))
    first = queue(floor)[0]
    floor.step(replace(amend(floor, order, "10", "0.50"), expires_at=c.NO_EXPIRY))
    floor.advance(ends)

    assert first == order
    assert floor.shape(order) == ("resting", "0.00", "10.00")


def test_amended_count_includes_what_has_filled() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.ask(BOB, "4", "0.50")

    floor.step(amend(floor, order, "7", "0.50"))
    left = floor.shape(order)
    floor.step(amend(floor, order, "3", "0.50"))
    floor.step(amend(floor, order, "4", "0.50"))

    assert left == ("resting", "4.00", "3.00")
    assert floor.refusals() == [e.Refusal.INVALID_ORDER_SIZE]
    assert floor.shape(order) == ("canceled", "4.00", "0.00")


def test_amending_into_the_other_side_trades() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.ask(BOB, "4", "0.55")

    floor.step(amend(floor, order, "10", "0.56"))

    assert floor.trades() == ["4.00 at 0.55"]
    assert floor.book() == ["bid 0.56 6.00"]


def test_amending_into_an_own_order_is_refused_and_changes_nothing() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.ask(ANN, "4", "0.55")
    before = floor.free(ANN)

    floor.step(amend(floor, order, "10", "0.56"))

    assert floor.refusals() == [e.Refusal.INVALID_ORDER]
    assert floor.book() == ["ask 0.55 4.00", "bid 0.50 10.00"]
    assert floor.free(ANN) == before


def test_amendment_that_is_not_covered_is_refused() -> None:
    floor = trading_floor("10")
    order = floor.bid(ANN, "10", "0.50")

    floor.step(amend(floor, order, "21", "0.50"))
    floor.step(amend(floor, order, "20", "0.50"))

    assert floor.refusals() == [e.Refusal.INSUFFICIENT_BALANCE]
    assert floor.free(ANN) == Money(0)


def test_amendment_that_trades_at_once_must_be_covered_with_its_fee() -> None:
    """20 at .50 cost all of the ten dollars, and a taker's fee comes on top."""
    floor = trading_floor("10")
    order = floor.bid(ANN, "10", "0.40")
    floor.ask(BOB, "20", "0.50")

    floor.step(amend(floor, order, "20", "0.50"))
    refused = floor.refusals()
    floor.step(amend(floor, order, "19", "0.50"))

    assert refused == [e.Refusal.INSUFFICIENT_BALANCE]
    assert floor.trades() == ["19.00 at 0.50"]
    assert floor.free(ANN) == Money.parse("0.1675")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ticker": Ticker("KXNONE")}, e.Refusal.ORDER_TICKER_MISMATCH),
        ({"side": Side.NO}, e.Refusal.ORDER_SIDE_MISMATCH),
        ({"client_order_id": ClientOrderId("other")}, e.Refusal.ORDER_CLIENT_ID_MISMATCH),
        ({"new_client_order_id": ClientOrderId("client-1")}, e.Refusal.ORDER_ALREADY_EXISTS),
        ({"price": Price.parse("0.5005")}, e.Refusal.INVALID_PRICE),
        ({"expires_at": Instant(1)}, e.Refusal.INVALID_PARAMETERS),
        ({"shard": Shard(2)}, e.Refusal.NOT_FOUND),
        ({"member": BOB}, e.Refusal.NOT_FOUND),
    ],
)
def test_wrong_amendment_is_refused(change: dict[str, object], reason: e.Refusal) -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")

    floor.step(replace(amend(floor, order, "9", "0.50"), **change))

    assert floor.refusals() == [reason]
    assert floor.shape(order) == ("resting", "0.00", "10.00")


def test_amended_client_id_is_used_up_too() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    new = ClientOrderId("new")

    floor.step(replace(amend(floor, order, "10", "0.50"), new_client_order_id=new))
    floor.bid(ANN, "1", "0.50", lambda one: replace(one, client_order_id=new))

    assert floor.order(order).terms.client_order_id == new
    assert floor.refusals() == [e.Refusal.ORDER_ALREADY_EXISTS]


def test_decrease_keeps_the_place_and_down_to_nothing_cancels() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")
    floor.bid(BOB, "10", "0.50")
    by = c.DecreaseOrder(at=floor.now, member=ANN, order_id=order, by=Count.parse("3"))

    floor.step(by)
    first, left = queue(floor)[0], floor.shape(order)
    floor.step(replace(by, by=None, to=Count.parse("2")))
    floor.step(replace(by, by=None, to=Count.parse("3")))
    floor.step(replace(by, to=Count.parse("1")))
    floor.step(replace(by, by=Count.parse("99")))

    assert (first, left) == (order, ("resting", "0.00", "7.00"))
    assert floor.refusals() == [e.Refusal.INVALID_ORDER_SIZE, e.Refusal.INVALID_PARAMETERS]
    assert floor.why(order) == ["Placed", "Decrease", "Decrease", "Decrease"]
    assert floor.shape(order) == ("canceled", "0.00", "0.00")


def test_place_in_the_queue_counts_better_prices_and_earlier_orders() -> None:
    floor = trading_floor()
    floor.bid(BOB, "3", "0.51")
    floor.bid(BOB, "4", "0.50")
    order = floor.bid(ANN, "10", "0.50")
    floor.bid(CAT, "5", "0.50")
    floor.bid(CAT, "6", "0.49")

    book = floor.exchange.books.listings.markets[RAIN].book
    assert Count(book.ahead_of(floor.order(order))) == Count.parse("7")


def test_cancel_all_takes_back_everything_of_one_member() -> None:
    floor = trading_floor()
    floor.bid(ANN, "10", "0.50")
    floor.place(ANN, Side.NO, "10", price="0.60", ticker=SNOW)
    floor.bid(BOB, "1", "0.49")

    floor.step(c.CancelAllOrders(at=floor.now, member=ANN))

    assert floor.book() == ["bid 0.49 1.00"]
    assert floor.book(SNOW) == []
    assert floor.free(ANN) == Money.parse("1000")


# -- groups --------------------------------------------------------------------------------


def grouped(contracts: str) -> Floor:
    floor = trading_floor()
    floor.step(
        c.CreateOrderGroup(
            at=floor.now,
            member=ANN,
            group_id=GROUP,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            contracts_max=Count.parse(contracts),
        )
    )
    return floor


def in_group(order: c.PlaceOrder) -> c.PlaceOrder:
    return replace(order, group_id=GROUP)


def test_group_cancels_its_orders_when_its_limit_is_hit() -> None:
    floor = grouped("10")
    first = floor.bid(ANN, "8", "0.50", in_group)
    other = floor.bid(ANN, "5", "0.49", in_group)
    alone = floor.bid(ANN, "5", "0.48")

    floor.ask(BOB, "11", "0.48")
    floor.bid(ANN, "1", "0.40", in_group)

    # 8 of the first and 3 of the other are more than 10; a fill is not cut to the limit.
    assert floor.shape(first) == ("executed", "8.00", "0.00")
    assert floor.shape(other) == ("canceled", "3.00", "0.00")
    assert floor.why(other)[-1] == "GroupCancel"
    assert floor.shape(alone) == ("resting", "0.00", "5.00")
    assert floor.refusals() == [e.Refusal.ORDER_GROUP_TRIGGERED]


def test_group_counts_only_the_last_15_seconds() -> None:
    floor = grouped("10")
    order = floor.bid(ANN, "30", "0.50", in_group)

    floor.ask(BOB, "9", "0.50")
    floor.later(14 * SECOND)
    floor.ask(BOB, "9", "0.50")

    assert floor.shape(order) == ("resting", "18.00", "12.00")


def test_triggered_group_takes_orders_again_after_a_reset() -> None:
    floor = grouped("10")

    floor.step(c.TriggerOrderGroup(at=floor.now, member=ANN, group_id=GROUP))
    floor.bid(ANN, "1", "0.50", in_group)
    floor.step(c.ResetOrderGroup(at=floor.now, member=ANN, group_id=GROUP))
    order = floor.bid(ANN, "1", "0.50", in_group)

    told = [one.why.value for one in floor.events if isinstance(one, e.OrderGroupUpdated)]
    assert told == ["created", "triggered", "reset"]
    assert floor.refusals() == [e.Refusal.ORDER_GROUP_TRIGGERED]
    assert floor.shape(order) == ("resting", "0.00", "1.00")


def test_lower_limit_triggers_at_once_and_delete_cancels() -> None:
    floor = grouped("10")
    floor.bid(ANN, "9", "0.50", in_group)
    floor.ask(BOB, "5", "0.50")
    limit = c.LimitOrderGroup(
        at=floor.now, member=ANN, group_id=GROUP, contracts_max=Count.parse("5")
    )

    floor.step(limit)
    empty = floor.book()
    floor.step(c.ResetOrderGroup(at=floor.now, member=ANN, group_id=GROUP))
    order = floor.bid(ANN, "1", "0.50", in_group)
    floor.step(c.DeleteOrderGroup(at=floor.now, member=ANN, group_id=GROUP))
    floor.step(replace(limit, at=floor.now))

    assert empty == []
    assert floor.why(order)[-1] == "GroupCancel"
    assert floor.refusals() == [e.Refusal.ORDER_GROUP_NOT_FOUND]


# -- pauses --------------------------------------------------------------------------------


def status(floor: Floor, *, exchange: bool, trading: bool) -> c.SetExchangeStatus:
    return c.SetExchangeStatus(at=floor.now, exchange_active=exchange, trading_active=trading)


def test_trading_pause_takes_cancellations_only() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")

    floor.step(status(floor, exchange=True, trading=False))
    floor.bid(ANN, "1", "0.50")
    floor.step(amend(floor, order, "9", "0.50"))
    floor.step(c.CancelOrder(at=floor.now, member=ANN, order_id=order))

    assert floor.refusals() == [e.Refusal.TRADING_PAUSED, e.Refusal.TRADING_PAUSED]
    assert floor.shape(order) == ("canceled", "0.00", "0.00")


def test_exchange_pause_takes_nothing_and_ends_only_orders_that_asked_for_it() -> None:
    floor = trading_floor()
    stays = floor.bid(ANN, "10", "0.50")
    goes = floor.bid(ANN, "10", "0.49", lambda one: replace(one, cancel_on_pause=True))

    floor.step(status(floor, exchange=False, trading=False))
    floor.step(c.CancelOrder(at=floor.now, member=ANN, order_id=stays))
    floor.step(status(floor, exchange=True, trading=True))
    floor.ask(BOB, "1", "0.50")

    assert floor.refusals() == [e.Refusal.EXCHANGE_PAUSED]
    assert floor.why(goes)[-1] == "HaltCancel"
    assert floor.shape(stays) == ("resting", "1.00", "9.00")


def test_reactivated_market_starts_with_an_empty_book() -> None:
    floor = trading_floor()
    order = floor.bid(ANN, "10", "0.50")

    floor.step(c.PauseMarket(at=floor.now, ticker=RAIN))
    floor.bid(ANN, "1", "0.50")
    waiting = floor.shape(order)
    floor.step(c.ResumeMarket(at=floor.now, ticker=RAIN))

    assert waiting == ("resting", "0.00", "10.00")
    assert floor.why(order)[-1] == "HaltCancel"
    assert floor.refusals() == [e.Refusal.MARKET_INACTIVE]
