from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from small_books import RAIN, book, cover, fill, later, market, open_small, put, settlement

from trueup.core.facts import Stream
from trueup.core.ids import Subaccount
from trueup.core.orders import Side
from trueup.core.units import Money, Ratio
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import AdoptionLine, ForeignTrade, Outcome, Reason
from trueup.run.account import open_account
from trueup.run.patching import backfill_settlements, evidence_of
from trueup.store.database import Books

D = Money.parse
BOUGHT = ForeignTrade(
    row_id="1",
    ticker=RAIN,
    status="open",
    side=Side.YES,
    quantity=Ratio(10),
    entry_price=Ratio(6, 10),
)


def judge(books: Books, trade: ForeignTrade, *, subaccount: int | None = None) -> AdoptionLine:
    only = None if subaccount is None else Subaccount(subaccount)
    evidence = evidence_of(books, [trade], now=later(10**6), subaccount=only)
    return adopt([trade], evidence).lines[0]


@pytest.fixture
def books() -> Books:
    books = open_small()
    fill_books(books)
    return books


def fill_books(books: Books) -> None:
    """Subaccount 0 bought 10 YES at .60, subaccount 1 bought 10 NO at .45; it was YES."""
    put(
        books,
        Stream.FILLS,
        fill(1, Side.YES, 10, ".60", fee=".17"),
        fill(2, Side.NO, 10, ".55", subaccount=1),
    )
    put(
        books,
        Stream.SETTLEMENTS,
        settlement(yes=10, revenue="10", cost="6"),
        settlement(no=10, cost="4.50", subaccount=1),
    )
    put(books, Stream.MARKETS, market())
    book(books)
    cover(books, Stream.FILLS)


def test_profit_is_that_of_the_subaccount_which_bought_the_rows_contracts(books: Books) -> None:
    line = judge(books, BOUGHT)

    assert (line.outcome, line.profit_loss) == (Outcome.PATCH, D("3.83"))


def test_row_that_fits_no_subaccount_alone_is_not_patched(books: Books) -> None:
    line = judge(books, replace(BOUGHT, quantity=None))

    assert (line.outcome, line.reason) == (Outcome.NOT_VERIFIABLE, Reason.SEVERAL_SUBACCOUNTS)
    assert line.changes == ()


def test_configured_subaccount_is_taken_at_its_word(books: Books) -> None:
    bare = replace(BOUGHT, side=None, quantity=None, entry_price=None)

    assert judge(books, bare, subaccount=0).profit_loss == D("3.83")
    assert judge(books, bare, subaccount=1).profit_loss == D("-4.50")
    assert judge(books, BOUGHT, subaccount=1).reason is Reason.CANNOT_MATCH
    assert judge(books, BOUGHT, subaccount=2).reason is Reason.NOT_OURS


def test_settlement_rows_of_two_subaccounts_are_never_taken_for_one() -> None:
    """The fills have rolled off; each subaccount has a settlement row of its own."""
    books = open_small()
    put(
        books,
        Stream.SETTLEMENTS,
        settlement(yes=10, revenue="10", cost="6"),
        settlement(yes=5, revenue="5", cost="4", subaccount=1),
    )
    put(books, Stream.MARKETS, market())
    book(books)
    smaller = replace(BOUGHT, quantity=Ratio(5), entry_price=Ratio(8, 10))

    assert judge(books, BOUGHT).profit_loss == D("4")
    assert judge(books, smaller).profit_loss == D("1")
    unfit = [replace(BOUGHT, quantity=Ratio(15)), replace(smaller, entry_price=None)]
    for trade in unfit:
        assert judge(books, trade).reason is Reason.SEVERAL_SUBACCOUNTS


def test_backfill_takes_the_subaccount_from_the_configuration_or_the_option(
    tmp_path: Path,
) -> None:
    table = tmp_path / "trades.db"
    with closing(sqlite3.connect(table)) as connection, connection:
        connection.execute(
            "CREATE TABLE trades (id INTEGER PRIMARY KEY, market_ticker TEXT, status TEXT, "
            "settled_price REAL, profit_loss REAL, updated_at TEXT)"
        )
        connection.execute("INSERT INTO trades (market_ticker, status) VALUES (?, 'open')", (RAIN,))
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("[bot_database]\nsubaccount = 1\n")
    with open_account(environment={"TRUEUP_HOME": str(home)}) as account:
        fill_books(account.desk.books())

        def profit(subaccount: int | None) -> list[Money | None]:
            done = backfill_settlements(account, str(table), offline=True, subaccount=subaccount)
            return [line.profit_loss for line in done.report.patches]

        assert profit(None) == [D("-4.50")]
        assert profit(0) == [D("3.83")]
