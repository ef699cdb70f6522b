"""Look over all open markets for the few that are worth a closer look.  Pure.

The defaults are those of the well-known guide: at least 1,000 contracts ever traded,
YES for 30 cents at most, the busiest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.units import ZERO_COUNT, Count, Price, Ratio
from trueup.engine.market import Listing, Top

B = TypeVar("B", Price, Ratio, int)


class SortBy(StrEnum):
    """What the table is sorted by; the largest first, except for the time that is left."""

    VOLUME = "volume"
    VOLUME_24H = "volume-24h"
    PRICE = "price"
    SPREAD = "spread"
    TIME_LEFT = "time-left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What to look for.  `None`, zero and empty are no condition; times in microseconds.

    `volume_min` is of all that was ever traded, `volume_24h_min` of the last day.
    Prices are what YES costs.
    """

    volume_min: Count = field(default_factory=lambda: Count.of_contracts(1_000))
    volume_24h_min: Count = ZERO_COUNT
    price_max: Price | None = field(default_factory=lambda: Price.of_cents(30))
    price_min: Price | None = None
    spread_max: Ratio | None = None
    time_left_min: int | None = None
    time_left_max: int | None = None
    categories: frozenset[str] = frozenset()
    sort_by: SortBy = SortBy.VOLUME
    most: int | None = 50


EVERYTHING: Final = Scan(volume_min=ZERO_COUNT, price_max=None, most=None)
"""No condition and no end: every open market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A market as the exchange lists it: what it is, its top, and how much it ever traded."""

    listing: Listing
    top: Top
    volume: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A market of the scan.  `time_left` is `None` where no close time is known."""

    ticker: Ticker
    title: str
    category: str
    ask: Price | None
    bid: Price | None
    spread: Ratio | None
    volume: Count
    volume_24h: Count
    closes: Instant | None
    time_left: int | None


def scan(markets: Iterable[Looked], wanted: Scan, now: Instant) -> tuple[Found, ...]:
    """The open markets that fit, sorted, at most `wanted.most` of them."""
    found = [found_of(each, now) for each in markets if each.listing.status is MarketStatus.ACTIVE]
    chosen = [each for each in found if fits(each, wanted)]
    chosen.sort(key=lambda each: each.ticker)
    chosen.sort(key=lambda each: _rank(each, wanted.sort_by))
    return tuple(chosen[: wanted.most])


def found_of(looked: Looked, now: Instant) -> Found:
    """A market as a row of the scan."""
    listing, top = looked.listing, looked.top
    closes = listing.market.close_at
    return Found(
        ticker=listing.ticker,
        title=listing.market.title or listing.event.title,
        category=listing.category,
        ask=top.ask,
        bid=top.bid,
        spread=top.spread,
        volume=looked.volume,
        volume_24h=top.volume_24h,
        closes=closes,
        time_left=None if closes is None else closes - now,
    )


def fits(each: Found, wanted: Scan) -> bool:
    """Whether every condition holds; a figure that is not known fails its condition."""
    left = each.time_left
    return (
        each.volume >= wanted.volume_min
        and each.volume_24h >= wanted.volume_24h_min
        and (not wanted.categories or each.category in wanted.categories)
        and _lies_between(each.ask, wanted.price_min, wanted.price_max)
        and _lies_between(each.spread, None, wanted.spread_max)
        and _lies_between(left, wanted.time_left_min, wanted.time_left_max)
    )


def _lies_between(value: B | None, low: B | None, high: B | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or low <= value) and (high is None or value <= high)


def _rank(each: Found, by: SortBy) -> tuple[bool, int | Ratio]:
    """Unknown figures come last."""
    match by:
        case SortBy.VOLUME:
            return False, -each.volume.units
        case SortBy.VOLUME_24H:
            return False, -each.volume_24h.units
        case SortBy.PRICE:
            return each.ask is None, 0 if each.ask is None else -each.ask.units
        case SortBy.SPREAD:
            return each.spread is None, 0 if each.spread is None else -each.spread
        case SortBy.TIME_LEFT:
            return each.time_left is None, 0 if each.time_left is None else each.time_left
