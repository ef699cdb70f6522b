from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from small_books import RAIN, book, cover, fill, later, market, open_small, put, settlement

from trueup.core.errors import ForeignDatabaseError
from trueup.core.facts import Stream
from trueup.core.ids import Subaccount
from trueup.core.orders import Side
from trueup.core.units import Money, Ratio
from trueup.ledger.adopt import adopt
from trueup.ledger.coverage import Tier
from trueup.ledger.foreign import AdoptionLine, ForeignTrade, Outcome, Reason
from trueup.run.books.account import open_account
from trueup.run.books.patching import backfill_settlements, evidence_of
from trueup.run.config import BotDatabase
from trueup.store.database import Books
from trueup.store.foreign_csv import as_database

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


CSV = (
    "entry_ts,market,side,qty,price_cents,outcome,net_pnl_dollars\n"
    "2026-05-28 20:00:00,KXRAIN-26MAY31-B1,yes,10,60,open,\n"
)
CSV_LAYOUT = BotDatabase(
    columns={"status": "outcome", "settled_price": "", "profit_loss": "net_pnl_dollars"}
)


def test_table_in_a_csv_file_is_checked_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "bot_trades.csv"
    path.write_text(CSV)
    environment = {"TRUEUP_HOME": str(tmp_path / "home")}
    with open_account(environment=environment) as account:
        with account.writing("test"):
            fill_books(account.books)

        done = backfill_settlements(
            account, str(path), layout=CSV_LAYOUT, subaccount=0, offline=True
        )
        with pytest.raises(ForeignDatabaseError, match="can be checked, but not patched"):
            backfill_settlements(account, str(path), layout=CSV_LAYOUT, write=True, offline=True)

    (line,) = done.report.lines
    assert done.place == str(path)
    assert line.outcome is Outcome.PATCH
    assert [(str(each.column), each.new) for each in line.changes] == [
        ("status", "settled"),
        ("profit_loss", "3.83"),
    ]
    assert path.read_text() == CSV


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no head"),
        ("a,,b\n", "has no head"),
        ("a,A\n1,2\n", "has no head"),
        ("a,b\n1,2\n1\n", "row 3: 1 cells"),
        ('a,b\n1,"2\n', "cannot be read"),
    ],
)
def test_csv_file_that_is_no_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bot.csv"
    path.write_text(text)

    with pytest.raises(ForeignDatabaseError, match=words), as_database(str(path), "trades"):
        pass


def test_row_without_a_price_column_is_only_checked_by_what_it_says() -> None:
    """Outside coverage: the word tells the outcome where it says won or lost."""
    books = open_small()
    put(books, Stream.MARKETS, market())
    book(books)
    bare = replace(BOUGHT, names_price=False, profit_loss=Ratio(4))

    won = judge(books, replace(bare, status="won"))
    vague = judge(books, replace(bare, status="settled"))
    wrong = judge(books, replace(bare, status="lost", profit_loss=Ratio(-6)))

    assert (won.outcome, len(won.checks)) == (Outcome.NOT_VERIFIABLE, 2)
    assert vague.checks == ("profit: follows from the row's own figures",)
    assert [str(each.column) for each in wrong.changes] == ["status", "profit_loss"]


def test_market_without_fills_is_only_called_never_traded_where_that_was_fetched() -> None:
    books = open_small()
    put(books, Stream.MARKETS, market())
    book(books)
    cover(books, Stream.FILLS, tier=Tier.STATED)
    stated = judge(books, BOUGHT)
    cover(books, Stream.FILLS)
    fetched = judge(books, BOUGHT)

    assert stated.reason is not Reason.NOT_OURS
    assert fetched.reason is Reason.NOT_OURS
