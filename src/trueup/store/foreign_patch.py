"""Patching a bot's own table: one transaction over exactly the rows that were read.

Every row is read again inside the transaction and must still say what the
judged row said; the UPDATE names the old values once more and must change
exactly one row; and what is there afterwards must be what was meant.  Otherwise
nothing is changed at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction as Ratio
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func
from sqlalchemy.types import Double, Float, Integer, NullType, Numeric, String

from trueup.core.errors import ForeignDatabaseError
from trueup.core.instant import Instant, format_instant, to_seconds_floor
from trueup.ledger.foreign import AdoptionLine, Column, ForeignTrade
from trueup.store.foreign_change import STOP_THE_BOT, UPDATED_AT, ChangingRows, listed
from trueup.store.foreign_connection import CommitUnknown, ForeignConnection
from trueup.store.foreign_rows import (
    RawRow,
    read_trade,
    scan_distinct,
)
from trueup.store.foreign_table import Layout, TableColumn, Unit
from trueup.store.foreign_undo import UndoHead, UndoRow, take_away, write_undo
from trueup.store.foreign_values import Raw, decimal_text, raw_text

_HALF_A_CENT: Final = Ratio(1, 200)
_HALF_A_CENTICENT: Final = Ratio(1, 200)
"""For settled prices, which are in cents: half of $0.0001."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """How many rows were changed, and the file that takes it back (`None`: no rows)."""

    rows: int
    undo_file: Path | None


def write_patches(
    place: ForeignConnection,
    layout: Layout,
    lines: Iterable[AdoptionLine],
    *,
    undo_folder: Path,
    now: Instant,
) -> Patched:
    """Write all patches or none; see `trueup.store.foreign.ForeignDatabase.apply`."""
    wanted = _by_row([line for line in lines if line.changes])
    if not wanted:
        return Patched(rows=0, undo_file=None)
    undo_file: Path | None = None
    try:
        with place.writing() as connection:
            patch = _Patch(connection, layout, place, now=now)
            undo = [patch.write(row, wanted[row.row_id]) for row in patch.find(wanted)]
            head = _head(place, layout, rows=len(undo), now=now)
            undo_file = write_undo(undo_folder, head, undo, now=now)
    except CommitUnknown as error:
        raise CommitUnknown(
            f"{error} If they were, {undo_file} takes it back.", remedy=error.remedy
        ) from error
    except BaseException:
        if undo_file is not None:
            take_away(undo_file)
        raise
    return Patched(rows=len(undo), undo_file=undo_file)


def _by_row(lines: Sequence[AdoptionLine]) -> dict[str, AdoptionLine]:
    wanted: dict[str, AdoptionLine] = {}
    for line in lines:
        if line.trade.row_id in wanted:
            raise ForeignDatabaseError(
                f"row {line.trade.row_id} is to be patched twice. Nothing was changed.",
                remedy="Give each row of the report once.",
            )
        wanted[line.trade.row_id] = line
    return wanted


def _head(place: ForeignConnection, layout: Layout, *, rows: int, now: Instant) -> UndoHead:
    words = (*(each.value for each in Column), "ticker", UPDATED_AT)
    return UndoHead(
        database=place.place,
        table=layout.name,
        schema=layout.schema,
        key=tuple(each.name for each in layout.key),
        columns={word: layout.columns[word].name for word in words if word in layout.columns},
        rows=rows,
        written_at=format_instant(now),
    )


class _Patch(ChangingRows):
    """The rows that are to be patched."""

    def __init__(
        self, connection: Connection, layout: Layout, place: ForeignConnection, *, now: Instant
    ) -> None:
        super().__init__(connection, layout, place)
        self._now = now

    def find(self, wanted: Mapping[str, AdoptionLine]) -> list[RawRow]:
        """The rows to be patched as they are now, which must be as they were judged."""
        found = [
            row
            for row in scan_distinct(self._connection, self._layout, place=self._place)
            if row.row_id in wanted
        ]
        gone = [row_id for row_id in wanted if row_id not in {row.row_id for row in found}]
        if gone:
            raise ForeignDatabaseError(
                f"{listed(gone)} of {self._layout.name!r} in {self._place.place} "
                "cannot be found any more. Nothing was changed.",
                remedy=STOP_THE_BOT,
            )
        for row in found:
            _check_unchanged(self, row, read_trade(row, self._layout), wanted[row.row_id].trade)
        return found

    def write(self, row: RawRow, line: AdoptionLine) -> UndoRow:
        """Patch one row; returns how to take it back."""
        words = [change.column.value for change in line.changes]
        new: dict[str, object] = {
            change.column.value: self._stored(row, change.column, change.new)
            for change in line.changes
        }
        old = {word: row.values[word] for word in words}
        touched = list(words)
        if UPDATED_AT in self._layout.columns:
            touched.append(UPDATED_AT)
            stamp = self._stamp(row.values[UPDATED_AT])
            if stamp is not None:
                new[UPDATED_AT] = stamp
        self.change(row.key, old, new)
        there = self.now_there(row.key, touched)
        if there is None:
            raise self.refused(row.key, "the update moved it to another key")
        for change in line.changes:
            self._check_stored(row, change.column, change.new, there[change.column.value])
        return UndoRow(
            row_id=row.row_id,
            ticker=line.trade.ticker,
            key=row.key,
            old={word: row.values[word] for word in touched},
            new=there,
        )

    def _stored(self, row: RawRow, column: Column, text: str) -> Raw:
        """A new value as the column holds it: in its unit, as its type."""
        if column is Column.STATUS:
            return text
        place = self._layout.columns[column.value]
        value = _in_unit(column, place, text)
        kind = place.type
        if isinstance(kind, Integer):
            return self._whole(row, column, value)
        is_text = isinstance(kind, String) or (
            isinstance(kind, NullType) and isinstance(row.values[column.value], str)
        )
        if is_text:
            least = 2 if column is Column.PROFIT_LOSS and place.unit is Unit.DOLLARS else 0
            return decimal_text(value, least=least)
        if self._place.dialect != "sqlite" and not isinstance(kind, Float | Double):
            # A type of their own (such as money) reads text.
            return value if isinstance(kind, Numeric) else decimal_text(value)
        # The column holds binary floats: this is the one that prints as our decimal.
        return float(value)

    def _whole(self, row: RawRow, column: Column, value: Decimal) -> Raw:
        if value == value.to_integral_value():
            return int(value)
        if column is Column.PROFIT_LOSS and self._layout.columns[column].unit is Unit.CENTS:
            # Such a column cannot be finer than a cent.
            return round(value)
        if self._place.dialect == "sqlite":
            # A column of SQLite takes what does not fit its type as it is.
            return float(value)
        raise self.refused(
            row.key,
            f"{decimal_text(value)} does not fit {column.value}, a column of whole numbers",
            remedy="Give the column a decimal type: "
            f"ALTER TABLE … ALTER COLUMN {self._layout.columns[column].name} TYPE numeric.",
        )

    def _check_stored(self, row: RawRow, column: Column, text: str, there: Raw) -> None:
        """What is in the table afterwards is what was meant (a type may round to the cent)."""
        if column is Column.STATUS:
            fits = raw_text(there).strip().lower() == text.strip().lower()
        else:
            place = self._layout.columns[column.value]
            unit = 100 if place.unit is Unit.CENTS else 1
            off = abs(_as_ratio(there) - Ratio(_in_unit(column, place, text)))
            if column is Column.PROFIT_LOSS:
                fits = off <= _HALF_A_CENT * unit
            else:
                fits = off * 100 < _HALF_A_CENTICENT * unit
        if not fits:
            raise self.refused(
                row.key,
                f"{column.value} should become {text}, but the database made it {raw_text(there)}",
                remedy="The column's type or a trigger does not let the value be; change that.",
            )

    def _stamp(self, old: Raw) -> object | None:
        """The time of the change in the form that the column has; `None`: leave it alone."""
        if isinstance(old, int | float | Decimal):
            seconds = to_seconds_floor(self._now)
            return next(
                (seconds * scale for scale in (1, 10**3, 10**6, 10**9) if old < 10**11 * scale),
                None,
            )
        kind = self._layout.columns[UPDATED_AT].type
        if isinstance(kind, Integer | Numeric):
            return None
        if isinstance(old, str) and "T" in old:
            text = format_instant(Instant(self._now // 10**6 * 10**6)).removesuffix("Z")
            ending = next((each for each in ("Z", "+00:00") if old.endswith(each)), None)
            if ending is not None:
                return text + ending
        return func.current_timestamp()


def _in_unit(column: Column, place: TableColumn, text: str) -> Decimal:
    """A new value (a price in cents, a profit in dollars) in the unit of its column."""
    value = Decimal(text)
    if column is Column.SETTLED_PRICE:
        return value if place.unit is Unit.CENTS else value.scaleb(-2)
    return value.scaleb(2) if place.unit is Unit.CENTS else value


def _as_ratio(raw: Raw) -> Ratio:
    if isinstance(raw, float):
        return Ratio(repr(raw))
    if isinstance(raw, str):
        return Ratio(raw.strip().replace("$", "").replace(",", ""))
    return Ratio(raw) if isinstance(raw, int | Decimal) else Ratio(-(10**9))


def _check_unchanged(
    rows: ChangingRows, row: RawRow, there: ForeignTrade, judged: ForeignTrade
) -> None:
    differing = [
        each.name
        for each in fields(ForeignTrade)
        if getattr(there, each.name) != getattr(judged, each.name)
    ]
    if differing:
        raise rows.refused(row.key, f"it has changed since it was read ({', '.join(differing)})")
