"""Other people's databases: a bot's own table of trades, read and patched.

    with ForeignDatabase("trades.db") as foreign:
        table = foreign.inspect(ForeignTable())
        trades = foreign.read(table)
        …                                  # trueup.ledger.adopt decides, row by row
        foreign.apply(table, report.patches, undo_folder=folder, now=now)

Any database that SQLAlchemy reaches will do; a path is an SQLite file and is
never created.  Reading changes nothing; `apply` changes all rows or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import MetaData, Table, inspect, select

from trueup.core.errors import ForeignDatabaseError
from trueup.core.instant import Instant
from trueup.ledger.foreign import AdoptionLine, ForeignTrade
from trueup.store.foreign_connection import ForeignConnection
from trueup.store.foreign_patch import Patched, PatchedTable, load_undo, take_back, write_patches
from trueup.store.foreign_table import (
    ForeignTable,
    check_ids,
    find_columns,
    read_trade,
    settle_units,
)
from trueup.store.foreign_values import Raw

__all__ = ["ForeignDatabase", "ForeignTable", "Patched"]


class ForeignDatabase:
    """A bot's database.  Raises `ForeignDatabaseError` where there is none."""

    def __init__(self, place: str) -> None:
        self._connection = ForeignConnection(place)
        self._read: dict[str, PatchedTable] = {}

    @property
    def place(self) -> str:
        """Where it is, for people; never with a password."""
        return self._connection.place

    def inspect(self, mapping: ForeignTable | None = None) -> ForeignTable:
        """The table with every column that was found for our words.

        Raises `ForeignDatabaseError` naming what is missing and what is there.
        """
        mapping = mapping or ForeignTable()
        names = [column.name for column in self._reflect(mapping.name).columns]
        return replace(mapping, columns=find_columns(mapping, names, place=self.place))

    def read(self, table: ForeignTable) -> list[ForeignTrade]:
        """Every row of an inspected table, by id.

        Raises `ForeignDatabaseError` when an id is missing or not unique.
        """
        reflected = self._reflect(table.name)
        columns = {role: reflected.columns[name] for role, name in table.columns.items()}
        query = select(*columns.values()).order_by(columns["id"])
        with self._connection.reading() as connection:
            found = connection.execute(query).all()
        rows: list[dict[str, Raw]] = [dict(zip(columns, row, strict=True)) for row in found]
        check_ids(table, (row["id"] for row in rows))
        units = settle_units(table, rows)
        self._read[table.name] = PatchedTable(
            table=reflected,
            columns=columns,
            units=units,
            rows={str(row["id"]): row for row in rows},
        )
        return [read_trade(row, units) for row in rows]

    def apply(
        self,
        table: ForeignTable,
        patches: Sequence[AdoptionLine],
        *,
        undo_folder: Path,
        now: Instant,
    ) -> Patched:
        """Write patches of rows that `read` gave; all of them, or none.

        Raises `ForeignDatabaseError` when a row has changed since, is gone or
        cannot take the value: then nothing was changed and no undo file is left.
        """
        known = self._read.get(table.name)
        if known is None:
            raise ForeignDatabaseError(
                f"the table {table.name!r} was never read", remedy="Read it before patching it."
            )
        return write_patches(self._connection, known, patches, undo_folder=undo_folder, now=now)

    def undo(self, undo_file: Path) -> int:
        """Take a patch back; returns how many rows were restored.

        Raises `ForeignDatabaseError` when a row is not as the patch had left it:
        then nothing was changed.
        """
        head, lines = load_undo(undo_file)
        reflected = self._reflect(head.table)
        known = PatchedTable(
            table=reflected,
            columns={role: reflected.columns[name] for role, name in head.columns.items()},
            units={},
            rows={},
        )
        return take_back(self._connection, known, lines)

    def _reflect(self, name: str) -> Table:
        with self._connection.reading() as connection:
            there = inspect(connection).get_table_names()
            if name in there:
                return Table(name, MetaData(), autoload_with=connection)
        listed = ", ".join(sorted(there)[:8]) or "none at all"
        raise ForeignDatabaseError(
            f"{self.place} has no table {name!r}; its tables: {listed}.",
            remedy="Name the table of trades in the config: [bot_database] table = …",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing stays open between two calls."""
