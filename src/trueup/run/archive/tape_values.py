"""Rows of other people's files, and their values as exact ones: times, and decimals in doubles."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from trueup.core.errors import ConfigError, NotANumber
from trueup.core.instant import Instant, from_datetime, parse_instant
from trueup.store.archive import arrow, read_table

_DIGITS: Final = 6
"""Doubles are read to a millionth: 0.5700000000000001 was 0.57 before somebody subtracted."""


_PLAIN: Final = (".csv", ".json", ".jsonl", ".ndjson")


_NOTHING: Final = frozenset({"", "nan", "none", "null"})
"""How a table writes that there is no figure."""


def is_table(path: Path) -> bool:
    """Whether a file is Parquet: whatever is neither CSV nor JSON."""
    return not path.name.lower().removesuffix(".gz").endswith(_PLAIN)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file: Parquet, CSV, a JSON text (a list, or an answer that holds one) or
    JSON lines; the last three also with ``.gz``.  Numbers stay exact.  Raises `ConfigError`.
    """
    if is_table(path):
        rows: list[dict[str, Any]] = in_microseconds(read_table(path)).to_pylist()
        return rows
    name = path.name.lower()
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8-sig")
        if name.removesuffix(".gz").endswith(".csv"):
            return [dict(row) for row in csv.DictReader(text.splitlines())]
        whole = name.removesuffix(".gz").endswith(".json")
        documents = [text] if whole else [line for line in text.splitlines() if line.strip()]
        found = [json.loads(each, parse_float=Decimal) for each in documents]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", remedy="Check the path.") from error
    return [row for each in found for row in _rows_in(path, each)]


def _rows_in(path: Path, document: object) -> list[dict[str, Any]]:
    """The rows of a JSON document: itself, its items, or those of the one list in an answer."""
    if isinstance(document, dict):
        lists = [each for each in cast("dict[str, Any]", document).values() if _is_rows(each)]
        return lists[0] if len(lists) == 1 else [cast("dict[str, Any]", document)]
    if _is_rows(document):
        return cast("list[dict[str, Any]]", document)
    raise ConfigError(f"{path} holds something else than rows", remedy="Check the path.")


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, Mapping) for each in cast("list[object]", value)
    )


def one_of(path: Path, names: Iterable[str], *wanted: str) -> str:
    """The first of the wanted columns that a file has.  Raises `ConfigError` that names both."""
    found = first_of(names, wanted)
    if not found:
        raise ConfigError(
            f"{path} has no column {' or '.join(wanted)}",
            remedy=f"Its columns are {', '.join(sorted(names))}.",
        )
    return found


def in_microseconds(table: Any) -> Any:  # noqa: ANN401  # the library has no types
    """A table with its times as fine as ours; what is finer is cut off."""
    pa = arrow()
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            finer = table.column(place).cast(pa.timestamp("us", tz=column.type.tz), safe=False)
            table = table.set_column(place, column.name, finer)
    return table


def first_of(columns: Iterable[str], names: Iterable[str]) -> str:
    """The first of these names that is a column; empty where none is."""
    known = set(columns)
    return next((name for name in names if name in known), "")


def decimal(value: object) -> str | None:
    """A figure as the decimal that was meant; `None` where nothing stands."""
    if value is None or value != value:  # noqa: PLR0124  # a double that is no number
        return None
    if isinstance(value, str) and value.strip().lower() in _NOTHING:
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
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if isinstance(value, float | Decimal) and value == value:  # noqa: PLR0124  # as above
        return Instant(int(Decimal(str(value)) * _per_unit(int(value)) // 1_000))
    if isinstance(value, int):
        return Instant(value * _per_unit(value) // 1_000)
    if value is None or value == "":
        message = "a row does not say when it was seen"
        raise NotANumber(message)
    text = str(value)
    return parse_instant(text if _has_zone(text) else f"{text}Z")


def _per_unit(value: int) -> int:
    """Nanoseconds in the unit of a time since 1970.

    Three thousand years of seconds are fewer than three of milliseconds, and so on.
    """
    for below, nanoseconds in ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3)):
        if value < below:
            return nanoseconds
    return 1


def _has_zone(text: str) -> bool:
    return text.endswith(("Z", "z")) or "+" in text or "-" in text[10:]
