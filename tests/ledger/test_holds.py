from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from trade_script import TICKER, at, fills, reading

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import PRIMARY, SHARD_ZERO, ClientOrderId, OrderId, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.ledger.entries import EntryKind
from trueup.ledger.holds import holds, market_by_market
from trueup.ledger.proof import Proven, prove

D = Money.parse

RESTING = OrderReported(
    order_id=OrderId("a"),
    client_order_id=ClientOrderId(""),
    ticker=TICKER,
    side=Side.YES,
    status=OrderStatus.RESTING,
    price=Price.parse(".40"),
    initial_count=Count.parse("10"),
    fill_count=ZERO_COUNT,
    remaining_count=Count.parse("10"),
    taker_fees=ZERO_MONEY,
    maker_fees=ZERO_MONEY,
    taker_fill_cost=ZERO_MONEY,
    maker_fill_cost=ZERO_MONEY,
    created_at=at("12:00"),
    updated_at=at("12:00"),
    subaccount=PRIMARY,
    shard=SHARD_ZERO,
)
CANCELED = replace(RESTING, status=OrderStatus.CANCELED, updated_at=at("12:30"))


def told(orders: list[OrderReported], script: str = "") -> list[tuple[int, str]]:
    known: list[Filled] = fills(script)

    def fills_of(_: Ticker) -> list[Filled]:
        return known

    found = list(holds(orders, fills_of))
    assert all(each.kind is EntryKind.RESTING for each in found)
    return [(each.at, str(each.amount)) for each in found]


def test_resting_order_ties_up_its_cost_until_it_ends() -> None:
    assert told([RESTING]) == [(at("12:00"), "-4.00")]
    assert told([CANCELED]) == [(at("12:00"), "-4.00"), (at("12:30"), "4.00")]


def test_fill_sets_its_part_free() -> None:
    assert told([CANCELED], "12:10 buy yes 4 @ .40 order a") == [
        (at("12:00"), "-4.00"),
        (at("12:10"), "1.60"),
        (at("12:30"), "2.40"),
    ]


def test_order_that_never_rested_ties_up_nothing() -> None:
    taken = replace(CANCELED, status=OrderStatus.EXECUTED, updated_at=at("12:00"))

    assert told([taken], "12:00 buy yes 10 @ .40 order a") == []


def test_taker_part_of_a_resting_order_was_never_tied_up() -> None:
    assert told([RESTING], "12:00 buy yes 4 @ .40 order a") == [(at("12:00"), "-2.40")]


def test_order_that_closes_what_is_held_ties_up_nothing() -> None:
    script = "11:00 buy no 10 @ .50"

    assert told([RESTING], script) == []
    assert told([RESTING], "11:00 buy no 4 @ .50") == [(at("12:00"), "-2.40")]


def test_decreased_order_ties_up_what_is_left_from_the_report_on() -> None:
    decreased = replace(RESTING, remaining_count=Count.parse("4"), updated_at=at("12:20"))

    assert told([decreased]) == [(at("12:00"), "-4.00"), (at("12:20"), "2.40")]
    assert told([RESTING, decreased, CANCELED]) == [
        (at("12:00"), "-4.00"),
        (at("12:20"), "2.40"),
        (at("12:30"), "1.60"),
    ]


def test_amended_price_counts_from_the_later_report_on() -> None:
    amended = replace(RESTING, price=Price.parse(".50"), updated_at=at("12:20"))

    assert told([amended, RESTING]) == [(at("12:00"), "-4.00"), (at("12:20"), "-1.00")]


def test_amended_and_partly_filled_order_ties_up_the_rest_at_its_price() -> None:
    """4 of 10 fill at .40, then it is amended to 12 at .50, of which 2 more fill."""
    amended = replace(
        RESTING,
        price=Price.parse(".50"),
        fill_count=Count.parse("4"),
        remaining_count=Count.parse("8"),
        updated_at=at("12:20"),
    )
    script = """
        12:10 buy yes 4 @ .40 order a
        12:40 buy yes 2 @ .50 order a
        """

    assert told([RESTING, amended], script) == [
        (at("12:00"), "-4.00"),
        (at("12:10"), "1.60"),
        (at("12:20"), "-1.60"),
        (at("12:40"), "1.00"),
    ]


def test_report_counts_a_fill_that_nobody_knows() -> None:
    report = replace(
        RESTING,
        fill_count=Count.parse("4"),
        remaining_count=Count.parse("6"),
        updated_at=at("12:20"),
    )

    assert told([report]) == [(at("12:00"), "-4.00"), (at("12:20"), "1.60")]
    assert told([report], "12:20:01 buy yes 4 @ .40 order a") == told([report])


def test_resting_report_that_lags_behind_the_end_does_not_bring_the_order_back() -> None:
    stale = replace(RESTING, remaining_count=Count.parse("4"), updated_at=at("12:20"))

    assert told([CANCELED, stale, RESTING])[-1] == (at("12:30"), "1.60")


def test_market_whose_first_order_never_rested_keeps_its_place() -> None:
    never = replace(CANCELED, order_id=OrderId("n"), created_at=at("11:00"), updated_at=at("11:00"))
    other = replace(RESTING, order_id=OrderId("b"), ticker=Ticker("OTHER"), created_at=at("11:30"))

    found = list(holds(market_by_market([RESTING, other, never]), lambda _: []))

    assert [(each.at, each.key) for each in found] == [(at("11:30"), "b"), (at("12:00"), "a")]


@st.composite
def reported(draw: st.DrawFn) -> tuple[list[OrderReported], list[tuple[int, int]]]:
    """An order amended at random, every change reported; and what it ties up from each on."""
    clock = RESTING.created_at
    reports: list[OrderReported] = []
    truth: list[tuple[int, int]] = []
    for _ in range(draw(st.integers(1, 5))):
        size, cents = draw(st.integers(1, 50)), draw(st.integers(1, 99))
        reports.append(
            replace(
                RESTING,
                price=Price(cents * 100),
                initial_count=reports[0].initial_count if reports else Count(size * 100),
                remaining_count=Count(size * 100),
                updated_at=clock,
            )
        )
        truth.append((clock, size * cents))
        clock = Instant(clock + draw(st.integers(1, 10**9)))
    if draw(st.booleans()):
        ended = replace(reports[-1], status=OrderStatus.CANCELED, remaining_count=ZERO_COUNT)
        reports.append(replace(ended, updated_at=clock))
        truth.append((clock, 0))
    return draw(st.permutations(reports)), truth


@given(reported())
def test_amended_order_ties_up_what_its_reports_say(
    case: tuple[list[OrderReported], list[tuple[int, int]]],
) -> None:
    reports, truth = case
    found = list(holds(reports, lambda _: []))

    for moment, cents in truth:
        held = -sum(each.amount.units for each in found if each.at <= moment)
        assert held == Money.of_cents(cents).units


def test_reading_that_crosses_an_order_is_no_missing_money() -> None:
    held = list(holds([CANCELED], lambda _: []))
    readings = [
        reading("11:59", "10"),
        reading("12:00:20", "10"),
        reading("12:10", "6"),
        reading("13:00", "10"),
    ]

    found = list(prove(readings, [], holds=held))

    assert [each.verdict for each in found] == [Proven.TIMING, Proven.TIMING, Proven.PROVEN]
    missing = list(prove(readings, []))
    assert [each.difference for each in missing] == [D("0"), D("-4"), D("4")]


def test_collateral_finer_than_the_balance_may_be_rounded_either_way() -> None:
    odd = replace(CANCELED, price=Price.parse(".4003"), initial_count=Count.parse(".33"))
    held = list(holds([odd], lambda _: []))
    step = D(".0001")
    for shown in ("9.8679", "9.8680"):
        readings = [reading("11:59", "10"), reading("12:10", shown), reading("13:00", "10")]

        found = list(prove(readings, [], holds=held, precision=step))

        assert {each.verdict for each in found} == {Proven.PROVEN}
    readings = [reading("11:59", "10"), reading("12:10", "9.8681"), reading("13:00", "10")]
    assert Proven.UNPROVEN in {
        each.verdict for each in prove(readings, [], holds=held, precision=step)
    }
