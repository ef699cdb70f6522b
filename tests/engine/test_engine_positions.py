"""Whose position it is: subaccounts apart, the exchange's statement beside our own count."""

from __future__ import annotations

from dataclasses import replace

from engine_floor import HOT, NOON, Floor, all_of, buy, cents, contracts, dollars, only, refusals

from trueup.core.facts import Filled
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Shard, Subaccount, TradeId
from trueup.core.instant import SECOND
from trueup.core.orders import Side
from trueup.core.statements import PositionStated
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.limits import Limits
from trueup.engine.portfolio import FOREIGN
from trueup.engine.strategy import Mandate

OTHER = Subaccount(3)


def by_hand(count: int, *, subaccount: Subaccount = PRIMARY, side: Side = Side.YES) -> Filled:
    """A fill of an order that is not ours."""
    return Filled(
        trade_id=TradeId(f"by hand {count} {subaccount}"),
        order_id=OrderId("by hand"),
        ticker=HOT,
        side=side,
        count=contracts(count),
        price=cents(50),
        fee=ZERO_MONEY,
        is_taker=True,
        at=NOON,
        subaccount=subaccount,
        shard=SHARD_ZERO,
    )


def stated(net: int, *, subaccount: Subaccount = PRIMARY, exposure: str = "0") -> PositionStated:
    return PositionStated(
        ticker=HOT,
        net=Count.of_contracts(net),
        exposure=Money.parse(exposure),
        realized=ZERO_MONEY,
        fees_paid=ZERO_MONEY,
        total_traded=ZERO_MONEY,
        updated_at=NOON,
        subaccount=subaccount,
        shard=SHARD_ZERO,
    )


def read(
    floor: Floor, *rows: PositionStated, at_start: bool = False, subaccount: Subaccount = PRIMARY
) -> list[f.Effect]:
    return floor.give(
        i.PositionsRead(at=floor.now, subaccount=subaccount, positions=rows, at_start=at_start)
    )


def differ_for_a_minute(floor: Floor, *rows: PositionStated) -> list[f.Effect]:
    said: list[f.Effect] = []
    for _ in range(5):
        said += read(floor.later(15 * SECOND), *rows)
    return said


# -- subaccounts -------------------------------------------------------------------------------


def test_fill_by_hand_on_another_subaccount_does_not_count_here() -> None:
    floor = Floor(limits=Limits(position_max=contracts(10)))

    floor.give(i.FillSeen(at=NOON, fill=by_hand(8, subaccount=OTHER)))

    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT
    assert len(all_of(f.Place, floor.wish(buy(10)))) == 1


def test_fill_by_hand_on_our_subaccount_counts_against_the_account() -> None:
    floor = Floor(settings=None)
    limits = replace(floor.machine.state.settings.limits, position_max=contracts(10))
    floor.machine.state.settings = replace(floor.machine.state.settings, limits=limits)

    floor.give(i.FillSeen(at=NOON, fill=by_hand(8)))

    assert "position_limit" in refusals(floor.wish(buy(10)))


def test_yes_here_and_no_there_do_not_cancel_each_other() -> None:
    floor = Floor(mandate=Mandate(capital=dollars("1000"), subaccount=OTHER))
    floor.fund("1000", subaccount=OTHER)
    floor.machine.state.subaccounts.add(PRIMARY)
    intent = only(f.Place, floor.wish(buy(10))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)

    floor.give(i.FillSeen(at=NOON, fill=by_hand(10, side=Side.NO)))

    portfolio = floor.machine.state.portfolio
    assert portfolio.net(HOT, subaccount=OTHER) == contracts(10)
    assert portfolio.net(HOT, subaccount=PRIMARY) == contracts(-10)
    assert portfolio.cost() == dollars("10.00"), "both are held, and both cost"
    assert floor.strategy.desk is not None
    assert floor.strategy.desk.net(HOT) == contracts(10)


def test_sale_is_measured_by_what_its_own_subaccount_holds() -> None:
    floor = Floor()
    floor.machine.state.subaccounts.add(OTHER)
    floor.give(i.FillSeen(at=NOON, fill=by_hand(10, subaccount=OTHER)))

    said = floor.wish(buy(10, 48, side=Side.NO, only_reduce=True))

    assert "nothing_held" in refusals(said)


# -- the exchange's statement ------------------------------------------------------------------


def test_position_from_before_what_can_be_read_is_somebody_elses() -> None:
    floor = Floor()

    said = read(floor, stated(30, exposure="12.00"), at_start=True)

    portfolio = floor.machine.state.portfolio
    assert portfolio.net(HOT, FOREIGN) == contracts(30)
    assert portfolio.cost() == dollars("12.00")
    assert portfolio.net(HOT, "wishful") == ZERO_COUNT
    assert portfolio.profit({HOT: Price.of_cents(99)}) == ZERO_MONEY, "it is not our profit"
    assert "the exchange states 30.00" in only(f.Alert, said).words


def test_position_gone_before_what_can_be_read_is_taken_off() -> None:
    floor = Floor()
    floor.give(i.FillSeen(at=NOON, fill=by_hand(8)))

    read(floor, at_start=True)

    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT


def test_difference_at_the_start_waits_while_an_order_of_ours_may_explain_it() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10))).intent

    read(floor, stated(10), at_start=True)
    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)

    assert floor.machine.state.portfolio.net(HOT, "wishful") == contracts(10)
    read(floor, stated(10))
    assert not floor.machine.state.differences


def test_one_reading_halts_nothing() -> None:
    floor = Floor()

    read(floor, stated(5))

    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_difference_that_lasts_halts_its_market_with_words() -> None:
    floor = Floor()

    said = differ_for_a_minute(floor, stated(5))

    (alert,) = all_of(f.Alert, said)
    assert alert.kind is f.AlertKind.HALT
    assert "the exchange states a position of 5.00, trueup counts 0.00" in alert.words
    assert "position_differs" in refusals(floor.wish(buy(1)))


def test_market_goes_on_once_both_agree() -> None:
    floor = Floor()
    differ_for_a_minute(floor, stated(5))

    said = read(floor)

    assert only(f.Alert, said).kind is f.AlertKind.LIFTED
    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_late_fill_ends_the_difference() -> None:
    floor = Floor()
    read(floor, stated(8))
    floor.give(i.FillSeen(at=NOON, fill=by_hand(8)))

    read(floor.later(), stated(8))

    assert not floor.machine.state.differences


def test_rearming_takes_the_exchanges_word() -> None:
    floor = Floor()
    differ_for_a_minute(floor, stated(5))

    floor.give(i.OperatorSaid(at=floor.now, wanted=i.Wanted.REARM, by="ada"))

    assert floor.machine.state.portfolio.net(HOT, FOREIGN) == contracts(5)
    assert len(all_of(f.Place, floor.wish(buy(1)))) == 1


def test_settled_market_is_not_compared() -> None:
    floor = Floor()
    floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price.of_cents(50)))

    differ_for_a_minute(floor, stated(5))

    assert not floor.machine.state.differences


def test_statement_of_a_subaccount_that_is_not_ours_is_no_concern() -> None:
    floor = Floor()

    read(floor, stated(5, subaccount=OTHER), subaccount=OTHER, at_start=True)

    assert floor.machine.state.portfolio.net(HOT) == ZERO_COUNT


# -- settlements that are corrected ------------------------------------------------------------


def test_revised_settlement_reaches_the_profit() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 10)
    floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price(10_000)))
    assert floor.machine.state.portfolio.profit({}) == dollars("5.00")

    said = floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price(0)))

    assert floor.machine.state.portfolio.profit({}) == dollars("-5.00")
    assert "what was realized changes by -10.00" in only(f.Alert, said).words
    assert floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price(0))) == []


def test_revision_pays_late_fills_and_every_strategy_anew() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10))).intent
    floor.accept(intent, filled=10)
    floor.fill(intent, 6)
    floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price(10_000)))
    floor.fill(intent, 4)

    floor.give(i.MarketSettled(at=NOON, ticker=HOT, value=Price.of_cents(30)))

    assert floor.machine.state.portfolio.profit({}) == dollars("-2.00")


# -- money in another place --------------------------------------------------------------------


def test_money_on_another_shard_is_said_before_the_order_fails() -> None:
    floor = Floor()
    floor.later().fund("1", shard=SHARD_ZERO)
    floor.fund("700", shard=Shard(2))
    floor.fund("40", subaccount=OTHER)

    (refusal,) = only(f.Decision, floor.wish(buy(10))).refusals

    assert refusal.code == "wrong_pot"
    assert refusal.figures["needed"] == "5.00"
    assert refusal.figures["available"] == "1.00"
    assert refusal.figures["elsewhere"] == (
        "700.00 on subaccount 0, shard 2, 40.00 on subaccount 3, shard 0"
    )
