"""The SQLite driver: one file, the standard library's driver, no server.

Write-ahead logging lets readers and the one writer work side by side;
``synchronous=FULL`` makes a commit durable before it returns.  An in-memory
database is the same driver on the name ``:memory:``: reads then share the one
connection.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from trueup.core.errors import BooksError
from trueup.store.driver import STREAM_ROWS, AnyRow, Parameters
from trueup.store.private_folder import make_private_folder
from trueup.store.statement import Statement, conflict_text, insert_text

MEMORY: Final = ":memory:"
_CACHE_KIB: Final = {"writer": 65_536, "reader": 16_384}
"""A sort of a streaming read takes as much again before it goes to disk."""
_PAGE_BYTES: Final = 8_192
"""Journal rows are long: fewer, larger pages are written faster."""
_CHECKPOINT_PAGES: Final = 4_000
_FILE_KINDS: Final = {
    "locked": (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
    "read-only": (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH),
    "full": (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM),
    "damaged": (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT),
    "absent": (sqlite3.SQLITE_CANTOPEN,),
}


class SqliteDriver:
    """An open SQLite database; see `trueup.store.driver.Driver`."""

    def __init__(self, path: str, *, read_only: bool = False, patience_seconds: int = 10) -> None:
        self._path = path
        self._read_only = read_only
        self._patience = patience_seconds
        self._lock = threading.RLock()
        log = Path(f"{path}-wal")
        self._new_log = log if read_only and path != MEMORY and not log.exists() else None
        """What a connection that only reads makes and cannot take away."""
        with self.explained():
            self._writer = self._connect(read_only=read_only)
            if not (read_only or self._is_somebody_elses()):
                for pragma in (
                    f"page_size = {_PAGE_BYTES}",
                    "journal_mode = WAL",
                    "synchronous = FULL",
                    f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
                ):
                    self._writer.execute(f"PRAGMA {pragma}").fetchall()
            shared = path == MEMORY or read_only
            self._reader = self._writer if shared else self._connect(read_only=True)

    @property
    def dialect(self) -> str:
        """The name of the SQL dialect."""
        return "sqlite"

    @property
    def place(self) -> str:
        """The path."""
        return self._path

    @property
    def connection(self) -> sqlite3.Connection:
        """The writing connection, for migrations and backups."""
        return self._writer

    def rows(self, statement: Statement, parameters: Parameters = ()) -> list[AnyRow]:
        """All rows of a query."""
        with self.explained(), self._lock:
            return self._reader.execute(statement.sqlite, parameters).fetchall()

    def among(self, values: Iterable[object]) -> object:
        """A list as one JSON text."""
        return _among(values)

    @contextmanager
    def writing(self) -> Generator[SqliteTransaction, None, None]:
        """Begin a write transaction at once, so that nobody else can be in between."""
        with self._lock, self.explained():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                # A full disk has rolled back already.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def stream(
        self, statement: Statement, parameters: Parameters = ()
    ) -> Generator[AnyRow, None, None]:
        """The rows of one snapshot, from a connection of its own."""
        with self.explained():
            if self._path == MEMORY:
                yield from _fetched(self._writer.execute(statement.sqlite, parameters))
                return
            with closing(self._connect(read_only=True)) as connection:
                yield from _fetched(connection.execute(statement.sqlite, parameters))

    @contextmanager
    def snapshot(self) -> Generator[SqliteSnapshot, None, None]:
        """One state of the database; in memory, nothing else may be done meanwhile."""
        with self.explained():
            if self._path == MEMORY:
                with self._lock:
                    yield SqliteSnapshot(self._writer)
                return
            with closing(self._connect(read_only=True)) as connection:
                connection.execute("BEGIN")
                yield SqliteSnapshot(connection)

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        with self._lock, self.explained():
            return _tables(self._reader)

    def _is_somebody_elses(self) -> bool:
        """Whether the file holds tables, but no books: it will be refused, and stays as it is."""
        there = _tables(self._writer)
        return bool(there) and "journal" not in there

    @contextmanager
    def explained(self) -> Generator[None, None, None]:
        """Turn SQLite's errors into messages for a person, with what to do next."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise _books_error(self._path, error) from error

    def close(self) -> None:
        """Close both connections; the last one folds the write-ahead log in."""
        if self._reader is not self._writer:
            self._reader.close()
        self._writer.close()
        if self._new_log is not None and self._new_log.exists():
            with suppress(sqlite3.Error):
                self._connect(read_only=False).close()

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        """Open the file that is there; a wrong path never makes a new one."""
        name, uri = self._path, False
        if self._path != MEMORY:
            uri = True
            name = f"file:{quote(str(Path(self._path).absolute()))}?mode="
            name += "ro" if read_only else "rw"
        connection = sqlite3.connect(
            name,
            uri=uri,
            timeout=self._patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            cache = _CACHE_KIB["reader" if read_only else "writer"]
            connection.execute(f"PRAGMA cache_size = -{cache}")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {name for (name,) in found if not name.startswith("sqlite_")}


class SqliteTransaction:
    """An open write transaction; see `trueup.store.driver.Transaction`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: Statement, parameters: Parameters = ()) -> list[AnyRow]:
        """All rows of a query, with what this transaction has written."""
        return self._connection.execute(statement.sqlite, parameters).fetchall()

    def among(self, values: Iterable[object]) -> object:
        """A list as one JSON text."""
        return _among(values)

    def execute(self, statement: Statement, parameters: Parameters = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._connection.execute(statement.sqlite, parameters).rowcount

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Parameters]) -> None:
        """One prepared statement for all rows."""
        if rows:
            self._connection.executemany(insert_text(table, columns), rows)

    def upsert(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Sequence[Parameters],
        *,
        identity: tuple[str, ...],
    ) -> None:
        """One prepared statement for all rows."""
        if rows:
            text = insert_text(table, columns) + conflict_text(columns, identity)
            self._connection.executemany(text, rows)


class SqliteSnapshot:
    """See `trueup.store.driver.Snapshot`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def stream(self, statement: Statement) -> Generator[AnyRow, None, None]:
        """The rows of a query, a few at a time."""
        return _fetched(self._connection.execute(statement.sqlite))


def create_file(path: Path) -> None:
    """Make an empty database file, readable by its owner only; the folder too.

    Raises `BooksError` when that is not allowed.
    """
    try:
        make_private_folder(path.parent)
        path.touch(mode=0o600)
    except OSError as error:
        raise BooksError(
            f"{path} cannot be made: {error.strerror or error}",
            remedy="Choose a folder that exists and that you may write to.",
        ) from error


def _among(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _fetched(cursor: sqlite3.Cursor) -> Generator[AnyRow, None, None]:
    with closing(cursor):
        while rows := cursor.fetchmany(STREAM_ROWS):
            yield from rows


def _books_error(path: str, error: sqlite3.Error) -> BooksError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kind = next((kind for kind, codes in _FILE_KINDS.items() if code in codes), "")
    match kind:
        case "locked":
            return BooksError(
                f"{path} is locked: another program is writing to it and did not finish in time.",
                remedy="Wait until it has finished, or end it; then try again.",
            )
        case "read-only":
            return BooksError(
                f"{path} is read-only: nothing was written.",
                remedy="Give yourself write permission on the file and its folder.",
            )
        case "full":
            return BooksError(
                f"{path} could not be written ({error}): the disk may be full. "
                "The last step was taken back; nothing is half-written.",
                remedy="Free some space on that disk, then run the same command again.",
            )
        case "damaged":
            return BooksError(
                f"{path} is not a database that can be read ({error}).",
                remedy="Check the path; if it is the right file, `trueup db restore` a backup.",
            )
        case "absent":
            return BooksError(
                f"{path} cannot be opened: there is no such file, or you may not read it.",
                remedy="Check the path, or run `trueup init` to make new books.",
            )
        case _:
            return BooksError(f"{path}: {error}", remedy="Run `trueup doctor`.")
