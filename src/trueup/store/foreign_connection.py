"""Reaching a bot's database: never creating it, never writing by accident."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from trueup.core.errors import ForeignDatabaseError
from trueup.store.opening import sqlite_path


class ForeignConnection:
    """Where a bot's database is, and how it is opened."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._path = sqlite_path(place)
        if self._path is not None and not Path(self._path).is_file():
            raise ForeignDatabaseError(
                f"There is no database at {self._path}.",
                remedy="Check the path: nothing was created.",
            )

    @property
    def place(self) -> str:
        """Where it is, for people; never with a password."""
        if self._path is not None:
            return self._path
        return make_url(self._place).render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is an SQLite file."""
        return self._path is not None

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """A connection that cannot write (an SQLite file is opened read-only)."""
        with self.explained(), self._engine(read_only=True).connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """One transaction: it commits at the end of the block, or nothing is changed."""
        with self.explained(), self._engine(read_only=False).begin() as connection:
            yield connection

    @contextmanager
    def explained(self) -> Generator[None, None, None]:
        """Turn database errors into messages for a person, with what to do next."""
        try:
            yield
        except DBAPIError as error:
            raise _foreign_error(self.place, error.orig or error) from error
        except sqlite3.Error as error:
            raise _foreign_error(self.place, error) from error
        except SQLAlchemyError as error:
            raise ForeignDatabaseError(
                f"{self.place} cannot be used: {error}",
                remedy="Check the URL and the mapping.",
            ) from error

    def _engine(self, *, read_only: bool) -> Engine:
        if self._path is None:
            try:
                return create_engine(self._place, poolclass=NullPool)
            except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
                raise ForeignDatabaseError(
                    f"this kind of database cannot be opened: {error}",
                    remedy="Install its Python driver, or correct the URL.",
                ) from error
        mode = "ro" if read_only else "rw"
        name = f"file:{quote(str(Path(self._path).absolute()))}?mode={mode}"

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(name, uri=True, isolation_level=None, timeout=5)

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
        if not read_only:
            event.listen(engine, "begin", _begin)
        return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _foreign_error(place: str, error: BaseException) -> ForeignDatabaseError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ForeignDatabaseError(
                f"{place} is locked: the bot is writing to it. Nothing was changed.",
                remedy="Stop the bot for a moment, then try again.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return ForeignDatabaseError(
                f"{place} is read-only. Nothing was changed.",
                remedy="Give yourself write permission on the file and its folder.",
            )
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return ForeignDatabaseError(
                f"{place} is not an SQLite database that can be read ({error}).",
                remedy="Check the path.",
            )
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return ForeignDatabaseError(
                f"{place} could not be written ({error}). Nothing was changed.",
                remedy="Free some space on that disk, then try again.",
            )
        case sqlite3.SQLITE_CANTOPEN:
            return ForeignDatabaseError(
                f"{place} cannot be opened.", remedy="Check the path and the permissions."
            )
        case _:
            text = str(error).strip().partition("\n")[0]
            return ForeignDatabaseError(
                f"{place} cannot be read or changed: {text}",
                remedy="Check that the database runs, its URL, user and password.",
            )
