from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.catalog import FeeTerms
from trueup.core.fee_schedule import (
    CENT,
    CENTICENT,
    RATES,
    ROUNDING_REGIMES,
    other_regime_at,
    rates_at,
    regime_at,
)
from trueup.core.fees import (
    FeeLine,
    FillForFee,
    OrderFees,
    Precision,
    match_order_fees,
    model_fee,
    predict_order_fees,
)
from trueup.core.instant import SECOND, Instant, parse_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio

FEBRUARY = parse_instant("2026-02-05T12:00:00Z")
MARCH = parse_instant("2026-03-10T12:00:00Z")
MAY = parse_instant("2026-05-07T17:55:25Z")
JULY = parse_instant("2026-07-06T01:55:17Z")
AUGUST = parse_instant("2026-08-21T12:00:00Z")
SEPTEMBER = parse_instant("2026-09-01T12:00:00Z")
NOVEMBER = parse_instant("2026-11-01T12:00:00Z")

QUADRATIC = FeeTerms("quadratic", Ratio(1), waived=False)
WITH_MAKER_FEES = FeeTerms("quadratic_with_maker_fees", Ratio(1), waived=False)
COMBO = FeeTerms("quadratic_with_combo_maker_fees", Ratio(1), waived=False)
ONE = Count.of_contracts(1)


def fill(
    price: str, count: str = "1", *, at: Instant, side: Side = Side.YES, is_taker: bool = True
) -> FillForFee:
    return FillForFee(
        side=side, count=Count.parse(count), price=Price.parse(price), is_taker=is_taker, at=at
    )


def predicted(
    fills: list[FillForFee], precision: Precision, terms: FeeTerms = QUADRATIC
) -> tuple[FeeLine, ...]:
    lines = predict_order_fees(fills, lambda _: terms, precision)
    assert lines is not None
    return lines


# -- the model fee -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "is_taker", "fee"),
    [
        (QUADRATIC, True, "1.75"),
        (QUADRATIC, False, "0"),
        (WITH_MAKER_FEES, True, "1.75"),
        (WITH_MAKER_FEES, False, "0.4375"),
        (COMBO, True, "1.75"),
        (COMBO, False, "0.875"),
        (FeeTerms("quadratic", Ratio(1, 2), waived=False), True, "0.875"),
        (FeeTerms("quadratic_with_maker_fees", Ratio(1, 2), waived=False), False, "0.21875"),
        (FeeTerms("quadratic", Ratio(0), waived=False), True, "0"),
        (FeeTerms("quadratic", Ratio(1), waived=True), True, "0"),
        (FeeTerms("no such type", Ratio(1), waived=True), True, "0"),
    ],
)
def test_a_hundred_contracts_at_fifty_cents_cost_by_type_and_role(
    terms: FeeTerms, is_taker: bool, fee: str
) -> None:
    assert model_fee(terms, Count.of_contracts(100), Price.of_cents(50), is_taker) == Ratio(fee)


@pytest.mark.parametrize("fee_type", ["flat", "margin_market_maker_program_fees", "", "Quadratic"])
@pytest.mark.parametrize("is_taker", [True, False])
def test_the_fee_of_an_unknown_type_is_unknown_not_zero(fee_type: str, is_taker: bool) -> None:
    terms = FeeTerms(fee_type, Ratio(1), waived=False)
    one = fill("0.50", at=MAY, is_taker=is_taker)

    assert model_fee(terms, ONE, Price.of_cents(50), is_taker) is None
    assert OrderFees(Precision.DIRECT).charge_fill(one, terms) is None
    assert predict_order_fees([one], lambda _: terms, Precision.DIRECT) is None
    assert match_order_fees([one], [Money(0)], lambda _: terms, Precision.DIRECT) is None


def test_one_fill_without_terms_makes_the_whole_order_unknown() -> None:
    fills = [fill("0.50", at=MAY), fill("0.50", at=Instant(MAY + SECOND))]

    def only_at_first(at: Instant) -> FeeTerms | None:
        return QUADRATIC if at == MAY else None

    assert predict_order_fees(fills, only_at_first, Precision.DIRECT) is None


@given(st.integers(min_value=1, max_value=9_999).map(Price), st.integers(1, 10**6).map(Count))
def test_the_model_fee_is_the_same_for_both_sides(price: Price, count: Count) -> None:
    assert model_fee(QUADRATIC, count, price, True) == model_fee(
        QUADRATIC, count, price.complement(), True
    )


# -- rounding regimes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "name"),
    [
        (Instant(-1), "cent"),
        (Instant(0), "cent"),
        (FEBRUARY, "cent"),
        (MARCH, "centicent"),
        (MAY, "centicent"),
        (JULY, "centicent, direct balances"),
        (AUGUST, "centicent, direct balances"),
        (NOVEMBER, "microdollar"),
    ],
)
def test_the_rounding_regime_goes_by_date(at: Instant, name: str) -> None:
    assert regime_at(at).name == name
    assert other_regime_at(at) is regime_at(at)


def test_between_two_observations_either_regime_may_hold() -> None:
    assert regime_at(SEPTEMBER).name == "centicent, direct balances"
    assert other_regime_at(SEPTEMBER).name == "microdollar"


def test_the_tables_are_in_the_order_of_time() -> None:
    assert sorted(RATES, key=lambda row: row.since) == list(RATES)
    assert sorted(ROUNDING_REGIMES, key=lambda row: row.since) == list(ROUNDING_REGIMES)
    for row in ROUNDING_REGIMES:
        assert row.possible_since <= row.since
        assert row.source
    assert rates_at(Instant(-1)) is RATES[0]


@pytest.mark.parametrize(
    ("at", "precision", "step"),
    [
        (FEBRUARY, Precision.DIRECT, CENT),
        (MAY, Precision.DIRECT, CENT),
        (JULY, Precision.DIRECT, CENTICENT),
        (NOVEMBER, Precision.DIRECT, CENTICENT),
        (FEBRUARY, Precision.NON_DIRECT, CENT),
        (JULY, Precision.NON_DIRECT, CENT),
        (NOVEMBER, Precision.NON_DIRECT, CENT),
    ],
)
def test_direct_balances_became_finer_in_may_2026(
    at: Instant, precision: Precision, step: Money
) -> None:
    assert regime_at(at).balance_step(precision) == step


# -- recorded and documented examples ------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "price", "precision", "fee"),
    [
        # Recorded on the demo venue, June 2026; the later rule gives the same.
        (JULY, "0.52", Precision.DIRECT, "0.0175"),
        (NOVEMBER, "0.52", Precision.DIRECT, "0.0175"),
        (JULY, "0.99", Precision.DIRECT, "0.0007"),
        (NOVEMBER, "0.99", Precision.DIRECT, "0.0007"),
        # The example of the page of October 2026, for a member with whole-cent balances.
        (NOVEMBER, "0.055", Precision.NON_DIRECT, "0.005"),
        # The first page of the recorded account, and the same under the oldest rule.
        (MAY, "0.92", Precision.DIRECT, "0.01"),
        (MAY, "0.20", Precision.DIRECT, "0.02"),
        (FEBRUARY, "0.92", Precision.DIRECT, "0.01"),
        (FEBRUARY, "0.50", Precision.DIRECT, "0.02"),
    ],
)
def test_one_contract_bought_costs_the_known_fee(
    at: Instant, price: str, precision: Precision, fee: str
) -> None:
    (line,) = predicted([fill(price, at=at)], precision)

    assert line.net_fee == Money.parse(fee)
    assert line.balance_change == -(Price.parse(price) * ONE) - Money.parse(fee)


def test_the_parts_of_the_documented_fee_of_october_2026() -> None:
    (line,) = predicted([fill("0.055", at=NOVEMBER)], Precision.NON_DIRECT)

    assert line.trade_fee == Money.parse("0.003639")
    assert line.aligned_change == Money.parse("-0.06")
    assert line.rounding_fee == Money.parse("0.001361")
    assert line.rebate == Money(0)
    assert line.accumulated == Money.parse("0.001361")


def test_closing_a_position_costs_the_fee_of_opening_it() -> None:
    """Recorded in July 2026: NO bought at 0.52 YES-price, then sold for 0.4800 − 0.0175."""
    selling = FillForFee(
        side=Side.YES,
        count=ONE,
        price=Price.parse("0.52"),
        is_taker=True,
        at=JULY,
        cash=Money.parse("0.48"),
    )
    lines = predicted([selling], Precision.DIRECT)

    assert lines[0].net_fee == Money.parse("0.0175")
    assert lines[0].balance_change == Money.parse("0.4625")


PAGE_OF_MARCH_2026 = {
    # model fee, cash | per fill: rounding, accumulator, rebate, net fee, balance change
    "sub-penny price": (
        ("0.0085", "-0.055"),
        [
            ("0.0065", "0.0065", "0", "0.015", "-0.07"),
            ("0.0065", "0.0030", "0.01", "0.005", "-0.06"),
            ("0.0065", "0.0095", "0", "0.015", "-0.07"),
        ],
    ),
    "fractional count": (
        ("0.0041", "-0.15"),
        [
            ("0.0059", "0.0059", "0", "0.01", "-0.16"),
            ("0.0059", "0.0018", "0.01", "0", "-0.15"),
            ("0.0059", "0.0077", "0", "0.01", "-0.16"),
        ],
    ),
    "both": (
        ("0.0005", "-0.009903"),
        [
            ("0.009597", "0.009597", "0", "0.010097", "-0.02"),
            ("0.009597", "0.009194", "0.01", "0.000097", "-0.01"),
            ("0.009597", "0.008791", "0.01", "0.000097", "-0.01"),
        ],
    ),
}


@pytest.mark.parametrize("example", PAGE_OF_MARCH_2026)
def test_the_tables_of_the_rounding_page_are_reproduced(example: str) -> None:
    """The page states trade fees of its own choice and balance changes before the rebate."""
    (model, cash), rows = PAGE_OF_MARCH_2026[example]

    fees = OrderFees(Precision.NON_DIRECT)
    for rounding, accumulated, rebate, net, change in rows:
        fees, line = fees.charge(Ratio(model), Money.parse(cash), regime_at(MARCH))
        assert line.trade_fee == Money.parse(model)
        assert line.rounding_fee == Money.parse(rounding)
        assert line.accumulated == fees.accumulated == Money.parse(accumulated)
        assert line.rebate == Money.parse(rebate)
        assert line.net_fee == Money.parse(net)
        assert line.balance_change == Money.parse(change)


def test_three_roundings_of_four_tenths_of_a_cent_give_one_cent_back() -> None:
    fees = OrderFees(Precision.NON_DIRECT)
    rebates: list[Money] = []
    for _ in range(3):
        fees, line = fees.charge(Ratio("0.016"), Money(0), regime_at(NOVEMBER))
        assert line.rounding_fee == Money.parse("0.004")
        rebates.append(line.rebate)

    assert rebates == [Money(0), Money(0), Money.parse("0.01")]
    assert fees.accumulated == Money.parse("0.002")


def test_a_direct_member_gets_hundredths_of_a_cent_back_since_autumn_2026() -> None:
    fills = [fill("0.52", at=Instant(NOVEMBER + second * SECOND)) for second in range(4)]

    lines = predicted(fills, Precision.DIRECT)

    assert [line.rounding_fee for line in lines] == [Money(28)] * 4
    assert [line.rebate for line in lines] == [Money(0), Money(0), Money(0), Money(100)]
    assert lines[-1].accumulated == Money(12)


def test_before_march_2026_nothing_is_given_back() -> None:
    fills = [fill("0.50", at=Instant(FEBRUARY + second)) for second in range(10)]

    lines = predicted(fills, Precision.NON_DIRECT)

    assert [line.net_fee for line in lines] == [Money.of_cents(2)] * 10


def test_a_rebate_is_never_more_than_the_fill_was_charged() -> None:
    """Recorded in May 2026: 2.96 then 0.04 contracts; one cent is due but the last fee is less."""
    selling = [
        fill("0.67", "2.96", at=MAY, side=Side.NO),
        fill("0.67", "0.04", at=MAY, side=Side.NO),
    ]

    lines = predicted(selling, Precision.DIRECT)

    assert [line.net_fee for line in lines] == [Money.parse("0.0532"), Money.parse("0.0068")]
    assert lines[-1].accumulated == Money.parse("0.0134")


def test_taker_and_maker_fills_of_an_order_share_one_accumulator() -> None:
    fills = [
        fill("0.055", at=MAY),
        fill("0.055", at=Instant(MAY + SECOND), is_taker=False),
        fill("0.055", at=Instant(MAY + 2 * SECOND), is_taker=False),
    ]

    lines = predicted(fills, Precision.NON_DIRECT)

    assert [line.trade_fee for line in lines] == [Money.parse("0.0037"), Money(0), Money(0)]
    assert [line.accumulated for line in lines] == [
        Money.parse("0.0013"),
        Money.parse("0.0063"),
        Money.parse("0.0113"),
    ]


def test_fills_are_charged_by_time_and_reported_as_given() -> None:
    early, late = fill("0.055", at=MAY), fill("0.30", "0.13", at=Instant(MAY + SECOND))

    assert predicted([late, early], Precision.DIRECT) == tuple(
        reversed(predicted([early, late], Precision.DIRECT))
    )


# -- properties ----------------------------------------------------------------------------------

fills_for_fee = st.builds(
    FillForFee,
    side=st.sampled_from(Side),
    count=st.integers(min_value=1, max_value=50_000).map(Count),
    price=st.integers(min_value=1, max_value=9_999).map(Price),
    is_taker=st.booleans(),
    at=st.sampled_from([FEBRUARY, MARCH, MAY, JULY, SEPTEMBER, NOVEMBER]),
)
orders = st.lists(fills_for_fee, min_size=1, max_size=8)
precisions = st.sampled_from(Precision)
some_terms = st.sampled_from([QUADRATIC, WITH_MAKER_FEES, COMBO])


@given(orders, precisions, some_terms)
def test_a_net_fee_is_never_negative_and_balances_stay_on_their_grid(
    fills: list[FillForFee], precision: Precision, terms: FeeTerms
) -> None:
    for one, line in zip(fills, predicted(fills, precision, terms), strict=True):
        step = regime_at(one.at).balance_step(precision)
        assert line.net_fee >= Money(0)
        assert line.rounding_fee >= Money(0)
        assert line.rounding_fee < step
        assert line.balance_change == one.revenue - line.net_fee
        assert line.aligned_change.is_multiple_of(step)
        assert line.balance_change.is_multiple_of(step)


@given(orders, precisions, some_terms)
def test_no_fill_costs_less_than_its_model_fee_less_what_was_gathered(
    fills: list[FillForFee], precision: Precision, terms: FeeTerms
) -> None:
    """Σ net = Σ trade + what is left in the accumulator (and what old regimes kept)."""
    lines = predicted(fills, precision, terms)
    by_time = sorted(zip(fills, lines, strict=True), key=lambda pair: pair[0].at)
    kept = Money(0)
    for one, line in by_time:
        if not regime_at(one.at).accumulates:
            kept += line.rounding_fee

    net = sum((line.net_fee for line in lines), Money(0))
    trade = sum((line.trade_fee for line in lines), Money(0))

    assert net == trade + kept + by_time[-1][1].accumulated


@given(orders, precisions)
def test_the_fee_is_the_same_whether_a_fill_opens_or_closes(
    fills: list[FillForFee], precision: Precision
) -> None:
    closing = [
        FillForFee(
            side=one.side,
            count=one.count,
            price=one.price,
            is_taker=one.is_taker,
            at=one.at,
            cash=one.revenue + Price(10_000) * one.count,
        )
        for one in fills
    ]

    as_opening = predicted(fills, precision)
    as_closing = predicted(closing, precision)

    assert [line.net_fee for line in as_opening] == [line.net_fee for line in as_closing]


@given(orders, precisions, st.randoms(use_true_random=False))
def test_fees_of_simultaneous_fills_match_in_any_sequence(
    fills: list[FillForFee], precision: Precision, chance: Random
) -> None:
    lines = predicted(fills, precision)
    shuffled = list(range(len(fills)))
    chance.shuffle(shuffled)

    matched = match_order_fees(
        [fills[place] for place in shuffled],
        [lines[place].net_fee for place in shuffled],
        lambda _: QUADRATIC,
        precision,
    )

    assert matched is not None
    assert [line.net_fee for line in matched] == [lines[place].net_fee for place in shuffled]


@given(orders, precisions, st.data())
def test_a_fee_that_no_sequence_gives_does_not_match(
    fills: list[FillForFee], precision: Precision, data: st.DataObject
) -> None:
    reported: list[Money | None] = [line.net_fee for line in predicted(fills, precision)]
    place = data.draw(st.integers(0, len(fills) - 1))
    right = reported[place]
    assert right is not None
    reported[place] = right + Money.of_cents(100_000)

    assert match_order_fees(fills, reported, lambda _: QUADRATIC, precision) is None


def test_a_missing_reported_fee_agrees_with_everything() -> None:
    fills = [fill("0.75", at=MAY), fill("0.75", at=MAY)]
    reported = [None, Money.parse("0.02")]

    lines = match_order_fees(fills, reported, lambda _: QUADRATIC, Precision.DIRECT)

    assert lines is not None
    assert [line.net_fee for line in lines] == [Money.parse("0.01"), Money.parse("0.02")]


def test_near_a_change_of_rules_the_later_one_may_match() -> None:
    fills = [fill("0.52", at=Instant(SEPTEMBER + second)) for second in range(4)]
    reported = [Money(17_500), Money(17_500), Money(17_500), Money(17_400)]

    lines = match_order_fees(fills, reported, lambda _: QUADRATIC, Precision.DIRECT)

    assert lines is not None
    assert [line.net_fee for line in lines] == reported
    assert [line.net_fee for line in predicted(fills, Precision.DIRECT)] != reported


def test_a_hopeless_search_among_many_simultaneous_fills_ends() -> None:
    fills = [fill("0.50", f"0.{place:02}", at=MAY) for place in range(1, 60)]
    reported: list[Money | None] = [None] * 58 + [Money.of_cents(99)]

    assert match_order_fees(fills, reported, lambda _: QUADRATIC, Precision.DIRECT) is None
