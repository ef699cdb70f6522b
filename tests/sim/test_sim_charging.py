"""Fees in whole numbers are the fees of `core.fees`, for every fill of every order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.core.catalog import FeeTerms
from trueup.core.errors import InvariantBroken
from trueup.core.fee_schedule import RATES, ROUNDING_REGIMES
from trueup.core.fees import FillForFee, OrderFees, Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, Ticker
from trueup.core.instant import DAY, Instant
from trueup.core.orders import Side
from trueup.core.position import FLAT, trade
from trueup.core.units import Count, Money, Price, Ratio
from trueup.sim.charging import FeeRule
from trueup.sim.history import CashBook
from trueup.sim.holding import HoldingRecord, Owner
from trueup.sim.order_commands import Member

KINDS = (
    "quadratic",
    "quadratic_with_maker_fees",
    "quadratic_with_combo_maker_fees",
)
NEVER = Instant(2**62)

moments = st.sampled_from(
    sorted({row.since for row in RATES} | {row.since for row in ROUNDING_REGIMES})
).flatmap(lambda since: st.sampled_from([Instant(max(0, since - 1)), since, Instant(since + DAY)]))
terms = st.builds(
    FeeTerms,
    st.sampled_from(KINDS),
    st.sampled_from([Ratio(0), Ratio(1, 2), Ratio(1), Ratio(3, 7)]),
    st.booleans(),
)
fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 9_999).map(Price),
        st.integers(1, 100_000).map(Count),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(terms, moments, fills, st.sampled_from(Precision))
def test_whole_numbers_charge_what_fractions_charge(
    asked: FeeTerms,
    at: Instant,
    traded: list[tuple[Side, Price, Count, bool]],
    precision: Precision,
) -> None:
    rule, fees, accumulated, position = FeeRule(asked, at, NEVER), OrderFees(precision), 0, FLAT

    for side, price, count, is_taker in traded:
        change = trade(position, side, count, price)
        position = change.after
        fill = FillForFee(
            side=side, count=count, price=price, is_taker=is_taker, at=at, cash=change.cash
        )
        charged = fees.charge_fill(fill, asked)
        assert charged is not None
        fees, line = charged
        trade_fee = rule.trade_fee(count.units, price.units, is_taker)
        fee, accumulated = rule.charge(
            (count.units, price.units, is_taker), change.cash.units, accumulated, precision
        )
        assert (Money(trade_fee), Money(fee)) == (line.trade_fee, line.net_fee)
        assert accumulated == fees.accumulated.units


def test_rule_ends_where_rates_or_rounding_change() -> None:
    asked = FeeTerms("quadratic", Ratio(1), waived=False)
    first, second = ROUNDING_REGIMES[-2].since, ROUNDING_REGIMES[-1].since

    assert FeeRule(asked, first, NEVER).until == second
    assert FeeRule(asked, first, Instant(first + 1)).until == first + 1
    assert FeeRule(asked, second, NEVER).until == NEVER


def test_fee_type_that_nobody_knows_is_not_free() -> None:
    with pytest.raises(InvariantBroken, match="flat"):
        FeeRule(FeeTerms("flat", Ratio(1), waived=False), RATES[-1].since, NEVER)


@settings(max_examples=200, deadline=None)
@given(fills)
def test_holding_in_bare_units_is_the_position_of_core(
    traded: list[tuple[Side, Price, Count, bool]],
) -> None:
    record = HoldingRecord(
        owner=Owner(Member("member"), Precision.DIRECT, history=False),
        subaccount=PRIMARY,
        shard=SHARD_ZERO,
        ticker=Ticker("KXTEST-26OCT02-RAIN"),
        event_ticker=EventTicker("KXTEST-26OCT02"),
        cash=CashBook(),
    )
    position, realized = FLAT, Money(0)

    for side, price, count, _ in traded:
        change = trade(position, side, count, price)
        position, realized = change.after, realized + change.realized
        own = price if side is Side.YES else price.complement()
        told = record.trade(side.sign, count.units, own.units)
        assert told == (
            change.cash.units,
            change.closed.units,
            change.cost_out.units,
            change.realized.units,
        )
    held = record.latest()
    assert held is not None
    assert (held.position, held.realized) == (position, realized)
