"""The events section."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from trueup.core.catalog import Event, FeeChange
from trueup.core.ids import EventTicker, SeriesTicker, Ticker
from trueup.core.instant import Instant
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import SECONDS, SMALL
from trueup.wire.rest.markets import Period
from trueup.wire.rest.reading import page_of, record_of
from trueup.wire.rest.request import joined, request, since, until
from trueup.wire.rest.rows import catalog
from trueup.wire.rest.rows.candles import Candle, MarketCandles
from trueup.wire.rest.rows.full import SettlementSource
from trueup.wire.rest.shapes import Shape, Wire


class MarketLook(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange's own page shows a market."""

    ticker: Annotated[Ticker, Wire("market_ticker")]
    image_url: str = ""
    color_code: str = ""


class EventMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is told about an event beside its terms."""

    image_url: str
    markets: Annotated[tuple[MarketLook, ...], Wire("market_details")]
    settlement_sources: tuple[SettlementSource, ...]
    featured_image_url: str | None = None
    competition: str | None = None
    competition_scope: str | None = None


class EventCandles(msgspec.Struct, frozen=True, kw_only=True):
    """Candlesticks of an event's markets; `end_at` is earlier than asked for when
    the exchange would have had to answer too many.
    """

    tickers: Annotated[tuple[Ticker, ...], Wire("market_tickers")]
    candles: Annotated[tuple[tuple[Candle, ...], ...], Wire("market_candlesticks")]
    end_at: Annotated[Instant, Wire("adjusted_end_ts", SECONDS)]

    def by_market(self) -> tuple[MarketCandles, ...]:
        """The same, each market with its candlesticks."""
        pairs = zip(self.tickers, self.candles, strict=True)
        return tuple(MarketCandles(ticker=ticker, candles=candles) for ticker, candles in pairs)


class PercentileForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What the market implies for one percentile, in hundredths of a percent (0 to 9999)."""

    percentile: Annotated[int, Wire("percentile", SMALL)]
    raw: Annotated[Decimal, Wire("raw_numerical_forecast")]
    value: Annotated[Decimal, Wire("numerical_forecast")]
    text: Annotated[str, Wire("formatted_forecast")]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The implied distribution of an event's outcome at the end of one period."""

    event_ticker: EventTicker
    end_at: Annotated[Instant, Wire("end_period_ts", SECONDS)]
    period_minutes: Annotated[int, Wire("period_interval", SMALL)]
    percentiles: Annotated[tuple[PercentileForecast, ...], Wire("percentile_points")]


METADATA: Final = Shape(EventMetadata, "GetEventMetadataResponse")
EVENT_CANDLES: Final = Shape(EventCandles, "GetEventCandlesticksResponse")
FORECAST: Final = Shape(Forecast, "ForecastPercentilesPoint")


def event(event_ticker: EventTicker, *, nested_markets: bool = False) -> Call[Event]:
    """One event, of whatever age.

    With `nested_markets` its markets come along; `full.event` reads them.
    """
    return request(
        "GetEvent",
        record_of("event", catalog.read_event, catalog.KNOWN_EVENT),
        path={"event_ticker": event_ticker},
        query={
            "exclude_markets": None if nested_markets else True,
            "with_nested_markets": nested_markets or None,
        },
    )


def events(
    *,
    tickers: Iterable[EventTicker] | None = None,
    series_ticker: SeriesTicker | None = None,
    status: str = "",
    nested_markets: bool = False,
    min_close_at: Instant | None = None,
    min_updated_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Event]]:
    """Events without combos.  `status` is ``unopened``, ``open``, ``closed`` or ``settled``.

    With `nested_markets` their markets come along; `full.events` reads them.
    """
    return request(
        "GetEvents",
        page_of("events", catalog.read_event, catalog.KNOWN_EVENT),
        query={
            "tickers": joined(tickers),
            "series_ticker": series_ticker,
            "status": status,
            "with_nested_markets": nested_markets or None,
            "min_close_ts": since(min_close_at),
            "min_updated_ts": since(min_updated_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def combo_events(
    *,
    tickers: Iterable[EventTicker] | None = None,
    series_ticker: SeriesTicker | None = None,
    collection_ticker: str = "",
    nested_markets: bool = False,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Event]]:
    """Multivariate events, which `events` leaves out."""
    return request(
        "GetMultivariateEvents",
        page_of("events", catalog.read_event, catalog.KNOWN_EVENT),
        query={
            "tickers": joined(tickers),
            "series_ticker": series_ticker,
            "collection_ticker": collection_ticker,
            "with_nested_markets": nested_markets or None,
            "limit": limit,
            "cursor": cursor,
        },
    )


def fee_changes(
    *, event_ticker: EventTicker | None = None, limit: int | None = None, cursor: str = ""
) -> Call[Page[FeeChange]]:
    """Past and scheduled changes of events' fee overrides."""
    return request(
        "GetEventFeeChanges",
        page_of("event_fee_changes", catalog.read_event_fee_change, catalog.KNOWN_EVENT_FEE_CHANGE),
        query={"event_ticker": event_ticker, "limit": limit, "cursor": cursor},
    )


def metadata(event_ticker: EventTicker) -> Call[EventMetadata]:
    """Pictures, competition and settlement sources of an event."""
    return request("GetEventMetadata", METADATA.answer(), path={"event_ticker": event_ticker})


def candles(
    series_ticker: SeriesTicker,
    event_ticker: EventTicker,
    *,
    start: Instant,
    end: Instant,
    period: Period = Period.HOUR,
) -> Call[EventCandles]:
    """Candlesticks of all markets of an event."""
    return request(
        "GetMarketCandlesticksByEvent",
        EVENT_CANDLES.answer(),
        path={"series_ticker": series_ticker, "ticker": event_ticker},
        query={
            "start_ts": since(start),
            "end_ts": until(end),
            "period_interval": period.value,
        },
    )


def forecast_history(
    series_ticker: SeriesTicker,
    event_ticker: EventTicker,
    *,
    percentiles: Iterable[int],
    start: Instant,
    end: Instant,
    period_minutes: int = 60,
) -> Call[tuple[Forecast, ...]]:
    """How the forecast that an event's prices imply has moved.

    Up to ten `percentiles`, in hundredths of a percent (2500 is the lower
    quartile).  `period_minutes` is 1, 60 or 1440, or 0 for five seconds.
    """
    return request(
        "GetEventForecastPercentilesHistory",
        FORECAST.answers("forecast_history"),
        path={"series_ticker": series_ticker, "ticker": event_ticker},
        query={
            "percentiles": tuple(str(each) for each in percentiles),
            "start_ts": since(start),
            "end_ts": until(end),
            "period_interval": period_minutes,
        },
    )
