"""The counterpart of `values`: exact values in the exchange's spelling."""

from __future__ import annotations

from trueup.core.errors import FinerThanUnit
from trueup.core.units import Count, Money, Price

Record = dict[str, object]
"""One JSON object in the exchange's field names."""


def priced(price: Price) -> str:
    """``"0.5600"``."""
    return fixed(price.units, 4)


def counted(count: Count) -> str:
    """``"12.00"``."""
    return fixed(count.units, 2)


def dollars(money: Money) -> str:
    """``"0.017500"``: six places, as for costs and fees."""
    return fixed(money.units, 6)


def shortest_dollars(money: Money) -> str:
    """``"98.0186"``: four places, as for balances; six where four cannot hold it."""
    short, rest = divmod(money.units, 100)
    return fixed(money.units, 6) if rest else fixed(short, 4)


def cents(money: Money) -> int:
    """An exact number of cents.  Raises `FinerThanUnit` when it is none."""
    whole, rest = divmod(money.units, 10_000)
    if rest:
        raise FinerThanUnit(f"{money} dollars are not a whole number of cents")
    return whole


def floored_cents(money: Money) -> int:
    """A number of cents, cut down, as the exchange does with ``balance``."""
    return money.units // 10_000


def fixed(units: int, places: int) -> str:
    """An exact number of 10^-`places` as text with just so many places."""
    whole, fraction = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}.{fraction:0{places}d}"
