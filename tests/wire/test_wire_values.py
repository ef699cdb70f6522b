from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trueup.core.errors import FinerThanUnit, NotANumber, ProtocolBroken
from trueup.core.instant import format_instant, parse_instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire import values

DIGITISH = st.text(alphabet="0123456789.+-_ ٣e", max_size=24)


def outcome(read: Callable[[str], object], text: str) -> object:
    """What a reader makes of a text: its value, or the kind of its error."""
    try:
        return read(text)
    except (NotANumber, FinerThanUnit) as error:
        return type(error)


@given(DIGITISH | st.from_regex(r"-?\d{1,9}\.\d{1,8}", fullmatch=True))
@example("12.00")
@example("-3.19")
@example(".50")
@example("1_0.00")
@example(" 1.00")
@example("1.000000")
def test_quick_decimals_agree_with_the_exact_parser(text: str) -> None:
    assert outcome(values.count, text) == outcome(Count.parse, text)
    assert outcome(values.dollars, text) == outcome(Money.parse, text)
    assert outcome(values.price, text) == outcome(Price.parse, text)


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_quick_times_agree_with_the_exact_parser(micros: int) -> None:
    text = format_instant(parse_instant("1970-01-01T00:00:00Z") + micros)  # type: ignore[operator]

    assert values.instant(text) == parse_instant(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-07T17:55:56.06924Z",
        "2026-05-07T17:55:56.0692412345Z",
        "2026-05-07T13:55:56-04:00",
        "2026-12-31T23:59:60Z",
        "0001-01-01T00:00:00Z",
        "2026-05-07t17:55:56z",
    ],
)
def test_unusual_times_are_read_as_by_the_exact_parser(text: str) -> None:
    assert values.instant(text) == parse_instant(text)


@pytest.mark.parametrize(
    "text",
    ["", "2026-W19-4T17:55:25Z", "20260507T17:55:25.00Z", "2026-05-07", "2026-13-07T17:55:25Z"],
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        values.instant(text)


@pytest.mark.parametrize("text", [None, "", "0001-01-01T00:00:00Z"])
def test_unset_optional_time_is_none(text: str | None) -> None:
    assert values.optional_instant(text) is None


def test_trailing_zeros_are_not_finer() -> None:
    assert values.price("0.560000") == Price(5_600)
    assert values.count("2.5000") == Count(250)
    assert values.dollars("0.01750000") == Money(17_500)


@pytest.mark.parametrize(
    ("read", "text"),
    [(values.price, "0.56001"), (values.count, "0.141"), (values.dollars, "0.0000001")],
)
def test_finer_value_is_refused_and_not_cut(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(FinerThanUnit):
        read(text)


def test_fraction_of_a_contract_is_kept() -> None:
    assert values.count("0.14") == Count(14)


@pytest.mark.parametrize("text", ["abc", "", "1e3", "NaN", "0x10", "1,000.00", "9" * 5000])
def test_text_that_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        values.dollars(text)


def test_amount_no_account_can_have_is_refused() -> None:
    for text in ("9999999999999.000001", "99999999999999999999.00"):
        with pytest.raises(NotANumber, match="larger"):
            values.dollars(text)
    with pytest.raises(NotANumber, match="larger"):
        values.exact_cents(10**30)


def test_whole_json_numbers_are_exact() -> None:
    assert values.price(1) == Price(10_000)
    assert values.count(37) == Count(3_700)
    assert values.dollars(5) == Money(5_000_000)


def test_price_outside_zero_to_one_is_refused() -> None:
    for text in ("1.0001", "-0.01"):
        with pytest.raises(NotANumber):
            values.price(text)


def test_exact_cents_are_that_much_money() -> None:
    assert values.exact_cents(2_600) == Money(26_000_000)
    assert values.exact_cents("2600") == values.exact_cents("2600.0") == Money(26_000_000)


@pytest.mark.parametrize("dollars", ["26.0000", "0.5", "30.60", "5.6"])
def test_dollars_under_the_name_of_cents_are_not_read_a_hundred_times_too_small(
    dollars: str,
) -> None:
    with pytest.raises((NotANumber, FinerThanUnit)):
        values.exact_cents(dollars)


def test_floored_cents_state_an_interval_below_the_next_cent() -> None:
    low, high = values.floored_cents(9_801)

    assert (low, high) == (Money.parse("98.01"), Money.parse("98.019999"))
    assert low <= Money.parse("98.0186") <= high
    assert high + Money(1) == Money.parse("98.02")


def test_negative_floored_cents_reach_a_cent_both_ways() -> None:
    assert values.floored_cents(-5) == (Money(-59_999), Money(-40_001))


def test_cent_prices_of_the_old_form() -> None:
    assert values.price_of_cents(56) == Price(5_600)
    assert values.price_of_cents("92.8") == Price(9_280)
    with pytest.raises(NotANumber):
        values.price_of_cents(101)


@pytest.mark.parametrize("dollars", ["0.56", "0.5", "1.00"])
def test_a_price_that_may_be_dollars_is_not_taken_for_cents(dollars: str) -> None:
    with pytest.raises(NotANumber, match="may be dollars"):
        values.price_of_cents(dollars)


def test_fix_tells_parts_of_a_cent_in_cents() -> None:
    assert values.price_of_fine_cents("0.50") == Price(50)


def test_multiplier_is_an_exact_fraction() -> None:
    assert values.ratio(Decimal("0.07")) == Fraction(7, 100)
    for text in ("NaN", "Infinity", "1e400"):
        with pytest.raises(NotANumber):
            values.ratio(Decimal(text))


def test_milliseconds_taken_for_seconds_are_refused() -> None:
    with pytest.raises(NotANumber, match="seconds"):
        values.instant_of_seconds(1_778_176_525_212)
    assert values.instant_of_seconds(1_778_176_525) == values.instant_of_milliseconds(
        1_778_176_525_000
    )


@pytest.mark.parametrize(
    ("outcome_side", "book_side", "side", "expected"),
    [
        ("yes", "bid", "no", Side.YES),
        ("no", "ask", "yes", Side.NO),
        (None, "bid", "no", Side.YES),
        (None, "ask", "yes", Side.NO),
        ("", None, "yes", Side.YES),
        (None, None, "no", Side.NO),
    ],
)
def test_fill_direction_is_outcome_side_then_book_side_then_side_alone(
    outcome_side: str | None, book_side: str | None, side: str | None, expected: Side
) -> None:
    assert values.fill_side(outcome_side, book_side, side) is expected


@pytest.mark.parametrize(
    ("action", "side", "expected"),
    [
        ("buy", "yes", Side.YES),
        ("sell", "no", Side.YES),
        ("buy", "no", Side.NO),
        ("sell", "yes", Side.NO),
    ],
)
def test_old_order_direction_follows_action_and_side(
    action: str, side: str, expected: Side
) -> None:
    assert values.order_side(None, None, side=side, action=action) is expected
    assert values.order_side("yes", "ask", side=side, action=action) is Side.YES
    assert values.order_side(None, "ask", side=side, action=action) is Side.NO


def test_unknown_side_word_is_refused() -> None:
    with pytest.raises(ProtocolBroken, match="maybe"):
        values.fill_side("maybe", None, "yes")
    with pytest.raises(ProtocolBroken):
        values.fill_side(None, None, None)
    with pytest.raises(ProtocolBroken):
        values.order_side(None, None, side="yes", action=None)
