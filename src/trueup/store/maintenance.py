"""Backup, restore, move, upgrade and rebuild: what `trueup db` does.

A copy between databases is proven: for every table the number of rows and a
hash of their content, which does not depend on their order, are taken on the
way out of the one and again out of the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final, TypedDict, Unpack

import msgspec

from trueup.core.errors import BooksError, InvariantBroken
from trueup.store import sql
from trueup.store.building import connected, migrate
from trueup.store.driver import AnyRow, Driver, Snapshot
from trueup.store.opening import (
    check_identity,
    check_version,
    connect,
    open_driver,
    read_identity,
    sqlite_path,
    take_away,
)
from trueup.store.rebuilding import rebuild as rebuild_session
from trueup.store.schema import DURABLE
from trueup.store.schema_projections import PROJECTED
from trueup.store.session import Session, process_lives
from trueup.store.sqlite import MEMORY, SqliteDriver, create_file
from trueup.store.statement import Statement
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION

_BATCH: Final = 5000
_encode: Final = msgspec.json.Encoder().encode


class Identity(TypedDict):
    """Whose books they are."""

    venue: str
    mode: str
    account: str


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that was copied.  `digest` is the hash of its content, in any order."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied where; every table was compared row by row with its original.

    `kept` is where the books that were there before are now (`restore`).
    """

    source: str
    target: str
    tables: tuple[CopiedTable, ...]
    kept: str = ""

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which version of the tables to which; equal where nothing was to be done."""

    before: str
    after: str


def backup(place: str, target: Path, **identity: Unpack[Identity]) -> Copied:
    """Copy the books into a new SQLite file, while others may go on writing.

    Raises `BooksError` when the file exists already.
    """
    _refuse_existing(target)
    with _opened(place, identity) as source:
        return _copy_to_new(source, str(target), identity)


def restore(source: Path, place: str, **identity: Unpack[Identity]) -> Copied:
    """Put a backup in the place of the books; the present ones are kept beside it.

    Refused while another process holds the writer lease, for a backup of another
    account or of a newer trueup.  Books on PostgreSQL are only restored into an
    empty database.
    """
    if not source.exists():
        raise BooksError(f"There is no backup at {source}.", remedy="Check the path.")
    path = sqlite_path(place)
    with _opened(str(source), identity, any_version=True) as kept:
        if path is None:
            check_version(kept, read_identity(kept))
            return _copy_to_new(kept, place, identity)
        aside = ""
        if Path(path).exists():
            aside = _put_aside(path, identity)
        else:
            create_file(Path(path))
        _copy_file(kept, path)
        with _opened(place, identity, any_version=True) as restored:
            tables = compare(kept, restored)
    return Copied(source=str(source), target=place, tables=tables, kept=aside)


def move(source: str, target: str, **identity: Unpack[Identity]) -> Copied:
    """Copy the books to another database (SQLite → PostgreSQL or back) and prove the copy.

    The source stays as it is; the target must be new or empty.  Refused while
    another process holds the writer lease.
    """
    with _opened(source, identity) as books:
        _refuse_living_writer(books)
        return _copy_to_new(books, target, identity)


def upgrade(place: str, **identity: Unpack[Identity]) -> Upgraded:
    """Bring the tables of older books to this version; make the projections again.

    Where it is interrupted, run it again.  Raises `BooksError` for books of a
    newer trueup, which stay untouched.
    """
    with _opened(place, identity, any_version=True) as driver:
        found = read_identity(driver)
        before = f"{found['schema_version']}.{found['projection_version']}"
        wanted = f"{SCHEMA_VERSION}.{PROJECTION_VERSION}"
        if before != wanted:
            _refuse_living_writer(driver)
            if int(found["schema_version"]) < SCHEMA_VERSION:
                migrate(driver)
            rebuild_session(Session(driver, read_only=False))
        return Upgraded(before, wanted)


def rebuild(place: str, **identity: Unpack[Identity]) -> int:
    """Make all projections again from the journal; returns how many versions were read.

    All markets are to be booked again afterwards.
    """
    with _opened(place, identity, any_version=True) as driver:
        found = read_identity(driver)
        if int(found["schema_version"]) != SCHEMA_VERSION:
            check_version(driver, found)
        return rebuild_session(Session(driver, read_only=False))


@contextmanager
def _opened(
    place: str, identity: Identity, *, any_version: bool = False
) -> Generator[Driver, None, None]:
    """A database of these books; of this version, unless `any_version` that is not newer."""
    wanted = {"venue": identity["venue"], "mode": identity["mode"], "account": identity["account"]}
    driver = open_driver(place, identity=wanted, create=False, read_only=False, patience_seconds=10)
    try:
        try:
            check_identity(driver, wanted)
        except BooksError:
            found = read_identity(driver)
            same = all(found.get(name) == value for name, value in wanted.items())
            newer = int(found["schema_version"]) > SCHEMA_VERSION
            newer = newer or int(found["projection_version"]) > PROJECTION_VERSION
            if not any_version or not same or newer:
                raise
        yield driver
    finally:
        driver.close()


def _copy_to_new(source: Driver, target: str, identity: Identity) -> Copied:
    """Copy into a database that is not there yet or empty; take it away if that fails."""
    path = sqlite_path(target)
    if path is not None and path != MEMORY:
        _refuse_existing(Path(path))
    else:
        _refuse_filled(target)
    wanted = {"venue": identity["venue"], "mode": identity["mode"], "account": identity["account"]}
    copy = open_driver(target, identity=wanted, create=True, read_only=False, patience_seconds=10)
    try:
        with source.snapshot() as state:
            sent = _send(state, copy)
        received = _table_sums(copy)
        _refuse_difference(sent, received)
    except BaseException:
        _undo_copy(copy, path)
        raise
    copy.close()
    return Copied(source=source.place, target=copy.place, tables=received)


def _send(state: Snapshot, copy: Driver) -> tuple[CopiedTable, ...]:
    """Send every table, in one transaction of the copy."""
    sent: list[CopiedTable] = []
    with copy.writing() as transaction:
        transaction.execute(Statement("DELETE FROM meta"))
        for name, columns in table_columns().items():
            counted = TableSum(name)
            rows = counted.counting(state.stream(_select(name, columns)))
            while batch := list(islice(rows, _BATCH)):
                transaction.insert(name, columns, batch)
            sent.append(counted.table())
    return tuple(sent)


def _table_sums(driver: Driver) -> tuple[CopiedTable, ...]:
    sums: list[CopiedTable] = []
    with driver.snapshot() as state:
        for name, columns in table_columns().items():
            counted = TableSum(name)
            for _ in counted.counting(state.stream(_select(name, columns))):
                pass
            sums.append(counted.table())
    return tuple(sums)


class TableSum:
    """Counts rows and sums their hashes: the same in whatever order they come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rows = self._total = 0

    def counting(self, rows: Iterator[AnyRow]) -> Iterator[AnyRow]:
        """The same rows, counted on the way."""
        for row in rows:
            self._rows += 1
            self._total += int.from_bytes(blake2b(_encode(row), digest_size=16).digest(), "big")
            yield row

    def table(self) -> CopiedTable:
        """What was counted."""
        return CopiedTable(self._name, self._rows, f"{self._total % 2**128:032x}")


def compare(first: Driver, second: Driver) -> tuple[CopiedTable, ...]:
    """Prove that two databases hold the same rows; raises `InvariantBroken` if not."""
    sums = _table_sums(second)
    _refuse_difference(_table_sums(first), sums)
    return sums


def _refuse_difference(sent: tuple[CopiedTable, ...], received: tuple[CopiedTable, ...]) -> None:
    differing = [a.name for a, b in zip(sent, received, strict=True) if a != b]
    if differing:
        raise InvariantBroken(f"the copy differs from the original in {', '.join(differing)}")


def table_columns() -> dict[str, tuple[str, ...]]:
    """Every table with its columns, but the lease: that belongs to one database."""
    return {
        name: tuple(table.columns.keys())
        for metadata in (DURABLE, PROJECTED)
        for name, table in metadata.tables.items()
        if name != "lease"
    }


def _select(name: str, columns: tuple[str, ...]) -> Statement:
    return Statement(f"SELECT {', '.join(columns)} FROM {name}")  # noqa: S608  # our own names


def _undo_copy(copy: Driver, path: str | None) -> None:
    if path is None:
        with connected(copy) as connection:
            for metadata in (PROJECTED, DURABLE):
                for name in metadata.tables:
                    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name} CASCADE")
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    copy.close()
    if path is not None and path != MEMORY:
        take_away(Path(path))


def _put_aside(path: str, identity: Identity) -> str:
    """Keep a copy of the present books; returns where."""
    aside = _free_name(Path(f"{path}.before-restore"))
    with _opened(path, identity, any_version=True) as present:
        _refuse_living_writer(present)
        create_file(aside)
        _copy_file(present, str(aside))
    return str(aside)


def _copy_file(driver: Driver, path: str) -> None:
    """Replace the whole content of a file by that of a database, in one step."""
    if not isinstance(driver, SqliteDriver):
        raise InvariantBroken(f"{driver.place} is no file")
    with driver.explained(), closing(sqlite3.connect(path)) as target:
        driver.connection.backup(target)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise BooksError(f"{path} exists already.", remedy="Name a file that is not there yet.")


def _refuse_filled(place: str) -> None:
    if place == MEMORY:
        return
    with closing(connect(place)) as driver:
        tables = driver.tables()
        if "journal" in tables:
            raise BooksError(
                f"{driver.place} holds books already.",
                remedy="Use an empty database or schema.",
            )


def _refuse_living_writer(driver: Driver) -> None:
    for _, host, pid, role, *_ in driver.rows(sql.LEASE):
        if process_lives(host, pid):
            raise BooksError(
                f"{driver.place} is being written by {role} (process {pid} on {host}).",
                remedy="End it first, then try again.",
            )


def _free_name(path: Path) -> Path:
    """The path, or with the first number that is free."""
    number = 1
    while Path(f"{path}-{number}").exists():
        number += 1
    return Path(f"{path}-{number}")
