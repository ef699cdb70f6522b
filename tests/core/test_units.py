from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import FinerThanUnit, NotANumber
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio, rounded_text

integers = st.integers(min_value=-(10**15), max_value=10**15)
money = integers.map(Money)
counts = integers.map(Count)
prices = st.integers(min_value=0, max_value=10_000).map(Price)
steps = st.integers(min_value=1, max_value=10**6).map(Money)


@given(money)
def test_money_printed_and_read_is_the_same(amount: Money) -> None:
    assert Money.parse(str(amount)) == amount


@given(counts)
def test_count_printed_and_read_is_the_same(count: Count) -> None:
    assert Count.parse(str(count)) == count


@given(prices)
def test_price_printed_and_read_is_the_same(price: Price) -> None:
    assert Price.parse(str(price)) == price


@given(money, st.integers(min_value=0, max_value=30))
def test_trailing_zeros_are_not_finer(amount: Money, zeros: int) -> None:
    assert Money.parse(str(amount) + "0" * zeros) == amount


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (Money, "0.0000001"),
        (Money, "-1.2345678"),
        (Money, "0.00000000000000000001"),
        (Count, "0.001"),
        (Count, "1.005"),
        (Price, "0.56789"),
        (Price, "0.00001"),
    ],
)
def test_a_finer_number_raises_and_is_never_cut(
    unit: type[Money | Count | Price], text: str
) -> None:
    with pytest.raises(FinerThanUnit, match="finer than"):
        unit.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        " 1",
        "1\n",
        ".",
        "-",
        "+-1",
        "1e3",
        "0x10",
        "1_000",
        "1,000",
        "NaN",
        "inf",
        "1.2.3",
        "\u0661\u0662",
        "\u00bd",
        "one",
    ],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        Money.parse(text)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("0.5600", 560_000),
        ("5", 5_000_000),
        ("5.", 5_000_000),
        (".5", 500_000),
        ("-.5", -500_000),
        ("+1.000001", 1_000_001),
        ("-0", 0),
        ("007", 7_000_000),
    ],
)
def test_money_reads_every_plain_way_of_writing_a_decimal(text: str, units: int) -> None:
    assert Money.parse(text).units == units


@pytest.mark.parametrize("text", ["1.0001", "-0.0001", "2"])
def test_a_price_outside_0_and_1_is_refused(text: str) -> None:
    with pytest.raises(NotANumber, match="between"):
        Price.parse(text)


@given(prices, counts)
def test_price_times_count_is_exact(price: Price, count: Count) -> None:
    product = price * count

    assert Ratio(product.units, 10**6) == Ratio(price.units, 10**4) * Ratio(count.units, 100)


@given(prices, counts)
def test_the_two_sides_of_a_contract_cost_one_dollar(price: Price, count: Count) -> None:
    assert price * count + price.complement() * count == ONE_DOLLAR * count


@given(money, money)
def test_adding_and_subtracting_money_undo_each_other(one: Money, other: Money) -> None:
    assert one + other - other == one
    assert one - other == -(other - one)


@given(money, steps)
def test_flooring_gives_the_nearest_multiple_not_above(amount: Money, step: Money) -> None:
    floored = amount.floor_to(step)

    assert floored <= amount < floored + step
    assert floored.is_multiple_of(step)


def test_quantities_of_different_units_are_never_equal() -> None:
    assert Money(100) != Count(100)
    assert Count(100) != Price(100)
    assert Price(100) != Money(100)
    assert Money(100) != 100
    assert len({Money(100), Count(100), Price(100)}) == 3


@pytest.mark.parametrize(
    ("operation", "one", "other"),
    [
        (operator.add, Money(1), Count(1)),
        (operator.sub, Count(1), Money(1)),
        (operator.add, Money(1), 1),
        (operator.add, Price(1), Price(1)),
        (operator.lt, Money(1), Count(1)),
        (operator.le, Count(1), 1),
        (operator.gt, Price(1), Money(1)),
        (operator.ge, Count(1), Price(1)),
        (operator.mul, Price(1), Price(1)),
        (operator.mul, Price(1), 2),
        (operator.mul, Money(1), Count(1)),
        (operator.mul, Money(1), 1.5),
    ],
)
def test_arithmetic_across_units_is_a_type_error(
    operation: Callable[[Any, Any], object], one: object, other: object
) -> None:
    with pytest.raises(TypeError):
        operation(one, other)


@pytest.mark.parametrize("units", [1.0, True, "1", None])
@pytest.mark.parametrize("unit", [Money, Count, Price])
def test_a_quantity_counts_whole_units_only(unit: Callable[[Any], object], units: object) -> None:
    with pytest.raises(TypeError, match="whole units"):
        unit(units)


@pytest.mark.parametrize("quantity", [Money(5), Count(5), Price(5)])
def test_a_quantity_cannot_be_changed(quantity: Any) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        quantity.units = 6
    with pytest.raises(AttributeError):
        quantity.note = "x"
    with pytest.raises(AttributeError, match="immutable"):
        del quantity.units
    assert quantity.units == 5


@pytest.mark.parametrize("quantity", [Money(-5), Count(5), Price(5)])
def test_a_quantity_survives_pickling(quantity: object) -> None:
    assert pickle.loads(pickle.dumps(quantity)) == quantity  # noqa: S301 - our own bytes


@given(integers, integers)
def test_money_is_ordered_like_its_units(one: int, other: int) -> None:
    assert (Money(one) < Money(other)) == (one < other)
    assert (Money(one) <= Money(other)) == (one <= other)
    assert (Money(one) > Money(other)) == (one > other)
    assert (Money(one) >= Money(other)) == (one >= other)
    assert (Money(one) == Money(other)) == (one == other)
    assert bool(Money(one)) == (one != 0)


def test_amounts_are_printed_for_people() -> None:
    assert str(Money.of_cents(-123_456)) == "-1234.56"
    assert Money.of_cents(-123_456).dollars() == "-1,234.56"
    assert str(Money(17_500)) == "0.0175"
    assert str(Count.of_contracts(3)) == "3.00"
    assert str(Price.of_cents(56)) == "0.56"
    assert repr(Price(5601)) == "Price(0.5601)"
    assert Money.of_cents(5) * 3 == Money.of_cents(15)
    assert abs(Money(-5)) == Money(5)
    assert abs(Count(5)) == Count(5)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (Ratio(14, 100), 4, "0.1400"),
        (Ratio(2, 3), 4, "0.6667"),
        (Ratio(-1, 3), 2, "-0.33"),
        (Ratio(1, 8), 2, "0.12"),
        (Ratio(3, 8), 2, "0.38"),
        (Ratio(-1, 1000), 2, "0.00"),
        (Ratio(7, 2), 0, "4"),
    ],
)
def test_a_ratio_is_shown_to_the_nearest(value: Ratio, places: int, expected: str) -> None:
    """Halves go to the even neighbour, and nothing is never negative."""
    assert rounded_text(value, places) == expected
