"""The calls of markets, events and series once more, read in full (see `rows.full`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from trueup.core.catalog import Event, Series
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import Answer
from trueup.wire.rest.rows import full as rows
from trueup.wire.rest.rows.full import FullEvent, FullMarket, FullSeries
from trueup.wire.rest.rows.markets import MarketDetail

T = TypeVar("T")


def market(call: Call[MarketDetail]) -> Call[FullMarket]:
    """One market, live or archived, with everything that is said about it."""
    return _read_as(call, rows.MARKET.answer("market"))


def markets(call: Call[Page[MarketDetail]]) -> Call[Page[FullMarket]]:
    """Markets, live or archived, with everything that is said about them."""
    return _read_as(call, rows.MARKET.pages("markets"))


def event(call: Call[Event]) -> Call[FullEvent]:
    """One event with everything that is said about it."""
    return _read_as(call, rows.EVENT.answer("event"))


def events(call: Call[Page[Event]]) -> Call[Page[FullEvent]]:
    """Events with everything that is said about them."""
    return _read_as(call, rows.EVENT.pages("events"))


def series(call: Call[Series]) -> Call[FullSeries]:
    """One series with everything that is said about it."""
    return _read_as(call, rows.SERIES.answer("series"))


def series_list(call: Call[Page[Series]]) -> Call[Page[FullSeries]]:
    """Series with everything that is said about them."""
    return _read_as(call, rows.SERIES.pages("series"))


def _read_as(call: Call[Any], answer: Answer[T]) -> Call[T]:
    return replace(call, decode=answer.decode, unknown_fields=answer.unknown_fields)
