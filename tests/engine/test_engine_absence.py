"""The exchange's lists lied: an order that they had proven absent turns up."""

from __future__ import annotations

from engine_floor import HOT, Floor, all_of, buy, contracts, only, refusals

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, TradeId
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.order_entry import REQUEST_LIFETIME
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Price
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.portfolio import FOREIGN
from trueup.engine.records import HaltCode


def absent(floor: Floor) -> Intent:
    """An order of which no list told, long after it was sent."""
    intent = only(f.Place, floor.wish(buy(10, 50))).intent
    unknown = i.Unknown(words="503")
    floor.give(i.SendEnded(at=floor.now, client_order_id=intent.client_order_id, outcome=unknown))
    floor.later(MINUTE)
    answer(floor, intent, None)
    assert floor.state_of(intent) is OrderState.ABSENT
    return intent


def answer(floor: Floor, intent: Intent, status: OrderStatus | None) -> list[f.Effect]:
    found = None if status is None else floor.report(intent, status, filled=10)
    return floor.give(
        i.Asked(
            at=floor.now,
            client_order_id=intent.client_order_id,
            found=found,
            as_of=floor.now,
        )
    )


def seen(floor: Floor, intent: Intent, count: int = 10, *, cents: int = 50) -> list[f.Effect]:
    """A fill of an order whose name nobody knows."""
    return floor.give(
        i.FillSeen(
            at=floor.now,
            fill=Filled(
                trade_id=TradeId(f"late {count} {cents}"),
                order_id=OrderId(f"order-{intent.client_order_id}"),
                ticker=HOT,
                side=Side.YES,
                count=contracts(count),
                price=Price.of_cents(cents),
                fee=ZERO_MONEY,
                is_taker=True,
                at=floor.now,
                subaccount=PRIMARY,
                shard=SHARD_ZERO,
            ),
        )
    )


def test_fill_that_could_be_its_own_is_not_called_foreign_before_asking() -> None:
    floor = Floor()
    intent = absent(floor)

    said = seen(floor, intent)

    assert only(f.Ask, said).client_order_id == intent.client_order_id
    assert "could be of order" in only(f.Alert, said).words
    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT, "whose it is nobody knows yet"
    assert "market_held" in refusals(floor.wish(buy(1)))


def test_found_after_all_it_is_ours_and_everything_halts() -> None:
    floor = Floor()
    intent = absent(floor)
    seen(floor, intent)

    said = answer(floor, intent, OrderStatus.EXECUTED)

    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    assert floor.machine.state.portfolio.net(HOT, FOREIGN) == ZERO_COUNT
    assert floor.machine.state.halts.has(HaltCode.ABSENCE)
    assert any("had proven it absent" in each.words for each in all_of(f.Alert, said))
    assert "halted" in refusals(floor.wish(buy(1)))
    assert len(floor.strategy.fills) == 1


def test_report_alone_is_enough_to_see_the_lie() -> None:
    floor = Floor()
    intent = absent(floor)

    floor.give(i.OrderSeen(at=floor.now, order=floor.report(intent, OrderStatus.RESTING)))

    assert floor.machine.state.halts.has(HaltCode.ABSENCE)
    assert floor.state_of(intent) is OrderState.RESTING


def test_not_found_again_the_fill_is_a_strangers() -> None:
    floor = Floor()
    intent = absent(floor)
    seen(floor, intent)

    floor.later(REQUEST_LIFETIME + SECOND)
    answer(floor, intent, None)

    assert floor.state_of(intent) is OrderState.ABSENT
    assert floor.machine.state.portfolio.net(HOT, FOREIGN) == contracts(10)
    assert not floor.machine.state.halts.has(HaltCode.ABSENCE)
    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_answer_that_is_no_newer_than_the_doubt_proves_nothing() -> None:
    floor = Floor()
    intent = absent(floor)
    seen(floor, intent)

    answer(floor, intent, None)

    assert floor.state_of(intent) is OrderState.UNKNOWN


def test_fill_taken_for_a_strangers_is_given_back() -> None:
    """The lists lied twice; the order's report comes at last."""
    floor = Floor()
    intent = absent(floor)
    seen(floor, intent)
    floor.later(REQUEST_LIFETIME + SECOND)
    answer(floor, intent, None)

    report = floor.report(intent, OrderStatus.EXECUTED, filled=10)
    floor.give(i.OrderSeen(at=floor.now, order=report))

    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    assert floor.machine.state.portfolio.net(HOT, FOREIGN) == ZERO_COUNT
    assert floor.machine.state.halts.has(HaltCode.ABSENCE)


def test_fill_at_a_worse_price_cannot_be_its_own() -> None:
    floor = Floor()
    intent = absent(floor)

    said = seen(floor, intent, cents=51)

    assert all_of(f.Ask, said) == []
    assert floor.machine.state.portfolio.net(HOT, FOREIGN) == contracts(10)


def test_halt_survives_a_restart_and_is_raised_once() -> None:
    before = Floor()
    intent = absent(before)
    seen(before, intent)
    answer(before, intent, OrderStatus.EXECUTED)
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)
    assert after.machine.state.halts.has(HaltCode.ABSENCE)
    assert after.state_of(intent) is OrderState.EXECUTED
    after.give(i.OperatorSaid(at=after.now, wanted=i.Wanted.REARM, by="ada"))
    report = before.report(intent, OrderStatus.EXECUTED, filled=10)
    after.give(i.OrderSeen(at=Instant(after.now + SECOND), order=report))

    assert not after.machine.state.halts.has(HaltCode.ABSENCE)


def test_restart_that_finds_the_absent_order_halts() -> None:
    before = Floor()
    intent = absent(before)
    records = tuple(each.record for each in all_of(f.Persist, before.effects))

    after = Floor(recovered=records)
    report = before.report(intent, OrderStatus.EXECUTED, filled=10)
    after.give(i.OrderSeen(at=after.now, order=report))

    assert after.machine.state.halts.has(HaltCode.ABSENCE)
