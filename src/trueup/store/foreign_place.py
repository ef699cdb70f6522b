"""Paths, addresses and errors of a bot's database, in words for a person."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trueup.core.errors import ForeignDatabaseError

_SECRET: Final = re.compile(r"pass|secret|token|key", re.IGNORECASE)
_NOTHING: Final = "Nothing was changed."
_ADDRESS: Final = "postgresql://user:password@host/database"


def check_file(path: Path) -> None:
    """Refuse what is no file: opening it would make an empty database."""
    try:
        if path.is_file():
            return
        is_folder = path.is_dir()
    except OSError as error:
        raise ForeignDatabaseError(
            f"{path} cannot be looked at: {error.strerror or error}.",
            remedy="Check the path and your permissions on its folders.",
        ) from error
    if is_folder:
        raise ForeignDatabaseError(
            f"{path} is a folder, not a database.",
            remedy="Name the database file in it, for example "
            f"{_first_database(path) or path / 'trades.db'}.",
        )
    raise ForeignDatabaseError(
        f"There is no database at {path}.",
        remedy="Check the path. Nothing was created.",
    )


def _first_database(folder: Path) -> Path | None:
    endings = {".db", ".sqlite", ".sqlite3"}
    return next((each for each in sorted(folder.iterdir()) if each.suffix in endings), None)


def read_url(place: str) -> URL:
    """An SQLAlchemy URL; PostgreSQL is reached by psycopg whatever the URL's short form.

    The error does not repeat the URL, as the password may be what is wrong in it.
    """
    try:
        url = make_url(place)
    except (ArgumentError, ValueError) as error:
        raise ForeignDatabaseError(
            "the database URL cannot be read.",
            remedy=f"It looks like {_ADDRESS}; write special characters of the password as %XX.",
        ) from error
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    return url


def hidden_url(url: URL) -> str:
    """A URL without any password, as the user writes it."""
    shown = url.set(query={}, drivername=url.drivername.removesuffix("+psycopg"))
    query = [
        f"{name}={'***' if _SECRET.search(name) and not name.endswith('file') else value}"
        for name, values in url.normalized_query.items()
        for value in values
    ]
    return "?".join(
        [shown.render_as_string(hide_password=True), *(["&".join(query)] if query else [])]
    )


def sqlite_error(place: str, error: sqlite3.Error) -> ForeignDatabaseError:
    """What an error of SQLite means."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            what = f"{place} is locked: another program is writing to it. {_NOTHING}"
            remedy = "Stop the bot for a moment, then try again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            what = f"{place} is read-only. {_NOTHING}"
            remedy = "Give yourself write permission on the file and its folder."
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOMEM:
            what = f"{place} could not be read or written ({error}). {_NOTHING}"
            remedy = "Free some space on that disk, then try again."
        case sqlite3.SQLITE_NOTADB:
            what = f"{place} is not an SQLite database."
            remedy = "Check the path; an encrypted database cannot be read."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_FORMAT:
            what = f"{place} is damaged ({error}). {_NOTHING}"
            remedy = 'Rescue it with `sqlite3 broken.db ".recover" | sqlite3 rescued.db`.'
        case sqlite3.SQLITE_CANTOPEN:
            what = f"{place} cannot be opened: you may not read it, or not write to its folder."
            remedy = "Correct the permissions, or work on a copy of the file."
        case sqlite3.SQLITE_CONSTRAINT:
            what = f"{place} refused a value: {error}. {_NOTHING}"
            remedy = "Its table has a rule of its own; map other status words or loosen the rule."
        case _:
            what, remedy = f"{place}: {error}. {_NOTHING}", "Check the table and the mapping."
    return ForeignDatabaseError(what, remedy=remedy)


_STATES: Final = (
    ("28", "did not let you in", "Check the user and the password in the URL."),
    ("3D", "does not exist", "Check the name of the database in the URL."),
    ("42501", "does not permit this", "Grant this user SELECT and UPDATE on the table."),
    ("25006", "is read-only", "Name the primary server, not a replica."),
    ("53", "is out of resources", "Free space on the server's disk, then try again."),
    ("55P03", "is locked by another program", "Stop the bot for a moment, then try again."),
    ("40", "was changed by another program meanwhile", "Stop the bot for a moment and try again."),
    ("57", "is shutting down or cancelled the work", "Try again when it is up."),
    ("23", "refused a value", "Its table has a rule of its own; map other status words."),
    ("22", "refused a value", "The column's type does not hold it; map another column or word."),
)
"""SQLSTATE (or its class), what it means, and the remedy."""


def server_error(place: str, said: str, state: str | None) -> ForeignDatabaseError:
    """What an error of a database server means; `state` is its SQLSTATE."""
    if not state:
        return ForeignDatabaseError(
            f"{place} does not answer ({said}). {_NOTHING}",
            remedy="Check that the server runs, and the host, port, user and password in the URL.",
        )
    for code, what, remedy in _STATES:
        if state.startswith(code):
            return ForeignDatabaseError(f"{place} {what}: {said}. {_NOTHING}", remedy=remedy)
    return ForeignDatabaseError(
        f"{place}: {said}. {_NOTHING}", remedy="Check the table and the mapping."
    )
