"""Calls of other sections once more, their answers read in full (see `rows.full`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from trueup.core.catalog import Event, Series
from trueup.core.facts import OrderReported, Transferred
from trueup.core.statements import PositionStated
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import Answer, page_of, record_of
from trueup.wire.rest.rows import full as rows
from trueup.wire.rest.rows import orders as order_rows
from trueup.wire.rest.rows.full import (
    EventPosition,
    FullEvent,
    FullMarket,
    FullOrder,
    FullSeries,
    FullShardTransfer,
)
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


def order(call: Call[OrderReported]) -> Call[FullOrder]:
    """One order with its terms."""
    return _read_as(call, record_of("order", rows.read_full_order, order_rows.KNOWN))


def orders(call: Call[Page[OrderReported]]) -> Call[Page[FullOrder]]:
    """Orders, live or archived, with their terms."""
    return _read_as(call, page_of("orders", rows.read_full_order, order_rows.KNOWN))


def event_positions(call: Call[Page[PositionStated]]) -> Call[Page[EventPosition]]:
    """The sums per event that stand beside the positions of a page."""
    return _read_as(call, rows.EVENT_POSITION.pages("event_positions"))


def shard_transfer(call: Call[Transferred]) -> Call[FullShardTransfer]:
    """One transfer between shards with the name that we gave it."""
    return _read_as(call, rows.SHARD_TRANSFER.answer("transfer"))


def shard_transfers(call: Call[Page[Transferred]]) -> Call[Page[FullShardTransfer]]:
    """Transfers between shards with the names that we gave them."""
    return _read_as(call, rows.SHARD_TRANSFER.pages("transfers"))


def _read_as(call: Call[Any], answer: Answer[T]) -> Call[T]:
    return replace(call, decode=answer.decode, unknown_fields=answer.unknown_fields)
