"""Series, events and markets, and which fee terms held when.

The catalog is an immutable value and an argument to everything that needs it:
whoever holds one can ask what held at any instant.

*Fee terms* come from three places, the first that applies wins (the exchange's
pages *Get series fee changes*, *Get event fee changes*, *Get market*):

1. the market's fee waiver: no fee while it has not expired;
2. the event's override, where one is set; a change to `None` clears it;
3. the series' fee type and multiplier.

Series and events say what holds *now*, that is at `Catalog.observed_at`, and
changes say what holds from their effective time on, past or scheduled.  Put on
one time line, the last of these points at or before an instant decides.
Before the first point:

- a series without any change until `observed_at` is taken to have had its
  present terms all along;
- a series whose first known point is a change had other terms before it, which
  nobody recorded: the terms are *unknown*, and so is every fee of that time;
- an event whose first known point sets an override is taken to have had none
  before; if that point clears one, the terms before it are unknown.

So a complete change history (`show_historical=true`) must be loaded for old
fills.  The start of a waiver is not published; it is taken to have held since
the market opened.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from trueup.core.ids import EventTicker, SeriesTicker, Shard, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Price, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A recurring kind of event.  `fee_type` is the exchange's own word, also a new one."""

    ticker: SeriesTicker
    title: str
    category: str
    tags: tuple[str, ...]
    fee_type: str
    fee_multiplier: Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One question with its markets.  The overrides are `None` where the series' terms hold."""

    ticker: EventTicker
    series_ticker: SeriesTicker
    title: str
    mutually_exclusive: bool
    fee_type_override: str | None
    fee_multiplier_override: Ratio | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One yes/no (or scalar) contract.  `fee_waiver_until` is when its waiver expires."""

    ticker: Ticker
    event_ticker: EventTicker
    title: str
    open_at: Instant | None
    close_at: Instant | None
    expected_expiration_at: Instant | None
    fee_waiver_until: Instant | None
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The top of a market's book as last seen; prices are `None` where there is none."""

    ticker: Ticker
    yes_bid: Price | None
    yes_ask: Price | None
    last: Price | None
    volume: Count
    volume_24h: Count
    open_interest: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeChange:
    """A past or scheduled change of fee terms.

    It concerns the event where `event_ticker` is set, else the series.  `None`
    for both type and multiplier clears an event's override.
    """

    change_id: str
    series_ticker: SeriesTicker
    event_ticker: EventTicker | None
    fee_type: str | None
    fee_multiplier: Ratio | None
    effective_at: Instant


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What a fill is charged by.  A waived market charges nothing, whatever the type."""

    fee_type: str
    multiplier: Ratio
    waived: bool


@dataclass(frozen=True, slots=True)
class _Override:
    """What an event says about fees; `None` leaves that part to the series."""

    fee_type: str | None
    multiplier: Ratio | None


_NO_OVERRIDE: Final = _Override(None, None)
_WAIVED: Final = FeeTerms("", Ratio(0), waived=True)

_T = TypeVar("_T")


class _TimeLine(Generic[_T]):
    """What held from which instant on.  `before` holds earlier; `None` is unknown."""

    __slots__ = ("_before", "_instants", "_values")

    def __init__(self, before: _T | None, points: Iterable[tuple[Instant, _T]]) -> None:
        ordered = sorted(points, key=lambda point: point[0])
        self._before = before
        self._instants = [instant for instant, _ in ordered]
        self._values = [value for _, value in ordered]

    def at(self, instant: Instant) -> _T | None:
        place = bisect_right(self._instants, instant)
        return self._values[place - 1] if place else self._before


class Catalog:
    """Everything known about series, events, markets and their fees.  Immutable.

    `observed_at` is when series and events were read; without it they count
    only where no change is known.  Of two records with one ticker the later in
    the iterable wins.
    """

    __slots__ = (
        "_event_fees",
        "_events",
        "_fee_changes",
        "_markets",
        "_observed_at",
        "_series",
        "_series_fees",
    )

    def __init__(
        self,
        *,
        series: Iterable[Series] = (),
        events: Iterable[Event] = (),
        markets: Iterable[Market] = (),
        fee_changes: Iterable[FeeChange] = (),
        observed_at: Instant | None = None,
    ) -> None:
        self._series: Final = {one.ticker: one for one in series}
        self._events: Final = {one.ticker: one for one in events}
        self._markets: Final = {one.ticker: one for one in markets}
        self._fee_changes: Final = tuple(
            sorted({one.change_id: one for one in fee_changes}.values(), key=_by_time)
        )
        self._observed_at: Final = observed_at
        of_series: dict[SeriesTicker, list[FeeChange]] = {}
        of_event: dict[EventTicker, list[FeeChange]] = {}
        for change in self._fee_changes:
            if change.event_ticker is None:
                of_series.setdefault(change.series_ticker, []).append(change)
            else:
                of_event.setdefault(change.event_ticker, []).append(change)
        self._series_fees: Final = {
            one.ticker: _series_time_line(one, of_series.get(one.ticker, ()), observed_at)
            for one in self._series.values()
        }
        self._event_fees: Final = {
            one.ticker: _event_time_line(one, of_event.get(one.ticker, ()), observed_at)
            for one in self._events.values()
        }

    @property
    def series(self) -> Mapping[SeriesTicker, Series]:
        """All series by ticker (read-only)."""
        return MappingProxyType(self._series)

    @property
    def events(self) -> Mapping[EventTicker, Event]:
        """All events by ticker (read-only)."""
        return MappingProxyType(self._events)

    @property
    def markets(self) -> Mapping[Ticker, Market]:
        """All markets by ticker (read-only)."""
        return MappingProxyType(self._markets)

    @property
    def fee_changes(self) -> tuple[FeeChange, ...]:
        """All fee changes in the order in which they take effect."""
        return self._fee_changes

    @property
    def observed_at(self) -> Instant | None:
        """When series and events were read; `None` if nobody said."""
        return self._observed_at

    def event_of(self, ticker: Ticker) -> Event | None:
        """The event of a market; `None` when market or event is unknown."""
        market = self._markets.get(ticker)
        return None if market is None else self._events.get(market.event_ticker)

    def series_of(self, ticker: Ticker) -> Series | None:
        """The series of a market; `None` when any link to it is unknown."""
        event = self.event_of(ticker)
        return None if event is None else self._series.get(event.series_ticker)

    def category(self, ticker: Ticker) -> str:
        """The category of a market's series; empty when unknown."""
        series = self.series_of(ticker)
        return "" if series is None else series.category

    def fee_terms(self, ticker: Ticker, at: Instant) -> FeeTerms | None:
        """The fee terms of a fill on a market at an instant.

        `None` means unknown: the market, its event or its series is not in the
        catalog, or nothing tells what held then.  Unknown is never free.
        """
        market = self._markets.get(ticker)
        if market is None:
            return None
        if market.fee_waiver_until is not None and market.fee_waiver_until > at:
            return _WAIVED
        event = self._events.get(market.event_ticker)
        return None if event is None else self._event_terms(event, at)

    def _event_terms(self, event: Event, at: Instant) -> FeeTerms | None:
        override = self._event_fees[event.ticker].at(at)
        if override is None:
            return None
        if override.fee_type is not None and override.multiplier is not None:
            return FeeTerms(override.fee_type, override.multiplier, waived=False)
        time_line = self._series_fees.get(event.series_ticker)
        terms = None if time_line is None else time_line.at(at)
        if terms is None or override == _NO_OVERRIDE:
            return terms
        return FeeTerms(
            terms.fee_type if override.fee_type is None else override.fee_type,
            terms.multiplier if override.multiplier is None else override.multiplier,
            waived=False,
        )

    def __eq__(self, other: object) -> bool:
        """Catalogs with the same records are equal."""
        if not isinstance(other, Catalog):
            return NotImplemented
        return self._records() == other._records()

    def __hash__(self) -> int:
        return hash((self._fee_changes, self._observed_at, len(self._markets)))

    def __repr__(self) -> str:
        return (
            f"Catalog({len(self._series)} series, {len(self._events)} events, "
            f"{len(self._markets)} markets, {len(self._fee_changes)} fee changes)"
        )

    def _records(self) -> tuple[object, ...]:
        return (
            self._series,
            self._events,
            self._markets,
            self._fee_changes,
            self._observed_at,
        )


def _by_time(change: FeeChange) -> tuple[Instant, str]:
    return (change.effective_at, change.change_id)


def _series_time_line(
    series: Series, changes: Iterable[FeeChange], observed_at: Instant | None
) -> _TimeLine[FeeTerms]:
    """The terms of a series over time; see the head of this file."""
    present = FeeTerms(series.fee_type, series.fee_multiplier, waived=False)
    points = [
        (change.effective_at, FeeTerms(change.fee_type, change.fee_multiplier, waived=False))
        for change in changes
        # A series change that lacks its terms says nothing: only events can be cleared.
        if change.fee_type is not None and change.fee_multiplier is not None
    ]
    explained = _is_past(points, observed_at)
    if observed_at is not None:
        points.append((observed_at, present))
    return _TimeLine(None if explained else present, points)


def _event_time_line(
    event: Event, changes: Iterable[FeeChange], observed_at: Instant | None
) -> _TimeLine[_Override]:
    """The override of an event over time; see the head of this file."""
    present = _Override(event.fee_type_override, event.fee_multiplier_override)
    points = [
        (change.effective_at, _Override(change.fee_type, change.fee_multiplier))
        for change in changes
    ]
    before: _Override | None = present
    if _is_past(points, observed_at):
        before = None if points[0][1] == _NO_OVERRIDE else _NO_OVERRIDE
    if observed_at is not None:
        points.append((observed_at, present))
    return _TimeLine(before, points)


def _is_past(points: list[tuple[Instant, _T]], observed_at: Instant | None) -> bool:
    """Whether the first point lies before the reading of the present terms."""
    return bool(points) and (observed_at is None or points[0][0] <= observed_at)
