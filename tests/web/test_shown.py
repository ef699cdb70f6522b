"""Figures on the screen: exact, signed, and a dash for what is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.instant import DAY, HOUR, MINUTE, Instant
from trueup.core.units import Count, Money, Price, Ratio
from trueup.web.values import shown
from trueup.web.values.shown import UNKNOWN, Tone


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("1234.567", "1,234.57"),
        ("-1234.565", "−1,234.57"),
        ("0.004", "0.00"),
        ("-0.004", "0.00"),
        ("-0.005", "−0.01"),
    ],
)
def test_money_is_rounded_to_the_cent_for_the_eye(amount: str, text: str) -> None:
    assert shown.money(Money.parse(amount)).text == text


def test_a_gain_has_a_plus_and_a_colour_and_the_exact_figure_in_its_title() -> None:
    found = shown.dollars(Money.parse("3.141593"), signed=True)

    assert found.text == "+$3.14"
    assert found.tone is Tone.GAIN
    assert found.title == "$3.141593"
    assert shown.dollars(Money.parse("-3.1"), signed=True).text == "−$3.10"


def test_unknown_is_a_dash_and_never_zero() -> None:
    for found in (
        shown.money(None),
        shown.dollars(None),
        shown.price(None),
        shown.count(None),
        shown.average(None),
        shown.number(None),
        shown.moment(None),
        shown.words(None),
        shown.time_left(None, Instant(0)),
        shown.percent(1, 0),
    ):
        assert found.text == UNKNOWN
        assert "0" not in found.text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (2 * DAY + 3 * HOUR, "2 d 3 h"),
        (3 * HOUR + 4 * MINUTE, "3 h 4 min"),
        (5 * MINUTE, "5 min"),
        (30_000_000, "30 s"),
        (0, "over"),
        (-DAY, "over"),
    ],
)
def test_time_left_names_its_two_largest_units(left: int, text: str) -> None:
    now = Instant(1_800_000_000_000_000)

    assert shown.time_left(Instant(now + left), now).text == text


def test_contracts_and_prices_have_no_needless_decimals() -> None:
    assert shown.count(Count.parse("10")).text == "10"
    assert shown.count(Count.parse("1200.5")).text == "1,200.5"
    assert shown.count(Count.parse("-3.25"), signed=True).text == "−3.25"
    assert shown.price(Price.parse("0.5600")).text == "0.56"
    assert shown.average(Ratio(1, 3)).text == "0.3333"
    assert shown.average(Ratio(2, 3)).text == "0.6667"


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_what_is_shown_is_within_half_a_cent_of_what_is(units: int) -> None:
    text = shown.rounded_to_cents(Money(units)).replace(",", "").replace("−", "-")

    assert abs(Money.parse(text).units - units) <= 5_000
