"""From a wish to an order to a position."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from engine_floor import (
    COLD,
    HOT,
    Floor,
    Wishful,
    all_of,
    buy,
    cents,
    contracts,
    dollars,
    only,
    refusals,
)

from trueup.core.ids import OrderId
from trueup.core.instant import HOUR, MINUTE
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import OrderState
from trueup.engine.wishes import Style, Withdraw


def test_intent_is_durable_before_the_order_leaves() -> None:
    floor = Floor()

    done = floor.wish(buy(10, 50))

    persisted = next(
        n for n, each in enumerate(done) if isinstance(each, f.Persist) and "client" in repr(each)
    )
    placed = next(n for n, each in enumerate(done) if isinstance(each, f.Place))
    assert persisted < placed
    intent = only(f.Place, done).intent
    assert (intent.ticker, intent.side, intent.count, intent.limit) == (
        HOT,
        Side.YES,
        contracts(10),
        cents(50),
    )
    assert only(f.Decision, done).verdict is f.Verdict.SENT


def test_fill_changes_the_position_once_however_often_it_is_seen() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    floor.accept(intent, filled=10)

    for _ in range(3):
        floor.fill(intent, 10, trade_id="the-trade")

    assert floor.machine.state.portfolio.net(HOT) == contracts(10)
    assert len(floor.strategy.fills) == 1


def test_fill_before_the_answer_finds_its_strategy_afterwards() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent

    floor.fill(intent, 10)
    before = floor.machine.state.portfolio.net(HOT)
    floor.accept(intent, filled=10)

    assert before == ZERO_COUNT
    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    assert len(floor.strategy.fills) == 1


def test_fill_of_a_stranger_waits_for_no_answer_of_ours_and_is_foreign() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    floor.fill(intent, 7, order_id=OrderId("theirs"), trade_id="theirs")
    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT
    floor.give(
        i.SendEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Refused(code="insufficient_balance", words="no"),
        )
    )

    assert floor.machine.state.portfolio.net(HOT, "wishful") == ZERO_COUNT
    assert floor.machine.state.portfolio.net(HOT) == contracts(7)
    assert floor.strategy.fills == []


def test_second_order_waits_until_the_fills_of_the_first_are_all_known() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    assert refusals(floor.wish(buy(10, 50))) == ["in_flight"]

    floor.accept(intent, filled=10)
    assert refusals(floor.wish(buy(10, 50))) == ["in_flight"]

    floor.fill(intent, 10)
    assert len(all_of(f.Place, floor.wish(buy(10, 50)))) == 1


def test_leftover_of_an_order_to_take_does_not_stay_open() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    floor.accept(intent, filled=4)
    floor.fill(intent, 4)

    assert floor.state_of(intent) is OrderState.CANCELED
    assert floor.machine.state.inflight.unsettled(HOT) == []


def test_refusal_of_the_exchange_is_in_the_decision_log_with_its_words() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent

    done = floor.give(
        i.SendEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Refused(code="insufficient_balance", words="not enough on shard 0"),
        )
    )

    decision = only(f.Decision, done)
    assert decision.refusals[0].figures == {
        "code": "insufficient_balance",
        "words": "not enough on shard 0",
    }
    assert floor.state_of(intent) is OrderState.REFUSED


# -- resting orders ----------------------------------------------------------------------------


def test_same_wish_for_a_slot_changes_nothing() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)

    done = floor.wish(buy(10, 40, style=Style.POST))

    assert all_of(f.Place, done) == []
    assert all_of(f.Amend, done) == []
    assert all_of(f.Decision, done) == []


def test_other_price_amends_the_order_in_the_slot() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    name, _ = floor.accept(intent)
    floor.give(i.OrderSeen(at=floor.now, order=floor.report(intent, OrderStatus.RESTING, filled=4)))

    amend = only(f.Amend, floor.wish(buy(6, 42, style=Style.POST)))

    assert (amend.order_id, amend.price) == (name, cents(42))
    assert amend.total == contracts(10), "the exchange counts what has filled"


def test_amend_that_is_under_way_is_not_repeated() -> None:
    floor = Floor()
    floor.accept(only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent)
    floor.wish(buy(10, 42, style=Style.POST))

    done = floor.wish(buy(10, 43, style=Style.POST))

    assert all_of(f.Amend, done) == []
    assert refusals(done) == ["replacing"]


def test_failed_amend_is_asked_about_and_believed() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)
    floor.wish(buy(10, 42, style=Style.POST))

    done = floor.give(
        i.AmendEnded(
            at=floor.now, client_order_id=intent.client_order_id, outcome=i.Unknown(words="503")
        )
    )
    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=only(f.Ask, done).client_order_id,
            found=floor.report(intent, OrderStatus.RESTING),
            as_of=floor.now,
        )
    )

    order = floor.machine.state.inflight.get(intent.client_order_id)
    assert order is not None
    assert (order.limit, order.remaining) == (cents(40), contracts(10))


def test_resting_order_that_is_still_wanted_is_renewed_before_it_expires() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)
    assert intent.expires_at == intent.at + 15 * MINUTE

    floor.later(11 * MINUTE)
    amend = only(f.Amend, floor.wish(buy(10, 40, style=Style.POST)))

    assert amend.price == cents(40)
    assert amend.total == contracts(10)
    assert amend.expires_at == floor.now + 15 * MINUTE


def test_cancel_answered_with_404_proves_nothing_and_is_asked() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)
    floor.wish(Withdraw(ticker=HOT, reason="enough"))

    done = floor.give(
        i.CancelEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Refused(code="not_found", words="not found"),
        )
    )
    assert floor.state_of(intent) is OrderState.RESTING
    assert only(f.Ask, done).client_order_id == intent.client_order_id

    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=floor.report(intent, OrderStatus.EXECUTED, filled=10),
            as_of=floor.now,
        )
    )
    assert floor.state_of(intent) is OrderState.EXECUTED
    assert floor.machine.state.inflight.unsettled(HOT) != [], "its fills are still to come"
    floor.fill(intent, 10)
    assert floor.machine.state.inflight.unsettled(HOT) == []


def test_cancel_that_raced_with_a_fill_counts_the_fill() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)
    floor.wish(Withdraw(ticker=HOT, reason="enough"))

    floor.give(
        i.CancelEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Canceled(reduced_by=contracts(7)),
        )
    )

    order = floor.machine.state.inflight.get(intent.client_order_id)
    assert order is not None
    assert (order.state, order.reported, order.open_count) == (
        OrderState.CANCELED,
        contracts(3),
        contracts(3),
    )
    floor.fill(intent, 3)
    assert floor.machine.state.portfolio.net(HOT) == contracts(3)


def test_stale_report_does_not_bring_an_ended_order_back() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent
    floor.accept(intent)
    floor.give(
        i.OrderSeen(at=floor.now, order=floor.report(intent, OrderStatus.CANCELED, filled=2))
    )

    floor.give(i.OrderSeen(at=floor.now, order=floor.report(intent, OrderStatus.RESTING)))

    order = floor.machine.state.inflight.get(intent.client_order_id)
    assert order is not None
    assert (order.state, order.reported) == (OrderState.CANCELED, contracts(2))


# -- strategies --------------------------------------------------------------------------------


def test_strategies_hold_their_own_positions_and_profits() -> None:
    bull, bear = Wishful("bull"), Wishful("bear")
    floor = Floor(bull, bear)
    bull.wishes = [buy(10, 50)]
    first = only(f.Place, floor.later().quote()).intent
    floor.accept(first, filled=10)
    floor.fill(first, 10)
    bear.wishes = [buy(4, 48, side=Side.NO)]
    second = only(f.Place, floor.later().quote()).intent
    floor.accept(second, filled=4)
    floor.fill(second, 4)

    portfolio = floor.machine.state.portfolio
    assert portfolio.net(HOT, "bull") == contracts(10)
    assert portfolio.net(HOT, "bear") == -contracts(4)
    assert portfolio.net(HOT) == contracts(6), "the exchange sees one position"

    paid = floor.give(i.MarketSettled(at=floor.now, ticker=HOT, value=cents(100)))
    told = {each.strategy: each.words for each in all_of(f.Alert, paid)}
    assert told["bull"] == f"{HOT} paid 1.00 a contract on 10.00: 5.00 realized"
    assert told["bear"] == f"{HOT} paid 1.00 a contract on -4.00: -2.08 realized"
    assert portfolio.profit({}, "bull") == dollars("5.00")
    assert portfolio.profit({}, "bear") == dollars("-2.08")


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_strategy_that_raises_is_paused_and_the_others_go_on(error: type[BaseException]) -> None:
    class Broken(Wishful):
        def on_markets(self, desk: object, moved: object) -> list[object]:  # type: ignore[override]
            del desk, moved
            message = "division by zero"
            raise error(message)

    good = Wishful("good")
    floor = Floor(Broken("broken"), good)
    good.wishes = [buy(1, 50)]

    done = floor.later().quote()

    assert len(all_of(f.Place, done)) == 1
    assert error.__name__ in only(f.Alert, done).words
    assert floor.machine.state.running["broken"].paused
    assert all_of(f.Alert, floor.later().quote()) == [], "it is not asked again"


def test_nonsense_is_refused_and_harms_nobody() -> None:
    floor = Floor()

    class Mute:
        def __repr__(self) -> str:
            message = "no words"
            raise ValueError(message)

    wishes: list[Any] = [
        "buy everything",
        Mute(),
        replace(buy(), count=Mute()),  # type: ignore[arg-type]
        buy(0, 50),
        buy(10, 50, ticker=type(HOT)("KXNOWHERE")),
    ]
    floor.strategy.wishes = wishes

    done = floor.later().quote()

    assert refusals(done) == ["nonsense"] * 4 + ["market_unknown"]
    assert all_of(f.Place, done) == []


def test_strategy_that_wishes_without_end_is_paused() -> None:
    class Endless(Wishful):
        def on_markets(self, desk: object, moved: object):  # type: ignore[no-untyped-def,override]  # noqa: ANN202
            del desk, moved
            while True:
                yield buy(1, 50)

    floor = Floor(Endless("endless"))

    done = floor.later().quote()

    assert all_of(f.Place, done) == []
    assert floor.machine.state.running["endless"].paused


def test_timer_comes_back_as_often_as_the_strategy_wants() -> None:
    class Clockwork(Wishful):
        every = HOUR
        rung = 0

        def on_timer(self, desk: object) -> list[object]:  # type: ignore[override]
            del desk
            self.rung += 1
            return []

    clockwork = Clockwork("clockwork")
    floor = Floor(clockwork)
    wake = only(f.WakeAt, floor.effects)
    assert wake.at == floor.now + HOUR

    for _ in range(3):
        floor.now = max(each.at for each in all_of(f.WakeAt, floor.effects))
        floor.give(i.TimerFired(at=floor.now))

    assert clockwork.rung == 3


def test_settlement_frees_the_exposure_at_once() -> None:
    floor = Floor()
    floor.later().quote(ticker=COLD)
    intent = only(f.Place, floor.wish(buy(10, 50, ticker=COLD))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)
    portfolio = floor.machine.state.portfolio
    assert portfolio.cost() == dollars("5.00")

    floor.give(i.MarketSettled(at=floor.now, ticker=COLD, value=cents(0)))

    assert portfolio.cost() == dollars("0")
    assert portfolio.profit({}) == dollars("-5.00")
