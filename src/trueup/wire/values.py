"""The only reader of the exchange's strings and numbers.

Dollars come as decimal strings (``"0.5600"``, up to six places), counts as
decimal strings (``"12.00"``), a few amounts as whole cents, times as RFC 3339
text or as Unix seconds or milliseconds.  Everything is read exactly:

- A JSON number where a string belongs is taken when it is a whole number (and
  when it is an exact decimal, see `trueup.wire.rest.reading`); no value ever
  passes through a binary float.
- A value finer than its unit raises `FinerThanUnit`; trailing zeros are not
  finer.  Anything that is not a plain decimal raises `NotANumber`.
- Amounts that no account can have (beyond 10^18 units) raise `NotANumber`, so
  that every value fits the 64-bit columns it is stored in.
- A figure in dollars under a name that means cents is refused, not read a
  hundred times too small: other programs keep the exchange's old names and
  write dollars below them.

There are two decoders for cents, and which one is right depends on the field,
not on the value: `exact_cents` for amounts that the exchange keeps in cents
(deposits, transfers, old prices and costs), `floored_cents` for a figure that
it cut down to cents from something finer (the integer ``balance``).

Fixed-format text has a fast path; it accepts exactly what the slow path would.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeVar

from trueup.core.errors import NotANumber, ProtocolBroken, UnknownWord
from trueup.core.instant import (
    DAY,
    SECOND,
    Instant,
    from_milliseconds,
    from_seconds,
    parse_instant,
)
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Count, Money, Price, Ratio, parse_decimal

Number = str | int
"""How the exchange may spell an exact number: decimal text, or a whole JSON number."""

T = TypeVar("T")

_LARGEST_UNITS: Final = 10**18
_LONGEST_TEXT: Final = 40
_LONGEST_FAST_DIGITS: Final = 18
_LATEST_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999; milliseconds taken for seconds lie far beyond."""

_LARGEST_EXPONENT: Final = 20
_ONE_CENT: Final = Price.of_cents(1).units
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNSET_TIME: Final = "0001-01-01T00:00:00Z"
_PLAIN_TIME_LENGTH: Final = len("2026-05-07T17:55:25Z")
_LONGEST_TIME_LENGTH: Final = len("2026-05-07T17:55:25.212272Z")

SIDES: Final[Mapping[str, Side]] = {"yes": Side.YES, "no": Side.NO}
BOOK_SIDES: Final[Mapping[str, Side]] = {"bid": Side.YES, "ask": Side.NO}
"""``bid`` buys YES; ``ask`` sells YES, which is buying NO."""

_ORDER_SIDES: Final[Mapping[tuple[str, str], Side]] = {
    ("buy", "yes"): Side.YES,
    ("sell", "no"): Side.YES,
    ("buy", "no"): Side.NO,
    ("sell", "yes"): Side.NO,
}


def price(value: Number) -> Price:
    """A price in dollars, ``"0.5600"``."""
    if isinstance(value, str):
        return price_of_text(value)
    return Price(_bounded(value * 10_000))


@lru_cache(maxsize=1 << 15)
def quoted_price(text: str) -> Price | None:
    """The best price of a side of a book; `None` where it is 0 or 1, which nobody can trade."""
    price = price_of_text(text)
    return None if price == ONE_DOLLAR else price or None


@lru_cache(maxsize=1 << 15)
def price_of_text(text: str) -> Price:
    """The same for text only, and quicker."""
    # There are only 10,001 prices, so nearly every text has been seen before.
    return Price(_decimal(text, 4, "Price"))


def count(value: Number) -> Count:
    """A number of contracts, ``"12.00"`` or, before March 2026, ``12``."""
    return count_of_text(value) if isinstance(value, str) else Count(_bounded(value * 100))


def volume(text: str) -> Count:
    """A number of contracts as text, where hardly two are alike."""
    if text[-3:-2] == ".":
        digits = text[:-3] + text[-2:]
        if _are_digits(digits):
            return Count(int(digits))
    return Count(_decimal(text, 2, "Count"))


count_of_text = lru_cache(maxsize=1 << 14)(volume)
"""The same, quicker where most were seen before: the counts of fills are few and small."""


def dollars(value: Number) -> Money:
    """An amount in dollars, ``"0.017500"``; up to six decimal places."""
    if isinstance(value, str):
        return dollars_of_text(value)
    return Money(_bounded(value * 1_000_000))


@lru_cache(maxsize=1 << 14)
def dollars_of_text(text: str) -> Money:
    """The same for text only, and quicker."""
    if text[-7:-6] == ".":
        digits = text[:-7] + text[-6:]
        if _are_digits(digits):
            return Money(int(digits))
    return Money(_decimal(text, 6, "Money"))


@lru_cache(maxsize=1 << 14)
def exact_cents(value: Number) -> Money:
    """An amount that the exchange keeps in whole cents: exactly that much money.

    Text may have one decimal place, as tables write whole numbers (``"560.0"``).
    """
    if isinstance(value, str) and len(value.partition(".")[2]) > 1:
        raise NotANumber(f"{value[:_LONGEST_TEXT]!r} looks like dollars where whole cents belong")
    return Money.of_cents(_bounded(_units(value, 0, "a whole number of cents")))


def floored_cents(value: Number) -> tuple[Money, Money]:
    """The lowest and highest amount that the exchange would show as this many cents.

    The integer ``balance`` is cut down from a finer figure: ``9801`` was shown
    for $98.0186.  The true amount is below the next cent, so with money in
    units of $0.000001 it lies in [v, v + 0.009999].  Nobody has seen how a
    negative balance is cut (down, or toward zero), so below zero the interval
    reaches a cent both ways.
    """
    stated = Money.of_cents(_units(value, 0, "a whole number of cents"))
    rest = Money(9_999)
    return (stated - rest if stated.units < 0 else stated), stated + rest


def price_of_cents(value: Number) -> Price:
    """A price in cents, the form of before March 2026.

    Above one cent it may have decimal places, which no price in dollars could.
    """
    units = _units(value, 2, "Price")
    if isinstance(value, str) and 0 < units <= _ONE_CENT and "." in value:
        raise NotANumber(f"{value!r} may be dollars or a part of a cent where whole cents belong")
    return Price(units)


def price_of_fine_cents(text: str) -> Price:
    """A price in cents with decimal places, ``"0.50"``, where nothing else can be meant (FIX)."""
    return Price(_units(text, 2, "Price"))


def ratio(value: Decimal) -> Ratio:
    """A multiplier that comes as a JSON number (``0.5``), exactly."""
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise NotANumber(f"{value} is not a usable multiplier")
    return Ratio(value)


def instant(text: str) -> Instant:
    """A time as RFC 3339 text, ``2026-05-07T17:55:25.212272Z``."""
    length = len(text)
    if (
        text[-1:] == "Z"
        and text[4:5] == "-" == text[7:8]
        and text[10:11] == "T"
        and (
            length == _PLAIN_TIME_LENGTH
            or (_PLAIN_TIME_LENGTH < length <= _LONGEST_TIME_LENGTH and text[19] == ".")
        )
    ):
        try:
            since = datetime.fromisoformat(text) - _EPOCH
        except ValueError:
            return parse_instant(text)
        return Instant(since.days * DAY + since.seconds * SECOND + since.microseconds)
    if length > _LONGEST_TEXT:
        raise NotANumber(f"{text[:_LONGEST_TEXT]!r}… is not an RFC 3339 time")
    return parse_instant(text)


@lru_cache(maxsize=1 << 14)
def optional_instant(text: str | None) -> Instant | None:
    """A time that may be absent, null, empty, or the exchange's zero time of the year 1.

    The markets of one event share most of their times.
    """
    return instant(text) if text and text != _UNSET_TIME else None


def instant_of_seconds(seconds: int) -> Instant:
    """A time as Unix seconds."""
    if not 0 <= seconds <= _LATEST_SECONDS:
        raise NotANumber(f"{seconds} is not a time in Unix seconds")
    return from_seconds(seconds)


def instant_of_milliseconds(milliseconds: int) -> Instant:
    """A time as Unix milliseconds."""
    if not 0 <= milliseconds <= _LATEST_SECONDS * 1000:
        raise NotANumber(f"{milliseconds} is not a time in Unix milliseconds")
    return from_milliseconds(milliseconds)


def word(words: Mapping[str, T], value: str, field: str) -> T:
    """What one of a closed list of words means.

    Raises `UnknownWord` for a word that is not on the list: the record goes
    to quarantine, since a guess could book the wrong side.
    """
    meaning = words.get(value)
    if meaning is None:
        shown = value[:_LONGEST_TEXT]
        raise UnknownWord(f"unknown word {shown!r} for {field}", field=field, word=shown)
    return meaning


def fill_side(outcome_side: str | None, book_side: str | None, side: str | None) -> Side:
    """The direction of a fill.

    ``outcome_side`` where present, else ``book_side``.  Older REST fills have
    neither, and there ``side`` *alone* gives the direction, whatever ``action``
    says: a ``sell`` is reported with the side it was traded against.  (On 316
    recorded fills of one account this rule leaves 44 of 68 markets flat; the
    documented reading of action and side leaves 2.)
    """
    if outcome_side:
        return word(SIDES, outcome_side, "outcome_side")
    if book_side:
        return word(BOOK_SIDES, book_side, "book_side")
    if side:
        return word(SIDES, side, "side")
    raise ProtocolBroken("a fill without outcome_side, book_side and side has no direction")


def order_side(
    outcome_side: str | None,
    book_side: str | None,
    *,
    side: str | None,
    action: str | None,
) -> Side:
    """The direction of an order.

    ``outcome_side`` where present, else ``book_side``, else the documented
    reading of the old pair: buy yes and sell no are YES, buy no and sell yes
    are NO.  (Unlike fills, orders did follow it.)
    """
    if outcome_side:
        return word(SIDES, outcome_side, "outcome_side")
    if book_side:
        return word(BOOK_SIDES, book_side, "book_side")
    direction = _ORDER_SIDES.get((action or "", side or ""))
    if direction is None:
        raise ProtocolBroken(f"an order with action {action!r} and side {side!r} has no direction")
    return direction


def _units(value: Number, decimals: int, unit: str) -> int:
    if isinstance(value, str):
        return _decimal(value, decimals, unit)
    return _bounded(value * 10**decimals)


def _decimal(text: str, decimals: int, unit: str) -> int:
    if len(text) > _LONGEST_TEXT:
        raise NotANumber(f"{text[:_LONGEST_TEXT]!r}… is not a decimal number of reasonable length")
    return _bounded(parse_decimal(text, decimals, unit))


def _bounded(units: int) -> int:
    if not -_LARGEST_UNITS <= units <= _LARGEST_UNITS:
        raise NotANumber(f"an amount of {units} units is larger than any account can hold")
    return units


def _are_digits(text: str) -> bool:
    return len(text) <= _LONGEST_FAST_DIGITS and text.isascii() and text.isdecimal()
