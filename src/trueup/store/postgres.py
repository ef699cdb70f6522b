"""The PostgreSQL driver, on psycopg 3 (the extra ``trueup[postgres]``).

Bulk rows travel by ``COPY``; an upsert copies into a temporary table first.
Write transactions take an advisory lock, so that there is one writer at a time
as with SQLite; readers never wait.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString, cast
from urllib.parse import parse_qs, urlsplit

from trueup.core.errors import BooksError
from trueup.store.driver import STREAM_ROWS, AnyRow, Parameters
from trueup.store.statement import Statement, conflict_text, insert_text

try:
    import psycopg
    from psycopg import errors
except ImportError as missing:
    raise BooksError(
        "The driver for PostgreSQL is not installed.",
        remedy='Install it: pip install "trueup[postgres]".',
    ) from missing

_WRITER_LOCK: Final = 7_821_554
"""Any number of our own; together with the schema's name it is the writers' lock."""
_FEW_ROWS: Final = 20
"""Below this many rows a temporary table costs more than it saves."""


class PostgresDriver:
    """An open PostgreSQL database; see `trueup.store.driver.Driver`."""

    def __init__(self, url: str, *, read_only: bool = False, patience_seconds: int = 10) -> None:
        self._url = plain_url(url)
        self._place = without_password(self._url)
        self._read_only = read_only
        self._patience = patience_seconds
        self._lock = threading.RLock()
        self._writer = self._connect()
        self._reader = self._connect()

    @property
    def dialect(self) -> str:
        """The name of the SQL dialect."""
        return "postgresql"

    @property
    def place(self) -> str:
        """The URL without its password."""
        return self._place

    @property
    def url(self) -> str:
        """The URL as libpq reads it, with its password: never show it."""
        return self._url

    def rows(self, statement: Statement, parameters: Parameters = ()) -> list[AnyRow]:
        """All rows of a query."""
        with self.explained(), self._lock:
            self._reader = self._living(self._reader)
            return _rows(self._reader, statement, parameters)

    def among(self, values: Iterable[object]) -> object:
        """A list as one array."""
        return list(values)

    @contextmanager
    def writing(self) -> Generator[PostgresTransaction, None, None]:
        """Begin a write transaction, when no other writer has one."""
        with self._lock, self.explained():
            self._writer = self._living(self._writer)
            with self._writer.transaction():
                self._writer.execute(_as_sql(f"SET LOCAL lock_timeout = '{self._patience}s'"))
                self._writer.execute(
                    "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))", (_WRITER_LOCK,)
                )
                yield PostgresTransaction(self._writer)

    def stream(
        self, statement: Statement, parameters: Parameters = ()
    ) -> Generator[AnyRow, None, None]:
        """The rows of one snapshot, by a server-side cursor on its own connection."""
        with self.explained():
            connection = self._connect()
            try:
                with connection.transaction(), connection.cursor(name="stream") as cursor:
                    cursor.itersize = STREAM_ROWS
                    cursor.execute(_as_sql(statement.postgresql), parameters)
                    yield from cast("Iterable[AnyRow]", cursor)
            finally:
                connection.close()

    @contextmanager
    def snapshot(self) -> Generator[PostgresSnapshot, None, None]:
        """One state of the database, on a connection of its own."""
        with self.explained():
            connection = self._connect()
            try:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                with connection.transaction():
                    yield PostgresSnapshot(connection)
            finally:
                connection.close()

    def tables(self) -> set[str]:
        """The names of the tables in the present schema."""
        listed = Statement(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        )
        return {row[0] for row in self.rows(listed)}

    def close(self) -> None:
        """Close both connections."""
        self._reader.close()
        self._writer.close()

    def _connect(self) -> psycopg.Connection[Any]:
        with self.explained():
            connection = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            if self._read_only:
                connection.read_only = True
                connection.execute("SET default_transaction_read_only = on")
            return connection

    def _living(self, connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
        """The connection, or a new one where the server has ended it meanwhile."""
        return self._connect() if connection.closed else connection

    @contextmanager
    def explained(self) -> Generator[None, None, None]:
        """Turn PostgreSQL's errors into messages for a person, with what to do next."""
        try:
            yield
        except (errors.IntegrityError, errors.ProgrammingError, errors.DataError) as error:
            if isinstance(error, errors.InsufficientPrivilege):
                raise _books_error(self._place, error) from error
            raise
        except psycopg.Error as error:
            raise _books_error(self._place, error) from error


class PostgresTransaction:
    """An open write transaction; see `trueup.store.driver.Transaction`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, statement: Statement, parameters: Parameters = ()) -> list[AnyRow]:
        """All rows of a query, with what this transaction has written."""
        return _rows(self._connection, statement, parameters)

    def among(self, values: Iterable[object]) -> object:
        """A list as one array."""
        return list(values)

    def execute(self, statement: Statement, parameters: Parameters = ()) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._connection.execute(_as_sql(statement.postgresql), parameters).rowcount

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Parameters]) -> None:
        """One COPY for all rows."""
        if rows:
            self._copy(table, columns, rows)

    def upsert(
        self,
        table: str,
        columns: tuple[str, ...],
        rows: Sequence[Parameters],
        *,
        identity: tuple[str, ...],
    ) -> None:
        """COPY into a temporary table, then one INSERT … ON CONFLICT."""
        if not rows:
            return
        conflict = conflict_text(columns, identity)
        if len(rows) <= _FEW_ROWS:
            text = Statement(insert_text(table, columns) + conflict).postgresql
            with self._connection.cursor() as cursor:
                cursor.executemany(_as_sql(text), rows)
            return
        names = ", ".join(columns)
        staging = f"staging_{table}"
        self._connection.execute(
            _as_sql(
                f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} "
                f"(LIKE {table}) ON COMMIT DELETE ROWS"
            )
        )
        self._connection.execute(_as_sql(f"DELETE FROM {staging}"))  # noqa: S608  # our own names
        self._copy(staging, columns, rows)
        self._connection.execute(
            _as_sql(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staging}{conflict}")  # noqa: S608
        )

    def _copy(self, table: str, columns: tuple[str, ...], rows: Sequence[Parameters]) -> None:
        text = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(_as_sql(text)) as copy:
            for row in rows:
                copy.write_row(row)


class PostgresSnapshot:
    """See `trueup.store.driver.Snapshot`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def stream(self, statement: Statement) -> Generator[AnyRow, None, None]:
        """The rows of a query, by a server-side cursor."""
        with self._connection.cursor(name="snapshot") as cursor:
            cursor.itersize = STREAM_ROWS
            cursor.execute(_as_sql(statement.postgresql))
            yield from cast("Iterable[AnyRow]", cursor)


def plain_url(url: str) -> str:
    """The URL as libpq reads it: SQLAlchemy's ``postgresql+psycopg`` becomes ``postgresql``."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    user, separator, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    server = f"{name}{separator}{host}" if name else host
    socket = "".join(parse_qs(parts.query).get("host", []))
    return f"{parts.scheme}://{server}{parts.path}{f'?host={socket}' if socket else ''}"


def _rows(
    connection: psycopg.Connection[Any], statement: Statement, parameters: Parameters
) -> list[AnyRow]:
    return connection.execute(_as_sql(statement.postgresql), parameters).fetchall()


def _as_sql(text: str) -> LiteralString:
    """Our statements are made of literals and our own table names only."""
    return cast("LiteralString", text)


def _books_error(place: str, error: psycopg.Error) -> BooksError:
    text = str(error).strip().partition("\n")[0]
    match error:
        case errors.LockNotAvailable():
            return BooksError(
                f"{place} is locked: another program is writing to it and did not finish in time.",
                remedy="Wait until it has finished, or end it; then try again.",
            )
        case errors.DiskFull():
            return BooksError(
                f"{place} could not be written: the server's disk is full. "
                "The last step was taken back; nothing is half-written.",
                remedy="Free some space on the server, then run the same command again.",
            )
        case errors.ReadOnlySqlTransaction() | errors.InsufficientPrivilege():
            return BooksError(
                f"{place} is read-only for this user: nothing was written ({text}).",
                remedy="Give the user the right to write, or connect as another one.",
            )
        case _:
            return BooksError(
                f"{place} cannot be reached or ended the connection: {text}",
                remedy="Check that PostgreSQL runs, and the URL, user and password.",
            )
