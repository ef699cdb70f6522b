"""Reaching a bot's database: never creating it, never writing by accident, never showing
its password.
"""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SAWarning, SQLAlchemyError
from sqlalchemy.pool import NullPool

from trueup.core.errors import ForeignDatabaseError
from trueup.store.foreign_place import check_file, hidden_url, read_url, server_error, sqlite_error
from trueup.store.opening import sqlite_path

PATIENCE_SECONDS: Final = 5
"""How long to wait for another writer, or for a server to answer."""

_TO_BE_CLEARED: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class CommitUnknown(ForeignDatabaseError):
    """The server was lost during the commit: nobody knows whether it took effect."""


class ForeignConnection:
    """Where a bot's database is, and how it is opened.

    `place` is the path of an SQLite file, or an SQLAlchemy URL; `shown` is named
    instead of it.  Raises
    `ForeignDatabaseError` when there is no such file.
    """

    def __init__(
        self, place: str, *, patience_seconds: int = PATIENCE_SECONDS, shown: str = ""
    ) -> None:
        self._shown = shown
        self._patience = patience_seconds
        self._path: Path | None = None
        self._url: URL | None = None
        path = sqlite_path(place)
        if path is None:
            self._url = read_url(place)
        else:
            self._path = Path(path).expanduser()
            check_file(self._path)

    @property
    def place(self) -> str:
        """Where it is, for people; never with a password."""
        if self._shown:
            return self._shown
        return str(self._path) if self._url is None else hidden_url(self._url)

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql`` or what else the URL names."""
        return "sqlite" if self._url is None else self._url.get_backend_name()

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """A connection that cannot write (an SQLite file is opened read-only)."""
        engine = self._engine(self._open_to_read)
        with self.explained(), self._leaving_no_log(), engine.connect() as connection:
            if self.dialect == "postgresql":
                connection.execution_options(postgresql_readonly=True)
            yield connection

    @contextmanager
    def _leaving_no_log(self) -> Generator[None, None, None]:
        """Take away the write-ahead log that reading a file makes and cannot take away.

        A connection that may write removes it when it is the last one to close; while
        the bot has the file open, it stays and is the bot's.
        """
        log = None if self._path is None else Path(f"{self._path}-wal")
        was_there = log is None or log.exists()
        try:
            yield
        finally:
            if log is not None and not was_there and log.exists():
                with suppress(sqlite3.Error):
                    self._open_file("rw").close()

    @contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """One transaction: it commits at the end of the block, or nothing is changed.

        Raises `CommitUnknown` when a server was lost during the commit.
        """
        with self.explained(), self._engine(self._open_to_write).connect() as connection:
            if self.dialect == "sqlite":
                # At once, so that nobody can write between our reading and our writing.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            elif self.dialect == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{self._patience}s'")
            try:
                yield connection
                self._commit(connection)
            except BaseException:
                # A lost connection or a full disk has rolled back already.
                with suppress(SQLAlchemyError):
                    connection.rollback()
                raise

    @contextmanager
    def explained(self) -> Generator[None, None, None]:
        """Turn database errors into messages for a person, with what to do next."""
        with warnings.catch_warnings():
            # SQLAlchemy warns of column types that it does not know: theirs, not ours.
            warnings.simplefilter("ignore", SAWarning)
            try:
                yield
            except DBAPIError as error:
                raise self._explain(error.orig or error) from error
            except sqlite3.Error as error:
                raise self._explain(error) from error
            except SQLAlchemyError as error:
                raise ForeignDatabaseError(
                    f"{self.place} cannot be used: {self._said(error)}",
                    remedy="Check the URL and the mapping.",
                ) from error

    def _explain(self, error: BaseException) -> ForeignDatabaseError:
        if isinstance(error, sqlite3.Error):
            return sqlite_error(self.place, error)
        return server_error(self.place, self._said(error), getattr(error, "sqlstate", None))

    def _said(self, error: BaseException) -> str:
        """The first line of an error, without the password should a driver repeat it."""
        said = str(error).strip().partition("\n")[0]
        if self._url is not None and self._url.password:
            said = said.replace(str(self._url.password), "***")
        return said

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except DBAPIError as error:
            if self.dialect == "sqlite" or getattr(error.orig, "sqlstate", None):
                raise
            raise CommitUnknown(
                f"{self.place} was lost while it committed ({self._said(error.orig or error)}): "
                "nobody knows whether the rows were changed.",
                remedy="Run the dry run again: it shows what is there now.",
            ) from error

    def _engine(self, open_file: Any) -> Engine:  # noqa: ANN401  # a method of this class
        if self._url is None:
            return create_engine("sqlite://", creator=open_file, poolclass=NullPool)
        options: dict[str, Any] = {}
        if self.dialect == "postgresql":
            options["connect_args"] = {"connect_timeout": self._patience}
        try:
            return create_engine(self._url, poolclass=NullPool, **options)
        except (SQLAlchemyError, ImportError, TypeError, ValueError) as error:
            raise ForeignDatabaseError(
                f"a {self._url.drivername} database cannot be opened: {self._said(error)}",
                remedy="Install trueup[postgres] for PostgreSQL, the Python driver of another "
                "database, or correct the URL.",
            ) from error

    def _open_to_read(self) -> sqlite3.Connection:
        """Read-only, unless what a crashed bot left behind must be cleared up first."""
        try:
            return self._open_file("ro")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _TO_BE_CLEARED:
                raise
        connection = self._open_file("rw")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _open_to_write(self) -> sqlite3.Connection:
        return self._open_file("rw")

    def _open_file(self, mode: str) -> sqlite3.Connection:
        """Open the file that is there, and be sure that it is a database."""
        assert self._path is not None  # noqa: S101  # only asked for files
        name = f"file:{quote(str(self._path.absolute()))}?mode={mode}"
        connection = sqlite3.connect(name, uri=True, isolation_level=None, timeout=self._patience)
        try:
            connection.text_factory = _text
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection


def _text(stored: bytes) -> str | bytes:
    """A text as it is stored; bytes where it is no UTF-8, which SQLite does not check."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
