"""A bot's trades in a file of comma-separated values: made a table, to be checked like any other.

It is only ever read.  The rows are numbered as they come; an empty cell is NULL.
"""

from __future__ import annotations

import csv
import sqlite3
import tempfile
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from trueup.core.errors import ForeignDatabaseError
from trueup.store.foreign_place import check_file


def is_csv(place: str) -> bool:
    """Whether a place names such a file."""
    return "://" not in place and place.lower().endswith(".csv")


@contextmanager
def as_database(place: str, table: str) -> Generator[str]:
    """The path of an SQLite database that holds the rows as the table of this name, for a while.

    Raises `ForeignDatabaseError` when there is no such file, or it is no table.
    """
    path = Path(place).expanduser()
    check_file(path)
    head, rows = _read(path)
    with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
        target = str(Path(folder) / "trades.db")
        with closing(sqlite3.connect(target)) as connection, connection:
            columns = ", ".join(_quoted(name) for name in head)
            places = ", ".join("?" * len(head))
            connection.execute(f"CREATE TABLE {_quoted(table)} ({columns})")
            connection.executemany(
                f"INSERT INTO {_quoted(table)} VALUES ({places})",  # noqa: S608  # quoted
                [[cell.strip() or None for cell in row] for row in rows],
            )
        yield target


def _read(path: Path) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file, strict=True)
            head = [name.strip() for name in next(table, list[str]())]
            rows = [row for row in table if row]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise ForeignDatabaseError(
            f"{path} cannot be read as comma-separated values: {error}.",
            remedy="Save it as UTF-8 with a head, commas and quotes.",
        ) from error
    names = [name.lower() for name in head]
    if not head or not all(head) or len(set(names)) < len(names):
        raise ForeignDatabaseError(
            f"{path} has no head that names every column once: {', '.join(head) or 'nothing'}.",
            remedy="The first line must name the columns.",
        )
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            raise ForeignDatabaseError(
                f"{path}, row {number}: {len(row)} cells where the head has {len(head)}.",
                remedy="Repair or remove that row.",
            )
    return head, rows


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
