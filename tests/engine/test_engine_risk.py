"""Every limit: the order that just passes, and the one that just does not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from engine_floor import (
    COLD,
    EVENT,
    HOT,
    NOON,
    Floor,
    a_listing,
    all_of,
    buy,
    cents,
    contracts,
    dollars,
    only,
    refusals,
)

from trueup.core.errors import ConfigError
from trueup.core.ids import PRIMARY, SHARD_ZERO, SeriesTicker, Shard
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.core.market import MarketStatus
from trueup.core.orders import Side
from trueup.core.statements import BalanceStated
from trueup.core.units import Count, Price
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.limits import FirstHours, Hours, Limits
from trueup.engine.refusals import REFUSALS, Code
from trueup.engine.state import Settings, Window
from trueup.engine.strategy import Mandate
from trueup.engine.wishes import Order, Style

ROOT = Path(__file__).parents[2]


def hold(floor: Floor, count: int = 10, limit: int = 50, side: Side = Side.YES) -> None:
    """Fill an order of the strategy completely."""
    intent = only(f.Place, floor.wish(buy(count, limit, side=side))).intent
    floor.accept(intent, filled=count)
    floor.fill(intent, count)


def test_position_counts_what_is_held_and_what_is_open() -> None:
    floor = Floor(limits=Limits(position_max=contracts(30)))
    hold(floor, 10)
    floor.accept(only(f.Place, floor.wish(buy(12, 40, style=Style.POST))).intent)

    assert refusals(floor.wish(buy(9, 50))) == ["position_limit"]
    assert refusals(floor.wish(buy(8, 50))) == []


def test_position_limit_does_not_stand_in_the_way_of_closing() -> None:
    floor = Floor(limits=Limits(position_max=contracts(10)))
    hold(floor, 10)

    assert refusals(floor.wish(buy(10, 48, side=Side.NO))) == []


def test_order_that_closes_and_opens_is_judged_by_what_it_opens() -> None:
    floor = Floor(limits=Limits(exposure_max=dollars("5.20")))
    hold(floor, 10)

    assert refusals(floor.wish(buy(21, 48, side=Side.NO))) == ["exposure"]


@pytest.mark.parametrize(("count", "expected"), [(20, []), (21, ["exposure"])])
def test_exposure_of_everything(count: int, expected: list[str]) -> None:
    floor = Floor(limits=Limits(exposure_max=dollars("10.00")))

    assert refusals(floor.wish(buy(count, 50))) == expected


def test_exposure_of_an_event_counts_all_its_markets() -> None:
    floor = Floor(limits=Limits(event_exposure_max=dollars("10.00")))
    floor.quote(ticker=COLD)
    hold(floor, 10)
    floor.quote(ticker=COLD)

    assert refusals(floor.wish(buy(11, 50, ticker=COLD))) == ["event_exposure"]
    assert refusals(floor.wish(buy(10, 50, ticker=COLD))) == []
    assert a_listing().event_ticker == EVENT


def test_capital_of_the_strategy() -> None:
    floor = Floor(mandate=Mandate(capital=dollars("20.00")))

    assert refusals(floor.wish(buy(41, 50))) == ["capital"]
    assert refusals(floor.wish(buy(40, 50))) == []


def test_account_limits_hold_over_all_strategies() -> None:
    settings = Settings(limits=Limits(order_count_max=contracts(5)))
    floor = Floor(settings=settings)

    done = floor.wish(buy(6, 50))

    decision = only(f.Decision, done)
    assert [(each.code, each.scope) for each in decision.refusals] == [(Code.ORDER_SIZE, "account")]


def test_cash_is_needed_where_the_market_lives() -> None:
    floor = Floor()
    floor.give(i.MarketsListed(at=floor.now, listings=(a_listing(shard=Shard(2)),)))

    decision = only(f.Decision, floor.wish(buy(10, 50)))
    assert [each.code for each in decision.refusals] == [Code.WRONG_POT]
    assert decision.refusals[0].figures["shard"] == "2"

    floor.fund("5.00", shard=Shard(2))
    assert refusals(floor.wish(buy(10, 50))) == []


def test_balance_reading_knows_nothing_of_what_was_sent_after_it() -> None:
    floor = Floor()
    floor.fund("10.00")
    floor.accept(only(f.Place, floor.wish(buy(15, 40, style=Style.POST))).intent)

    assert refusals(floor.wish(buy(10, 41))) == ["cash_floor"]
    floor.later().fund("4.10")
    assert refusals(floor.wish(buy(10, 41))) == []


def test_cash_floor() -> None:
    floor = Floor(settings=Settings(limits=Limits(cash_floor=dollars("995.00"))))

    assert refusals(floor.wish(buy(11, 50))) == ["cash_floor"]
    assert refusals(floor.wish(buy(10, 50))) == []


def test_cash_floor_counts_what_was_sent_and_what_filled_since_the_reading() -> None:
    floor = Floor(settings=Settings(limits=Limits(cash_floor=dollars("990.00"))))
    floor.accept(only(f.Place, floor.wish(buy(10, 40, style=Style.POST))).intent)
    floor.later()
    hold(floor, 10, 50)

    assert refusals(floor.wish(buy(3, 50))) == ["cash_floor"]
    assert refusals(floor.wish(buy(2, 50))) == []


def test_cash_of_a_fill_is_spent_until_a_reading_knows_of_it() -> None:
    floor = Floor()
    floor.fund("10.00")
    floor.later()
    hold(floor, 15, 50)

    assert refusals(floor.wish(buy(6, 50))) == ["cash_floor"]
    floor.later().fund("2.50")
    assert refusals(floor.wish(buy(5, 50))) == []


def test_fill_of_what_rested_at_the_reading_is_spent_once() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(10, 50, style=Style.POST))).intent
    floor.accept(intent)
    floor.later().fund("5.00")
    floor.later().fill(intent, 10, fee="0.05")

    assert refusals(floor.wish(buy(10, 50))) == ["cash_floor"], "the fee is gone"
    assert refusals(floor.wish(buy(9, 50))) == []


def test_balance_that_did_not_change_since_knows_of_what_rests_all_the_same() -> None:
    """The exchange dates a balance in whole seconds: by that an order may seem to be later."""
    floor = Floor()
    floor.accept(only(f.Place, floor.wish(buy(10, 50, style=Style.POST))).intent)
    dated = Instant(floor.now - SECOND // 2)
    stated = BalanceStated(
        low=dollars("5.00"),
        high=dollars("5.00"),
        portfolio_value=None,
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        at=dated,
        observed_at=floor.later(5 * SECOND).now,
    )
    floor.give(i.BalanceRead(at=floor.now, balance=stated, as_of=Instant(floor.now - SECOND)))

    assert refusals(floor.wish(buy(10, 50))) == []


def test_proceeds_may_be_spent_before_the_next_reading() -> None:
    floor = Floor()
    floor.fund("5.00")
    floor.later()
    hold(floor, 10, 50)
    floor.later()
    hold(floor, 10, 48, Side.NO)

    assert refusals(floor.wish(buy(10, 50))) == ["cash_floor"]
    assert refusals(floor.wish(buy(9, 50))) == []


def test_two_orders_that_would_close_the_same_contracts_open_with_the_second() -> None:
    """10 YES for 1.00 and two asks of 10: after both fill, 10 NO at up to .48 are held."""
    floor = Floor(limits=Limits(event_exposure_max=dollars("9.00")))
    hold(floor, 10, 10)
    for limit in (52, 54):
        wish = replace(buy(10, limit, side=Side.NO, style=Style.POST), slot=str(limit))
        floor.accept(only(f.Place, floor.wish(wish)).intent)
    floor.later().quote(ticker=COLD)

    assert refusals(floor.wish(buy(7, 48, ticker=COLD))) == ["event_exposure"]
    assert refusals(floor.wish(buy(6, 48, ticker=COLD))) == []


@pytest.mark.parametrize(
    ("limit", "reference", "side", "expected"),
    [
        (52, 50, Side.YES, []),
        (53, 50, Side.YES, ["slippage"]),
        (30, 50, Side.YES, []),
        (48, 50, Side.NO, []),
        (47, 50, Side.NO, ["slippage"]),
    ],
)
def test_slippage(limit: int, reference: int, side: Side, expected: list[str]) -> None:
    assert refusals(Floor().wish(buy(1, limit, side=side, reference=reference))) == expected


def test_price_off_the_grid() -> None:
    wish = Order(ticker=HOT, side=Side.YES, count=contracts(1), limit=Price(5_050), reason="finer")

    assert refusals(Floor().wish(wish)) == ["price_off_grid"]


def test_price_band_is_of_the_side_that_is_bought() -> None:
    floor = Floor(limits=Limits(price_min=cents(5), price_max=cents(90)))

    assert refusals(floor.wish(buy(1, 4))) == ["price_band"]
    assert refusals(floor.wish(buy(1, 9, side=Side.NO))) == ["price_band"]
    assert refusals(floor.wish(buy(1, 10, side=Side.NO))) == []


def test_volume_guards_new_positions_only() -> None:
    floor = Floor(limits=Limits(volume_min=contracts(500)))
    hold(floor, 10)
    floor.strategy.wishes = [buy(1, 50), buy(10, 48, side=Side.NO)]

    assert refusals(floor.later().quote(volume=499)) == ["volume"]


def test_expiry_guards_new_positions_only() -> None:
    floor = Floor(limits=Limits(expiry_min=4 * HOUR))
    hold(floor, 10)
    closes = Instant(floor.now + 4 * HOUR)
    floor.give(i.MarketsListed(at=floor.now, listings=(a_listing(closes=closes),)))
    floor.strategy.wishes = [buy(1, 50), buy(10, 48, side=Side.NO)]

    assert refusals(floor.later().quote()) == ["expiry"]


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2026-10-06T11:59:59Z", False),
        ("2026-10-06T12:00:00Z", True),
        ("2026-10-06T21:59:59Z", True),
        ("2026-10-06T22:00:00Z", False),
        ("2026-12-06T12:30:00Z", False),
        ("2026-12-06T13:00:00Z", True),
    ],
)
def test_hours_are_eastern_in_summer_and_in_winter(at: str, inside: bool) -> None:
    assert Hours.parse("08:00-18:00").covers(parse_instant(at)) is inside


def test_closed_paused_and_ended_markets() -> None:
    floor = Floor()
    paused = a_listing(status=MarketStatus.INACTIVE)
    floor.strategy.universe = type(floor.strategy.universe)()
    floor.give(i.MarketsListed(at=floor.now, listings=(paused,)))
    floor.strategy.wishes = [buy(1, 50)]
    assert all_of(f.Decision, floor.later().quote()) == [], "it is not even shown"

    ended = a_listing(closes=Instant(floor.now + SECOND))
    floor.give(i.MarketsListed(at=floor.now, listings=(ended,)))
    assert refusals(floor.later().quote()) == ["market_not_open"]


def test_stale_quote() -> None:
    floor = Floor()
    floor.quote()
    floor.later(3 * MINUTE).strategy.wishes = [buy(1, 50)]
    floor.quote(ticker=COLD)

    assert refusals(floor.effects) == ["quote_stale", "quote_stale"]


def test_category_outside_of_what_may_be_traded() -> None:
    floor = Floor(limits=Limits(categories=frozenset({"economics"})))
    assert refusals(floor.wish(buy(1, 50))) == []
    floor = Floor(limits=Limits(categories=frozenset({"Weather"})))
    assert refusals(floor.wish(buy(1, 50))) == ["category"]


def test_markets_that_were_not_named_are_not_opened() -> None:
    floor = Floor(limits=Limits(tickers=frozenset({COLD})))
    assert refusals(floor.wish(buy(1, 50))) == ["not_named"]
    floor = Floor(limits=Limits(series=frozenset({SeriesTicker("KXCPI")})))
    assert refusals(floor.wish(buy(1, 50))) == []


def test_a_bot_is_not_shown_the_markets_that_were_not_named() -> None:
    floor = Floor(settings=Settings(limits=Limits(tickers=frozenset({COLD}))))
    floor.quote()
    floor.later(MINUTE).quote()

    assert floor.machine.state.running[floor.strategy.name].universe == (COLD,)


def test_order_rate_of_a_minute() -> None:
    floor = Floor(limits=Limits(orders_per_minute_max=2))
    for _ in range(2):
        intent = only(f.Place, floor.wish(buy(1, 50))).intent
        floor.accept(intent, filled=1)
        floor.fill(intent, 1)

    assert refusals(floor.wish(buy(1, 50))) == ["order_rate"]
    floor.later(MINUTE)
    assert refusals(floor.wish(buy(1, 50))) == []


def test_open_orders() -> None:
    floor = Floor(limits=Limits(open_orders_max=1))
    floor.accept(only(f.Place, floor.wish(buy(1, 40, style=Style.POST))).intent)

    assert refusals(floor.wish(buy(1, 60, side=Side.NO, style=Style.POST))) == ["open_orders"]


def test_order_against_our_own() -> None:
    floor = Floor()
    floor.accept(only(f.Place, floor.wish(buy(5, 45, style=Style.POST))).intent)

    assert refusals(floor.wish(buy(5, 45, side=Side.NO))) == ["own_cross"]
    assert refusals(floor.wish(buy(5, 46, side=Side.NO))) == []


def test_reducing_order_needs_something_to_reduce() -> None:
    floor = Floor()
    assert refusals(floor.wish(buy(5, 48, side=Side.NO, only_reduce=True))) == ["nothing_held"]
    hold(floor, 5)

    intent = only(f.Place, floor.wish(buy(5, 48, side=Side.NO, only_reduce=True))).intent
    assert intent.only_reduce


def test_maintenance_window() -> None:
    window = Window(Instant(NOON + 10 * SECOND), Instant(NOON + 20 * SECOND))
    floor = Floor(settings=Settings(maintenance=(window,)))
    floor.later(9 * SECOND)

    assert refusals(floor.wish(buy(1, 50))) == ["maintenance"]
    floor.later(10 * SECOND)
    assert refusals(floor.wish(buy(1, 50))) == []


def test_a_billion_contracts_are_refused_with_every_reason_at_once() -> None:
    found = refusals(Floor().wish(buy(10**9, 50)))

    assert {"order_size", "position_limit", "capital", "cash_floor"} <= set(found)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limits(position_max=Count(0)),
        lambda: Limits(exposure_max=dollars("-1")),
        lambda: Limits(daily_loss_max=dollars("0")),
        lambda: Limits(price_min=cents(60), price_max=cents(40)),
        lambda: Limits(open_orders_max=0),
        lambda: Hours.parse("18:00-08:00"),
        lambda: Hours.parse("always"),
    ],
)
def test_impossible_limits_are_refused_with_a_remedy(make: object) -> None:
    assert callable(make)
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.remedy


def test_every_code_has_its_paragraph_in_the_documentation() -> None:
    text = (ROOT / "docs" / "reference" / "refusals.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^## `(\w+)`", text, flags=re.MULTILINE))

    assert {each.value for each in Code} == set(map(str, REFUSALS)) == documented
    folded = " ".join(text.split())
    for code, words in REFUSALS.items():
        assert " ".join(words.split()) in folded, code


def test_day_without_limits_never_halts() -> None:
    floor = Floor()
    hold(floor, 50)
    floor.later(DAY).quote(1, 2)

    assert list(floor.machine.state.halts) == []


# -- the first hours with real money -----------------------------------------------------------


def first_hours(floor: Floor, *, count: int = 5, exposure: str = "50") -> None:
    caps = FirstHours(
        until=Instant(NOON + HOUR),
        order_count_max=contracts(count),
        exposure_max=dollars(exposure),
    )
    state = floor.machine.state
    state.settings = replace(state.settings, first_hours=caps)


def test_first_hours_cap_an_order_and_say_until_when() -> None:
    floor = Floor()
    first_hours(floor)

    (refusal,) = only(f.Decision, floor.wish(buy(6))).refusals

    assert refusal.code == "first_hours"
    assert refusal.figures == {"count": "6.00", "allowed": "5.00", "until": "2026-10-06T17:00:00Z"}
    assert len(all_of(f.Place, floor.wish(buy(5)))) == 1


def test_first_hours_cap_the_exposure() -> None:
    floor = Floor()
    first_hours(floor, exposure="2")

    (refusal,) = only(f.Decision, floor.wish(buy(5))).refusals

    assert refusal.code == "first_hours"
    assert refusal.figures["allowed"] == "2.00"
    assert "until" in refusal.figures


def test_first_hours_never_keep_a_position_from_being_closed() -> None:
    floor = Floor()
    intent = only(f.Place, floor.wish(buy(20))).intent
    floor.accept(intent, filled=20)
    floor.fill(intent, 20)
    first_hours(floor)

    assert len(all_of(f.Place, floor.wish(buy(20, 48, side=Side.NO, only_reduce=True)))) == 1


def test_first_hours_end_by_themselves() -> None:
    floor = Floor()
    first_hours(floor)

    floor.later(HOUR)

    assert len(all_of(f.Place, floor.wish(buy(20)))) == 1
