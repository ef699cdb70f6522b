from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.market import MarketResult
from trueup.core.payoff import gross_payout, paid_payout, yes_value
from trueup.core.units import ONE_DOLLAR, Count, Money, Price

CENT = Money.of_cents(1)
CENTICENT = Money(100)
nets = st.integers(min_value=-1_000_000, max_value=1_000_000).map(Count)
values = st.integers(min_value=0, max_value=10_000).map(Price)


@pytest.mark.parametrize(
    ("result", "stated", "value"),
    [
        (MarketResult.YES, None, Price(10_000)),
        (MarketResult.NO, None, Price(0)),
        (MarketResult.YES, Price(3), Price(10_000)),
        (MarketResult.SCALAR, Price(5_000), Price(5_000)),
        (MarketResult.SCALAR, Price(4_512), Price(4_512)),
        (MarketResult.SCALAR, None, None),
    ],
)
def test_a_yes_contract_is_worth_what_the_result_says(
    result: MarketResult, stated: Price | None, value: Price | None
) -> None:
    assert yes_value(result, stated) == value


@pytest.mark.parametrize(
    ("net", "value", "paid"),
    [
        ("26.00", "1.0000", "26.00"),
        ("26.00", "0.0000", "0.00"),
        ("-4.00", "0.0000", "4.00"),
        ("-4.00", "1.0000", "0.00"),
        ("0.00", "1.0000", "0.00"),
        # A tie pays both sides half; a cancelled event its fair price, 0.10 and 0.90.
        ("10.00", "0.5000", "5.00"),
        ("-10.00", "0.5000", "5.00"),
        ("3.00", "0.1000", "0.30"),
        ("-3.00", "0.1000", "2.70"),
        # Recorded: 19.00 YES beside 18.86 NO at 45 cents pay 6 cents.
        ("0.14", "0.4500", "0.06"),
    ],
)
def test_the_net_position_is_paid_in_whole_cents(net: str, value: str, paid: str) -> None:
    assert paid_payout(Count.parse(net), Price.parse(value), CENT) == Money.parse(paid)


def test_a_direct_member_is_paid_to_the_hundredth_of_a_cent() -> None:
    net, value = Count.parse("100.01"), Price.parse("0.3060")

    assert gross_payout(net, value) == Money.parse("30.60306")
    assert paid_payout(net, value, CENTICENT) == Money.parse("30.6030")


@given(nets, values)
def test_the_two_sides_share_one_dollar_per_contract(net: Count, value: Price) -> None:
    assert gross_payout(net, value) + gross_payout(-net, value) == ONE_DOLLAR * abs(net)


@given(nets, values, st.sampled_from([CENT, CENTICENT]))
def test_a_payout_is_cut_by_less_than_one_step(net: Count, value: Price, step: Money) -> None:
    gross, paid = gross_payout(net, value), paid_payout(net, value, step)

    assert Money(0) <= gross - paid < step
    assert paid.is_multiple_of(step)


@given(nets, st.sampled_from([Price(0), ONE_DOLLAR]))
def test_a_yes_or_no_result_is_never_cut(net: Count, value: Price) -> None:
    assert paid_payout(net, value, CENT) == gross_payout(net, value)
