"""The books as the page reads them: absent, of an older version, being written, replaced."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from trueup.core.facts import Filled, Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderId, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.observations import Observation
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.run.books.account import Account
from trueup.run.desk import DeskSettings, read_desk_settings
from trueup.store.database import Books, open_books
from trueup.store.listing import Leaf
from trueup.web.reading import BooksReader, BooksState

T = TypeVar("T")
START = 1_790_000_000_000_000


@pytest.fixture
def settings(tmp_path: Path) -> DeskSettings:
    environment = {
        "TRUEUP_HOME": str(tmp_path),
        "TRUEUP_DATABASE": str(tmp_path / "books.db"),
        "KALSHI_ENV": "demo",
    }
    return read_desk_settings(environment)


def make(settings: DeskSettings) -> Books:
    return open_books(
        settings.config.database, venue="demo", mode="live", account="main", create=True
    )


def add_fills(books: Books, count: int, *, first: int = 0) -> None:
    fills = [
        Filled(
            trade_id=TradeId(f"trade-{number}"),
            order_id=OrderId(f"order-{number}"),
            ticker=Ticker(f"KXTEST-{number % 3}"),
            side=Side.YES,
            count=Count.of_contracts(1),
            price=Price.parse("0.40"),
            fee=Money.parse("0.01"),
            is_taker=True,
            at=Instant(START + number),
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )
        for number in range(first, first + count)
    ]
    seen = [Observation(each, Source.REST, Instant(START), b"{}") for each in fills]
    books.append(seen, stream=Stream.FILLS)


def with_reader(settings: DeskSettings, do: Callable[[BooksReader], Awaitable[T]]) -> T:
    async def run() -> T:
        reader = BooksReader(settings)
        try:
            await reader.look()
            return await do(reader)
        finally:
            reader.close()

    return asyncio.run(run())


def total(account: Account) -> int:
    return account.books.list_fills(Leaf(limit=1)).total


def test_books_that_are_not_there_yet_are_shown_when_they_come(settings: DeskSettings) -> None:
    async def do(reader: BooksReader) -> list[BooksState]:
        states = [reader.condition.state]
        make(settings).close()
        await reader.look()
        return [*states, reader.condition.state]

    assert with_reader(settings, do) == [BooksState.ABSENT, BooksState.FINE]


def test_books_of_an_older_version_say_what_to_do(settings: DeskSettings) -> None:
    make(settings).close()
    with closing(sqlite3.connect(settings.config.database)) as connection, connection:
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'projection_version'")

    async def do(reader: BooksReader) -> tuple[BooksState, str]:
        return reader.condition.state, reader.condition.remedy

    state, remedy = with_reader(settings, do)
    assert state is BooksState.UNUSABLE
    assert "trueup db upgrade" in remedy


def test_a_change_by_another_connection_is_seen_and_answers_are_not_kept(
    settings: DeskSettings,
) -> None:
    with make(settings) as books:
        add_fills(books, 3)

        async def do(reader: BooksReader) -> list[object]:
            first = await reader.ask("total", total)
            unchanged = await reader.look()
            add_fills(books, 2, first=3)
            changed = await reader.look()
            return [first, unchanged, changed, await reader.ask("total", total)]

        assert with_reader(settings, do) == [3, False, True, 5]


def test_pages_are_read_while_another_process_holds_the_writer_lease(
    settings: DeskSettings,
) -> None:
    with make(settings) as books:
        add_fills(books, 3)
        assert books.lease.try_acquire(role="bot", now=Instant(START)) is None

        async def do(reader: BooksReader) -> int:
            with books.driver.writing():
                return await reader.page(total)

        assert with_reader(settings, do) == 3


def test_a_restored_file_takes_the_place_of_the_one_that_was_open(
    settings: DeskSettings, tmp_path: Path
) -> None:
    with make(settings) as books:
        add_fills(books, 3)
    other = tmp_path / "other.db"
    with open_books(other, venue="demo", mode="live", account="main", create=True) as books:
        add_fills(books, 7)

    def restore() -> None:
        for name in ("-wal", "-shm"):
            Path(f"{settings.config.database}{name}").unlink(missing_ok=True)
        other.replace(settings.config.database)

    async def do(reader: BooksReader) -> list[int]:
        before = await reader.ask("total", total)
        restore()
        await reader.look()
        return [before, await reader.ask("total", total)]

    assert with_reader(settings, do) == [3, 7]


def test_a_slow_question_is_asked_again_only_when_the_books_have_changed(
    settings: DeskSettings,
) -> None:
    asked: list[int] = []

    def question(account: Account) -> int:
        asked.append(total(account))
        return asked[-1]

    with make(settings) as books:
        add_fills(books, 3)

        async def do(reader: BooksReader) -> int:
            first = await reader.soon("slow", question, patience=90)
            reader.renew()
            await asyncio.sleep(0.05)
            add_fills(books, 1, first=3)
            await reader.look()
            async with asyncio.timeout(90):
                while (answer := reader.latest("slow", question)) is None or answer.value != 4:
                    reader.renew()
                    await asyncio.sleep(0.02)
            assert first is not None
            return first.value

        assert with_reader(settings, do) == 3
        assert asked == [3, 4]


def test_pages_of_fills_never_show_a_row_twice_and_filter_by_market(
    settings: DeskSettings,
) -> None:
    with make(settings) as books:
        add_fills(books, 25)
        names = [
            listed.fill.trade_id
            for offset in range(0, 30, 10)
            for listed in books.list_fills(Leaf(sort="price", limit=10, offset=offset)).rows
        ]
        of_one = books.list_fills(Leaf(words="kxtest-1", limit=50))
        by_name = books.list_fills(Leaf(words="order-7"))
        odd = books.list_fills(Leaf(words="100%_"))

    assert len(names) == len(set(names)) == 25
    assert of_one.total == len(of_one.rows) == 8
    assert [each.fill.order_id for each in by_name.rows] == ["order-7"]
    assert odd.total == 0
