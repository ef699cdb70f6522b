"""What a living world will list: events with their markets, and what decides them.

A `Programme` is a series (or a few that belong together) with its calendar: it
plans one event after the other, each with everything about its life.  The
stage manager (`stage.py`) lists them when their time has come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from trueup.core import catalog
from trueup.core.grid import LINEAR_CENT, PriceGrid
from trueup.core.ids import SHARD_ZERO, EventTicker, SeriesTicker, Shard, Ticker
from trueup.core.instant import EASTERN, HOUR, Instant, from_datetime, to_datetime
from trueup.core.units import Ratio
from trueup.sim.chance import Chance
from trueup.sim.commands import SETTLEMENT_TIMER
from trueup.sim.living.questions import Question
from trueup.sim.worlds.plan import date_code

ChanceSource = Callable[[str], Chance]
"""Gives a generator of its own for every name: what one part draws never changes another's."""

MAKER_FEES: Final = "quadratic_with_maker_fees"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMarket:
    """A market and what it asks."""

    market: catalog.Market
    question: Question
    grid: PriceGrid = LINEAR_CENT
    settlement_timer: int = SETTLEMENT_TIMER


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """An event, when it is listed, and when it is decided.

    Nothing changes the answers after `decided_at`; markets that are still open
    then are closed early.  They are determined at `determined_at`.  `busy` is how
    much livelier than an ordinary market these are, in percent; from `rush_from`
    on they are livelier still.  Only what `may_be_called_off` ever is.
    """

    listed_at: Instant
    event: catalog.Event
    markets: tuple[PlannedMarket, ...]
    decided_at: Instant
    determined_at: Instant
    busy: int = 100
    rush_from: Instant | None = None
    may_be_called_off: bool = False


class Programme(Protocol):
    """The calendar of one kind of event."""

    @property
    def series(self) -> tuple[catalog.Series, ...]:
        """What is listed at the very beginning."""
        ...

    @property
    def next_at(self) -> Instant | None:
        """When the next events are listed, perhaps before the beginning; `None`: no more."""
        ...

    def plan_next(self) -> tuple[PlannedEvent, ...]:
        """The events that are listed then; the calendar moves on."""
        ...


# -- building blocks -------------------------------------------------------------------------


def series_of(
    ticker: str,
    title: str,
    *,
    category: str,
    tags: tuple[str, ...] = (),
    fee_type: str = "quadratic",
) -> catalog.Series:
    """A series with whole fees."""
    return catalog.Series(
        ticker=SeriesTicker(ticker),
        title=title,
        category=category,
        tags=tags,
        fee_type=fee_type,
        fee_multiplier=Ratio(1),
    )


def event_of(series: catalog.Series, suffix: str, title: str, *, exclusive: bool) -> catalog.Event:
    """An event of a series without fees of its own."""
    return catalog.Event(
        ticker=EventTicker(f"{series.ticker}-{suffix}"),
        series_ticker=series.ticker,
        title=title,
        mutually_exclusive=exclusive,
        fee_type_override=None,
        fee_multiplier_override=None,
    )


def market_of(
    event: catalog.Event,
    suffix: str,
    title: str,
    *,
    opens: Instant,
    closes: Instant,
    shard: Shard = SHARD_ZERO,
) -> catalog.Market:
    """A market of an event."""
    return catalog.Market(
        ticker=Ticker(f"{event.ticker}-{suffix}"),
        event_ticker=event.ticker,
        title=title,
        open_at=opens,
        close_at=closes,
        expected_expiration_at=Instant(closes + HOUR),
        fee_waiver_until=None,
        shard=shard,
    )


def eastern(day: date, hour: int = 0, minute: int = 0) -> Instant:
    """An instant by the exchange's own calendar."""
    return from_datetime(datetime(day.year, day.month, day.day, hour, minute, tzinfo=EASTERN))


def eastern_date(at: Instant) -> date:
    """The Eastern calendar date of an instant."""
    return to_datetime(at).astimezone(EASTERN).date()


def next_weekday(day: date, weekday: int) -> date:
    """The first such weekday (Monday is 0) on or after `day`."""
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def day_code(day: date) -> str:
    """A date as tickers write it: ``26OCT14``."""
    return date_code(eastern(day, 12))
