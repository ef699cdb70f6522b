"""Moments in time as whole microseconds since 1970-01-01 UTC.

Only `trueup.run.clock` asks the machine for the time; everything else gets
its instants as arguments.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType
from zoneinfo import ZoneInfo

from trueup.core.errors import NotANumber

Instant = NewType("Instant", int)
"""Microseconds since the Unix epoch, UTC."""

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

EASTERN: Final = ZoneInfo("America/New_York")
"""The exchange's own calendar: clearing dates are Eastern dates."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{1,12}))?"
    r"(?:[Zz]|([+-])(\d\d):([0-5]\d))\Z",
    re.ASCII,
)

_LENGTH: Final = re.compile(r"(?:\d{1,9}(?:us|ms|s|m|h|d))+\Z", re.ASCII)
_LENGTH_PART: Final = re.compile(r"(\d+)(us|ms|s|m|h|d)")
_LENGTH_UNITS: Final = {"us": 1, "ms": 1_000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_instant(text: str) -> Instant:
    """Read an RFC 3339 time such as ``2026-05-07T17:55:25.212272Z``.

    Digits beyond the microsecond are dropped: times order facts, they are
    never money.  A leap second is the first second of the next minute.  Raises `NotANumber` when the text is no such time.
    """
    match = _RFC3339.match(text)
    if match is None:
        message = f"{text!r} is not an RFC 3339 time"
        raise NotANumber(message)
    days, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    try:
        midnight = _midnight(days)
    except ValueError as error:
        message = f"{text!r} is not a date of the calendar"
        raise NotANumber(message) from error
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign:
        offset = int(offset_hour) * 3600 + int(offset_minute) * 60
        seconds -= offset if sign == "+" else -offset
    return Instant(midnight + seconds * SECOND + micros)


@lru_cache(maxsize=4096)
def _midnight(days: str) -> int:
    return (date.fromisoformat(days) - _EPOCH.date()).days * DAY


def parse_length(text: str) -> int:
    """A length of time in microseconds: ``30s``, ``15m``, ``2h30m``, ``1d``; ``ms`` and ``us``, too.

    Raises `NotANumber` when the text is no such length.
    """
    if _LENGTH.match(text) is None:
        message = f"{text!r} is no length of time: write one like 30s, 15m, 2h or 1d"
        raise NotANumber(message)
    return sum(int(count) * _LENGTH_UNITS[unit] for count, unit in _LENGTH_PART.findall(text))


def from_seconds(seconds: int) -> Instant:
    """An instant from whole Unix seconds."""
    return Instant(seconds * SECOND)


def from_milliseconds(milliseconds: int) -> Instant:
    """An instant from whole Unix milliseconds."""
    return Instant(milliseconds * 1000)


def to_seconds_floor(instant: Instant) -> int:
    """Whole Unix seconds, cut toward the past (for query parameters)."""
    return instant // SECOND


def to_milliseconds_floor(instant: Instant) -> int:
    """Whole Unix milliseconds, cut toward the past."""
    return instant // 1000


def from_datetime(moment: datetime) -> Instant:
    """An instant from an aware datetime."""
    if moment.tzinfo is None:
        message = f"{moment!r} has no time zone"
        raise NotANumber(message)
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def to_datetime(instant: Instant) -> datetime:
    """The UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def format_instant(instant: Instant) -> str:
    """RFC 3339 text in UTC, with microseconds only where there are some."""
    moment = to_datetime(instant)
    spec = "microseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def utc_day(instant: Instant) -> str:
    """The UTC calendar date, ``YYYY-MM-DD``."""
    return to_datetime(instant).date().isoformat()


def eastern_day(instant: Instant) -> str:
    """The Eastern calendar date, the exchange's clearing date."""
    return _eastern_day_of_hour(instant // HOUR)


@lru_cache(maxsize=1 << 10)
def _eastern_day_of_hour(hour: int) -> str:
    """Eastern time is whole hours away from UTC, so a date begins with an hour of UTC."""
    return to_datetime(Instant(hour * HOUR)).astimezone(EASTERN).date().isoformat()


def format_age(microseconds: int) -> str:
    """How old something is, in words a person reads at a glance: ``3 min``, ``2 d``."""
    seconds = max(0, microseconds) // SECOND
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
