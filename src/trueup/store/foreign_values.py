"""What stands in a bot's table, read exactly: numbers as ratios, times as instants.

Such tables hold floats, texts, cents and dollars in any mixture.  A float is
read as the decimal that it prints as; what cannot be read is never taken for
zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction as Ratio
from typing import Final

from trueup.core.instant import Instant, from_datetime
from trueup.core.orders import Side

Raw = int | float | str | bytes | Decimal | date | datetime | None
"""A value as a database driver gives it."""


class Unit(StrEnum):
    """The unit of a column of amounts."""

    DOLLARS = "dollars"
    CENTS = "cents"


_SIDES: Final = {
    "yes": Side.YES,
    "y": Side.YES,
    "buy_yes": Side.YES,
    "yes_buy": Side.YES,
    "buy yes": Side.YES,
    "no": Side.NO,
    "n": Side.NO,
    "buy_no": Side.NO,
    "no_buy": Side.NO,
    "buy no": Side.NO,
}
_LATEST_SECONDS: Final = 100_000_000_000
"""Greater numbers are milliseconds: as seconds they would lie beyond the year 5000."""


def read_number(raw: Raw) -> Ratio | None:
    """An exact number; `None` where there is none to be read."""
    if raw is None or isinstance(raw, bool | bytes | date):
        return None
    text = raw if isinstance(raw, str) else repr(raw) if isinstance(raw, float) else str(raw)
    try:
        value = Decimal(text.strip().removeprefix("$").replace(",", ""))
    except InvalidOperation:
        return None
    return Ratio(value) if value.is_finite() else None


def read_side(raw: Raw) -> Side | None:
    """Which contracts a row is about; plain ``buy`` and ``sell`` do not say it."""
    return _SIDES.get(raw.strip().lower()) if isinstance(raw, str) else None


def read_instant(raw: Raw) -> Instant | None:
    """A moment from a timestamp, ISO text (without a zone: UTC) or Unix seconds."""
    if isinstance(raw, datetime):
        return from_datetime(raw if raw.tzinfo else raw.replace(tzinfo=UTC))
    if isinstance(raw, str) and not raw.strip().replace(".", "", 1).isdigit():
        try:
            moment = datetime.fromisoformat(raw.strip())
        except ValueError:
            return None
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    number = read_number(raw)
    if number is None or number <= 0:
        return None
    scale = 1_000 if number > _LATEST_SECONDS else 1_000_000
    return Instant(int(number * scale))


def unit_of(name: str, values: Iterable[Ratio], *, otherwise: Unit) -> Unit:
    """The unit of a column: by its name, else by its values, else the usual one.

    Prices of contracts lie between 0 and 1 dollar or 0 and 100 cents, so one
    value above 1 shows cents; a fraction with all values up to 1 shows dollars.
    """
    lowered = name.lower()
    if lowered.endswith(("_cents", "_cent", "_c")):
        return Unit.CENTS
    if lowered.endswith(("_dollars", "_usd")):
        return Unit.DOLLARS
    seen = set(values)
    if any(value > 1 for value in seen):
        return Unit.CENTS
    if any(value.denominator != 1 for value in seen):
        return Unit.DOLLARS
    return otherwise


def in_dollars(value: Ratio, unit: Unit) -> Ratio:
    """An amount of a column, in dollars."""
    return value / 100 if unit is Unit.CENTS else value


def in_unit(dollars: Ratio, unit: Unit) -> Ratio:
    """An amount in dollars, in the unit of a column."""
    return dollars * 100 if unit is Unit.CENTS else dollars
