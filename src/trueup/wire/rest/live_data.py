"""The live-data section: scores, plays, crypto charts and the weather index.

What a record's `details` hold depends on its `type`; they are given as they
came, numbers with decimal places as `Decimal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from trueup.core.ids import EventTicker
from trueup.core.instant import Instant
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import MILLISECONDS, SMALL
from trueup.wire.rest.request import request, since, until
from trueup.wire.rest.shapes import Shape, Wire


class LiveData(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a milestone, such as a game's score."""

    type: str
    milestone_id: str
    details: Mapping[str, object]


class EventLiveData(msgspec.Struct, frozen=True, kw_only=True):
    """Live figures of an event, such as the chart of a crypto price.

    `is_historical` says that the figures are frozen.
    """

    type: str
    details: Mapping[str, object]
    is_historical: bool = False
    default_range: str | None = None
    range_options: tuple[str, ...] = ()


class GamePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one period of a game."""

    events: tuple[object, ...] = ()


class PlayByPlay(msgspec.Struct, frozen=True, kw_only=True):
    """A game, period by period."""

    periods: tuple[GamePeriod, ...] = ()


class _GameStats(msgspec.Struct, frozen=True, kw_only=True):
    pbp: PlayByPlay | None = None


class WeatherReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one station gave to one minute of the index.

    `code` is ``ok``, ``missing``, ``late`` and the like.  `observed_at` is there
    where an older observation stands in.
    """

    station_id: str
    code: str
    source: str | None = None
    fahrenheit: Annotated[Decimal | None, Wire("temp_f")] = None
    observed_at: Annotated[Instant | None, Wire("obs_time_ms", MILLISECONDS)] = None
    received_at: Annotated[Instant | None, Wire("received_at_ms", MILLISECONDS)] = None
    primary_code: str | None = None


class WeatherPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of the index.  An ``incomplete`` one has no value."""

    at: Annotated[Instant, Wire("t", MILLISECONDS)]
    status: str
    value: Annotated[Decimal | None, Wire("v")] = None
    contributors: Annotated[int | None, Wire("contributors", SMALL)] = None
    receipt_basis: str | None = None
    stations: tuple[WeatherReading, ...] = ()


class WeatherIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The temperature index of a city, in `units` (Fahrenheit)."""

    city: str
    units: str
    points: Annotated[tuple[WeatherPoint, ...], Wire("timeseries")]
    config_version: str | None = None


class StationCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """The weight of a station, and how much warmer than its peers it runs, in Celsius."""

    station_id: str
    weight: Decimal
    offset_celsius: Annotated[Decimal, Wire("offset_c")]
    update_note: str | None = None


class WeatherCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """How the index was computed from `effective_at` on."""

    config_version: str
    effective_at: Annotated[Instant, Wire("effective_at_ms", MILLISECONDS)]
    published_at: Annotated[Instant | None, Wire("published_at_ms", MILLISECONDS)] = None
    change_reason: str | None = None
    window_start: Annotated[Instant | None, Wire("calibration_window_start_ms", MILLISECONDS)] = (
        None
    )
    window_end: Annotated[Instant | None, Wire("calibration_window_end_ms", MILLISECONDS)] = None
    reference_celsius: Annotated[Decimal, Wire("city_reference_c")]
    stations: tuple[StationCalibration, ...]


class WeatherCalibrations(msgspec.Struct, frozen=True, kw_only=True):
    """How the index of a city was computed over time, oldest first, in `units` (Celsius)."""

    city: str
    units: str
    calibrations: tuple[WeatherCalibration, ...]


LIVE: Final = Shape(LiveData, "LiveData")
EVENT_LIVE: Final = Shape(EventLiveData, "EventLiveData")
GAME_STATS: Final = Shape(_GameStats, "GetGameStatsResponse")
WEATHER: Final = Shape(WeatherIndex, "GetWeatherIndexResponse")
CALIBRATIONS: Final = Shape(WeatherCalibrations, "GetWeatherIndexCalibrationsResponse")


def milestone(milestone_id: str, *, include_player_stats: bool = False) -> Call[LiveData]:
    """The state of one milestone."""
    return request(
        "GetLiveDataByMilestone",
        LIVE.answer("live_data"),
        path={"milestone_id": milestone_id},
        query={"include_player_stats": include_player_stats or None},
    )


def typed_milestone(
    kind: str, milestone_id: str, *, include_player_stats: bool = False
) -> Call[LiveData]:
    """The same by an older address, which also names the milestone's type."""
    return request(
        "GetLiveData",
        LIVE.answer("live_data"),
        path={"type": kind, "milestone_id": milestone_id},
        query={"include_player_stats": include_player_stats or None},
    )


def milestones(
    milestone_ids: Iterable[str], *, include_player_stats: bool = False
) -> Call[tuple[LiveData, ...]]:
    """The states of up to 100 milestones."""
    return request(
        "GetLiveDatas",
        LIVE.answers("live_datas"),
        query={
            "milestone_ids": tuple(milestone_ids),
            "include_player_stats": include_player_stats or None,
        },
    )


def game_stats(milestone_id: str) -> Call[PlayByPlay]:
    """A game play by play; empty where the exchange has none."""
    answer = GAME_STATS.answer().then(lambda row: row.pbp or PlayByPlay())
    return request("GetGameStats", answer, path={"milestone_id": milestone_id})


def event(event_ticker: EventTicker, *, chart_range: str = "") -> Call[EventLiveData]:
    """Live figures of an event; `chart_range` is one of its `range_options`."""
    return request(
        "GetEventLiveData",
        EVENT_LIVE.answer("live_data"),
        path={"event_ticker": event_ticker},
        query={"range": chart_range},
    )


def weather_index(
    city: str,
    *,
    start: Instant | None = None,
    end: Instant | None = None,
    last_seconds: int | None = None,
    detailed: bool = False,
) -> Call[WeatherIndex]:
    """The temperature index of a city, minute by minute: a window, or the last seconds."""
    return request(
        "GetWeatherIndex",
        WEATHER.answer(),
        path={"city": city},
        query={
            "from": since(start),
            "to": until(end),
            "last_sec": last_seconds,
            "detailed": detailed or None,
        },
    )


def weather_calibrations(city: str) -> Call[WeatherCalibrations]:
    """How the temperature index of a city is computed."""
    return request("GetWeatherIndexCalibrations", CALIBRATIONS.answer(), path={"city": city})
