"""One row at a time: reading, comparing and updating rows in an open transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, bindparam, select, update
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import NullType

from trueup.core.errors import ForeignDatabaseError
from trueup.store.foreign_connection import ForeignConnection
from trueup.store.foreign_rows import as_clause, row_id_of
from trueup.store.foreign_table import Layout, TableColumn
from trueup.store.foreign_values import Raw

STOP_THE_BOT: Final = "Somebody else writes to this table: stop the bot, then start again."
UPDATED_AT: Final = "updated_at"
_LISTED: Final = 20


class ChangingRows:
    """Rows of one table in an open transaction, changed one at a time."""

    def __init__(self, connection: Connection, layout: Layout, place: ForeignConnection) -> None:
        self._connection = connection
        self._layout = layout
        self._place = place
        self._table = as_clause(layout)

    def now_there(self, key: Sequence[Raw], words: Iterable[str]) -> dict[str, Raw] | None:
        """What a row says now; `None` if there is no such row."""
        names = list(words)
        columns = [
            self._table.c[self._layout.columns[word].name].label(f"c{number}")
            for number, word in enumerate(names)
        ]
        found = self._connection.execute(select(*columns).where(*self._is_row(key))).all()
        return dict(zip(names, found[0], strict=True)) if len(found) == 1 else None

    def change(self, key: Sequence[Raw], old: Mapping[str, Raw], new: Mapping[str, object]) -> None:
        """Update the one row that still holds the old values."""
        layout = self._layout
        still = [
            self._table.c[layout.columns[word].name].is_not_distinct_from(
                self._value(raw, layout.columns[word])
            )
            for word, raw in old.items()
        ]
        values: dict[str, ColumnElement[Any]] = {
            layout.columns[word].name: _setting(value) for word, value in new.items()
        }
        statement = update(self._table).where(*self._is_row(key), *still).values(values)
        changed = self._connection.execute(statement).rowcount
        if changed != 1:
            raise self.refused(key, f"the update changed {changed} rows instead of one")

    def refused(self, key: Sequence[Raw], what: str, remedy: str = "") -> ForeignDatabaseError:
        """An error that names the row."""
        return ForeignDatabaseError(
            f"row {row_id_of(self._layout, key)} of {self._layout.name!r} in {self._place.place}: "
            f"{what}. Nothing was changed.",
            remedy=remedy or STOP_THE_BOT,
        )

    def _is_row(self, key: Sequence[Raw]) -> list[ColumnElement[bool]]:
        return [
            self._table.c[each.name] == self._value(part, each)
            for each, part in zip(self._layout.key, key, strict=True)
        ]

    def _value(self, raw: Raw, column: TableColumn) -> ColumnElement[Any]:
        """A value to compare a column with, in the column's own type.

        A server would compare a 4-byte float with an 8-byte one and find them
        different; SQLite compares values as they are stored.
        """
        value = bindparam(None, raw, type_=NullType())
        if self._place.dialect != "postgresql" or isinstance(column.type, NullType):
            return value
        return sql_cast(value, column.type)


def _setting(value: object) -> ColumnElement[Any]:
    """A value to be written: untyped, so that the server takes it as the column's own."""
    if isinstance(value, ColumnElement):
        return cast("ColumnElement[Any]", value)
    return bindparam(None, value, type_=NullType())


def listed(row_ids: Sequence[str]) -> str:
    """Rows for a message, the first ones by name."""
    more = f" and {len(row_ids) - _LISTED} more" if len(row_ids) > _LISTED else ""
    return f"{'row' if len(row_ids) == 1 else 'rows'} {', '.join(row_ids[:_LISTED])}{more}"
