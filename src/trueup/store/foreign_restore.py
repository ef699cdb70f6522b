"""Taking a patch back: every row must be as the patch left it, or nothing is restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.types import Integer, TypeEngine

from trueup.core.errors import ForeignDatabaseError
from trueup.store.foreign_change import UPDATED_AT, ChangingRows, listed
from trueup.store.foreign_connection import ForeignConnection
from trueup.store.foreign_rows import find_again
from trueup.store.foreign_table import Layout, TableColumn
from trueup.store.foreign_undo import UndoHead, UndoRow
from trueup.store.foreign_values import Raw, raw_text, to_json


def take_back(place: ForeignConnection, head: UndoHead, kept: Sequence[UndoRow]) -> int:
    """Restore what an undo file holds; all of it, or nothing."""
    with place.writing() as connection:
        layout = _layout_of(connection, head, place=place)
        rows = ChangingRows(connection, layout, place)
        states = [_state(rows, row) for row in kept]
        changed = [row.row_id for row, state in zip(kept, states, strict=True) if state != "after"]
        if changed and all(state == "before" for state in states):
            raise ForeignDatabaseError(
                f"{place.place} is as it was before the patch: there is nothing to take back.",
                remedy="It was taken back already, or never committed.",
            )
        if changed:
            raise ForeignDatabaseError(
                f"{listed(changed)} of {head.table!r} in {place.place} changed since the patch. "
                "Nothing was changed.",
                remedy="Look at them: the old values of every row stand in the undo file.",
            )
        for row in kept:
            _restore(rows, row)
    return len(kept)


def _layout_of(connection: Connection, head: UndoHead, *, place: ForeignConnection) -> Layout:
    there = find_again(connection, head.table, head.schema, place=place)
    is_rowid = place.dialect == "sqlite" and not set(head.key) & set(there)
    types: dict[str, TypeEngine[Any]] = {**dict.fromkeys(head.key, Integer()), **there}
    needed = {*head.columns.values(), *(() if is_rowid else head.key)}
    gone = sorted(needed - set(there))
    if gone:
        raise ForeignDatabaseError(
            f"{head.table!r} of {place.place} has no column {', '.join(gone)}.",
            remedy="Name the database that was patched.",
        )
    return Layout(
        name=head.table,
        schema=head.schema,
        columns={word: TableColumn(name=n, type=types[n]) for word, n in head.columns.items()},
        key=tuple(TableColumn(name=name, type=types[name]) for name in head.key),
        is_rowid=is_rowid,
    )


def _state(rows: ChangingRows, kept: UndoRow) -> str:
    """Whether a row is as the patch left it, as before it, or otherwise."""
    words = [word for word in kept.new if word != UPDATED_AT]
    there = rows.now_there(kept.key, ["ticker", *words])
    if there is None or raw_text(there["ticker"]).strip() != kept.ticker:
        return "changed"
    if all(_same(there[word], kept.new[word]) for word in words):
        return "after"
    return "before" if all(_same(there[word], kept.old[word]) for word in words) else "changed"


def _restore(rows: ChangingRows, kept: UndoRow) -> None:
    old = dict(kept.old)
    if UPDATED_AT in old:
        there = rows.now_there(kept.key, [UPDATED_AT])
        # Somebody has touched the row without changing what was patched: their time stays.
        if there is None or not _same(there[UPDATED_AT], kept.new[UPDATED_AT]):
            del old[UPDATED_AT]
    rows.change(kept.key, {word: kept.new[word] for word in old}, old)


def _same(there: Raw, kept: Raw) -> bool:
    return to_json(there) == to_json(kept)
