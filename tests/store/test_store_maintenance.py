from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest_names import ACCOUNT, MODE, VENUE
from postgres_databases import PostgresDatabases
from store_facts import (
    NOW,
    book_everything,
    deposit,
    fill,
    order,
    run_script,
    seen,
    settlement,
    until_forgotten,
)

from trueup.core.errors import BooksError, InvariantBroken
from trueup.core.facts import Stream
from trueup.store import maintenance
from trueup.store.database import Books, open_books
from trueup.store.maintenance import Copied, Identity
from trueup.store.statement import Statement

WHOSE: Identity = {"venue": VENUE, "mode": MODE, "account": ACCOUNT}
Opener = Callable[[], Books]


def fill_books(books: Books) -> None:
    books.append(seen(*(fill(n) for n in range(1, 30))), stream=Stream.FILLS)
    books.append(seen(settlement()), stream=Stream.SETTLEMENTS)
    books.append(seen(order()), stream=Stream.ORDERS)
    books.append(seen(deposit()), stream=Stream.DEPOSITS)
    books.handoff.hand_over(seen(fill(99)), stream=Stream.FILLS, role="bot")
    book_everything(books)


def reopened(place: str | Path) -> Books:
    return open_books(place, venue=VENUE, mode=MODE, account=ACCOUNT)


def rows_of(copied: Copied) -> dict[str, int]:
    return {table.name: table.rows for table in copied.tables}


def test_backup_taken_while_the_books_are_open_holds_everything(
    place: str, opener: Opener, tmp_path: Path
) -> None:
    target = tmp_path / "backup.db"
    with opener() as books:
        fill_books(books)

        copied = maintenance.backup(place, target, **WHOSE)
        books.append(seen(fill(30)), stream=Stream.FILLS)

        assert rows_of(copied)["fills"] == 29
        assert rows_of(copied)["handoff"] == 1
        with reopened(target) as backup:
            assert backup.totals() == books.totals()
            assert len(list(backup.fills())) == 29


def test_backup_never_overwrites_a_file(place: str, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")

    with pytest.raises(BooksError, match="exists already"):
        maintenance.backup(place, target, **WHOSE)

    assert target.read_text() == "precious"


def test_restore_brings_the_backup_back_and_keeps_what_was_there(
    sqlite_place: Path, tmp_path: Path
) -> None:
    with reopened(sqlite_place) as books:
        fill_books(books)
    backup = tmp_path / "backup.db"
    maintenance.backup(str(sqlite_place), backup, **WHOSE)
    with reopened(sqlite_place) as books:
        books.append(seen(fill(31)), stream=Stream.FILLS)

    restored = maintenance.restore(backup, str(sqlite_place), **WHOSE)

    with reopened(sqlite_place) as books:
        assert len(list(books.fills())) == 29
    with reopened(restored.kept) as kept:
        assert len(list(kept.fills())) == 30


def test_restore_to_a_place_without_books_makes_them(sqlite_place: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    with reopened(sqlite_place) as books:
        fill_books(books)
    maintenance.backup(str(sqlite_place), backup, **WHOSE)
    fresh = tmp_path / "fresh" / "books.db"

    restored = maintenance.restore(backup, str(fresh), **WHOSE)

    assert restored.kept == ""
    with reopened(fresh) as books:
        assert len(list(books.fills())) == 29


def test_restore_of_another_account_or_of_nothing_is_refused(
    sqlite_place: Path, tmp_path: Path
) -> None:
    with pytest.raises(BooksError, match="holds the books of"):
        maintenance.restore(
            sqlite_place, str(tmp_path / "b.db"), venue="prod", mode=MODE, account=ACCOUNT
        )
    with pytest.raises(BooksError, match="There is no backup"):
        maintenance.restore(tmp_path / "absent.db", str(sqlite_place), **WHOSE)


def test_restore_under_a_living_writer_is_refused(sqlite_place: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    maintenance.backup(str(sqlite_place), backup, **WHOSE)
    with reopened(sqlite_place) as bot:
        bot.lease.try_acquire(role="bot", now=NOW)

        with pytest.raises(BooksError, match="is being written by bot"):
            maintenance.restore(backup, str(sqlite_place), **WHOSE)


@pytest.mark.postgres
def test_move_to_postgres_and_back_is_proven_and_loses_nothing(
    sqlite_place: Path, postgres_databases: PostgresDatabases, tmp_path: Path
) -> None:
    with reopened(sqlite_place) as books:
        fill_books(books)
    server, back = postgres_databases.empty(), tmp_path / "back.db"

    there = maintenance.move(str(sqlite_place), server, **WHOSE)
    again = maintenance.move(server, str(back), **WHOSE)

    assert there.tables == again.tables
    assert rows_of(there)["fills"] == 29
    assert there.rows > 100
    with reopened(server) as moved:
        assert moved.append(seen(fill(1), fill(50)), stream=Stream.FILLS).new == 1
        assert moved.handoff.drain().new == 1
        book_everything(moved)


@pytest.mark.postgres
def test_move_into_filled_books_is_refused(sqlite_place: Path, postgres_place: str) -> None:
    with pytest.raises(BooksError, match="holds books already"):
        maintenance.move(str(sqlite_place), postgres_place, **WHOSE)


def test_copy_that_differs_is_noticed(place: str, tmp_path: Path) -> None:
    with reopened(place) as books:
        fill_books(books)
        maintenance.backup(place, tmp_path / "copy.db", **WHOSE)
        with reopened(tmp_path / "copy.db") as copy:
            maintenance.compare(books.driver, copy.driver)
            with copy.driver.writing() as transaction:
                transaction.execute(Statement("UPDATE fills SET count = count + 1 WHERE id = 3"))

            with pytest.raises(InvariantBroken, match="differs from the original in fills"):
                maintenance.compare(books.driver, copy.driver)


def test_content_hash_does_not_depend_on_the_order_of_rows() -> None:
    rows = [(number, f"row {number}", None, b"\x00\xff") for number in range(50)]
    shuffled = list(rows)
    random.Random(4).shuffle(shuffled)  # noqa: S311  # an order, no secret

    def digest(listed: list[tuple[int, str, None, bytes]]) -> str:
        counted = maintenance.TableSum("t")
        assert len(list(counted.counting(iter(listed)))) == 50
        return counted.table().digest

    assert digest(rows) == digest(shuffled)
    assert digest(rows) != digest([*rows[:-1], rows[0]])


_REBUILD = """
from conftest_names import ACCOUNT, MODE, VENUE
from trueup.store.database import open_books
books = open_books(sys.argv[1], venue=VENUE, mode=MODE, account=ACCOUNT)
print("begin", flush=True)
books.rebuild()
"""


@pytest.mark.parametrize("delay", [0.3, 0.5, 0.7])
def test_killed_rebuild_happened_or_did_not(place: str, opener: Opener, delay: float) -> None:
    """The machine's speed decides in which step it is killed; never is it half done."""
    with opener() as books:
        books.append(seen(*(fill(n) for n in range(3000))), stream=Stream.FILLS)
        book_everything(books)
        before = books.totals()

    rebuilding = run_script(_REBUILD, place)
    assert rebuilding.stdout is not None
    assert rebuilding.stdout.readline() == "begin\n"
    time.sleep(delay)
    rebuilding.kill()
    rebuilding.wait()
    rebuilding.stdout.close()
    until_forgotten(place)

    with opener() as books:
        assert len(list(books.fills())) == 3000
        assert (books.count_unbooked() == 0) == (books.totals() == before)
        book_everything(books)
        assert books.totals() == before


def test_rebuild_of_closed_books_reads_the_whole_journal(place: str, opener: Opener) -> None:
    with opener() as books:
        fill_books(books)

    assert maintenance.rebuild(place, **WHOSE) == 32

    with opener() as books:
        assert books.count_unbooked() == 2
        assert len(list(books.fills())) == 29
