"""Values of a configuration file turned into the types that a strategy or a limit wants, and back
into words.

Exact types are never made of floats: TOML's 0.35 is refused, ``"0.35"`` is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from trueup.core.errors import CallerError, ConfigError, NotANumber
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, parse_length
from trueup.core.units import Count, Money, Price, Ratio, format_decimal
from trueup.engine.sizing import Fixed, Kelly, Percent

Plain = str | int | bool | list[str] | dict[str, str | int]
"""What a setting may be in the file."""

_OFF: Final = frozenset({"none", "off"})
_SIZINGS: Final = frozenset({Fixed, Percent, Kelly})


def convert(given: Plain, kind: Any, default: object = None) -> object:  # noqa: ANN401  (a type form)
    """The value as `kind`, an annotation; `default` helps where the annotation says too little.

    Raises `ConfigError` saying what would have been right.
    """
    arms = _arms(kind, default)
    if isinstance(given, str) and given in _OFF and NoneType in arms and str not in arms:
        return None
    if isinstance(given, dict):
        return _sizing(given, arms)
    for arm in arms:
        if arm is not NoneType and arm not in _SIZINGS:
            return _one(given, arm, default)
    if arms & _SIZINGS:
        raise ConfigError(
            f"{given!r} is no size",
            remedy='Write { percent = "2%" }, { fixed = 5 } or { kelly = "1/4" }.',
        )
    return given


def value_words(value: object) -> str | None:
    """A value as its owner would say it: ``$0.40``, ``5 contracts``, ``2 % of the portfolio``.

    `None` where the type does not say what is meant: a bare whole number may be a count, a
    distance of prices or a length of time.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return next((words(value) for kind, words in _WORDS.items() if isinstance(value, kind)), None)


def length_words(microseconds: int) -> str:
    """A length of time as it is written in the file: ``30s``, ``36h``, ``7d``; exact."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")):
        if microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{format_decimal(microseconds, 6, 1)}s"


def ratio_words(value: Ratio) -> str:
    """``0.12`` where a few decimals say it exactly, else the fraction."""
    units = value * 1_000_000
    return format_decimal(int(units), 6, 2) if units.denominator == 1 else str(value)


def _percent(share: Ratio) -> str:
    units = share * 1_000_000
    return (
        f"{format_decimal(int(units), 4, 0).rstrip('.')} %"
        if units.denominator == 1
        else str(share)
    )


def _contracts(count: Count) -> str:
    words = format_decimal(count.units, 2, 0, thousands=True).rstrip(".")
    return f"{words} {'contract' if abs(count) == _ONE else 'contracts'}"


def _names(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values))) or "none"


_ONE: Final = Count.of_contracts(1)
_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    NoneType: lambda _: "none",
    Enum: lambda value: str(value.value),
    str: str,
    Price: lambda value: f"${value}",
    Money: lambda value: f"${value.dollars()}".replace("$-", "-$"),
    Count: _contracts,
    Ratio: ratio_words,
    Fixed: lambda value: _contracts(value.count),
    Percent: lambda value: f"{_percent(value.share)} of the portfolio",
    Kelly: lambda value: (
        f"{value.fraction} Kelly, at most {_percent(value.share_max)} of the portfolio"
    ),
    **dict.fromkeys((tuple, list, set, frozenset), _names),
}


def parse_ratio(text: str) -> Ratio:
    """A ratio from ``0.12``, ``12%`` or ``3/100``.  Raises `ConfigError`."""
    try:
        if text.endswith("%"):
            return Ratio(text[:-1].strip()) / 100
        return Ratio(text.strip())
    except (ValueError, ZeroDivisionError):
        raise ConfigError(
            f"{text!r} is no ratio", remedy='Write "0.12", "12%" or "3/100".'
        ) from None


def length_of(text: str | int) -> int:
    """A length of time in microseconds.  Raises `ConfigError`."""
    try:
        return parse_length(str(text))
    except NotANumber as error:
        raise ConfigError(str(error), remedy='Write it like "30s", "15m" or "4h".') from None


def _arms(kind: Any, default: object) -> set[Any]:  # noqa: ANN401
    if get_origin(kind) in {Union, UnionType}:
        return {each for arm in get_args(kind) for each in _arms(arm, None)}
    if kind in {None, Any} or not isinstance(kind, type):
        return set() if default is None else {type(default)}
    return {kind}


def _one(given: str | int | bool | list[str], kind: type, default: object) -> object:
    if kind is bool or isinstance(given, bool):
        return _truth(given, kind)
    if isinstance(given, list):
        return frozenset(given) if issubclass(kind, frozenset | set) else tuple(given)
    if kind is int:
        return _whole(given, default)
    if (made := _SIMPLE.get(kind)) is not None:
        return made(given)
    return _word(given, kind) if issubclass(kind, Enum) else given


def _truth(given: object, kind: type) -> bool:
    if kind is bool and isinstance(given, bool):
        return given
    expected = "true or false" if kind is bool else f"a {kind.__name__}"
    raise ConfigError(f"{given!r} is not {expected}", remedy=f"Write {expected}.")


def _quantity(given: str | int, kind: type[Price | Count | Money]) -> Price | Count | Money:
    try:
        return kind.parse(str(given))
    except CallerError as error:
        raise ConfigError(str(error), remedy='Write a decimal number in quotes: "0.35".') from None


def _whole(given: str | int, default: object) -> int:
    """A whole number; a length of time in words; a distance of prices in dollars."""
    is_length = isinstance(default, int) and abs(default) >= SECOND
    if isinstance(given, int):
        if is_length:
            raise ConfigError(
                f"{given} is no length of time", remedy='Write it with its unit: "10s", "4h".'
            )
        return given
    if is_length or not given.lstrip("-").replace(".", "", 1).isdecimal():
        return length_of(given)
    if "." in given:
        return Price.parse(given).units
    return int(given)


def _number(given: str | int) -> float:
    try:
        return float(given)
    except ValueError:
        raise ConfigError(f"{given!r} is no number", remedy="Write a number.") from None


_SIMPLE: Final[Mapping[type, Callable[[str | int], object]]] = {
    Price: lambda given: _quantity(given, Price),
    Count: lambda given: _quantity(given, Count),
    Money: lambda given: _quantity(given, Money),
    Ratio: lambda given: parse_ratio(str(given)),
    float: _number,
    str: str,
}


def _word(given: str | int, kind: type[Enum]) -> Enum:
    try:
        return kind(given)
    except ValueError:
        known = ", ".join(str(each.value) for each in kind)
        raise ConfigError(f"{given!r} is unknown", remedy=f"Use one of {known}.") from None


def _sizing(given: Mapping[str, str | int], arms: set[Any]) -> Fixed | Percent | Kelly:
    if not arms & _SIZINGS and arms - {NoneType}:
        raise ConfigError(f"{dict(given)!r} is more than one value", remedy="Give one value.")
    match {name: str(value) for name, value in given.items()}:
        case {"fixed": count, **rest} if not rest:
            return Fixed(Count.parse(count))
        case {"percent": share, **rest} if not rest:
            ratio = parse_ratio(share if share.endswith("%") else f"{share}%")
            _check_share(ratio, share)
            return Percent(ratio)
        case {"kelly": fraction, **rest} if not set(rest) - {"share_max"}:
            most = parse_ratio(rest.get("share_max", "2%"))
            _check_share(most, rest.get("share_max", "2%"))
            return Kelly(parse_ratio(fraction), most)
        case _:
            raise ConfigError(
                f"{dict(given)!r} is no size",
                remedy='Write { percent = "2%" }, { fixed = 5 } or { kelly = "1/4" }.',
            )


def _check_share(share: Ratio, text: str) -> None:
    if not 0 < share <= 1:
        raise ConfigError(
            f"a share of {text} is impossible", remedy="Give more than 0 and at most 100%."
        )
