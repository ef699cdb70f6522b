"""Nobody knows what became of an order: ask, hold the market, never send again."""

from __future__ import annotations

import pytest
from engine_floor import COLD, HOT, NOON, Floor, all_of, buy, contracts, only, refusals

from trueup.core.instant import SECOND, Instant
from trueup.core.order_entry import REQUEST_LIFETIME
from trueup.core.orders import OrderStatus
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import ORDER_STEPS, Inflight, Intent, OrderState, OwnOrder


def lost(floor: Floor, words: str = "timeout") -> tuple[Intent, list[f.Effect]]:
    """An order whose answer got lost."""
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    done = floor.give(
        i.SendEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Unknown(words=words),
        )
    )
    return intent, done


def test_lost_answer_is_asked_about_and_the_market_is_held() -> None:
    floor = Floor()

    intent, done = lost(floor)

    ask = only(f.Ask, done)
    assert (ask.client_order_id, ask.ticker, ask.since) == (
        intent.client_order_id,
        HOT,
        intent.at,
    )
    assert "market_held" in refusals(floor.wish(buy(1, 50)))


def test_other_markets_are_not_held() -> None:
    floor = Floor()
    lost(floor)
    floor.later().quote(ticker=COLD)

    assert len(all_of(f.Place, floor.wish(buy(1, 50, ticker=COLD)))) == 1


def test_order_that_is_found_goes_on_as_if_nothing_had_been_lost() -> None:
    floor = Floor()
    intent, _ = lost(floor)

    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=floor.report(intent, OrderStatus.EXECUTED, filled=10),
            as_of=floor.now,
        )
    )
    floor.fill(intent, 10)

    assert floor.state_of(intent) is OrderState.EXECUTED
    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    assert len(all_of(f.Place, floor.wish(buy(1, 50)))) == 1


def test_absence_is_believed_only_when_the_lists_reach_past_the_sending() -> None:
    floor = Floor()
    intent, _ = lost(floor)

    def asked(as_of: int) -> list[f.Effect]:
        return floor.give(
            i.Asked(
                at=floor.now,
                client_order_id=intent.client_order_id,
                found=None,
                as_of=Instant(as_of),
            )
        )

    early = asked(intent.at + REQUEST_LIFETIME - 1)
    assert floor.state_of(intent) is OrderState.UNKNOWN
    assert all_of(f.Ask, early) == []
    floor.now = only(f.WakeAt, early).at
    assert only(f.Ask, floor.give(i.TimerFired(at=floor.now))).ticker == HOT

    asked(intent.at + REQUEST_LIFETIME)
    assert floor.state_of(intent) is OrderState.ABSENT
    assert len(all_of(f.Place, floor.wish(buy(1, 50)))) == 1, "the market is free again"


def test_what_is_still_being_sent_is_not_absent() -> None:
    """The kill switch asks about every order that may live, also before its answer came."""
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent

    floor.give(
        i.Asked(
            at=floor.later().now,
            client_order_id=intent.client_order_id,
            found=None,
            as_of=Instant(intent.at + SECOND),
        )
    )

    assert floor.state_of(intent) is OrderState.PENDING


def test_what_was_given_up_late_may_arrive_late() -> None:
    """It waited for its turn, went out, and stands in a balancer: its life counts from its loss."""
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    given_up = floor.later(20 * SECOND).now
    outcome = i.Unknown(words="no answer within 5 s")
    floor.give(i.SendEnded(at=given_up, client_order_id=intent.client_order_id, outcome=outcome))

    def asked(as_of: int, *, found: bool = False) -> None:
        report = floor.report(intent, OrderStatus.RESTING) if found else None
        floor.give(
            i.Asked(
                at=floor.now,
                client_order_id=intent.client_order_id,
                found=report,
                as_of=Instant(as_of),
            )
        )

    asked(given_up + REQUEST_LIFETIME - SECOND)
    assert "market_held" in refusals(floor.later().wish(buy(1, 50)))
    asked(given_up + REQUEST_LIFETIME - SECOND, found=True)

    assert floor.state_of(intent) is OrderState.RESTING


def test_order_that_turns_up_after_all_is_counted() -> None:
    floor = Floor()
    intent, _ = lost(floor)
    floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=None,
            as_of=Instant(intent.at + REQUEST_LIFETIME),
        )
    )

    floor.give(
        i.OrderSeen(at=floor.now, order=floor.report(intent, OrderStatus.EXECUTED, filled=10))
    )
    floor.fill(intent, 10)

    assert floor.state_of(intent) is OrderState.EXECUTED
    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)


def test_id_that_exists_already_means_that_the_order_arrived_before() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent

    done = floor.give(
        i.SendEnded(
            at=floor.now,
            client_order_id=intent.client_order_id,
            outcome=i.Refused(code="order_already_exists", words="exists"),
        )
    )

    assert floor.state_of(intent) is OrderState.UNKNOWN
    assert len(all_of(f.Ask, done)) == 1


def test_nothing_is_ever_sent_twice_whatever_is_asked() -> None:
    floor = Floor()
    intent, _ = lost(floor)
    for _ in range(50):
        floor.later(SECOND)
        floor.give(
            i.Asked(
                at=floor.now, client_order_id=intent.client_order_id, found=None, as_of=intent.at
            )
        )
        floor.give(i.TimerFired(at=floor.now))

    sent = [each.intent.client_order_id for each in all_of(f.Place, floor.effects)]
    assert sent == [intent.client_order_id]


def test_recovery_asks_about_every_order_without_a_last_word() -> None:
    before = Floor()
    intent = only(f.Place, before.wish(buy(10, 50))).intent
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)

    assert [each.client_order_id for each in all_of(f.Ask, after.effects)] == [
        intent.client_order_id
    ]
    assert all_of(f.Place, after.effects) == [], "what was decided before is not sent again"
    assert "market_held" in refusals(after.wish(buy(1, 50)))


def test_recovery_leaves_ended_orders_alone() -> None:
    before = Floor()
    intent = only(f.Place, before.wish(buy(10, 50))).intent
    before.accept(intent, filled=10)
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)

    assert all_of(f.Ask, after.effects) == []
    assert after.state_of(intent) is OrderState.EXECUTED


@pytest.mark.parametrize("before", list(OrderState))
@pytest.mark.parametrize("after", list(OrderState))
def test_every_cell_of_the_lifecycle(before: OrderState, after: OrderState) -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    order = OwnOrder(intent=intent, state=before, updated_at=NOON)

    if after is before or after in ORDER_STEPS[before]:
        assert order.moved(after, NOON).state is after
    else:
        with pytest.raises(Exception, match="cannot follow"):
            order.moved(after, NOON)


def test_an_id_is_used_once() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    orders = Inflight()
    orders.add(intent)

    with pytest.raises(Exception, match="used twice"):
        orders.add(intent)
