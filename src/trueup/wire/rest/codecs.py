"""One JSON value both ways: how a field is read, written, and what JSON type it must be.

The exchange's numbers that matter are strings; a few are integers (cents,
centi-cents, Unix times).  A `Codec` reads what an answer may hold, leniently
(a number may come bare), and writes the one form the exchange itself uses.
`json_type` and `go_type` serve the strict reading of request bodies, where
another JSON type is refused in the words of the exchange's own decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, cast

from trueup.core.errors import NotANumber, ProtocolBroken
from trueup.core.instant import (
    Instant,
    format_instant,
    to_milliseconds_floor,
    to_seconds_floor,
)
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire import spelling, values
from trueup.wire.values import Number

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_AVERAGE_PLACES: Final = 4
_LONGEST_TEXT: Final = 40


class JsonType(StrEnum):
    """The kinds of JSON values, in the words of the exchange's decoder."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    ARRAY = "array"
    OBJECT = "object"
    ANY = "any"


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How one kind of value is read and written.

    `read` takes what was decoded from JSON, numbers with decimal places as
    `Decimal`; it raises one of `trueup.wire.rest.reading.UNREADABLE`.  `write`
    gives what the encoder takes.  `go_type` is the exchange's name of the type.
    `words` are the words of a list, where it is one.
    """

    read: Callable[[Any], T]
    write: Callable[[T], object]
    json_type: JsonType
    go_type: str
    words: frozenset[str] = frozenset()


def _number(value: object) -> Number:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    raise NotANumber(f"{_shown(value)} is not a number")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ProtocolBroken(f"{_shown(value)} where text belongs")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < _LONGEST_TEXT:
        return int(value)
    raise NotANumber(f"{_shown(value)} is not a whole number")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ProtocolBroken(f"{_shown(value)} where true or false belongs")


def _exact(value: object) -> Decimal:
    number = _number(value)
    try:
        return Decimal(number)
    except ArithmeticError as error:
        raise NotANumber(f"{_shown(value)} is not a number") from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _centi_cents(money: Money) -> int:
    whole, rest = divmod(money.units, 100)
    if rest:
        raise NotANumber(f"{money} dollars are not a whole number of $0.0001")
    return whole


def _average(value: object) -> Ratio:
    return values.ratio(_exact(value))


def _written_average(ratio: Ratio) -> str:
    scale = 10**_AVERAGE_PLACES
    return spelling.fixed(round(ratio * scale), _AVERAGE_PLACES)


def _written_ratio(ratio: Ratio) -> Decimal:
    return Decimal(ratio.numerator) / Decimal(ratio.denominator)


def same(value: T) -> T:
    """What needs no conversion."""
    return value


TEXT: Final = Codec(_text, same, JsonType.STRING, "string")
WHOLE: Final = Codec(_whole, same, JsonType.NUMBER, "int64")
SMALL: Final = Codec(_whole, same, JsonType.NUMBER, "int")
FLAG: Final = Codec(_flag, same, JsonType.BOOL, "bool")
ANYTHING: Final = Codec[Any](same, same, JsonType.ANY, "interface {}")
EXACT: Final = Codec(_exact, same, JsonType.NUMBER, "float64")
"""A figure that is no money of an account: a strike, a multiplier, a reading."""

PRICE: Final = Codec(
    lambda value: values.price(_number(value)),
    spelling.priced,
    JsonType.STRING,
    "string",
)
COUNT: Final = Codec(
    lambda value: values.count(_number(value)),
    spelling.counted,
    JsonType.STRING,
    "string",
)
DOLLARS: Final = Codec(
    lambda value: values.dollars(_number(value)),
    spelling.dollars,
    JsonType.STRING,
    "string",
)
"""Six places, as for costs and fees."""

SHORT_DOLLARS: Final = Codec(DOLLARS.read, spelling.shortest_dollars, JsonType.STRING, "string")
"""Four places, as for balances and prices; six where four cannot hold it."""

CENTS: Final = Codec(
    lambda value: values.exact_cents(_number(value)), spelling.cents, JsonType.NUMBER, "int64"
)
CENTI_CENTS: Final = Codec(
    lambda value: Money(_whole(value) * 100), _centi_cents, JsonType.NUMBER, "int64"
)
"""Whole numbers of $0.0001."""

CENT_PRICE: Final = Codec[Price](
    lambda value: values.price_of_cents(_number(value)),
    lambda price: price.units // 100,
    JsonType.NUMBER,
    "int64",
)
PRICE_OR_CENTS: Final = Codec[Price](
    lambda value: PRICE.read(value) if isinstance(value, str) else CENT_PRICE.read(value),
    PRICE.write,
    JsonType.STRING,
    "string",
)
"""Dollars as text or, before March 2026 and under the same name, whole cents."""

AVERAGE_OR_CENTS: Final = Codec[Ratio](
    lambda value: _average(value) if isinstance(value, str) else _average(value) / 100,
    _written_average,
    JsonType.STRING,
    "string",
)
"""The same for an average."""

CENTI_CENT_PRICE: Final = Codec[Price](
    lambda value: Price(_whole(value)), lambda price: price.units, JsonType.NUMBER, "int64"
)
CENTI_COUNT: Final = Codec[Count](
    lambda value: Count(_whole(value)), lambda count: count.units, JsonType.NUMBER, "int64"
)
WHOLE_COUNT: Final = Codec[Count](
    lambda value: values.count(_number(value)),
    lambda count: count.units // 100,
    JsonType.NUMBER,
    "int64",
)
"""Whole contracts as an integer, the form of before March 2026."""

AVERAGE: Final = Codec(_average, _written_average, JsonType.STRING, "string")
"""An average in dollars per contract, rounded by the exchange to four places."""

RATIO: Final = Codec(_average, _written_ratio, JsonType.NUMBER, "float64")
"""A multiplier that is a JSON number."""

TIME: Final = Codec[Instant](
    lambda value: values.instant(_text(value)), format_instant, JsonType.STRING, "time.Time"
)
OPTIONAL_TIME: Final = Codec[Any](
    lambda value: values.optional_instant(_text(value)),
    TIME.write,
    JsonType.STRING,
    "time.Time",
)
"""A time that may be empty, or the exchange's zero time of the year 1: then it is `None`."""

SECONDS: Final = Codec[Instant](
    lambda value: values.instant_of_seconds(_whole(value)),
    to_seconds_floor,
    JsonType.NUMBER,
    "int64",
)
MILLISECONDS: Final = Codec[Instant](
    lambda value: values.instant_of_milliseconds(_whole(value)),
    to_milliseconds_floor,
    JsonType.NUMBER,
    "int64",
)

BOOK_SIDE: Final = Codec[Side](
    lambda value: values.word(values.BOOK_SIDES, _text(value), "side"),
    lambda side: "bid" if side is Side.YES else "ask",
    JsonType.STRING,
    "string",
    frozenset(values.BOOK_SIDES),
)


def word_of(enum: type[E]) -> Codec[E]:
    """One of the words of `enum`; another one is `ProtocolBroken`, never a guess."""
    words = {word.value: word for word in enum}

    def read(value: object) -> E:
        return values.word(words, _text(value), enum.__name__)

    return Codec(read, str, JsonType.STRING, "string", frozenset(words))


def open_word(*words: str) -> Codec[str]:
    """One of `words`, or a word that the exchange added since: it stays as it came.

    For words that only inform.  What would be booked or traded on is read by `word_of`.
    """
    return Codec(_text, same, JsonType.STRING, "string", frozenset(words))


def list_of(item: Codec[T]) -> Codec[tuple[T, ...]]:
    """A list of them.  An empty list of the exchange's may be written as null."""

    def read(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ProtocolBroken(f"{_shown(value)} where a list belongs")
        return tuple(item.read(each) for each in cast("list[object]", value))

    def write(items: tuple[T, ...]) -> object:
        return [item.write(each) for each in items]

    return Codec(read, write, JsonType.ARRAY, f"[]{item.go_type}", item.words)


def map_of(item: Codec[T]) -> Codec[Mapping[str, T]]:
    """An object whose keys are names and whose values are such."""

    def read(value: object) -> Mapping[str, T]:
        if not isinstance(value, dict):
            raise ProtocolBroken(f"{_shown(value)} where an object belongs")
        empty: list[object] | None = [] if item.json_type is JsonType.ARRAY else None
        return {
            key: item.read(empty if each is None else each)
            for key, each in cast("dict[str, object]", value).items()
        }

    def write(items: Mapping[str, T]) -> object:
        return {key: item.write(each) for key, each in items.items()}

    return Codec(read, write, JsonType.OBJECT, f"map[string]{item.go_type}", item.words)
