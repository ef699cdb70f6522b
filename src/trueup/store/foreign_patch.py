"""Patching a bot's own table: one transaction, and a file that takes it back.

A patch is written only over exactly what was read: every row is read again
inside the transaction, compared, and each UPDATE must change exactly one row;
otherwise nothing is changed at all.  Before the commit an undo file is safely
on disk: JSON lines for `undo`, and the same as SQL for a person.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction as Ratio
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, Numeric, String, Table, func, select, update
from sqlalchemy import Integer as SqlInteger

from trueup.core.errors import ForeignDatabaseError
from trueup.core.instant import Instant, format_instant
from trueup.ledger.foreign import AdoptionLine, Column
from trueup.store.foreign_connection import ForeignConnection
from trueup.store.foreign_values import Raw, Unit, in_unit, read_number

_CENTS_OF_A_DOLLAR: Final = 100
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """How many rows were changed, and the files that take it back."""

    rows: int
    undo_file: Path
    undo_sql: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedTable:
    """A table as it was read: its columns and units by role, its raw rows by id."""

    table: Table
    columns: Mapping[str, SqlColumn[Any]]
    units: Mapping[str, Unit]
    rows: Mapping[str, Mapping[str, Raw]]


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of an undo file."""

    undo: int = 1
    place: str
    table: str
    columns: dict[str, str]
    written_at: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an undo file: by role, what was there and what was written."""

    id: Any
    old: dict[str, Any]
    new: dict[str, Any]
    updated_at: Any = None


def write_patches(
    place: ForeignConnection,
    known: PatchedTable,
    patches: Sequence[AdoptionLine],
    *,
    undo_folder: Path,
    now: Instant,
) -> Patched:
    """Write all patches or none; see `trueup.store.foreign.ForeignDatabase.apply`."""
    lines = [_line(known, patch, is_sqlite=place.is_sqlite) for patch in patches]
    stamp = format_instant(now).replace(":", "").replace("-", "").partition(".")[0]
    undo_path = _free(undo_folder, f"undo-{stamp}", ".jsonl")
    sql_path = undo_path.with_suffix(".sql")
    head = _Head(
        place=place.place,
        table=known.table.name,
        columns={role: column.name for role, column in known.columns.items()},
        written_at=format_instant(now),
    )
    try:
        with place.writing() as connection:
            kept = [_write(known, connection, line) for line in lines]
            _save(undo_path, [_encode(head), *(_encode(line) for line in kept)])
            _save(sql_path, [_undo_sql(head, line).encode() for line in kept])
    except BaseException:
        undo_path.unlink(missing_ok=True)
        sql_path.unlink(missing_ok=True)
        raise
    return Patched(rows=len(kept), undo_file=undo_path, undo_sql=sql_path)


def take_back(place: ForeignConnection, known: PatchedTable, lines: Sequence[_Line]) -> int:
    """Restore what the lines of an undo file say; all of them, or none."""
    with place.writing() as connection:
        for line in lines:
            _check(known, connection, line.id, line.new)
            values: dict[Any, Any] = {known.columns[role]: old for role, old in line.old.items()}
            if "updated_at" in known.columns:
                values[known.columns["updated_at"]] = line.updated_at
            _update_one(known, connection, line.id, values)
    return len(lines)


def load_undo(path: Path) -> tuple[_Head, list[_Line]]:
    """The head and the lines of an undo file."""
    try:
        first, *rest = path.read_bytes().splitlines()
        head = msgspec.json.decode(first, type=_Head)
        return head, [msgspec.json.decode(line, type=_Line) for line in rest]
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise ForeignDatabaseError(
            f"{path} is not an undo file that can be read: {error}",
            remedy="Name the .jsonl file that the patch has told.",
        ) from error


def _line(known: PatchedTable, patch: AdoptionLine, *, is_sqlite: bool) -> _Line:
    """A patch in the table's own units and types."""
    raw = known.rows.get(patch.trade.row_id)
    if raw is None:
        raise ForeignDatabaseError(
            f"row {patch.trade.row_id} was never read from the table",
            remedy="Read the table again before patching it.",
        )
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for change in patch.changes:
        role = change.column.value
        old[role] = raw[role]
        new[role] = _stored(known, change.column, change.new, is_sqlite=is_sqlite)
    return _Line(id=raw["id"], old=old, new=new, updated_at=raw.get("updated_at"))


def _stored(known: PatchedTable, column: Column, text: str, *, is_sqlite: bool) -> Raw:
    """A new value as its column holds it: in its unit, as its type."""
    if column is Column.STATUS:
        return text
    number = read_number(text)
    if number is None:
        raise ForeignDatabaseError(f"{text!r} is no amount for {column.value}")
    dollars = number / _CENTS_OF_A_DOLLAR if column is Column.SETTLED_PRICE else number
    unit = known.units[column.value]
    value = in_unit(dollars, unit)
    kind = known.columns[column.value].type
    if isinstance(kind, SqlInteger):
        if column is Column.PROFIT_LOSS and unit is Unit.CENTS:
            # Such a column cannot be finer than a cent.
            return round(value)
        return _whole(known, column, value, is_sqlite=is_sqlite)
    if isinstance(kind, String):
        return str(_decimal(value))
    return _decimal(value) if isinstance(kind, Numeric) and kind.asdecimal else float(value)


def _whole(known: PatchedTable, column: Column, value: Ratio, *, is_sqlite: bool) -> Raw:
    if value.denominator == 1:
        return int(value)
    if is_sqlite:
        # An SQLite column takes what does not fit its type as it is.
        return float(value)
    raise ForeignDatabaseError(
        f"the column {known.columns[column.value].name!r} holds whole numbers only; "
        f"{_decimal(value)} does not fit. Nothing was changed.",
        remedy="Change the column's type to a decimal one.",
    )


def _decimal(value: Ratio) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _write(known: PatchedTable, connection: Connection, line: _Line) -> _Line:
    """Update one row after making sure that it is as it was read."""
    now_there = _check(known, connection, line.id, line.old)
    values: dict[Any, Any] = {known.columns[role]: value for role, value in line.new.items()}
    if "updated_at" in known.columns:
        values[known.columns["updated_at"]] = func.current_timestamp()
    _update_one(known, connection, line.id, values)
    return msgspec.structs.replace(line, updated_at=now_there.get("updated_at"))


def _check(
    known: PatchedTable, connection: Connection, row_id: Raw, expected: Mapping[str, Raw]
) -> dict[str, Any]:
    """The row as it is now; refused unless these roles are as expected."""
    roles = list(known.columns)
    query = select(*known.columns.values()).where(known.columns["id"] == row_id).with_for_update()
    found = connection.execute(query).all()
    if len(found) != 1:
        raise _changed(known, row_id, f"{len(found) or 'no'} rows have this id now")
    there = dict(zip(roles, found[0], strict=True))
    for role, value in expected.items():
        if not _same(there[role], value):
            raise _changed(known, row_id, f"{role} is {there[role]!r}, not {value!r}")
    return there


def _same(there: Raw, expected: Raw) -> bool:
    if there == expected:
        return True
    # Undo files hold decimals and times as text.
    if isinstance(there, Decimal | date) and isinstance(expected, str):
        return str(there) == expected
    return False


def _update_one(
    known: PatchedTable, connection: Connection, row_id: Raw, values: Mapping[Any, Any]
) -> None:
    statement = update(known.table).where(known.columns["id"] == row_id).values(dict(values))
    changed = connection.execute(statement).rowcount
    if changed != 1:
        raise _changed(known, row_id, f"the update changed {changed} rows")


def _changed(known: PatchedTable, row_id: Raw, what: str) -> ForeignDatabaseError:
    return ForeignDatabaseError(
        f"row {row_id} of {known.table.name!r} is not as expected: {what}. Nothing was changed.",
        remedy="Somebody else writes to this table: stop the bot, then start again.",
    )


def _undo_sql(head: _Head, line: _Line) -> str:
    changes = dict(line.old)
    if "updated_at" in head.columns:
        changes["updated_at"] = line.updated_at
    setting = ", ".join(
        f'"{head.columns[role]}" = {_literal(value)}' for role, value in changes.items()
    )
    where = f'"{head.columns["id"]}" = {_literal(line.id)}'
    return f'UPDATE "{head.table}" SET {setting} WHERE {where};'  # noqa: S608  # for people


def _literal(value: Raw) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _save(path: Path, lines: Sequence[bytes]) -> None:
    """Write a file that is on disk when this returns, readable by its owner only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ForeignDatabaseError(
            f"the undo file {path} cannot be written ({error.strerror or error}). "
            "Nothing was changed.",
            remedy="Name a folder that you may write to, on a disk with some space.",
        ) from error


def _free(folder: Path, name: str, suffix: str) -> Path:
    path, number = folder / f"{name}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}{suffix}"
    return path
