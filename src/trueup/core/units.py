"""Money, prices and counts as exact integers that know their unit.

Kalshi quotes prices in steps of $0.0001, counts in steps of 0.01 contract and
cash in steps of $0.000001.  With these three units `Price × Count` is exact,
so no amount in trueup is ever rounded by accident: the few functions that do
round say the direction in their name.  A string from outside that is finer
than its unit raises `FinerThanUnit`; trailing zeros are not finer.

Averages and model values are `Ratio`s (exact fractions), never prices.
"""

from __future__ import annotations

import re
from fractions import Fraction as Ratio
from functools import lru_cache
from typing import ClassVar, Final, NoReturn, Self

from trueup.core.errors import FinerThanUnit, NotANumber

__all__ = [
    "ONE_DOLLAR",
    "ZERO_COUNT",
    "ZERO_MONEY",
    "Count",
    "Money",
    "Price",
    "Ratio",
    "rounded_text",
]

_DECIMAL: Final = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?\Z|([+-]?)\.(\d+)\Z", re.ASCII)


_REMEMBERED: Final = 1 << 10
"""How many whole contracts and cents are made once: they are asked for all the time, and
nobody can change them."""


class _Quantity:
    """An exact integer number of some unit.  Immutable, ordered, hashable.

    Quantities of different units never compare equal and never add.
    """

    __slots__ = ("units",)

    units: int
    """The bare integer, for storage and for arithmetic inside one unit."""

    _decimals: ClassVar[int] = 0
    """How many decimal places one unit stands for (4 means 1/10,000)."""

    def __init__(self, units: int) -> None:
        if units.__class__ is not int:
            message = f"{type(self).__name__} counts whole units, got {units!r}"
            raise TypeError(message)
        _set_units(self, units)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a decimal string such as ``"0.5600"`` exactly.

        Raises `NotANumber` for anything that is not a plain decimal and
        `FinerThanUnit` for a value that this unit cannot hold.
        """
        return cls(parse_decimal(text, cls._decimals, cls.__name__))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = f"{type(self).__name__} is immutable"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        message = f"{type(self).__name__} is immutable"
        raise AttributeError(message)

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return (type(self), (self.units,))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Quantity) and other.__class__ is self.__class__:
            return self.units == other.units
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.__class__.__name__, self.units))

    def __lt__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.units < other.units

    def __le__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.units <= other.units

    def __gt__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.units > other.units

    def __ge__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.units >= other.units

    def __bool__(self) -> bool:
        return self.units != 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __str__(self) -> str:
        return format_decimal(self.units, self._decimals, 2)


_set_units = _Quantity.__dict__["units"].__set__


class _Additive(_Quantity):
    """A quantity that can be added up: counts and money, but not prices."""

    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__class__(self.units + other.units)

    def __sub__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__class__(self.units - other.units)

    def __neg__(self) -> Self:
        return self.__class__(-self.units)

    def __abs__(self) -> Self:
        return self if self.units >= 0 else self.__class__(-self.units)


class Money(_Additive):
    """US dollars, in units of $0.000001 (the finest amount Kalshi reports)."""

    __slots__ = ()

    _decimals = 6

    @classmethod
    def of_cents(cls, cents: int) -> Money:
        """Exact money from a whole number of cents."""
        return cls(cents * 10_000)

    def __mul__(self, times: int) -> Money:
        if times.__class__ is not int:
            return NotImplemented
        return Money(self.units * times)

    def floor_to(self, precision: Money) -> Money:
        """The largest multiple of `precision` that is not above this amount."""
        return Money(self.units // precision.units * precision.units)

    def is_multiple_of(self, precision: Money) -> bool:
        """Whether this amount is a whole number of `precision` steps."""
        return self.units % precision.units == 0

    def dollars(self) -> str:
        """``-1,234.5600`` style text with a sign and thousands separators."""
        return format_decimal(self.units, 6, 2, thousands=True)


class Count(_Additive):
    """A number of contracts, in units of 0.01 contract.  Signed where a side is meant."""

    __slots__ = ()

    _decimals = 2

    @classmethod
    @lru_cache(maxsize=_REMEMBERED, typed=True)
    def of_contracts(cls, contracts: int) -> Count:
        """Exact count from whole contracts."""
        return cls(contracts * 100)


class Price(_Quantity):
    """The price of one YES contract in units of $0.0001, from 0 to 1.

    Order prices lie strictly between 0 and 1; exactly 0 and 1 occur only as
    outcomes.  A price is always the YES price unless a name says otherwise.
    """

    __slots__ = ()

    _decimals = 4

    def __init__(self, units: int) -> None:
        super().__init__(units)
        if not 0 <= units <= _ONE_DOLLAR_UNITS:
            message = f"a price lies between $0 and $1, got {units / _ONE_DOLLAR_UNITS}"
            raise NotANumber(message)

    @classmethod
    @lru_cache(maxsize=_REMEMBERED, typed=True)
    def of_cents(cls, cents: int) -> Price:
        """Exact price from whole cents."""
        return cls(cents * 100)

    def complement(self) -> Price:
        """The price of the other side: 1 − p."""
        return Price(_ONE_DOLLAR_UNITS - self.units)

    def __mul__(self, count: Count) -> Money:
        """`price × count`, exact."""
        if count.__class__ is not Count:
            return NotImplemented
        return Money(self.units * count.units)


_ONE_DOLLAR_UNITS: Final = 10_000
ONE_DOLLAR: Final = Price(_ONE_DOLLAR_UNITS)
ZERO_MONEY: Final = Money(0)
ZERO_COUNT: Final = Count(0)


def parse_decimal(text: str, decimals: int, unit: str) -> int:
    """Read decimal `text` as an integer number of 10^-`decimals`, exactly."""
    match = _DECIMAL.match(text)
    if match is None:
        message = f"{text!r} is not a decimal number"
        raise NotANumber(message)
    sign, whole, fraction = match[1] or match[4], match[2] or "0", match[3] or match[5] or ""
    if len(fraction) > decimals:
        if fraction[decimals:].strip("0"):
            message = f"{text!r} is finer than {unit} can hold ({decimals} decimal places)"
            raise FinerThanUnit(message)
        fraction = fraction[:decimals]
    magnitude = int(whole + fraction.ljust(decimals, "0"))
    return -magnitude if sign == "-" else magnitude


def format_decimal(units: int, decimals: int, least: int, *, thousands: bool = False) -> str:
    """Exact decimal text of `units` × 10^-`decimals` with at least `least` places."""
    whole, fraction = divmod(abs(units), 10**decimals)
    places = str(fraction).zfill(decimals).rstrip("0").ljust(least, "0")
    body = f"{whole:,}" if thousands else str(whole)
    return f"{'-' if units < 0 else ''}{body}.{places}"


def rounded_text(value: Ratio, places: int) -> str:
    """Decimal text of a ratio to the nearest, halves to even: for showing it, never for money."""
    scaled = round(value * 10**places)
    if not places:
        return str(scaled)
    whole, fraction = divmod(abs(scaled), 10**places)
    return f"{'-' if scaled < 0 else ''}{whole}.{str(fraction).zfill(places)}"
