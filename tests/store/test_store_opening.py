from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from conftest_names import ACCOUNT, MODE, VENUE
from postgres_databases import PostgresDatabases
from store_facts import fill, seen

from trueup.core.errors import BooksError
from trueup.core.facts import Stream
from trueup.store import maintenance
from trueup.store.building import migrate
from trueup.store.database import Books, open_books
from trueup.store.journal import Appended
from trueup.store.opening import connect
from trueup.store.sqlite import SqliteDriver, create_file
from trueup.store.statement import Statement
from trueup.store.version import PROJECTION_VERSION, SCHEMA_VERSION


def open_at(place: str | Path, **options: bool) -> Books:
    return open_books(place, venue=VENUE, mode=MODE, account=ACCOUNT, **options)


def set_meta(place: str, name: str, value: str) -> None:
    """Pretend that another version of trueup has written the books."""
    books = open_at(place)
    with books.driver.writing() as transaction:
        transaction.execute(Statement("UPDATE meta SET value = ? WHERE name = ?"), (value, name))
    books.close()


def test_absent_books_are_not_made_without_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "books.db"

    with pytest.raises(BooksError, match="no books at") as caught:
        open_at(path)

    assert "trueup init" in caught.value.remedy
    assert not path.exists()


def test_new_books_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "books.db"
    open_at(path, create=True).close()

    assert path.stat().st_mode & 0o777 == 0o600
    open_at(path).close()


@pytest.mark.parametrize(("venue", "account"), [("prod", ACCOUNT), (VENUE, "other")])
def test_books_of_another_venue_or_account_are_refused(
    place: str, venue: str, account: str
) -> None:
    with pytest.raises(BooksError, match="holds the books of"):
        open_books(place, venue=venue, mode=MODE, account=account, create=True)


@pytest.mark.parametrize("name", ["schema_version", "projection_version"])
def test_books_of_an_older_version_are_refused_until_upgraded(place: str, name: str) -> None:
    set_meta(place, name, "0")

    with pytest.raises(BooksError, match="older trueup") as caught:
        open_at(place)

    assert "trueup db upgrade" in caught.value.remedy


def test_upgrade_brings_older_projections_to_this_version(place: str) -> None:
    with open_at(place) as books:
        books.append(seen(fill(1)), stream=Stream.FILLS)
    set_meta(place, "projection_version", "0")

    done = maintenance.upgrade(place, venue=VENUE, mode=MODE, account=ACCOUNT)

    assert done.before == f"{SCHEMA_VERSION}.0"
    assert done.after == f"{SCHEMA_VERSION}.{PROJECTION_VERSION}"
    with open_at(place) as books:
        assert list(books.fills()) == [fill(1)]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def first_version(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Books as the first version made them, with one record that it could not read."""
    place = str(tmp_path / "old.db")
    if request.param == "postgres":
        place = request.getfixturevalue("postgres_databases").empty()
    else:
        create_file(Path(place))
    with closing(connect(place)) as driver:
        migrate(driver, "0001")
        meta = {"schema_version": "1", "projection_version": "1", "indexed_to": "0"}
        meta |= {"venue": VENUE, "mode": MODE, "account": ACCOUNT}
        record = (b"0123456789abcdef", "fills", "why", "rest", 1, 1, 1, b"raw")
        columns = ("identity", "stream", "reason", "source", "first_at", "last_at", "seen", "raw")
        with driver.writing() as transaction:
            transaction.insert("meta", ("name", "value"), list(meta.items()))
            transaction.insert("quarantine", columns, [record])
    return place


def test_books_of_the_first_version_are_upgraded_with_all_they_hold(first_version: str) -> None:
    with pytest.raises(BooksError, match="older trueup"):
        open_at(first_version)

    done = maintenance.upgrade(first_version, venue=VENUE, mode=MODE, account=ACCOUNT)

    assert done.before == "1.1"
    with open_at(first_version) as books:
        (kept,) = books.quarantined()
        assert (kept.raw, kept.subaccount) == (b"raw", None)


@pytest.mark.parametrize("name", ["schema_version", "projection_version"])
def test_books_of_a_newer_version_are_left_alone(place: str, name: str) -> None:
    set_meta(place, name, "99")

    with pytest.raises(BooksError, match="newer trueup"):
        open_at(place)
    with pytest.raises(BooksError, match="newer trueup"):
        maintenance.upgrade(place, venue=VENUE, mode=MODE, account=ACCOUNT)


def test_file_that_is_no_database_is_named_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, this is certainly not a database at all\n" * 20)

    with pytest.raises(BooksError, match="not a database"):
        open_at(path, create=True)

    assert path.read_text().startswith("dear diary")


def test_database_of_somebody_else_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "trades.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY)")
    connection.close()

    with pytest.raises(BooksError, match=r"other tables \(trades\)"):
        open_at(path, create=True)


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
@pytest.mark.parametrize("read_only", [True, False])
def test_refused_file_of_somebody_else_stays_as_it_is_to_the_byte(
    tmp_path: Path, journal_mode: str, read_only: bool
) -> None:
    path = tmp_path / "trades.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()

    with pytest.raises(BooksError, match="other tables"):
        open_at(path, create=True, read_only=read_only)

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["trades.db"]


@pytest.mark.postgres
def test_postgres_database_of_somebody_else_is_not_taken_over(
    postgres_databases: PostgresDatabases,
) -> None:
    import psycopg  # noqa: PLC0415  # an extra

    url = postgres_databases.empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY)")

    with pytest.raises(BooksError, match="other tables"):
        open_at(url, create=True)


@pytest.mark.postgres
def test_new_books_in_an_empty_postgres_database(postgres_databases: PostgresDatabases) -> None:
    url = postgres_databases.empty()
    with pytest.raises(BooksError, match="holds no books yet"):
        open_at(url)

    with open_at(url, create=True) as books:
        assert books.append(seen(fill(1)), stream=Stream.FILLS) == Appended(new=1)


def test_unreachable_postgres_says_what_to_check_and_hides_the_password() -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(BooksError, match="cannot be reached") as caught:
        open_at("postgresql://me:hunter2@127.0.0.1:1/books")

    assert "hunter2" not in str(caught.value)
    assert "Check that PostgreSQL runs" in caught.value.remedy


def test_other_kinds_of_database_are_refused() -> None:
    with pytest.raises(BooksError, match="cannot be kept in a mysql database"):
        open_at("mysql://localhost/books")


_ON_A_SMALL_DISK = """
import resource, signal, sys
from trueup.core.errors import BooksError
from trueup.store.database import open_books
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
try:
    open_books(sys.argv[1], venue="sandbox", mode="live", account="main", create=True)
except BooksError as error:
    print(error)
"""


def test_books_that_do_not_fit_on_the_disk_leave_no_half_made_file(tmp_path: Path) -> None:
    ran = subprocess.run(  # our own script
        [sys.executable, "-c", _ON_A_SMALL_DISK, str(tmp_path / "books.db")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "the disk may be full" in ran.stdout, ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_locked_books_say_so_and_nothing_is_written(sqlite_place: Path) -> None:
    other = sqlite3.connect(sqlite_place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    books = open_books(sqlite_place, venue=VENUE, mode=MODE, account=ACCOUNT, patience_seconds=0)

    with pytest.raises(BooksError, match="is locked") as caught:
        books.append(seen(fill(1)), stream=Stream.FILLS)

    assert "Wait until it has finished" in caught.value.remedy
    other.execute("ROLLBACK")
    assert books.append(seen(fill(1)), stream=Stream.FILLS) == Appended(new=1)
    other.close()
    books.close()


def test_full_disk_takes_the_page_back_and_the_next_try_goes_on(sqlite_place: Path) -> None:
    books = open_at(sqlite_place)
    books.append(seen(fill(1)), stream=Stream.FILLS)
    connection = sqlite3.connect(sqlite_place)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    large = seen(*(fill(number) for number in range(2, 900)))
    assert isinstance(books.driver, SqliteDriver)
    writer = books.driver.connection
    writer.execute(f"PRAGMA max_page_count = {pages + 5}")

    with pytest.raises(BooksError, match="disk may be full") as caught:
        books.append(large, stream=Stream.FILLS)

    assert "Free some space" in caught.value.remedy
    assert [each.trade_id for each in books.fills()] == ["trade-1"]
    writer.execute("PRAGMA max_page_count = 1000000")
    assert books.append(large, stream=Stream.FILLS) == Appended(new=898)
    books.close()


def test_books_opened_for_reading_refuse_to_write(place: str) -> None:
    open_at(place).close()

    with open_at(place, read_only=True) as books:
        assert list(books.fills()) == []
        with pytest.raises(BooksError, match="for reading only"):
            books.append(seen(fill(1)), stream=Stream.FILLS)


_AS_NOBODY = """
import os, sys
from trueup.core.errors import BooksError
from trueup.store.database import open_books
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.path.insert(0, {tests!r})
from store_facts import fill, seen
from trueup.core.facts import Stream
try:
    books = open_books({place!r}, venue="sandbox", mode="live", account="main")
    books.append(seen(fill(1)), stream=Stream.FILLS)
except BooksError as error:
    print(error, "|", error.remedy)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to change user")
def test_file_without_write_permission_is_named_read_only(sqlite_place: Path) -> None:
    folder = Path("/tmp") / f"trueup-read-only-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        place = Path(shutil.copy(sqlite_place, folder / "books.db"))
        place.chmod(0o444)
        script = _AS_NOBODY.format(place=str(place), tests=str(Path(__file__).parent))
        ran = subprocess.run(  # our own script
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(folder)
    if "PermissionError" in ran.stderr or "ModuleNotFoundError" in ran.stderr:
        pytest.skip("another user cannot read the installed package here")

    assert "read-only" in ran.stdout, ran.stderr
    assert "write permission" in ran.stdout


def test_schema_of_the_migrations_is_the_described_one(place: str) -> None:
    """What the migrations make and what the code describes are the same tables."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  # slow to load
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    from trueup.store.building import connected  # noqa: PLC0415
    from trueup.store.schema import DURABLE, PROJECTED  # noqa: PLC0415

    known = {*DURABLE.tables, *PROJECTED.tables}
    with open_at(place) as books, connected(books.driver) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[Any] = compare_metadata(context, DURABLE)
        differing = [each for each in found if not _is_projection(each, known)]

    assert differing == []


def _is_projection(difference: Any, known: set[str]) -> bool:  # as the library has it
    """Whether a difference is a table or an index that the migrations leave to the projections."""
    if not isinstance(difference, tuple):
        return False
    kind, described, *_ = cast("tuple[Any, ...]", difference)
    table = getattr(described, "table", described)
    return kind in {"remove_table", "remove_index"} and getattr(table, "name", "") in known
