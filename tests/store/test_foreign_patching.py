"""A patch changes exactly the rows it means, all of them or none, and can be taken back."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from foreign_bot import NOW, Bot, postgres_bot, settled

from trueup.core.errors import ForeignDatabaseError
from trueup.core.units import Ratio
from trueup.ledger.foreign import AdoptionLine, Change, Column
from trueup.store.foreign import ForeignDatabase, ForeignTable, Patched

OPEN = ("KXA-1", "open", None, None)
WRITTEN_BY_HAND = "2026-01-02 03:04:05"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Bot:
    """A bot on either kind of database."""
    if request.param == "sqlite":
        return Bot(str(tmp_path / "trades.db"))
    return postgres_bot(request.getfixturevalue("postgres_server"))


@pytest.fixture
def file_bot(tmp_path: Path) -> Bot:
    return Bot(str(tmp_path / "trades.db"))


@pytest.fixture
def undo_folder(tmp_path: Path) -> Path:
    return tmp_path / "undo"


Judge = Callable[[list[AdoptionLine]], Sequence[AdoptionLine]]


def patch(
    bot: Bot,
    undo_folder: Path,
    *,
    judge: Judge = lambda lines: lines,
    meanwhile: Callable[[], None] = lambda: None,
    mapping: ForeignTable | None = None,
    cents: str = "100.00",
    dollars: str = "12.34",
) -> Patched:
    """Read the table, settle every open row, and write that."""
    with ForeignDatabase(bot.place, patience_seconds=1) as foreign:
        table = foreign.inspect(mapping)
        lines = [
            settled(trade, cents, dollars)
            for trade in foreign.read(table)
            if trade.status.startswith("open")
        ]
        meanwhile()
        return foreign.apply(table, judge(lines), undo_folder=undo_folder, now=NOW)


def undo(bot: Bot, file: Path | None) -> int:
    assert file is not None
    with ForeignDatabase(bot.place) as foreign:
        return foreign.undo(file)


def figures(bot: Bot) -> list[tuple[object, ...]]:
    """Status, settled price and profit of every row."""
    return [row[2:5] for row in bot.rows()]


# -- writing --------------------------------------------------------------------------------------


def test_patch_settles_the_open_rows_and_no_other(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, ("KXA-1", "settled", 0.0, -5.5), OPEN)

    patched = patch(bot, undo_folder)

    assert patched.rows == 2
    right = ("settled", 100.0, 12.34)
    assert figures(bot) == [right, ("settled", 0.0, -5.5), right]
    moved = [str(row[5])[:19] != WRITTEN_BY_HAND for row in bot.rows()]
    assert moved == [True, False, True]


def test_patched_rows_read_as_what_was_meant(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)

    patch(bot, undo_folder, cents="37.55", dollars="-0.123456")

    (trade,) = bot.read()
    assert (trade.status, trade.settled_price) == ("settled", Ratio(3755, 100))
    assert trade.profit_loss == Ratio(-123456, 1_000_000)


def test_nothing_to_change_writes_no_file(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)

    patched = patch(bot, undo_folder, judge=lambda lines: [replace(lines[0], changes=())])

    assert patched == Patched(rows=0, undo_file=None)
    assert not undo_folder.exists()


def test_only_the_named_columns_change(bot: Bot, undo_folder: Path) -> None:
    bot.seed(("KXA-1", "open", 100.0, 0.1))

    def only_profit(lines: list[AdoptionLine]) -> Sequence[AdoptionLine]:
        return [replace(lines[0], changes=(Change(Column.PROFIT_LOSS, "0.10", "0.30"),))]

    patch(bot, undo_folder, judge=only_profit)

    assert figures(bot) == [("open", 100.0, 0.3)]


@pytest.mark.parametrize("cents_kind", ["INTEGER", "NUMERIC(12,2)", "TEXT", "REAL"])
def test_money_is_written_as_the_column_holds_it(
    bot: Bot, undo_folder: Path, cents_kind: str
) -> None:
    bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, ticker TEXT, status TEXT, "
        f"settled_price_dollars {cents_kind.replace('INTEGER', 'NUMERIC(12,4)')}, "
        f"profit_loss_cents {cents_kind})"
    )
    bot.run("INSERT INTO trades VALUES (1, 'KXA-1', 'open', NULL, NULL)")

    patch(bot, undo_folder, dollars="-3.07")

    ((_, _, status, price, profit),) = bot.rows()
    assert status == "settled"
    assert (float(price), float(profit)) == (1.0, -307.0)
    assert isinstance(profit, str) == (cents_kind == "TEXT")
    (trade,) = bot.read()
    assert (trade.settled_price, trade.profit_loss) == (100, Ratio(-307, 100))


def test_text_columns_get_plain_decimals(bot: Bot, undo_folder: Path) -> None:
    bot.run(
        "CREATE TABLE trades (id TEXT PRIMARY KEY, ticker TEXT, status TEXT, "
        "settled_price TEXT, profit_loss TEXT)"
    )
    bot.run("INSERT INTO trades VALUES ('a', 'KXA-1', 'open', '', NULL)")

    patch(bot, undo_folder, cents="100.00", dollars="12.50")

    assert bot.rows() == [("a", "KXA-1", "settled", "100", "12.50")]


def test_whole_cents_column_gets_the_nearest_cent(bot: Bot, undo_folder: Path) -> None:
    bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, ticker TEXT, status TEXT, "
        "settled_price INTEGER, profit_loss_cents INTEGER)"
    )
    bot.run("INSERT INTO trades VALUES (1, 'KXA-1', 'open', NULL, NULL)")

    patch(bot, undo_folder, dollars="-0.0767")

    assert bot.rows() == [(1, "KXA-1", "settled", 100, -8)]


def test_time_of_the_change_keeps_the_form_of_its_column(file_bot: Bot, undo_folder: Path) -> None:
    stamps = [
        1_700_000_000,
        1_700_000_000_000,
        "2026-01-01T00:00:00.5+00:00",
        "2026-01-01T00:00:00Z",
    ]
    file_bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, ticker, status, settled_price, profit_loss, "
        "updated_at)"
    )
    file_bot.run(
        "INSERT INTO trades VALUES (NULL, 'KXA-1', 'open', NULL, NULL, ?)",
        [(stamp,) for stamp in stamps],
    )

    patch(file_bot, undo_folder)

    assert [row[5] for row in file_bot.rows()] == [
        1_780_315_200,
        1_780_315_200_000,
        "2026-06-01T12:00:00+00:00",
        "2026-06-01T12:00:00Z",
    ]


def test_rows_without_a_key_are_patched_by_row_number(file_bot: Bot, undo_folder: Path) -> None:
    file_bot.run("CREATE TABLE trades (id, ticker, status, settled_price REAL, profit_loss REAL)")
    file_bot.run("INSERT INTO trades VALUES (7, 'KXA-1', ?, NULL, NULL)", [("open",), ("done",)])

    patched = patch(file_bot, undo_folder)

    assert [row[2] for row in file_bot.rows()] == ["settled", "done"]
    assert undo(file_bot, patched.undo_file) == 1
    assert [row[2] for row in file_bot.rows()] == ["open", "done"]


@pytest.mark.postgres
def test_types_of_postgresql_are_respected(postgres_server: str, undo_folder: Path) -> None:
    bot = postgres_bot(postgres_server)
    bot.run("CREATE SCHEMA bots")
    bot.run("CREATE TYPE bots.trade_status AS ENUM ('open', 'settled')")
    bot.run(
        "CREATE TABLE bots.trades (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), market TEXT, "
        "status bots.trade_status, settled_price REAL, profit_loss REAL, updated_at TIMESTAMPTZ)"
    )
    bot.run(
        "INSERT INTO bots.trades (market, status, profit_loss, updated_at) "
        "VALUES ('KXA-1', 'open', 0.1, '2026-01-01T00:00:00Z')"
    )
    before = bot.rows("SELECT * FROM bots.trades")

    patched = patch(bot, undo_folder, mapping=ForeignTable(name="bots.trades"))

    (row,) = bot.rows("SELECT status, settled_price, profit_loss FROM bots.trades")
    assert row == ("settled", 100.0, 12.34)
    assert undo(bot, patched.undo_file) == 1
    assert bot.rows("SELECT * FROM bots.trades") == before


# -- all or nothing -------------------------------------------------------------------------------


def refused(
    bot: Bot,
    undo_folder: Path,
    message: str,
    *,
    judge: Judge = lambda lines: lines,
    meanwhile: Callable[[], None] = lambda: None,
    cents: str = "100.00",
) -> ForeignDatabaseError:
    """The patch is refused, the table is as it was before it, and no undo file is left."""
    states: list[list[tuple[object, ...]]] = []

    def and_look() -> None:
        meanwhile()
        states.append(bot.rows())

    with pytest.raises(ForeignDatabaseError, match=message) as caught:
        patch(bot, undo_folder, judge=judge, meanwhile=and_look, cents=cents)

    assert bot.rows() == states[0]
    assert not undo_folder.is_dir() or not list(undo_folder.iterdir())
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trades SET status = 'closed' WHERE id = 2",
        "UPDATE trades SET profit_loss = 0.1 WHERE id = 2",
        "UPDATE trades SET market_ticker = 'KXB-1' WHERE id = 2",
    ],
)
def test_row_that_changed_since_it_was_read_stops_the_whole_patch(
    bot: Bot, undo_folder: Path, change: str
) -> None:
    bot.seed(OPEN, OPEN, OPEN)

    refused(bot, undo_folder, "row 2 .* has changed since", meanwhile=lambda: bot.run(change))


def test_row_that_is_gone_stops_the_whole_patch(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, OPEN)

    refused(
        bot,
        undo_folder,
        "row 2 .* cannot be found any more",
        meanwhile=lambda: bot.run("DELETE FROM trades WHERE id = 2"),
    )


def test_row_given_twice_is_refused(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)

    refused(bot, undo_folder, "patched twice", judge=lambda lines: lines * 2)


def test_value_that_the_table_refuses_stops_the_whole_patch(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, OPEN)
    bot.run("CREATE TABLE other AS SELECT * FROM trades")
    bot.run("DROP TABLE trades")
    bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, market_ticker TEXT, status TEXT, "
        "settled_price {real}, profit_loss {real} CHECK (id = 1 OR profit_loss < 5))"
    )
    bot.run(
        "INSERT INTO trades SELECT id, market_ticker, status, settled_price, profit_loss FROM other"
    )

    refused(bot, undo_folder, "refused a value")


def test_value_that_the_column_would_falsify_stops_the_whole_patch(
    bot: Bot, undo_folder: Path
) -> None:
    """A trigger that makes something else of it; or a type too narrow."""
    bot.seed(OPEN, OPEN)
    if bot.is_sqlite:
        bot.run(
            "CREATE TRIGGER meddle AFTER UPDATE ON trades WHEN NEW.id = 2 BEGIN "
            "UPDATE trades SET profit_loss = 99 WHERE id = 2; END"
        )
    else:
        bot.run(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN IF NEW.id = 2 THEN NEW.profit_loss = 99; END IF; RETURN NEW; END'"
        )
        bot.run(
            "CREATE TRIGGER meddle BEFORE UPDATE ON trades FOR EACH ROW EXECUTE FUNCTION meddle()"
        )

    refused(bot, undo_folder, "row 2 .* should become 12.34, but the database made it 99")


@pytest.mark.postgres
def test_scalar_price_does_not_fit_a_whole_number_of_postgresql(
    postgres_server: str, undo_folder: Path
) -> None:
    bot = postgres_bot(postgres_server)
    bot.seed(OPEN)
    bot.run("ALTER TABLE trades ALTER COLUMN settled_price TYPE INTEGER")

    error = refused(bot, undo_folder, "37.5 does not fit", cents="37.50")

    assert "TYPE numeric" in error.remedy


def test_undo_file_that_cannot_be_written_stops_the_patch(bot: Bot, undo_folder: Path) -> None:
    """All rows are updated by then: the transaction takes them back."""
    bot.seed(OPEN, OPEN)
    undo_folder.write_text("a file is in the way")

    error = refused(bot, undo_folder, "undo file cannot be written")

    assert "TRUEUP_HOME" in error.remedy


def test_error_in_the_middle_leaves_everything_as_it_was(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, OPEN, OPEN)
    before = bot.rows()

    def broken(lines: list[AdoptionLine]) -> Sequence[AdoptionLine]:
        # Decimal refuses this text only when the second row is about to be written.
        wrong = Change(Column.PROFIT_LOSS, None, "twelve")
        return [lines[0], replace(lines[1], changes=(wrong,)), lines[2]]

    with pytest.raises(ArithmeticError):
        patch(bot, undo_folder, judge=broken)

    assert bot.rows() == before
    assert not undo_folder.exists()


KILLED: str = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from foreign_bot import NOW, settled
from trueup.store import foreign_patch
from trueup.store.foreign import ForeignDatabase

class Deadly(type(Path())):
    def mkdir(self, *args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

with ForeignDatabase(sys.argv[1]) as foreign:
    table = foreign.inspect()
    lines = [settled(trade) for trade in foreign.read(table)]
    foreign.apply(table, lines, undo_folder=Deadly(sys.argv[2]), now=NOW)
"""
"""Updates all rows, and is killed when it is about to write the undo file."""


def test_kill_in_the_middle_leaves_everything_as_it_was(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, OPEN)
    before = bot.rows()

    arguments = [sys.executable, "-c", KILLED, bot.place, str(undo_folder)]
    done = subprocess.run([*arguments, str(Path(__file__).parent)], check=False)

    assert done.returncode == -signal.SIGKILL
    assert bot.rows() == before
    assert patch(bot, undo_folder).rows == 2


@contextmanager
def writing(bot: Bot) -> Generator[None]:
    """The bot in the middle of a write."""
    with closing(bot.connect()) as connection:
        connection.execute("BEGIN IMMEDIATE" if bot.is_sqlite else "UPDATE trades SET id = id")
        yield
        connection.rollback()


def test_writer_in_the_way_is_named(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)

    with writing(bot), pytest.raises(ForeignDatabaseError, match="is locked") as caught:
        patch(bot, undo_folder)

    assert "Stop the bot" in caught.value.remedy
    assert figures(bot) == [("open", None, None)]


@pytest.mark.parametrize(
    ("pragma", "message", "remedy"),
    [
        ("max_page_count = {pages}", "full", "Free some space"),
        ("query_only = ON", "is read-only", "write permission"),
    ],
)
def test_file_that_takes_no_more_is_not_patched(
    file_bot: Bot,
    undo_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    pragma: str,
    message: str,
    remedy: str,
) -> None:
    """SQLite's own limits stand for a full disk and for a file without write permission."""
    file_bot.seed(*[OPEN] * 300)
    ((pages,),) = file_bot.rows("PRAGMA page_count")
    connect = sqlite3.connect

    def limited(name: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(name, **options)
        if "mode=" in name:
            connection.execute(f"PRAGMA {pragma.format(pages=pages)}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    error = refused(file_bot, undo_folder, message, cents="37.55")

    assert remedy in error.remedy


# -- undo -----------------------------------------------------------------------------------------


def test_undo_restores_the_rows_to_the_last_bit(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN, ("KXB-1", "open", 0.1 + 0.2, -1e-7), ("KXC-1", "settled", 0.0, 1.0))
    before = bot.rows()
    patched = patch(
        bot, undo_folder, mapping=ForeignTable(columns={"settled_price": "settled_price in cents"})
    )
    assert bot.rows() != before

    assert undo(bot, patched.undo_file) == 2

    assert bot.rows() == before


def test_undo_file_is_private_and_says_what_it_is(file_bot: Bot, undo_folder: Path) -> None:
    file_bot.seed(OPEN)

    patched = patch(file_bot, undo_folder)
    again = patch(file_bot, undo_folder, judge=lambda _: [])

    assert again.undo_file is None
    assert patched.undo_file is not None
    assert stat.S_IMODE(patched.undo_file.stat().st_mode) == 0o600
    head, row = (json.loads(line) for line in patched.undo_file.read_text().splitlines())
    assert patched.undo_file.name == "20260601T120000Z-trades-trades.jsonl"
    assert head["database"] == file_bot.place
    assert "trueup settlements undo" in head["about"]
    assert row["old"] == {
        "status": "open",
        "settled_price": None,
        "profit_loss": None,
        "updated_at": WRITTEN_BY_HAND,
    }
    assert row["new"]["profit_loss"] == {"real": "12.34"}


def test_two_patches_in_one_second_have_two_files(file_bot: Bot, undo_folder: Path) -> None:
    file_bot.seed(OPEN, OPEN)

    first = patch(file_bot, undo_folder, judge=lambda lines: lines[:1])
    second = patch(file_bot, undo_folder)

    assert first.undo_file != second.undo_file
    assert (undo(file_bot, second.undo_file), undo(file_bot, first.undo_file)) == (1, 1)


def test_undo_of_rows_that_changed_since_is_refused_with_their_names(
    bot: Bot, undo_folder: Path
) -> None:
    bot.seed(OPEN, OPEN, OPEN)
    patched = patch(bot, undo_folder)
    bot.run("UPDATE trades SET profit_loss = 1 WHERE id = 1")
    bot.run("DELETE FROM trades WHERE id = 3")
    before = bot.rows()

    with pytest.raises(ForeignDatabaseError, match=r"rows 1, 3 .* changed since the patch"):
        undo(bot, patched.undo_file)

    assert bot.rows() == before


def test_undo_keeps_what_the_bot_wrote_elsewhere_in_the_row(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)
    patched = patch(bot, undo_folder)
    bot.run("UPDATE trades SET updated_at = '2026-07-01 00:00:00'")

    assert undo(bot, patched.undo_file) == 1

    assert figures(bot) == [("open", None, None)]
    assert str(bot.rows()[0][5]) == "2026-07-01 00:00:00"


def test_second_undo_finds_nothing_to_take_back(bot: Bot, undo_folder: Path) -> None:
    bot.seed(OPEN)
    patched = patch(bot, undo_folder)
    undo(bot, patched.undo_file)

    with pytest.raises(ForeignDatabaseError, match="nothing to take back"):
        undo(bot, patched.undo_file)


def _spoil(lines: list[str], how: str) -> Iterator[str]:
    match how:
        case "cut":
            yield from lines[:-1]
        case "garbled":
            yield "id,ticker"
        case "newer":
            yield lines[0].replace('"trueup_undo":1', '"trueup_undo":2')
            yield from lines[1:]
        case "emptied":
            return
        case _:
            yield from lines[:-1]
            yield lines[-1].replace('"real"', '"unreal"')


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut", "is not whole: it holds 1 of 2 rows"),
        ("garbled", "is not an undo file"),
        ("newer", "another trueup"),
        ("emptied", "is not an undo file"),
        ("values", "is not an undo file"),
    ],
)
def test_spoiled_undo_file_restores_nothing(
    file_bot: Bot, undo_folder: Path, how: str, message: str
) -> None:
    file_bot.seed(OPEN, OPEN)
    patched = patch(file_bot, undo_folder)
    assert patched.undo_file is not None
    before = file_bot.rows()
    lines = patched.undo_file.read_text().splitlines()
    patched.undo_file.write_text("\n".join(_spoil(lines, how)))

    with pytest.raises(ForeignDatabaseError, match=message):
        undo(file_bot, patched.undo_file)

    assert file_bot.rows() == before


def test_undo_in_another_database_is_refused(
    file_bot: Bot, undo_folder: Path, tmp_path: Path
) -> None:
    file_bot.seed(OPEN)
    patched = patch(file_bot, undo_folder)
    other = Bot(str(tmp_path / "other.db"))
    other.run("CREATE TABLE notes (id INTEGER)")

    with pytest.raises(ForeignDatabaseError, match="has no table 'trades'"):
        undo(other, patched.undo_file)
    with pytest.raises(ForeignDatabaseError, match="cannot be read"):
        undo(file_bot, undo_folder / "absent.jsonl")

    with closing(sqlite3.connect(other.place)) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER PRIMARY KEY, status TEXT)")
    with pytest.raises(ForeignDatabaseError, match="has no column market_ticker"):
        undo(other, patched.undo_file)
