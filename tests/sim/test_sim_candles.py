"""Candlesticks by hand: few trades, few quotes, and every figure of the candle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.instant import DAY, Instant, format_instant, parse_instant
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.sim.candles import Candle, Print, Span, Top, candles, carried_forward, period_end

NOON = parse_instant("2026-10-12T12:00:00Z")


def at(seconds: int) -> Instant:
    return Instant(NOON + seconds * 1_000_000)


def price(text: str) -> Price:
    return Price.parse(text)


def traded(seconds: int, text: str, count: str) -> Print:
    return Print(at(seconds), price(text), Count.parse(count))


def quoted(seconds: int, bid: str, ask: str, interest: str = "0") -> Top:
    return Top(at(seconds), price(bid), price(ask), Count.parse(interest))


def minutes_of(prints: list[Print], tops: list[Top], *, start: int, end: int) -> list[Candle]:
    return list(candles(prints, tops, start=at(start), end=at(end), minutes=1))


def test_a_candle_sums_up_its_minute() -> None:
    prints = [
        traded(-30, "0.40", "1"),
        traded(1, "0.50", "2"),
        traded(30, "0.44", "1"),
        traded(60, "0.56", "1.50"),
        traded(61, "0.99", "7"),
    ]
    tops = [
        quoted(-90, "0.30", "0.60", "5"),
        quoted(20, "0.42", "0.55"),
        quoted(59, "0.41", "0.58", "9.5"),
    ]

    (candle,) = minutes_of(prints, tops, start=60, end=60)

    assert candle == Candle(
        ends_at=at(60),
        bid=Span(price("0.30"), price("0.30"), price("0.42"), price("0.41")),
        ask=Span(price("0.60"), price("0.55"), price("0.60"), price("0.58")),
        price=Span(price("0.50"), price("0.44"), price("0.56"), price("0.56")),
        mean=price("0.5067"),
        previous=price("0.40"),
        volume=Count.parse("4.50"),
        open_interest=Count.parse("9.5"),
    )


def test_a_minute_without_a_trade_keeps_the_last_price_before_it() -> None:
    prints = [traded(10, "0.40", "1")]

    first, second = minutes_of(prints, [quoted(0, "0.39", "0.41")], start=1, end=120)

    assert (first.price, first.previous) == (Span(*[price("0.40")] * 4), None)
    assert (second.price, second.mean, second.previous) == (None, None, price("0.40"))
    assert second.volume == ZERO_COUNT
    assert second.bid == Span(*[price("0.39")] * 4)


def test_nothing_is_older_than_the_market() -> None:
    found = minutes_of([], [quoted(90, "0.10", "0.20")], start=-6_000, end=180)

    assert [one.ends_at for one in found] == [at(120), at(180)]
    assert minutes_of([], [], start=0, end=600) == []


def test_trades_from_before_the_first_known_quote_have_a_book_that_is_empty() -> None:
    (found,) = minutes_of([traded(30, "0.40", "1")], [], start=0, end=60)

    assert found.bid == Span(*[price("0")] * 4)
    assert found.ask == Span(*[price("1")] * 4)


def test_the_last_price_is_carried_to_the_first_border() -> None:
    prints = [traded(-500, "0.40", "1"), traded(-400, "0.45", "1"), traded(30, "0.50", "1")]

    carried = carried_forward(prints, [], start=at(5), minutes=1)

    assert carried is not None
    assert (carried.ends_at, carried.previous, carried.price) == (at(60), price("0.45"), None)
    assert carried_forward(prints, [], start=at(-500), minutes=1) is None


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-10-12T12:00:00Z", "2026-10-13T04:00:00Z"),
        ("2026-10-12T04:00:00Z", "2026-10-12T04:00:00Z"),
        ("2026-10-12T04:00:00.000001Z", "2026-10-13T04:00:00Z"),
        # The day on which the clocks go back has 25 hours.
        ("2026-11-01T12:00:00Z", "2026-11-02T05:00:00Z"),
        ("2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z"),
        ("2026-03-08T05:00:01Z", "2026-03-09T04:00:00Z"),
    ],
)
def test_days_end_at_eastern_midnight(moment: str, ends: str) -> None:
    assert format_instant(period_end(parse_instant(moment), 1_440)) == ends


@given(
    st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(1, 9_999), st.integers(1, 500))),
    st.sampled_from([60, 1_440]),
)
def test_every_trade_is_in_exactly_one_candle(
    drawn: list[tuple[int, int, int]], minutes: int
) -> None:
    prints = [Print(Instant(NOON + t), Price(p), Count(n)) for t, p, n in sorted(drawn)]

    found = list(candles(prints, [], start=NOON, end=Instant(NOON + 5 * DAY), minutes=minutes))

    assert sum(one.volume.units for one in found) == sum(one.count.units for one in prints)
    assert all(
        one.price is None or one.price.low <= one.price.open <= one.price.high for one in found
    )
    assert [one.ends_at for one in found] == sorted({one.ends_at for one in found})
