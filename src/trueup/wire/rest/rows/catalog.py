"""Series, events and the changes of their fee terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from trueup.core.catalog import Event, FeeChange, Series
from trueup.core.ids import EventTicker, SeriesTicker
from trueup.core.units import Ratio
from trueup.wire import values
from trueup.wire.rest.reading import field_names

KNOWN_SERIES: Final = field_names(
    """
    ticker frequency title category categories tags settlement_sources contract_url
    contract_terms_url product_metadata fee_type fee_multiplier additional_prohibitions volume_fp
    last_updated_ts exchange_index volume
    """
)
KNOWN_EVENT: Final = field_names(
    """
    event_ticker series_ticker sub_title title collateral_return_type mutually_exclusive category
    strike_date strike_period markets product_metadata settlement_sources last_updated_ts
    fee_type_override fee_multiplier_override exchange_index available_on_brokers
    """
)
KNOWN_SERIES_FEE_CHANGE: Final = field_names(
    "id series_ticker fee_type fee_multiplier scheduled_ts"
)
KNOWN_EVENT_FEE_CHANGE: Final = field_names(
    """
    id event_ticker series_ticker fee_type_override fee_multiplier_override scheduled_ts
    """
)


class _SeriesRecord(msgspec.Struct, gc=False):
    ticker: str
    title: str
    fee_type: str
    fee_multiplier: Decimal
    category: str = ""
    tags: list[str] | None = None


class _EventRecord(msgspec.Struct, gc=False):
    event_ticker: str
    series_ticker: str
    title: str
    mutually_exclusive: bool
    fee_type_override: str | None = None
    fee_multiplier_override: Decimal | None = None


class _SeriesFeeChangeRecord(msgspec.Struct, gc=False):
    id: str
    series_ticker: str
    fee_type: str
    fee_multiplier: Decimal
    scheduled_ts: str


class _EventFeeChangeRecord(msgspec.Struct, gc=False):
    id: str
    event_ticker: str
    series_ticker: str
    scheduled_ts: str
    # Required, though nullable: only an outspoken null clears an override.
    fee_type_override: str | None
    fee_multiplier_override: Decimal | None


_decode_series: Final = msgspec.json.Decoder(_SeriesRecord)
_decode_event: Final = msgspec.json.Decoder(_EventRecord)
_decode_series_change: Final = msgspec.json.Decoder(_SeriesFeeChangeRecord)
_decode_event_change: Final = msgspec.json.Decoder(_EventFeeChangeRecord)


def read_series(raw: bytes) -> Series:
    """One series.  A fee type that is new stays the exchange's own word."""
    row = _decode_series.decode(raw)
    return Series(
        ticker=SeriesTicker(row.ticker),
        title=row.title,
        category=row.category,
        tags=tuple(row.tags or ()),
        fee_type=row.fee_type,
        fee_multiplier=values.ratio(row.fee_multiplier),
    )


def read_event(raw: bytes) -> Event:
    """One event."""
    row = _decode_event.decode(raw)
    return Event(
        ticker=EventTicker(row.event_ticker),
        series_ticker=SeriesTicker(row.series_ticker),
        title=row.title,
        mutually_exclusive=row.mutually_exclusive,
        fee_type_override=row.fee_type_override or None,
        fee_multiplier_override=_ratio(row.fee_multiplier_override),
    )


def read_series_fee_change(raw: bytes) -> FeeChange:
    """A past or scheduled change of a series' fee terms."""
    row = _decode_series_change.decode(raw)
    return FeeChange(
        change_id=row.id,
        series_ticker=SeriesTicker(row.series_ticker),
        event_ticker=None,
        fee_type=row.fee_type,
        fee_multiplier=values.ratio(row.fee_multiplier),
        effective_at=values.instant(row.scheduled_ts),
    )


def read_event_fee_change(raw: bytes) -> FeeChange:
    """A past or scheduled change of an event's override; `None` clears it."""
    row = _decode_event_change.decode(raw)
    return FeeChange(
        change_id=row.id,
        series_ticker=SeriesTicker(row.series_ticker),
        event_ticker=EventTicker(row.event_ticker),
        fee_type=row.fee_type_override or None,
        fee_multiplier=_ratio(row.fee_multiplier_override),
        effective_at=values.instant(row.scheduled_ts),
    )


def _ratio(value: Decimal | None) -> Ratio | None:
    return None if value is None else values.ratio(value)
