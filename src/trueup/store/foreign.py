"""Other people's databases: a bot's own table of trades, read and patched.

    with ForeignDatabase("trades.db") as foreign:
        table = foreign.inspect(ForeignTable())
        trades = foreign.read(table)
        …                                  # trueup.ledger.adopt decides, row by row
        foreign.apply(table, report.patches, undo_folder=folder, now=now)

A path is an SQLite file and is never created; PostgreSQL and whatever else
SQLAlchemy reaches are named by URL.  Reading changes nothing; `apply` changes
all rows or none.  No connection stays open between two calls, so the bot may
run meanwhile: what it changed in between is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from trueup.core.instant import Instant
from trueup.ledger.foreign import AdoptionLine, ForeignTrade
from trueup.store.foreign_connection import PATIENCE_SECONDS, ForeignConnection
from trueup.store.foreign_patch import Patched, write_patches
from trueup.store.foreign_restore import take_back
from trueup.store.foreign_rows import find_layout, read_trade, scan_distinct
from trueup.store.foreign_table import ForeignTable, Layout
from trueup.store.foreign_undo import read_undo

__all__ = ["ForeignDatabase", "ForeignTable", "Patched"]


class ForeignDatabase:
    """A bot's database at a path or an SQLAlchemy URL.

    Waits `patience_seconds` for another writer or an answer; `shown` is the place
    that messages name instead.  Every method raises
    `ForeignDatabaseError` with a remedy when the database is missing, locked,
    read-only, full, damaged or does not answer: then nothing was changed.
    """

    def __init__(
        self, place: str, *, patience_seconds: int = PATIENCE_SECONDS, shown: str = ""
    ) -> None:
        self._connection = ForeignConnection(place, patience_seconds=patience_seconds, shown=shown)

    @property
    def place(self) -> str:
        """Where it is, for people; never with a password."""
        return self._connection.place

    def inspect(self, mapping: ForeignTable | None = None) -> ForeignTable:
        """The table with every column that was found for our words.

        Raises `ForeignDatabaseError` naming what is missing and what is there,
        which columns do not tell cents from dollars, and what to write into the
        mapping.
        """
        mapping = mapping or ForeignTable()
        _ = mapping.words
        layout = find_layout(self._connection, mapping)
        columns = {word: each.name for word, each in layout.columns.items()}
        return replace(mapping, columns=columns, layout=layout)

    def read(self, table: ForeignTable) -> list[ForeignTrade]:
        """Every row, in the order of its key.

        Numbers are exact: a float is the shortest decimal that prints as it.  Raises
        `ForeignDatabaseError` when two rows cannot be told apart.
        """
        layout = self._layout(table)
        with self._connection.reading() as connection:
            rows = scan_distinct(connection, layout, place=self._connection)
            return [read_trade(row, layout) for row in rows]

    def apply(
        self,
        table: ForeignTable,
        lines: Iterable[AdoptionLine],
        *,
        undo_folder: Path,
        now: Instant,
    ) -> Patched:
        """Write the changes of judged rows; all of them, or none.

        Raises `ForeignDatabaseError` when a row has changed since it was read, is
        gone or cannot take the value: then nothing was changed and no undo file
        is left.  Should a server be lost during the commit itself, the undo file
        stays and the error names it.
        """
        return write_patches(
            self._connection, self._layout(table), lines, undo_folder=undo_folder, now=now
        )

    def undo(self, undo_file: Path) -> int:
        """Take a patch back; returns how many rows were restored.

        Raises `ForeignDatabaseError` naming the rows that are not as the patch
        had left them: then nothing was changed.
        """
        head, rows = read_undo(undo_file)
        return take_back(self._connection, head, rows)

    def _layout(self, table: ForeignTable) -> Layout:
        return table.layout or find_layout(self._connection, table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing stays open between two calls."""
