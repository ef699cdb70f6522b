"""What trueup did, for your own SQL: every call, every step of an order, every error.

An SQLite file of its own beside the books, never in them: it may be deleted at any
time, needs no lease, and several programs may write it.  `note` returns at once; a
writer thread puts what waits into the file in batches.  When the file cannot be
written, or comes too slowly, rows are dropped and counted: a bot never waits for
its own diary.

Rows older than the retention are deleted by the writer at start and every hour.
Times are microseconds since 1970 UTC, prices 1/10,000 $, counts 1/100 contract, as
in the books; the views ``*_readable`` show text, dollars and contracts.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Thread
from typing import Any, Final

from trueup.core.errors import BooksError
from trueup.core.instant import DAY, HOUR, Instant
from trueup.store.private_folder import make_private_folder

VERSION: Final = 1
QUEUE_MAX: Final = 20_000

_BATCH_MAX: Final = 2_000
_LINGER_SECONDS: Final = 0.25
_PRUNE_ROWS: Final = 5_000
_BUSY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One attempt of an API call, or a wait before one.

    `event` is ``answered``, ``retrying`` or ``throttled``; `status` 0 means that no
    whole answer came.
    """

    at: Instant
    process: str
    event: str
    operation: str
    path: str = ""
    attempt: int = 0
    status: int = 0
    body_bytes: int = 0
    microseconds: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One step in the life of an order: wanted, sent, accepted, refused, filled and so on."""

    at: Instant
    process: str
    event: str
    ticker: str
    client_order_id: str = ""
    order_id: str = ""
    strategy: str = ""
    side: str = ""
    price: int | None = None
    count: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """Something that went wrong, and what to do about it."""

    at: Instant
    process: str
    kind: str
    words: str
    remedy: str = ""
    subject: str = ""


Row = CallRow | OrderRow | ErrorRow

TABLES: Final[dict[type[Any], str]] = {
    CallRow: "calls",
    OrderRow: "order_events",
    ErrorRow: "errors",
}

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, process TEXT NOT NULL, event TEXT NOT NULL,
    operation TEXT NOT NULL, path TEXT NOT NULL, attempt INTEGER NOT NULL,
    status INTEGER NOT NULL, body_bytes INTEGER NOT NULL, microseconds INTEGER NOT NULL,
    words TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS calls_at ON calls (at);
CREATE TABLE IF NOT EXISTS order_events (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, process TEXT NOT NULL, event TEXT NOT NULL,
    ticker TEXT NOT NULL, client_order_id TEXT NOT NULL, order_id TEXT NOT NULL,
    strategy TEXT NOT NULL, side TEXT NOT NULL, price INTEGER, count INTEGER,
    words TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS order_events_at ON order_events (at);
CREATE INDEX IF NOT EXISTS order_events_order ON order_events (client_order_id);
CREATE TABLE IF NOT EXISTS errors (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, process TEXT NOT NULL, kind TEXT NOT NULL,
    words TEXT NOT NULL, remedy TEXT NOT NULL, subject TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS errors_at ON errors (at);
CREATE VIEW IF NOT EXISTS calls_readable AS
    SELECT strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || 'Z' AS at, process,
        event, operation, path, attempt, status, body_bytes, microseconds / 1000 AS milliseconds,
        words FROM calls;
CREATE VIEW IF NOT EXISTS order_events_readable AS
    SELECT strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || 'Z' AS at, process,
        event, ticker, strategy, side, price / 10000.0 AS price, count / 100.0 AS count,
        client_order_id, order_id, words FROM order_events;
CREATE VIEW IF NOT EXISTS errors_readable AS
    SELECT strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || 'Z' AS at, process,
        kind, subject, words, remedy FROM errors;
"""


def insert_statement(kind: type[Any]) -> str:
    """The SQL that adds a row of a kind."""
    names = [each.name for each in fields(kind)]
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {TABLES[kind]} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608


_INSERTS: Final = {kind: insert_statement(kind) for kind in TABLES}
_NAMES: Final = {kind: tuple(each.name for each in fields(kind)) for kind in TABLES}


class OperationsLog:
    """The tables of one account.  Opens its file when the first row comes.

    `trouble` hears, once for each stretch of it, why rows are lost.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: int,
        clock: Callable[[], Instant],
        trouble: Callable[[str], None],
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Rows ``written``, ``dropped`` (no room or no disk) and ``pruned``."""
        self._path = path
        self._keep = keep_days * DAY
        self._clock = clock
        self._trouble = trouble
        self._in_trouble = False
        self._queue: Queue[Row | None] = Queue(QUEUE_MAX)
        self._pruned_at: Instant | None = None
        self._thread: Thread | None = None

    def note(self, row: Row) -> None:
        """Keep a row; returns at once."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="trueup-operations", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(row)
        except Full:
            self.counts["dropped"] += 1

    def close(self, patience_seconds: int = 10) -> None:
        """Write what waits, and end."""
        if self._thread is None:
            return
        with suppress(Full):
            self._queue.put(None, timeout=patience_seconds)
        self._thread.join(patience_seconds)

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        is_last = False
        while not is_last:
            rows, is_last = self._batch()
            if not rows:
                continue
            try:
                connection = connection or connect(self._path)
                _write(connection, rows)
                self._prune(connection)
            except (sqlite3.Error, OSError) as error:
                self.counts["dropped"] += len(rows)
                if not self._in_trouble:
                    self._in_trouble = True
                    self._trouble(f"{self._path.name} cannot be written, rows are lost: {error}")
                if connection is not None:
                    connection.close()
                    connection = None
            else:
                self._in_trouble = False
                self.counts["written"] += len(rows)
        if connection is not None:
            connection.close()

    def _batch(self) -> tuple[list[Row], bool]:
        """What waits, after at most a moment; and whether it is the last of all."""
        rows: list[Row] = []
        row = self._queue.get()
        while row is not None:
            rows.append(row)
            if len(rows) >= _BATCH_MAX:
                return rows, False
            try:
                row = self._queue.get(timeout=_LINGER_SECONDS)
            except Empty:
                return rows, False
        return rows, True

    def _prune(self, connection: sqlite3.Connection) -> None:
        now = self._clock()
        if self._pruned_at is not None and 0 <= now - self._pruned_at < HOUR:
            return
        self._pruned_at = now
        self.counts["pruned"] += prune(connection, Instant(now - self._keep))


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, and make the tables where they are missing.

    A damaged file is put aside under another name.  Raises `sqlite3.Error` and `OSError`.
    """
    make_private_folder(path.parent)
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        path.replace(path.with_suffix(".damaged"))
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    # Made by us, so that nobody else may read it from the first moment on.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may cost the last rows of a diary; the books are kept better.
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def prune(connection: sqlite3.Connection, before: Instant) -> int:
    """Delete rows from before that time, a few thousand at once; returns how many."""
    deleted = 0
    for table in TABLES.values():
        while True:
            done = connection.execute(
                f"DELETE FROM {table} WHERE id IN "  # noqa: S608  # names of our own
                f"(SELECT id FROM {table} WHERE at < ? LIMIT {_PRUNE_ROWS})",
                (before,),
            ).rowcount
            deleted += done
            if done < _PRUNE_ROWS:
                break
    if deleted:
        # A plain `execute` would give back one page only.
        connection.executescript("PRAGMA incremental_vacuum")
    return deleted


def _write(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for kind, statement in _INSERTS.items():
            own = [each for each in rows if isinstance(each, kind)]
            if own:
                names = _NAMES[kind]
                connection.executemany(
                    statement, [tuple(getattr(each, name) for name in names) for each in own]
                )
        connection.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


# -- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows are wanted.  Texts match parts, without regard to case; empty: any."""

    since: Instant | None = None
    operation: str = ""
    ticker: str = ""
    order: str = ""
    words: str = ""
    failed: bool = False
    limit: int = 50


def read_rows(path: Path, kind: type[Any], wanted: Selection) -> list[dict[str, Any]]:
    """The newest rows of a kind, oldest first; none where there is no file.

    Raises `BooksError` for a file that cannot be read.
    """
    if not path.exists():
        return []
    names = _NAMES[kind]
    where, values = _conditions(kind, wanted)
    statement = (
        f"SELECT {', '.join(names)} FROM {TABLES[kind]} WHERE {' AND '.join(where)} "  # noqa: S608
        "ORDER BY id DESC LIMIT ?"
    )
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows = connection.execute(statement, (*values, wanted.limit)).fetchall()
    except sqlite3.Error as error:
        raise BooksError(
            f"{path} cannot be read: {error}",
            remedy="No books are in it: move it away, and it begins anew.",
        ) from error
    return [dict(zip(names, row, strict=True)) for row in reversed(rows)]


def count_rows(path: Path) -> dict[str, int]:
    """How many rows each table has; empty where there is no file."""
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return {
                table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
                for table in TABLES.values()
            }
    except sqlite3.Error:
        return {}


def _conditions(kind: type[Any], wanted: Selection) -> tuple[list[str], list[object]]:
    conditions: list[tuple[str, Iterable[object]]] = []
    if wanted.since is not None:
        conditions.append(("at >= ?", (wanted.since,)))
    if wanted.words:
        conditions.append(("words LIKE ?", (f"%{wanted.words}%",)))
    if kind is CallRow:
        if wanted.operation:
            conditions.append(("operation LIKE ?", (f"%{wanted.operation}%",)))
        if wanted.failed:
            conditions.append(("event = 'answered' AND (status = 0 OR status >= 400)", ()))
    if kind is OrderRow:
        if wanted.ticker:
            conditions.append(("ticker LIKE ?", (f"%{wanted.ticker}%",)))
        if wanted.order:
            conditions.append(("? IN (client_order_id, order_id)", (wanted.order,)))
    where = [text for text, _ in conditions] or ["1"]
    return where, [value for _, values in conditions for value in values]
