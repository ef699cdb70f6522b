"""What stands in a bot's table, read exactly: numbers as ratios, times as instants.

Such tables hold floats, texts, cents and dollars in any mixture.  A float is
read as the shortest decimal that it prints as, which is what the bot wrote;
what cannot be read is never taken for zero.  An empty text counts as missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction as Ratio
from typing import Any, Final, cast
from uuid import UUID

from trueup.core.errors import NotANumber
from trueup.core.instant import Instant, from_datetime
from trueup.core.orders import Side

Raw = object
"""A value as a database driver gives it: int, float, str, bytes, Decimal, datetime, `None` …"""

_DECIMAL: Final = re.compile(
    r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?\Z", re.ASCII
)
"""Bounded, so that a text like ``1e999999999`` cannot become a number that fills the memory."""

_SIDES: Final[Mapping[str, Side]] = {
    word: side
    for side, words in (
        (Side.YES, ("yes", "y", "buy_yes", "yes_buy", "buy yes", "buy-yes")),
        (Side.NO, ("no", "n", "buy_no", "no_buy", "buy no", "buy-no")),
    )
    for word in words
}
_EPOCH_SCALES: Final = (
    (10**8, 10**11, Ratio(1_000_000)),
    (10**11, 10**14, Ratio(1_000)),
    (10**14, 10**17, Ratio(1)),
    (10**17, 10**20, Ratio(1, 1_000)),
)
"""Bounds of plausible Unix times in seconds, milliseconds, micro- and nanoseconds
(1973 to 5138), and the microseconds in each unit."""

_SHOWN_BYTES: Final = 24


def is_missing(raw: Raw) -> bool:
    """Whether nothing stands there: NULL, or an empty text as CSV imports leave it."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def read_number(raw: Raw) -> Ratio | None:
    """An exact number, `None` where nothing stands.

    Raises `NotANumber` for what is there but is no plain finite number.
    """
    if is_missing(raw):
        return None
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Ratio(raw)
    if isinstance(raw, float):
        raw = repr(raw)
    elif isinstance(raw, Decimal):
        raw = str(raw)
    if isinstance(raw, str) and _DECIMAL.match(raw.strip()):
        return Ratio(Decimal(raw.strip()))
    message = f"{raw_text(raw)} is not a number"
    raise NotANumber(message)


def read_side(raw: Raw) -> Side | None:
    """Which contracts a row is about, `None` where nothing stands.

    Raises `NotANumber` for other words: plain ``buy`` and ``sell`` do not say it.
    """
    if is_missing(raw):
        return None
    side = _SIDES.get(raw.strip().lower()) if isinstance(raw, str) else None
    if side is None:
        message = f"{raw_text(raw)} is neither yes nor no"
        raise NotANumber(message)
    return side


def read_instant(raw: Raw, zone: tzinfo = UTC) -> Instant | None:
    """A moment from a timestamp, ISO text or Unix time; without a zone of its own it is in `zone`.

    Raises `NotANumber` for what is there but is no time.
    """
    if is_missing(raw):
        return None
    if isinstance(raw, str):
        try:
            raw = datetime.fromisoformat(raw.strip())
        except ValueError:
            return _from_epoch(raw)
    elif isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime(raw.year, raw.month, raw.day, tzinfo=zone)
    if isinstance(raw, datetime):
        return from_datetime(raw if raw.tzinfo else raw.replace(tzinfo=zone))
    return _from_epoch(raw)


def _from_epoch(raw: Raw) -> Instant:
    number = read_number(raw)
    for least, end, scale in _EPOCH_SCALES:
        if number is not None and least <= number < end:
            return Instant(int(number * scale))
    message = f"{raw_text(raw)} is not a time"
    raise NotANumber(message)


def raw_text(raw: Raw) -> str:
    """A raw value for people."""
    if isinstance(raw, bytes):
        return f"x'{raw[:_SHOWN_BYTES].hex()}{'…' if len(raw) > _SHOWN_BYTES else ''}'"
    return "NULL" if raw is None else str(raw)


def decimal_text(value: Decimal, *, least: int = 0) -> str:
    """A decimal without exponent and needless zeros, with at least `least` places."""
    whole, _, places = format(value, "f").partition(".")
    places = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{places}" if places else whole


_KINDS: Final[Mapping[str, tuple[type[Any], Callable[[Any], str], Callable[[str], object]]]] = {
    # The driver's own value: read from its shortest text, it is the same float again.
    "real": (float, repr, float),
    "decimal": (Decimal, str, Decimal),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "time": (datetime, datetime.isoformat, datetime.fromisoformat),
    "uuid": (UUID, str, UUID),
    "text": (object, str, str),
}
"""The kinds of values that JSON has no form for, with what writes and reads their text."""


def to_json(raw: Raw) -> object:
    """A raw value for an undo file, so that `from_json` gives the very same value."""
    if raw is None or isinstance(raw, bool | int | str):
        return raw
    value = cast("Any", raw)
    return next({kind: write(value)} for kind, (of, write, _) in _KINDS.items() if _is(value, of))


def _is(value: object, kind: type[Any]) -> bool:
    return isinstance(value, kind)


def from_json(kept: object) -> Raw:
    """The raw value that an undo file holds.  Raises `ValueError` for what it never holds."""
    if not isinstance(kept, dict):
        return kept
    for kind, text in cast("dict[str, Any]", kept).items():
        if kind in _KINDS and isinstance(text, str):
            return _KINDS[kind][2](text)
    message = f"unknown value {kept!r}"
    raise ValueError(message)
