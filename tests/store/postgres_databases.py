"""Databases on the embedded PostgreSQL server of the tests."""

from __future__ import annotations

from collections.abc import Callable

from conftest_names import ACCOUNT, MODE, VENUE

from trueup.store.database import open_books
from trueup.store.maintenance import table_columns
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION

_SET_VERSION = "UPDATE meta SET value = '{}' WHERE name = '{}_version'"


class PostgresDatabases:
    """Empty databases, and databases with new books: those are used again, emptied."""

    def __init__(self, server: str, empty: Callable[[], str]) -> None:
        self._server = server
        self.empty = empty
        """Makes a database without any table, and gives its address."""
        self._free: list[str] = []
        # No test pulls the plug: the server need not wait for the disk.
        self._run("postgres", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def filled(self) -> str:
        """The address of a database with new books; give it back with `free`."""
        if self._free:
            return self._free.pop()
        url = self.empty()
        open_books(url, venue=VENUE, mode=MODE, account=ACCOUNT, create=True).close()
        return url

    def free(self, url: str) -> None:
        """Make the books new again."""
        tables = ", ".join(name for name in table_columns() if name != "meta")
        database = url.partition("?")[0].rpartition("/")[2]
        self._run(
            database,
            "SET lock_timeout = '60s'",
            f"TRUNCATE {tables}, lease",
            "UPDATE meta SET value = '0' WHERE name = 'indexed_to'",
            "DELETE FROM meta WHERE name = 'report_terms'",
            _SET_VERSION.format(SCHEMA_VERSION, "schema"),
            _SET_VERSION.format(PROJECTION_VERSION, "projection"),
        )
        self._free.append(url)

    def _run(self, database: str, *statements: str) -> None:
        import psycopg  # noqa: PLC0415  # an extra

        with psycopg.connect(self._server.format(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]  # our own words
