"""Candlesticks: trades and quotes of a market, summed up by minute, hour or day.

A candle covers the time after the end of the one before it up to and including
its own end.  Minutes and hours end at whole ones of UTC, days at Eastern
midnight (recorded January 2026).  There is a candle for every period, also
for one without a trade: its prices are missing then, but for the last price
before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from trueup.core.instant import (
    DAY,
    EASTERN,
    HOUR,
    MINUTE,
    Instant,
    from_datetime,
    to_datetime,
)
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price, Ratio

MINUTES_A_DAY: Final = 1_440

PERIODS: Final = {1: MINUTE, 60: HOUR, MINUTES_A_DAY: DAY}
"""The lengths that there are: minutes to microseconds."""


@dataclass(frozen=True, slots=True)
class Print:
    """A trade as far as a candle is concerned."""

    at: Instant
    price: Price
    count: Count


@dataclass(frozen=True, slots=True)
class Top:
    """The best prices from `at` on; without a bid 0, without an ask 1."""

    at: Instant
    bid: Price
    ask: Price
    open_interest: Count


@dataclass(frozen=True, slots=True)
class Span:
    """First, lowest, highest and last price of a period."""

    open: Price
    low: Price
    high: Price
    close: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One period.  `price` and `mean` are `None` without a trade, the quotes' spans
    in a candle that only carries the last price forward.
    """

    ends_at: Instant
    bid: Span | None
    ask: Span | None
    price: Span | None
    mean: Price | None
    previous: Price | None
    volume: Count
    open_interest: Count


def period_end(at: int, minutes: int) -> Instant:
    """When the period that holds `at` ends.  A moment on a border ends its period."""
    if minutes != MINUTES_A_DAY:
        length = PERIODS[minutes]
        return Instant(-(-at // length) * length)
    shown = to_datetime(Instant(at - 1)).astimezone(EASTERN)
    midnight = shown.replace(hour=0, minute=0, second=0, microsecond=0)
    # A day later by the wall clock, whatever the hands did in between.
    return from_datetime(midnight + timedelta(days=1))


def candles(
    prints: Sequence[Print],
    tops: Sequence[Top],
    *,
    start: Instant,
    end: Instant,
    minutes: int,
) -> Iterator[Candle]:
    """The candles that end from `start` to `end`, both included, oldest first.

    Prints and tops are in time order.  There is none before the first of both.
    """
    known = [each[0].at for each in (prints, tops) if each]
    if not known:
        return
    first = Instant(max(start, period_end(min(known), minutes)))
    ends = period_end(first, minutes)
    while ends <= end:
        yield _candle(prints, tops, period_begin(ends, minutes), ends=ends)
        ends = period_end(ends + 1, minutes)


def carried_forward(
    prints: Sequence[Print], tops: Sequence[Top], *, start: Instant, minutes: int
) -> Candle | None:
    """The last price before `start`, as a candle at the first border after it.

    `None` where nothing traded before.
    """
    place = bisect_right(prints, start - 1, key=_time_of_print)
    if not place:
        return None
    return Candle(
        ends_at=period_end(start, minutes),
        bid=None,
        ask=None,
        price=None,
        mean=None,
        previous=prints[place - 1].price,
        volume=ZERO_COUNT,
        open_interest=_interest(tops, start),
    )


def period_begin(ends: Instant, minutes: int) -> Instant:
    """When the period that ends at `ends` began; that moment itself is not in it."""
    if minutes != MINUTES_A_DAY:
        return Instant(ends - PERIODS[minutes])
    shown = to_datetime(ends).astimezone(EASTERN)
    return from_datetime(shown - timedelta(days=1))


def _candle(
    prints: Sequence[Print], tops: Sequence[Top], begins: Instant, *, ends: Instant
) -> Candle:
    low = bisect_right(prints, begins, key=_time_of_print)
    high = bisect_right(prints, ends, key=_time_of_print)
    within = prints[low:high]
    volume = sum((one.count for one in within), ZERO_COUNT)
    return Candle(
        ends_at=ends,
        bid=_quoted(tops, begins, ends, of_bid=True),
        ask=_quoted(tops, begins, ends, of_bid=False),
        price=_span(one.price for one in within),
        mean=_mean(within, volume),
        previous=prints[low - 1].price if low else None,
        volume=volume,
        open_interest=_interest(tops, ends),
    )


def _quoted(tops: Sequence[Top], begins: Instant, ends: Instant, *, of_bid: bool) -> Span:
    low = bisect_right(tops, begins, key=_time_of_top)
    high = bisect_right(tops, ends, key=_time_of_top)
    # What held when the period began counts too.
    held = tops[max(0, low - 1) : high]
    nobody = Price(0) if of_bid else ONE_DOLLAR
    return _span(one.bid if of_bid else one.ask for one in held) or Span(*[nobody] * 4)


def _span(prices: Iterable[Price]) -> Span | None:
    seen = list(prices)
    return Span(seen[0], min(seen), max(seen), seen[-1]) if seen else None


def _mean(within: Sequence[Print], volume: Count) -> Price | None:
    """By contracts, to the nearest $0.0001."""
    if not volume:
        return None
    weighted = sum(one.price.units * one.count.units for one in within)
    return Price(round(Ratio(weighted, volume.units)))


def _interest(tops: Sequence[Top], at: Instant) -> Count:
    place = bisect_right(tops, at, key=_time_of_top)
    return tops[place - 1].open_interest if place else ZERO_COUNT


def _time_of_print(one: Print) -> Instant:
    return one.at


def _time_of_top(one: Top) -> Instant:
    return one.at
