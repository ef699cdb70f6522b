"""Answers and reports that cross each other: no contract is counted twice, lost or made up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_floor import HOT, NOON, Floor, all_of, buy, cents, contracts, dollars, only, refusals

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, TradeId
from trueup.core.instant import MINUTE, Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent, OrderState, OwnOrder
from trueup.engine.limits import Limits
from trueup.engine.portfolio import Portfolio
from trueup.engine.wishes import Order, Style, Withdraw


def quote_of(count: int, limit: int) -> Order:
    return buy(count, limit, style=Style.POST)


def resting(floor: Floor, count: int = 10, limit: int = 40) -> Intent:
    intent = only(f.Place, floor.wish(quote_of(count, limit))).intent
    floor.accept(intent)
    return intent


def order_of(floor: Floor, intent: Intent) -> OwnOrder:
    order = floor.machine.state.inflight.get(intent.client_order_id)
    assert order is not None
    return order


def amend_ended(floor: Floor, intent: Intent, outcome: i.Amended | i.Refused | i.Unknown) -> None:
    floor.give(i.AmendEnded(at=floor.now, client_order_id=intent.client_order_id, outcome=outcome))


def cancel(floor: Floor, intent: Intent, reduced: int) -> list[f.Effect]:
    floor.wish(Withdraw(ticker=HOT, reason="enough"))
    outcome = i.Canceled(reduced_by=contracts(reduced))
    return floor.give(
        i.CancelEnded(at=floor.now, client_order_id=intent.client_order_id, outcome=outcome)
    )


def test_cancel_after_a_refused_amendment_makes_up_no_fill() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    floor.wish(quote_of(20, 41))
    amend_ended(floor, intent, i.Refused(code="invalid_order", words="post only cross"))

    cancel(floor, intent, reduced=10)

    order = order_of(floor, intent)
    assert (order.state, order.open_count) == (OrderState.CANCELED, ZERO_COUNT)
    assert refusals(floor.wish(quote_of(10, 40))) == [], "its slot is free"


def test_cancel_after_somebody_else_made_the_order_smaller_makes_up_no_fill() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    floor.later()
    report = replace(floor.report(intent, OrderStatus.RESTING), remaining_count=contracts(4))
    floor.give(i.OrderSeen(at=floor.now, order=report))

    cancel(floor, intent, reduced=4)

    assert order_of(floor, intent).open_count == ZERO_COUNT


def test_cancel_of_an_order_made_smaller_before_a_restart_makes_up_no_fill() -> None:
    before = Floor()
    intent = resting(before, 10)
    floor = Floor(recovered=(intent,))
    report = replace(floor.report(intent, OrderStatus.RESTING), remaining_count=contracts(4))
    floor.give(
        i.Asked(at=floor.now, client_order_id=intent.client_order_id, found=report, as_of=floor.now)
    )

    cancel(floor, intent, reduced=4)

    assert order_of(floor, intent).open_count == ZERO_COUNT


def test_cancel_while_an_amendment_is_unanswered_is_asked_about() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    floor.wish(quote_of(20, 41))
    amend_ended(floor, intent, i.Unknown(words="503"))

    done = cancel(floor, intent, reduced=10)

    assert only(f.Ask, done).client_order_id == intent.client_order_id
    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=floor.report(intent, OrderStatus.CANCELED),
            as_of=floor.now,
        )
    )
    order = order_of(floor, intent)
    assert (order.state, order.open_count) == (OrderState.CANCELED, ZERO_COUNT)


def test_fill_that_came_before_the_answer_to_an_amendment_rests_no_more() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    floor.wish(quote_of(10, 41))
    floor.fill(intent, 4)

    amend_ended(
        floor,
        intent,
        i.Amended(fill_count=ZERO_COUNT, remaining_count=contracts(10), told_at=floor.now),
    )

    assert order_of(floor, intent).remaining == contracts(6)
    floor.fill(intent, 6)
    assert floor.state_of(intent) is OrderState.EXECUTED


def test_look_from_before_an_amendment_does_not_undo_it() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    stale = floor.report(intent, OrderStatus.RESTING)
    floor.wish(quote_of(20, 41))
    amended = i.Amended(
        fill_count=ZERO_COUNT, remaining_count=contracts(20), told_at=floor.later().now
    )
    amend_ended(floor, intent, amended)

    floor.give(
        i.Asked(at=floor.now, client_order_id=intent.client_order_id, found=stale, as_of=floor.now)
    )

    order = order_of(floor, intent)
    assert (order.limit, order.remaining) == (cents(41), contracts(20))


def test_order_being_amended_is_met_at_either_price() -> None:
    """Resting at 40 and asked to move to 45: an order of ours at 45 could meet it."""
    floor = Floor(limits=Limits(exposure_max=dollars("10.00")))
    resting(floor, 10, 40)
    floor.wish(quote_of(10, 45))

    assert refusals(floor.wish(buy(10, 45, side=quote_of(1, 1).side.opposite()))) == ["own_cross"]
    assert refusals(floor.wish(buy(12, 46))) == ["exposure"], "4.50 may be spent already"


def test_halted_strategy_lets_its_resting_orders_run_out() -> None:
    floor = Floor()
    resting(floor, 10)
    floor.give(i.BooksProven(at=floor.now, closes=False, worst=dollars("5.00"), words="why"))

    floor.later(11 * MINUTE)
    assert all_of(f.Amend, floor.wish(quote_of(10, 40))) == []
    floor.give(i.BooksProven(at=floor.now, closes=True, worst=dollars("0")))
    assert len(all_of(f.Amend, floor.wish(quote_of(10, 40)))) == 1


@pytest.mark.parametrize("style", [Style.TAKE, Style.REST])
def test_reducing_order_is_cut_to_what_is_held(style: Style) -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(5, 50))).intent
    floor.accept(intent, filled=5)
    floor.fill(intent, 5)

    side = intent.side.opposite()
    sale = only(f.Place, floor.wish(buy(8, 48, side=side, style=style, only_reduce=True))).intent

    assert (sale.count, sale.only_reduce) == (contracts(5), True)
    floor.accept(sale)
    again = floor.wish(buy(8, 48, side=side, style=style, only_reduce=True))
    assert all_of(f.Amend, again) == []


def test_fill_read_after_a_restart_finds_the_strategy_of_its_ended_order() -> None:
    before = Floor()
    intent = only(f.Place, before.wish(buy(10, 50))).intent
    before.accept(intent, filled=10)
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)
    after.fill(intent, 10)

    assert after.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    assert len(after.strategy.fills) == 1


@pytest.mark.parametrize("first", [1, 3])
def test_fill_that_comes_after_the_settlement_is_paid_with_the_others(first: int) -> None:
    """The exchange cuts the payout of the whole position once, not that of every fill."""
    portfolio = Portfolio(balance_step=Money.of_cents(1))
    fills = [a_fill(number, Count(units)) for number, units in enumerate((first, 4 - first))]

    portfolio.book(fills[0], "mine")
    portfolio.settle(HOT, cents(50), NOON)
    portfolio.book(fills[1], "mine")

    assert portfolio.profit({}) == dollars("0.02") - dollars("0.016"), "4 hundredths at .40"


def a_fill(number: int, count: Count) -> Filled:
    return Filled(
        trade_id=TradeId(f"trade-{number}"),
        order_id=OrderId("order"),
        ticker=HOT,
        side=Side.YES,
        count=count,
        price=cents(40),
        fee=ZERO_MONEY,
        is_taker=True,
        at=NOON,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
    )


def test_time_that_goes_back_undoes_nothing() -> None:
    floor = Floor()
    intent = resting(floor, 10)
    floor.now = Instant(floor.now - 60 * MINUTE)

    floor.fill(intent, 4)

    order = order_of(floor, intent)
    assert (order.filled, order.remaining) == (contracts(4), contracts(6))
    assert floor.machine.state.now == floor.now + 60 * MINUTE
