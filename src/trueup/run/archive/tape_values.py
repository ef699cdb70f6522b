"""Rows of other people's files, and their values as exact ones: times, and decimals in doubles."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from trueup.core.errors import ConfigError, NotANumber
from trueup.core.instant import SECOND, Instant, from_datetime, parse_instant
from trueup.store.archive import read_table

_DIGITS: Final = 6
"""Doubles are read to a millionth: 0.5700000000000001 was 0.57 before somebody subtracted."""


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet or a CSV file.  Raises `ConfigError`."""
    if path.suffix != ".csv":
        rows: list[dict[str, Any]] = read_table(path).to_pylist()
        return rows
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [dict(row) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", remedy="Check the path.") from error


def first_of(columns: Iterable[str], names: Iterable[str]) -> str:
    """The first of these names that is a column; empty where none is."""
    known = set(columns)
    return next((name for name in names if name in known), "")


def decimal(value: object) -> str | None:
    """A figure as the decimal that was meant; `None` where nothing stands."""
    if value is None or value == "" or value != value:  # noqa: PLR0124  # a double that is no number
        return None
    if isinstance(value, float):
        return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")
    return str(value)


def moment_of(value: object) -> Instant:
    """A time as RFC 3339 text, a timestamp, or seconds (or finer) since 1970.  Without a zone
    it is UTC.

    Raises `NotANumber`.
    """
    if isinstance(value, datetime):
        return from_datetime(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, int):
        # Three thousand years of seconds are fewer than three of milliseconds, and so on.
        return Instant(value * (SECOND if value < 10**11 else 1_000 if value < 10**14 else 1))
    if value is None or value == "":
        message = "a row does not say when it was seen"
        raise NotANumber(message)
    text = str(value)
    return parse_instant(text if _has_zone(text) else f"{text}Z")


def _has_zone(text: str) -> bool:
    return text.endswith(("Z", "z")) or "+" in text or "-" in text[10:]
