"""How a FIX value is written, and what it is in trueup: the only reader of FIX values.

Every field has one `Kind`.  Amounts become the exact integers of `core.units`; a
value finer than its unit, or no value of its kind at all, raises.  A closed list of
words becomes the enumeration that core already has for it; a word that is not on the
list raises, since a guess could book the wrong side.  (Reason codes are open lists:
a new reason must not hide a refusal.  They stay text, with their meanings beside them.)

Prices depend on the session: whole cents by default, dollars when it was opened with
UseDollars (21005).  That touches 6, 31, 44, 132 and 133 only, so only those have
`SESSION_PRICE` or `SESSION_AVERAGE`, which `in_unit` resolves once per session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from trueup.core.errors import NotANumber
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime
from trueup.core.units import Count, Money, Price, Ratio, format_decimal
from trueup.wire import values

T = TypeVar("T")

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}\Z")
_UNSIGNED: Final = re.compile(r"[0-9]{1,18}\Z")
_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)\Z", re.ASCII)
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{1,12}))?\Z", re.ASCII)
_RATIO: Final = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,18}))?\Z", re.ASCII)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MILLISECOND: Final = 1000
_DATE_LENGTH: Final = len("20261016")
_SECOND_LENGTH: Final = len("20261016-23:02:24")
_MILLISECONDS: Final = {f".{number:03d}": number * _MILLISECOND for number in range(1000)}


class PriceUnit(StrEnum):
    """In what a session writes its prices: 44=49 or 44=0.4900."""

    CENTS = "cents"
    DOLLARS = "dollars"


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One way to write a value.

    `fix` is the name of the type in FIX dictionaries, `unit` what a person should
    know about the value.  `read` raises ValueError or KeyError.  `by_unit` is set for
    the kinds that depend on the session.
    """

    fix: str
    unit: str
    read: Callable[[str], T]
    write: Callable[[T], str]
    words: Mapping[str, T] | None = None
    by_unit: Mapping[PriceUnit, Kind[T]] | None = None

    @property
    def is_text(self) -> bool:
        """Whether the value is the text itself, so that nothing has to be converted."""
        return self.read is read_text

    def in_unit(self, unit: PriceUnit) -> Kind[T]:
        """This kind in a session that writes its prices in `unit`."""
        return self if self.by_unit is None else self.by_unit[unit]


def word_kind(fix: str, words: Mapping[str, T], *, older: Mapping[str, T] | None = None) -> Kind[T]:
    """A closed list of words.  `older` spellings are read and never written."""
    known = {**words, **(older or {})}
    spelled = {meaning: text for text, meaning in words.items()}
    return Kind(fix, "one of a list", known.__getitem__, spelled.__getitem__, words=words)


def read_text(text: str) -> str:
    """Text as it is."""
    return text


def write_text(text: str) -> str:
    """Text as it is; empty text has no form in FIX.  Raises ValueError."""
    if text.__class__ is not str or not text:
        raise NotANumber(f"{text!r} is no text that FIX can hold")
    return text


@lru_cache(maxsize=1 << 12)
def _read_integer(text: str) -> int:
    if not _INTEGER.match(text):
        raise NotANumber(f"{text!r} is not a whole number")
    return int(text)


@lru_cache(maxsize=1 << 12)
def _read_unsigned(text: str) -> int:
    if not _UNSIGNED.match(text):
        raise NotANumber(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _write_integer(number: int) -> str:
    if number.__class__ is not int:
        raise NotANumber(f"{number!r} is not a whole number")
    return str(number)


@lru_cache(maxsize=1 << 14)
def _read_count(text: str) -> Count:
    return values.count(text)


@lru_cache(maxsize=1 << 14)
def _decimal_text(units: int, decimals: int, least: int) -> str:
    return format_decimal(units, decimals, least)


@lru_cache(maxsize=1 << 14)
def _count_text(units: int) -> str:
    return format_decimal(units, 2, 2)


def _write_count(count: Count) -> str:
    return _count_text(count.units)


@lru_cache(maxsize=1 << 14)
def _read_money(text: str) -> Money:
    return values.dollars(text)


def _write_money(money: Money) -> str:
    return _decimal_text(money.units, 6, 2)


@lru_cache(maxsize=1 << 14)
def _read_cents(text: str) -> Price:
    return values.price_of_cents(text)


def _write_cents(price: Price) -> str:
    """Whole cents as ``49``; a finer price with the places it needs."""
    return _decimal_text(price.units, 2, 0).removesuffix(".")


def _write_dollars(price: Price) -> str:
    return _decimal_text(price.units, 4, 4)


def _write_settlement_cents(price: Price) -> str:
    return _decimal_text(price.units, 2, 2)


def _average_reader(divisor: int) -> Callable[[str], Ratio]:
    @lru_cache(maxsize=1 << 12)
    def read(text: str) -> Ratio:
        match = _RATIO.match(text)
        if match is None:
            raise NotANumber(f"{text!r} is not a decimal number")
        sign, whole, part = match[1], match[2], match[3] or ""
        ratio = Ratio(int(whole + part), 10 ** len(part) * divisor)
        return -ratio if sign else ratio

    return read


def _average_writer(factor: int) -> Callable[[Ratio], str]:
    def write(average: Ratio) -> str:
        """Up to six decimal places; an average that needs more is rounded half even."""
        scaled, rest = divmod(average.numerator * factor * 1_000_000, average.denominator)
        twice = 2 * rest
        up = twice > average.denominator or (twice == average.denominator and scaled % 2 == 1)
        return _decimal_text(scaled + up, 6, 2)

    return write


@lru_cache(maxsize=1 << 10)
def _days(text: str) -> int:
    return _read_date(text).toordinal() - _EPOCH_DAY


@lru_cache(maxsize=1 << 10)
def _read_date(text: str) -> date:
    match = _DATE.match(text)
    if match is None:
        raise NotANumber(f"{text!r} is not a date of the form YYYYMMDD")
    return date(int(match[1]), int(match[2]), int(match[3]))


def _write_date(day: date) -> str:
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _read_clock(text: str) -> int:
    match = _TIME.match(text)
    if match is None:
        raise NotANumber(f"{text!r} is not a time of the form HH:MM:SS.mmm")
    hours, minutes, seconds, fraction = match.groups()
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return int(hours) * HOUR + int(minutes) * MINUTE + int(seconds) * SECOND + micros


def _write_clock(micros: int) -> str:
    """Milliseconds, or microseconds where there are some."""
    seconds, part = divmod(micros, SECOND)
    hour_minute, second = divmod(seconds, 60)
    hour, minute = divmod(hour_minute, 60)
    if part % _MILLISECOND:
        return f"{hour:02d}:{minute:02d}:{second:02d}.{part:06d}"
    return f"{hour:02d}:{minute:02d}:{second:02d}.{part // _MILLISECOND:03d}"


@lru_cache(maxsize=1 << 10)
def _read_second(text: str) -> int:
    if text[_DATE_LENGTH : _DATE_LENGTH + 1] != "-":
        raise NotANumber(f"{text!r} is not a time of the form YYYYMMDD-HH:MM:SS.mmm")
    return _days(text[:_DATE_LENGTH]) * DAY + _read_clock(text[_DATE_LENGTH + 1 :])


def read_instant(text: str) -> Instant:
    """A time as ``20261016-23:02:24.046``; digits beyond the microsecond are dropped."""
    fraction = _MILLISECONDS.get(text[_SECOND_LENGTH:])
    if fraction is None:
        return Instant(_read_second(text))
    return Instant(_read_second(text[:_SECOND_LENGTH]) + fraction)


@lru_cache(maxsize=1 << 10)
def _write_day(days: int) -> str:
    return _write_date(to_datetime(Instant(days * DAY)).date())


def write_instant(instant: Instant) -> str:
    """A time as ``20261016-23:02:24.046``, with microseconds where there are some."""
    days, since_midnight = divmod(instant, DAY)
    return f"{_write_day(days)}-{_write_clock(since_midnight)}"


TEXT: Final = Kind("STRING", "text", read_text, write_text)
CODE: Final = Kind("STRING", "a code with a documented meaning", read_text, write_text)
NUMBER_CODE: Final = Kind("INT", "a code with a documented meaning", read_text, write_text)
LETTER_CODE: Final = Kind("CHAR", "a code with a documented meaning", read_text, write_text)
CODES: Final = Kind("MULTIPLEVALUESTRING", "codes", read_text, write_text)
CURRENCY: Final = Kind("CURRENCY", "a currency", read_text, write_text)
DATA: Final = Kind("DATA", "bytes, as text", read_text, write_text)
INTEGER: Final = Kind("INT", "a whole number", _read_integer, _write_integer)
NUMBER: Final = Kind("INT", "a whole number", _read_unsigned, _write_integer)
SEQUENCE: Final = Kind("SEQNUM", "a message number", _read_unsigned, _write_integer)
SHARD: Final = Kind("STRING", "an exchange index; −1 for automatic", _read_integer, _write_integer)
LENGTH: Final = Kind("LENGTH", "bytes", _read_unsigned, _write_integer)
ENTRIES: Final = Kind("NUMINGROUP", "how many entries follow", _read_unsigned, _write_integer)
YES_OR_NO: Final = Kind(
    "BOOLEAN", "Y or N", {"Y": True, "N": False}.__getitem__, {True: "Y", False: "N"}.__getitem__
)
CONTRACTS: Final = Kind("QTY", "contracts", _read_count, _write_count)
DOLLARS: Final = Kind("AMT", "dollars", _read_money, _write_money)
DOLLAR_PRICE: Final = Kind("PRICE", "dollars, always", values.price_of_text, _write_dollars)
CENT_PRICE: Final = Kind("PRICE", "cents", _read_cents, _write_cents)
SETTLEMENT_CENTS: Final = Kind("PRICE", "cents, always", _read_cents, _write_settlement_cents)
SESSION_PRICE: Final = Kind(
    "PRICE",
    "cents; dollars with UseDollars",
    _read_cents,
    _write_cents,
    by_unit={PriceUnit.CENTS: CENT_PRICE, PriceUnit.DOLLARS: DOLLAR_PRICE},
)
_CENT_AVERAGE: Final = Kind("PRICE", "cents", _average_reader(100), _average_writer(100))
_DOLLAR_AVERAGE: Final = Kind("PRICE", "dollars", _average_reader(1), _average_writer(1))
SESSION_AVERAGE: Final = Kind(
    "PRICE",
    "cents; dollars with UseDollars",
    _CENT_AVERAGE.read,
    _CENT_AVERAGE.write,
    by_unit={PriceUnit.CENTS: _CENT_AVERAGE, PriceUnit.DOLLARS: _DOLLAR_AVERAGE},
)
MOMENT: Final = Kind("UTCTIMESTAMP", "UTC", read_instant, write_instant)
CLEARING_DATE: Final = Kind("LOCALMKTDATE", "an Eastern date", _read_date, _write_date)
UTC_DATE: Final = Kind("UTCDATEONLY", "a UTC date", _read_date, _write_date)
UTC_CLOCK: Final = Kind("UTCTIMEONLY", "microseconds since midnight", _read_clock, _write_clock)

AnyKind = Kind[Any]
"""A kind whose value does not matter here."""
