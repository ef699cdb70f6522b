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
    the kinds that depend on the session.  A quantity's text can be made from its bare
    units by `write_units`; `quantity` is its class.
    """

    fix: str
    unit: str
    read: Callable[[str], T]
    write: Callable[[T], str]
    words: Mapping[str, T] | None = None
    by_unit: Mapping[PriceUnit, Kind[T]] | None = None
    quantity: type | None = None
    write_units: Callable[[int], str] | None = None

    @property
    def is_text(self) -> bool:
        """Whether the value is the text itself, so that nothing has to be converted."""
        return self.read is read_text

    @property
    def is_integer(self) -> bool:
        """Whether the value is a whole number, whose text is that of Python."""
        return self.write is _write_integer

    def in_unit(self, unit: PriceUnit) -> Kind[T]:
        """This kind in a session that writes its prices in `unit`."""
        return self if self.by_unit is None else self.by_unit[unit]


def word_kind(fix: str, words: Mapping[str, T], *, older: Mapping[str, T] | None = None) -> Kind[T]:
    """A closed list of words.  `older` spellings are read and never written."""
    known = {**words, **(older or {})}
    spelled = {meaning: text for text, meaning in words.items()}
    return Kind(fix, "one of a list", known.__getitem__, spelled.__getitem__, words=words)


Q = TypeVar("Q", Count, Money, Price)


def quantity_kind(
    fix: str,
    unit: str,
    of: type[Q],
    *,
    read: Callable[[str], Q],
    write_units: Callable[[int], str],
) -> Kind[Q]:
    """A quantity: read as one, written by its units.  Another quantity is no such value."""

    def write(value: Q) -> str:
        if value.__class__ is not of:
            raise NotANumber(f"{value!r} is no {of.__name__}")
        return write_units(value.units)

    return Kind(fix, unit, read, write, quantity=of, write_units=write_units)


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


def _decimal_writer(decimals: int, least: int) -> Callable[[int], str]:
    """Text of units of 10^-`decimals` with at least `least` places, remembered."""
    whole, spare, short = 10**decimals, 10 ** (decimals - least), 10**least
    all_places, least_places = f"%d.%0{decimals}d", f"%d.%0{least}d"

    @lru_cache(maxsize=1 << 10)
    def write(units: int) -> str:
        if units < 0 or not least:
            return format_decimal(units, decimals, least).removesuffix(".")
        if units % spare:
            return (all_places % divmod(units, whole)).rstrip("0")
        return least_places % divmod(units // spare, short)

    return write


_count_text = _decimal_writer(2, 2)
_money_text = _decimal_writer(6, 2)
_dollar_price_text = _decimal_writer(4, 4)
_settlement_text = _decimal_writer(2, 2)
_cent_price_text = _decimal_writer(2, 0)
"""Whole cents as ``49``; a finer price with the places it needs."""


@lru_cache(maxsize=1 << 14)
def _read_cents(text: str) -> Price:
    return values.price_of_fine_cents(text)


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
        return _money_text(scaled + up)

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
    minute, part = divmod(micros, MINUTE)
    second, part = divmod(part, SECOND)
    if part % _MILLISECOND:
        return f"{_MINUTES[minute]}:{_TWO_DIGITS[second]}.{part:06d}"
    return f"{_MINUTES[minute]}:{_TWO_DIGITS[second]}{_FRACTIONS[part // _MILLISECOND]}"


_TWO_DIGITS: Final = tuple(f"{number:02d}" for number in range(60))
_MINUTES: Final = tuple(f"{hour:02d}:{minute}" for hour in range(24) for minute in _TWO_DIGITS)
_MINUTES_A_DAY: Final = DAY // MINUTE
_FRACTIONS: Final = tuple(f".{number:03d}" for number in range(1000))
"""The texts of a clock: looking them up takes a third of the time of making them."""


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
def _write_minute(minutes: int) -> str:
    days, minute = divmod(minutes, _MINUTES_A_DAY)
    return f"{_write_date(to_datetime(Instant(days * DAY)).date())}-{_MINUTES[minute]}"


def write_instant(instant: Instant) -> str:
    """A time as ``20261016-23:02:24.046``, with microseconds where there are some."""
    minutes, part = divmod(instant, MINUTE)
    second, part = divmod(part, SECOND)
    if part % _MILLISECOND:
        return f"{_write_minute(minutes)}:{_TWO_DIGITS[second]}.{part:06d}"
    return f"{_write_minute(minutes)}:{_TWO_DIGITS[second]}{_FRACTIONS[part // _MILLISECOND]}"


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
CONTRACTS: Final = quantity_kind(
    "QTY", "contracts", Count, read=values.count_of_text, write_units=_count_text
)
DOLLARS: Final = quantity_kind(
    "AMT", "dollars", Money, read=values.dollars_of_text, write_units=_money_text
)
DOLLAR_PRICE: Final = quantity_kind(
    "PRICE", "dollars, always", Price, read=values.price_of_text, write_units=_dollar_price_text
)
CENT_PRICE: Final = quantity_kind(
    "PRICE", "cents", Price, read=_read_cents, write_units=_cent_price_text
)
SETTLEMENT_CENTS: Final = quantity_kind(
    "PRICE", "cents, always", Price, read=_read_cents, write_units=_settlement_text
)
SESSION_PRICE: Final = Kind(
    "PRICE",
    "cents; dollars with UseDollars",
    CENT_PRICE.read,
    CENT_PRICE.write,
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
