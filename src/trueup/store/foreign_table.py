"""A bot's table of trades: where its columns are, and what their values mean.

A mapping names the table and its columns; what it does not name is found by the
usual names.  Amounts stay in the table's own units: whether a column holds
cents or dollars is settled once per column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction as Ratio
from typing import Final

from trueup.core.errors import ForeignDatabaseError
from trueup.core.ids import Ticker
from trueup.ledger.foreign import ForeignTrade, StatusWords
from trueup.store.foreign_values import (
    Raw,
    Unit,
    in_dollars,
    read_instant,
    read_number,
    read_side,
    unit_of,
)

USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "trade_id", "row_id"),
    "ticker": ("market_ticker", "ticker", "market", "contract_ticker"),
    "status": ("status", "state", "trade_status"),
    "settled_price": ("settled_price", "settlement_price", "settle_price", "settled_price_cents"),
    "profit_loss": (
        *("profit_loss", "pnl", "profit", "realized_pnl", "net_pnl", "pnl_dollars"),
        *("pnl_cents", "profit_loss_cents"),
    ),
    "updated_at": ("updated_at", "last_updated", "modified_at"),
    "side": ("side", "outcome_side", "contract_side", "position_side", "direction"),
    "quantity": ("quantity", "count", "contracts", "qty", "num_contracts", "size"),
    "entry_price": (
        *("entry_price", "price", "avg_price", "fill_price", "buy_price", "cost_per_contract"),
        *("entry_price_cents", "price_cents"),
    ),
    "exit_price": ("exit_price", "sell_price", "close_price", "exit_price_cents"),
    "fees": ("fees", "fee", "total_fees", "fees_paid", "fees_cents"),
    "opened_at": ("opened_at", "created_at", "entry_time", "timestamp", "placed_at", "filled_at"),
    "closed_at": ("closed_at", "exit_time", "settled_at", "resolved_at"),
}
"""For each role the column names that bots use, the most usual first."""

REQUIRED: Final = ("id", "ticker", "status", "settled_price", "profit_loss")
WRITTEN: Final = ("status", "settled_price", "profit_loss")
"""The roles that a patch may change."""

_AMOUNTS: Final[Mapping[str, Unit]] = {
    "settled_price": Unit.CENTS,
    "profit_loss": Unit.DOLLARS,
    "entry_price": Unit.DOLLARS,
    "exit_price": Unit.DOLLARS,
    "fees": Unit.DOLLARS,
}
_BY_VALUE: Final = frozenset({"settled_price", "entry_price", "exit_price"})
"""Prices of contracts, whose unit shows in their values."""


_USUAL_WORDS: Final = StatusWords()


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTable:
    """Where the trades are and what the words mean; empty parts stand for the usual.

    `columns` maps our words (`USUAL_NAMES`) to the table's columns, `units` to
    ``cents`` or ``dollars``.  The words are those of the status column.
    """

    name: str = "trades"
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    open_words: Collection[str] = ()
    settled_words: Collection[str] = ()
    closed_words: Collection[str] = ()

    @property
    def words(self) -> StatusWords:
        """The usual status words with those of this table, which go first."""
        opened, settled, closed = (
            frozenset(word.lower() for word in words)
            for words in (self.open_words, self.settled_words, self.closed_words)
        )
        written = _USUAL_WORDS.settled_word
        if settled and written not in settled:
            written = sorted(self.settled_words)[0]
        return StatusWords(
            open=opened | (_USUAL_WORDS.open - settled - closed),
            settled=settled | (_USUAL_WORDS.settled - opened - closed),
            closed=closed | (_USUAL_WORDS.closed - opened - settled),
            settled_word=written,
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Words that the table has no column for (of an inspected table)."""
        return tuple(role for role in USUAL_NAMES if role not in self.columns)


def find_columns(table: ForeignTable, there: Collection[str], *, place: str) -> dict[str, str]:
    """The column of every role that the table has, the named ones first.

    Raises `ForeignDatabaseError` when a needed or a named one is missing.
    """
    unknown = set(table.columns) - set(USUAL_NAMES)
    if unknown:
        raise ForeignDatabaseError(
            f"the mapping names {', '.join(sorted(unknown))}, which mean nothing here",
            remedy=f"Use these words: {', '.join(USUAL_NAMES)}.",
        )
    by_name = {name.lower(): name for name in there}
    found: dict[str, str] = {}
    for role, usual in USUAL_NAMES.items():
        named = table.columns.get(role)
        names = usual if named is None else (named,)
        column = next((by_name[each.lower()] for each in names if each.lower() in by_name), None)
        if column is not None and column not in found.values():
            found[role] = column
    missing = [role for role in (*REQUIRED, *table.columns) if role not in found]
    if missing:
        raise ForeignDatabaseError(
            f"the table {table.name!r} of {place} has no column for "
            f"{', '.join(dict.fromkeys(missing))}; its columns: {', '.join(there)}.",
            remedy="Map it in the config: [bot_database.columns] ticker = …",
        )
    return found


def check_ids(table: ForeignTable, ids: Iterable[Raw]) -> None:
    """Refuse a table whose rows cannot be told apart."""
    counted = Counter(str(each) for each in ids)
    repeated = [each for each, count in counted.items() if count > 1]
    if repeated or "None" in counted:
        what = "is empty in some row" if "None" in counted else f"repeats {repeated[0]!r}"
        raise ForeignDatabaseError(
            f"the column {table.columns['id']!r} of {table.name!r} {what}: "
            "its rows cannot be told apart.",
            remedy="Map a column that is unique: [bot_database.columns] id = …",
        )


def settle_units(table: ForeignTable, rows: Sequence[Mapping[str, Raw]]) -> dict[str, Unit]:
    """The unit of each column of amounts: as named, by its name, by its values."""
    units: dict[str, Unit] = {}
    for role, usual in _AMOUNTS.items():
        if role not in table.columns:
            continue
        named = table.units.get(role)
        if named is not None:
            units[role] = Unit(named)
            continue
        numbers = (read_number(row[role]) for row in rows) if role in _BY_VALUE else ()
        values = [number for number in numbers if number is not None]
        units[role] = unit_of(table.columns[role], values, otherwise=usual)
    return units


def read_trade(row: Mapping[str, Raw], units: Mapping[str, Unit]) -> ForeignTrade:
    """One row as a value; what cannot be read is kept as text."""
    unreadable: dict[str, str] = {}

    def amount(role: str) -> Ratio | None:
        raw = row.get(role)
        value = read_number(raw)
        if value is None:
            if raw is not None:
                unreadable[role] = str(raw)
            return None
        return in_dollars(value, units[role]) if role in units else value

    side = read_side(row.get("side"))
    if side is None and row.get("side") is not None:
        unreadable["side"] = str(row["side"])
    settled = amount("settled_price")
    return ForeignTrade(
        row_id=str(row["id"]),
        ticker=Ticker("" if row["ticker"] is None else str(row["ticker"])),
        status="" if row["status"] is None else str(row["status"]),
        settled_price=None if settled is None else settled * 100,
        profit_loss=amount("profit_loss"),
        side=side,
        quantity=amount("quantity"),
        entry_price=amount("entry_price"),
        exit_price=amount("exit_price"),
        fees=amount("fees"),
        opened_at=read_instant(row.get("opened_at")),
        closed_at=read_instant(row.get("closed_at")),
        unreadable=unreadable,
    )
