"""The page's own look at the exchange: shared, at a pace, and never lost by trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from trueup.core.errors import CallerError
from trueup.core.ids import Ticker
from trueup.core.instant import DAY, MINUTE
from trueup.net.client import Client
from trueup.run.books.account import Account
from trueup.run.desk import Desk, DeskSettings, read_desk_settings
from trueup.run.markets.watch import HistoryLook, MarketLook, MarketsLook
from trueup.web.exchange import Exchange
from trueup.web.live import Moved
from trueup.web.values.markets import listed_at_exchange, listed_in_books

T = TypeVar("T")
OFTEN = 1_000


def sandbox(home: Path) -> DeskSettings:
    return read_desk_settings({"TRUEUP_HOME": str(home)}, venue="sandbox")


def looking(home: Path, do: Callable[[Exchange], Awaitable[T]]) -> tuple[T, list[Moved]]:
    noted: list[Moved] = []

    async def run() -> T:
        exchange = Exchange(sandbox(home), noted.append)
        try:
            return await do(exchange)
        finally:
            await exchange.stop()

    return asyncio.run(run()), noted


def test_two_tabs_share_one_look_and_it_ends_with_the_last_of_them(tmp_path: Path) -> None:
    looks: list[Client] = []

    def look(client: Client) -> int:
        looks.append(client)
        return len(looks)

    async def do(exchange: Exchange) -> None:
        leave = [exchange.follow("one", look, every=MINUTE) for _ in range(2)]
        await exchange.soon("one", patience=90)
        assert exchange.sight("one", look).value == 1
        leave[0]()
        leave[0]()
        assert exchange.sight("one", look).value == 1
        leave[1]()
        assert exchange.sight("one", look).value is None

    _, noted = looking(tmp_path, do)

    assert len(looks) == 1
    assert noted == [Moved.MARKETS]


def test_trouble_is_told_and_what_was_seen_before_stays(tmp_path: Path) -> None:
    looks: list[int] = []

    def look(client: Client) -> str:
        del client
        looks.append(1)
        if len(looks) > 1:
            raise CallerError("the line is cut", remedy="Wait.")
        return "seen"

    async def do(exchange: Exchange) -> None:
        exchange.follow("one", look, every=OFTEN)
        async with asyncio.timeout(90):
            while not exchange.sight("one", look).trouble:  # noqa: ASYNC110  # what pages do
                await asyncio.sleep(0.005)
        sight = exchange.sight("one", look)
        assert (sight.value, sight.trouble) == ("seen", "The line is cut. Wait.")
        assert sight.at is not None

    _, noted = looking(tmp_path, do)

    assert len(noted) >= len(("seen", "trouble"))


def test_every_market_of_the_sandbox_is_seen_and_each_can_be_looked_at(tmp_path: Path) -> None:
    scanner = MarketsLook()

    async def do(exchange: Exchange) -> None:
        exchange.follow("all", scanner, every=MINUTE)
        await exchange.soon("all", patience=90)
        sight = exchange.sight("all", scanner)
        assert sight.trouble == ""
        listed = listed_at_exchange(sight.value or ())
        assert listed
        assert all(each.found.category for each in listed)
        ticker = max(listed, key=lambda each: each.found.volume).found.ticker

        one, history = MarketLook(ticker), HistoryLook(ticker, DAY)
        exchange.follow("one", one, every=MINUTE)
        exchange.follow("history", history, every=MINUTE)
        await exchange.soon("one", patience=90)
        await exchange.soon("history", patience=90)
        seen = exchange.sight("one", one)
        assert seen.trouble == ""
        assert seen.value is not None
        assert seen.value.listing.ticker == ticker
        assert seen.value.book is not None
        assert exchange.sight("history", history).trouble == ""

    looking(tmp_path, do)


def test_a_market_that_is_not_there_is_trouble_in_words(tmp_path: Path) -> None:
    look = MarketLook(Ticker("KXNOTHERE"))

    async def do(exchange: Exchange) -> str:
        exchange.follow("one", look, every=MINUTE)
        await exchange.soon("one", patience=90)
        return exchange.sight("one", look).trouble

    trouble, _ = looking(tmp_path, do)

    assert "KXNOTHERE" in trouble


def test_without_the_exchange_the_books_say_what_they_remember(tmp_path: Path) -> None:
    settings = sandbox(tmp_path)
    with Account(Desk(settings)) as account:
        account.sync()
        found = listed_in_books(account, now=settings.clock.now())
        quotes = account.books.cache.quotes()

    assert found
    assert all(each.at == quotes[each.found.ticker].fetched_at for each in found)
