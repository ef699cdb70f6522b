"""The exchange section: is it open, and how far have its reads come?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from trueup.core.ids import Shard
from trueup.core.instant import Instant
from trueup.wire import values
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import TIME
from trueup.wire.rest.reading import field_names, record_of
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardStatus:
    """Whether one shard takes orders and transfers."""

    shard: Shard
    description: str
    exchange_active: bool
    trading_active: bool
    transfers_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeStatus:
    """Whether the exchange works; the figures are those of shard 0.

    A trading pause is `exchange_active` without `trading_active`: cancels still
    pass.  In an exchange pause both are false.  `transfers_active` is `None`
    and `shards` empty where the exchange does not say.
    """

    exchange_active: bool
    trading_active: bool
    transfers_active: bool | None
    resumes_at: Instant | None
    shards: tuple[ShardStatus, ...]


class TradingSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a day, ``HH:MM`` Eastern time; ``00:00`` as its end is midnight."""

    opens: Annotated[str, Wire("open_time")]
    closes: Annotated[str, Wire("close_time")]


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of each day of a week, and from when to when this week holds."""

    start_at: Annotated[Instant, Wire("start_time", TIME)]
    end_at: Annotated[Instant, Wire("end_time", TIME)]
    monday: tuple[TradingSession, ...]
    tuesday: tuple[TradingSession, ...]
    wednesday: tuple[TradingSession, ...]
    thursday: tuple[TradingSession, ...]
    friday: tuple[TradingSession, ...]
    saturday: tuple[TradingSession, ...]
    sunday: tuple[TradingSession, ...]


class Maintenance(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which the exchange may be closed."""

    start_at: Annotated[Instant, Wire("start_datetime", TIME)]
    end_at: Annotated[Instant, Wire("end_datetime", TIME)]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When the exchange is open."""

    weeks: Annotated[tuple[Week, ...], Wire("standard_hours")]
    maintenance: Annotated[tuple[Maintenance, ...], Wire("maintenance_windows")]


SCHEDULE: Final = Shape(Schedule, "Schedule")

KNOWN_STATUS: Final = field_names(
    """
    exchange_active trading_active intra_exchange_transfers_active exchange_estimated_resume_time
    exchange_index_statuses
    """
)
KNOWN_TIMESTAMP: Final = frozenset({"as_of_time"})


class _ShardRecord(msgspec.Struct):
    exchange_index: int
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool
    description: str = ""


class _StatusRecord(msgspec.Struct):
    exchange_active: bool
    trading_active: bool
    intra_exchange_transfers_active: bool | None = None
    exchange_estimated_resume_time: str | None = None
    exchange_index_statuses: list[_ShardRecord] | None = None


class _TimestampRecord(msgspec.Struct):
    as_of_time: str


_decode_status: Final = msgspec.json.Decoder(_StatusRecord)
_decode_timestamp: Final = msgspec.json.Decoder(_TimestampRecord)


def status() -> Call[ExchangeStatus]:
    """Whether the exchange works.  The same body also comes with 503 and 504."""
    return request("GetExchangeStatus", record_of(None, read_status, KNOWN_STATUS))


def schedule() -> Call[Schedule]:
    """When the exchange is open, and when it will be maintained."""
    return request("GetExchangeSchedule", SCHEDULE.answer("schedule"))


def user_data_timestamp() -> Call[Instant]:
    """Up to when the account's reads are complete: reads lag writes."""
    return request("GetUserDataTimestamp", record_of(None, _read_timestamp, KNOWN_TIMESTAMP))


def read_status(raw: bytes) -> ExchangeStatus:
    """The status from a body (also one that came with a 503)."""
    row = _decode_status.decode(raw)
    return ExchangeStatus(
        exchange_active=row.exchange_active,
        trading_active=row.trading_active,
        transfers_active=row.intra_exchange_transfers_active,
        resumes_at=values.optional_instant(row.exchange_estimated_resume_time),
        shards=tuple(
            ShardStatus(
                shard=Shard(each.exchange_index),
                description=each.description,
                exchange_active=each.exchange_active,
                trading_active=each.trading_active,
                transfers_active=each.intra_exchange_transfers_active,
            )
            for each in row.exchange_index_statuses or ()
        ),
    )


def _read_timestamp(raw: bytes) -> Instant:
    return values.instant(_decode_timestamp.decode(raw).as_of_time)
