"""Recorded rows in a table of comma-separated values, as the exchange's JSON objects.

Columns are found by their names, in any order; those that mean nothing here are left
out.  Empty cells are missing values.  Numbers stay text, so none is ever rounded.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import CallerError, ConfigError, NotANumber
from trueup.core.instant import format_instant, from_seconds, parse_instant, to_seconds_floor
from trueup.core.units import Money

_BALANCE_COLUMNS: Final = {
    "balance_cents": "balance",
    "portfolio_value_cents": "portfolio_value",
    "balance_updated_ts": "updated_ts",
    "timestamp": "observed_at",
    "time": "observed_at",
    "recorded_at": "observed_at",
    "subaccount": "subaccount_number",
    "shard": "exchange_index",
}
_RESULT_COLUMNS: Final = {
    "market_ticker": "ticker",
    "market": "ticker",
    "market_result": "result",
    "market_status": "status",
    "settled_time": "settlement_ts",
}
_OTHER_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "balances": _BALANCE_COLUMNS,
    "markets": _RESULT_COLUMNS,
    "historical_markets": _RESULT_COLUMNS,
}
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    "balances": frozenset(
        [
            "balance",
            "balance_dollars",
            "portfolio_value",
            "updated_ts",
            "observed_at",
            "subaccount_number",
            "exchange_index",
        ]  # one word after another reads better
    ),
    "markets": frozenset(
        [
            "ticker",
            "event_ticker",
            "title",
            "status",
            "result",
            "open_time",
            "close_time",
            "settlement_ts",
            "settlement_value_dollars",
            "observed_at",
            "exchange_index",
        ]  # as above
    ),
}
_NEEDED: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "balances": (
        frozenset({"balance", "balance_dollars"}),
        frozenset({"updated_ts", "observed_at"}),
    ),
    "markets": (frozenset({"ticker"}), frozenset({"result", "status"})),
    "fills": (
        frozenset({"trade_id", "fill_id"}),
        frozenset({"order_id"}),
        frozenset({"ticker", "market_ticker"}),
    ),
    "settlements": (frozenset({"ticker", "market_ticker"}), frozenset({"settled_time"})),
    "orders": (frozenset({"order_id"}), frozenset({"ticker"}), frozenset({"status"})),
    "positions": (frozenset({"ticker"}), frozenset({"position", "position_fp"})),
}
_WHOLE: Final = frozenset(
    """
    balance portfolio_value updated_ts ts created_ts finalized_ts subaccount_number exchange_index
    from_subaccount to_subaccount source_exchange_shard destination_exchange_shard
    """.split()  # noqa: SIM905  # as above
)
"""Columns of whole numbers that the API gives as JSON numbers."""

_WORDS: Final = {"true": True, "false": False}
_MISSING: Final = frozenset({"", "nan", "none", "null", "nat", "<na>"})
"""How programs write that there is no value."""

_LOWER: Final = frozenset({"result", "status"})
_DIGITS: Final = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_SECONDS: Final = re.compile(r"\d{10}\Z", re.ASCII)
_encode: Final = msgspec.json.Encoder().encode


def rows_of_table(stream: str, path: Path, text: str) -> Iterator[tuple[int, bytes]]:
    """Every row with its line in the file.

    Raises `ConfigError` for a table without a column that is needed, or a row that
    does not fit the head.
    """
    table = csv.DictReader(StringIO(text), strict=True)
    kind = stream.removeprefix("historical_")
    try:
        names = [_name(stream, each) for each in table.fieldnames or ()]
        _check_columns(kind, names, path)
        table.fieldnames = names
        for row in table:
            if None in row or None in row.values():
                raise ConfigError(
                    f"{path}, line {table.line_num}: the row has not as many cells as the head",
                    remedy="Repair or remove the row (a recorder that was stopped cuts the last "
                    "one off), then import again. Nothing was imported.",
                )
            yield table.line_num, _encode(_item(kind, row))
    except csv.Error as error:
        raise ConfigError(
            f"{path}, line {table.line_num}: no comma-separated values ({error})",
            remedy="Repair it, then import again. Nothing was imported.",
        ) from error


def _name(stream: str, head: str) -> str:
    name = head.strip().lower()
    return _OTHER_NAMES.get(stream, {}).get(name, name)


def _check_columns(kind: str, names: list[str], path: Path) -> None:
    for needed in _NEEDED.get(kind, ()):
        if not needed & set(names):
            raise ConfigError(
                f"{path} has no column {' or '.join(sorted(needed))}; "
                f"its columns: {', '.join(names) or 'none'}",
                remedy="Name the columns as the API names its fields. Nothing was imported.",
            )


def _item(kind: str, row: Mapping[str, str]) -> dict[str, object]:
    kept = _KEPT.get(kind)
    item = {
        name: _value(name, cell.strip())
        for name, cell in row.items()
        if cell.strip().lower() not in _MISSING and (kept is None or name in kept)
    }
    if kind == "balances":
        _complete_balance(item)
    elif kind == "markets":
        item |= {name: str(item[name]).lower() for name in _LOWER & item.keys()}
        # Published lists of results hold markets that are over.
        if "result" in item:
            item.setdefault("status", "finalized")
    return item


def _value(name: str, cell: str) -> object:
    if name in _WHOLE and _DIGITS.match(cell):
        return int(cell)
    if name == "observed_at" and _SECONDS.match(cell):
        return format_instant(from_seconds(int(cell)))
    return _WORDS.get(cell.lower(), cell)


def _complete_balance(item: dict[str, object]) -> None:
    """The API always gives whole cents beside exact dollars, and a time of its own."""
    dollars = item.get("balance_dollars")
    if "balance" not in item and isinstance(dollars, str):
        try:
            item["balance"] = Money.parse(dollars).units // 10_000
        except CallerError:
            item["balance"] = dollars
    seen_at = item.get("observed_at")
    if "updated_ts" not in item and isinstance(seen_at, str):
        with suppress(NotANumber):
            item["updated_ts"] = to_seconds_floor(parse_instant(seen_at))
