"""The file that takes a patch back: what was there, and what was written.

JSON lines: the first says in words what this is, then one line per row with the
old and the new value of each column.  The file is on disk, readable by its owner
only, before the patch is committed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from trueup.core.errors import ForeignDatabaseError
from trueup.core.instant import Instant, format_instant
from trueup.store.foreign_values import Raw, from_json, to_json
from trueup.store.private_folder import make_private_folder

_VERSION: Final = 1
_ABOUT: Final = (
    "trueup patched these rows. Each line below holds a row's key, the values before (old) and "
    "after (new). Take the patch back with: trueup settlements undo --db DATABASE THIS_FILE"
)
_encode: Final = msgspec.json.Encoder().encode


class UndoHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: which table was patched, when and how."""

    trueup_undo: int = _VERSION
    about: str = _ABOUT
    database: str
    table: str
    schema: str | None
    key: tuple[str, ...]
    columns: dict[str, str]
    """Our words → the table's columns."""
    rows: int
    written_at: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    row: str
    ticker: str
    key: tuple[Any, ...]
    old: dict[str, Any]
    new: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRow:
    """One row: its key and the raw values by our words, before and after the patch."""

    row_id: str
    ticker: str
    key: tuple[Raw, ...]
    old: Mapping[str, Raw]
    new: Mapping[str, Raw]


def write_undo(folder: Path, head: UndoHead, rows: Sequence[UndoRow], *, now: Instant) -> Path:
    """Write an undo file that is on disk when this returns; returns its path.

    Raises `ForeignDatabaseError` when it cannot be written; then no file is left.
    """
    lines = [_encode(head)]
    lines += [
        _encode(
            _Line(
                row=row.row_id,
                ticker=row.ticker,
                key=tuple(to_json(part) for part in row.key),
                old={word: to_json(raw) for word, raw in row.old.items()},
                new={word: to_json(raw) for word, raw in row.new.items()},
            )
        )
        for row in rows
    ]
    path: Path | None = None
    try:
        make_private_folder(folder)
        path, handle = _create(folder, _stem(head, now))
        with os.fdopen(handle, "wb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(folder)
    except OSError as error:
        if path is not None:
            take_away(path)
        raise ForeignDatabaseError(
            f"the undo file cannot be written into {folder} ({error.strerror or error}). "
            "Nothing was changed in the database.",
            remedy="Make room there, or set TRUEUP_HOME to a folder that you may write to.",
        ) from error
    return path


def read_undo(path: Path) -> tuple[UndoHead, list[UndoRow]]:
    """The head and the rows of an undo file.

    Raises `ForeignDatabaseError` for anything but a whole undo file.
    """
    try:
        first, *rest = path.read_bytes().splitlines()
        head = msgspec.json.decode(first, type=UndoHead)
        rows = [_row(msgspec.json.decode(line, type=_Line)) for line in rest]
    except OSError as error:
        raise ForeignDatabaseError(
            f"the undo file {path} cannot be read: {error.strerror or error}.",
            remedy="Check its path and permissions.",
        ) from error
    except (ValueError, ArithmeticError, msgspec.MsgspecError) as error:
        raise ForeignDatabaseError(
            f"{path} is not an undo file: {error}.", remedy="Name the file that --write has told."
        ) from error
    if head.trueup_undo != _VERSION:
        raise ForeignDatabaseError(
            f"{path} was written by another trueup (form {head.trueup_undo}).",
            remedy="Install the newer trueup: pip install --upgrade trueup.",
        )
    if len(rows) != head.rows:
        raise ForeignDatabaseError(
            f"{path} is not whole: it holds {len(rows)} of {head.rows} rows. Nothing was changed.",
            remedy="Take it from a backup; a part of a patch is not taken back.",
        )
    return head, rows


def take_away(path: Path) -> None:
    """Remove an undo file whose patch was not committed, if that is possible."""
    with suppress(OSError):
        path.unlink()


def _row(line: _Line) -> UndoRow:
    return UndoRow(
        row_id=line.row,
        ticker=line.ticker,
        key=tuple(from_json(part) for part in line.key),
        old={word: from_json(kept) for word, kept in line.old.items()},
        new={word: from_json(kept) for word, kept in line.new.items()},
    )


def _stem(head: UndoHead, now: Instant) -> str:
    stamp = re.sub(r"[-:]", "", format_instant(now)).partition(".")[0].rstrip("Z") + "Z"
    database = head.database.partition("?")[0].rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{Path(database).stem}-{head.table}").strip("-")
    return f"{stamp}-{name[:60]}"


def _create(folder: Path, stem: str) -> tuple[Path, int]:
    """A new file of that name, or of that name and a number."""
    number = 1
    while True:
        path = folder / (f"{stem}.jsonl" if number == 1 else f"{stem}-{number}.jsonl")
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1


def _sync_folder(folder: Path) -> None:
    """Make the new name in the folder durable; Windows has no such thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
