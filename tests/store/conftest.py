"""The same books on three databases: an SQLite file, SQLite in memory, PostgreSQL.

Also makes the helpers beside the tests findable (tests are no package).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trueup.store.database import Books, open_books

sys.path.insert(0, str(Path(__file__).parent))

from conftest_names import ACCOUNT, MODE, VENUE
from postgres_databases import PostgresDatabases

Opener = Callable[[], Books]


@pytest.fixture(scope="session")
def postgres_databases(
    postgres_server: str, empty_postgres: Callable[[], str]
) -> PostgresDatabases:
    return PostgresDatabases(postgres_server, empty_postgres)


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
