"""The events section."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.core.catalog import Event, FeeChange
from trueup.core.ids import EventTicker, SeriesTicker
from trueup.core.instant import Instant
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import page_of, record_of
from trueup.wire.rest.request import joined, request, since
from trueup.wire.rest.rows import catalog


def event(event_ticker: EventTicker) -> Call[Event]:
    """One event, of whatever age; its markets in the answer are not read."""
    return request(
        "GetEvent",
        record_of("event", catalog.read_event, catalog.KNOWN_EVENT),
        path={"event_ticker": event_ticker},
        query={"exclude_markets": True},
    )


def events(
    *,
    tickers: Iterable[EventTicker] | None = None,
    series_ticker: SeriesTicker | None = None,
    status: str = "",
    min_updated_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Event]]:
    """Events without combos.  `status` is ``unopened``, ``open``, ``closed`` or ``settled``."""
    return request(
        "GetEvents",
        page_of("events", catalog.read_event, catalog.KNOWN_EVENT),
        query={
            "tickers": joined(tickers),
            "series_ticker": series_ticker,
            "status": status,
            "min_updated_ts": since(min_updated_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def combo_events(
    *,
    tickers: Iterable[EventTicker] | None = None,
    series_ticker: SeriesTicker | None = None,
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
