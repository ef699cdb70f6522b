"""What a bot's table says is read exactly, or kept as text; never rounded, never guessed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from foreign_bot import Bot
from hypothesis import example, given
from hypothesis import strategies as st

from trueup.core.errors import ForeignDatabaseError, NotANumber
from trueup.core.instant import parse_instant
from trueup.core.orders import Side
from trueup.core.units import Ratio
from trueup.store.foreign import ForeignDatabase, ForeignTable
from trueup.store.foreign_values import from_json, read_instant, read_number, to_json


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(str(tmp_path / "trades.db"))


def wide(bot: Bot, columns: str, *rows: tuple[object, ...]) -> None:
    """The first seed's table with more columns; rows give the values of those only."""
    names = [each.split()[0] for each in columns.split(", ")]
    bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, market_ticker TEXT DEFAULT 'KXA-1', "
        "status TEXT DEFAULT 'open', settled_price {real}, profit_loss {real}, " + columns + ")"
    )
    places = ", ".join("?" * len(names))
    bot.run(f"INSERT INTO trades ({', '.join(names)}) VALUES ({places})", rows)  # noqa: S608


# -- numbers --------------------------------------------------------------------------------------


@given(cents=st.integers(-(10**13), 10**13))
def test_a_dollar_amount_survives_a_real_column(cents: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
        ((stored,),) = connection.execute("SELECT CAST(? AS REAL)", (float(text),)).fetchall()

    assert read_number(stored) == Ratio(cents, 100)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@example(value=0.1 + 0.2)
@example(value=5e-324)
def test_a_float_is_read_as_the_decimal_that_gives_the_same_float(value: float) -> None:
    read = read_number(value)

    assert read is not None
    assert read.numerator / read.denominator == value


@given(
    value=st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.datetimes()
    | st.uuids()
)
def test_an_undo_file_gives_the_very_same_value(value: object) -> None:
    back = from_json(to_json(value))

    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (12, 12),
        (0.1, Ratio(1, 10)),
        (" -12.50 ", Ratio(-25, 2)),
        ("1e-05", Ratio(1, 100_000)),
        (".5", Ratio(1, 2)),
        (None, None),
        ("", None),
        ("  ", None),
    ],
)
def test_number_is_read_exactly(raw: object, number: Ratio | int | None) -> None:
    assert read_number(raw) == number


@pytest.mark.parametrize(
    "raw", ["nan", "inf", "12,5", "$3", "n/a", b"\x05", True, float("inf"), "1e999999999"]
)
def test_no_number_is_refused(raw: object) -> None:
    with pytest.raises(NotANumber):
        read_number(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2026-05-01 10:00:00", "2026-05-01T10:00:00Z"),
        ("2026-05-01T10:00:00.25Z", "2026-05-01T10:00:00.25Z"),
        ("2026-05-01T10:00:00-04:00", "2026-05-01T14:00:00Z"),
        ("2026-05-01", "2026-05-01T00:00:00Z"),
        (1_777_629_600, "2026-05-01T10:00:00Z"),
        (1_777_629_600.5, "2026-05-01T10:00:00.5Z"),
        ("1777629600000", "2026-05-01T10:00:00Z"),
        (1_777_629_600_000_000, "2026-05-01T10:00:00Z"),
    ],
)
def test_time_is_read_in_every_usual_form(raw: object, text: str) -> None:
    assert read_instant(raw) == parse_instant(text)


@pytest.mark.parametrize("raw", ["yesterday", 12, "26", b"2026"])
def test_no_time_is_refused(raw: object) -> None:
    with pytest.raises(NotANumber):
        read_instant(raw)


# -- rows -----------------------------------------------------------------------------------------


def test_the_first_seeds_table_needs_no_mapping(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None), ("KXA-1", "settled", 100.0, -0.07))

    first, second = bot.read()

    assert (first.row_id, first.ticker, first.status) == ("1", "KXA-1", "open")
    assert (first.settled_price, first.profit_loss, first.unreadable) == (None, None, {})
    assert (second.settled_price, second.profit_loss) == (100, Ratio(-7, 100))


def test_what_cannot_be_read_is_kept_as_text(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", "abc", b"\x05\x00"), (None, None, "", None), ("", b"\xff", 0, 1))

    first, second, third = bot.read()

    assert (first.settled_price, first.profit_loss) == (None, None)
    assert first.unreadable == {"settled_price": "abc", "profit_loss": "x'0500'"}
    assert (second.ticker, second.status, second.unreadable) == ("", "", {})
    assert third.status == "x'ff'"


def test_text_that_is_no_unicode_does_not_stop_the_reading(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))
    bot.run("UPDATE trades SET status = CAST(x'ff6f' AS TEXT)")

    (trade,) = bot.read()

    assert trade.status == "x'ff6f'"


def test_the_usual_columns_are_found_by_their_names(bot: Bot) -> None:
    wide(
        bot,
        "Side TEXT, qty INTEGER, entry_price_cents INTEGER, exit_price_cents INTEGER, "
        "fee REAL, created_at TEXT, closed_at INTEGER",
        ("NO", 3, 56, None, 0.07, "2026-05-01 10:00:00", 1_777_629_600),
    )

    (trade,) = bot.read()

    assert (trade.side, trade.quantity, trade.fees) == (Side.NO, 3, Ratio(7, 100))
    assert (trade.entry_price, trade.exit_price) == (Ratio(56, 100), None)
    assert trade.opened_at == trade.closed_at == parse_instant("2026-05-01T10:00:00Z")


def test_of_two_columns_the_one_that_says_yes_or_no_is_the_side(bot: Bot) -> None:
    wide(bot, "side TEXT, outcome TEXT", ("buy", "no"), ("sell", None))

    first, second = bot.read()

    assert (first.side, second.side) == (Side.NO, None)


def test_mapping_may_name_unit_zone_and_absence(bot: Bot) -> None:
    wide(bot, "cost REAL, entry_ts TEXT, fee REAL", (1, "2026-05-01 10:00:00", 2))

    (trade,) = bot.read(
        entry_price="cost in cents", opened_at="entry_ts in America/New_York", fees=""
    )

    assert trade.entry_price == Ratio(1, 100)
    assert trade.opened_at == parse_instant("2026-05-01T14:00:00Z")
    assert trade.fees is None


def test_column_named_like_a_unit_is_taken_by_its_name(bot: Bot) -> None:
    bot.run('CREATE TABLE trades (ticker, status, settled_price, "pnl in cents" REAL)')
    bot.run("INSERT INTO trades VALUES ('KXA-1', 'open', NULL, 12.5)")

    (trade,) = bot.read(profit_loss="pnl in cents")

    assert trade.profit_loss == Ratio(1, 8)


@pytest.mark.parametrize(
    ("prices", "dollars"),
    [
        ([56.0, 7.0], [Ratio(56, 100), Ratio(7, 100)]),
        ([0.56, 0.07], [Ratio(56, 100), Ratio(7, 100)]),
        ([0.5, 1.0], [Ratio(1, 2), Ratio(1)]),
        (["56", "1"], [Ratio(56, 100), Ratio(1, 100)]),
        ([0.0, None], [Ratio(0), None]),
    ],
)
def test_unit_of_prices_shows_in_their_values(
    bot: Bot, prices: list[object], dollars: list[Ratio | None]
) -> None:
    wide(bot, "entry_price", *((price,) for price in prices))

    assert [trade.entry_price for trade in bot.read()] == dollars


@pytest.mark.parametrize(
    ("stored", "cents"),
    [
        ([100.0, 0.0], [100, 0]),
        ([1.0, 0.0, 0.375], [100, 0, Ratio(75, 2)]),
        ([1, 0], [100, 0]),
        ([0, None], [0, None]),
    ],
)
def test_unit_of_settled_prices_shows_in_their_values(
    bot: Bot, stored: list[object], cents: list[Ratio | int | None]
) -> None:
    bot.seed(*(("KXA-1", "settled", price, None) for price in stored))

    assert [trade.settled_price for trade in bot.read()] == cents


def test_exit_prices_follow_the_entry_prices(bot: Bot) -> None:
    wide(bot, "entry_price REAL, exit_price REAL", (0.4, 1.0), (0.3, 0.0))

    assert [trade.exit_price for trade in bot.read()] == [1, 0]


@pytest.mark.parametrize(
    ("columns", "row", "asked"),
    [
        ("entry_price REAL", (1,), 'entry_price = "entry_price in cents"'),
        ("fees REAL", (3,), 'fees = "fees in cents"'),
        ("fees INTEGER", (3,), 'fees = "fees in cents"'),
    ],
)
def test_column_that_does_not_tell_its_unit_is_asked_for(
    bot: Bot, columns: str, row: tuple[object, ...], asked: str
) -> None:
    wide(bot, columns, row)

    with pytest.raises(ForeignDatabaseError, match="does not tell cents from dollars") as caught:
        bot.read()

    assert asked in caught.value.remedy


def test_prices_that_contradict_each_other_are_shown(bot: Bot) -> None:
    wide(bot, "entry_price REAL", (0.56,), (56,))

    with pytest.raises(ForeignDatabaseError, match=r"56.0 \(cents\?\) as well as 0.56"):
        bot.read()

    assert bot.read(entry_price="entry_price in cents")[0].entry_price == Ratio(56, 10_000)


def test_profit_in_whole_numbers_must_be_mapped(bot: Bot) -> None:
    bot.run(
        "CREATE TABLE trades (id INTEGER PRIMARY KEY, ticker TEXT, status TEXT, "
        "settled_price INTEGER, profit_loss INTEGER)"
    )
    bot.run("INSERT INTO trades VALUES (1, 'KXA-1', 'settled', 100, 1234)")

    with pytest.raises(ForeignDatabaseError, match="a column of whole numbers"):
        bot.read()

    (in_cents,) = bot.read(profit_loss="profit_loss in cents")
    assert in_cents.profit_loss == Ratio(1234, 100)


# -- identity -------------------------------------------------------------------------------------


def test_table_without_a_key_is_told_apart_by_its_row_numbers(bot: Bot) -> None:
    bot.run("CREATE TABLE trades (id, ticker, status, settled_price, profit_loss)")
    bot.run("INSERT INTO trades VALUES (?, 'KXA-1', 'open', NULL, NULL)", [(7,), (7,)])

    assert [trade.row_id for trade in bot.read()] == ["rowid 1", "rowid 2"]


def test_named_key_that_repeats_is_refused(bot: Bot) -> None:
    bot.run("CREATE TABLE trades (id, ticker, status, settled_price, profit_loss)")
    bot.run("INSERT INTO trades VALUES (?, 'KXA-1', 'open', NULL, NULL)", [(7,), (7,)])

    with pytest.raises(ForeignDatabaseError, match="repeats '7'"):
        bot.read(id="id")


def test_null_in_a_primary_key_is_refused(bot: Bot) -> None:
    bot.run("CREATE TABLE trades (id TEXT PRIMARY KEY, ticker, status, settled_price, profit_loss)")
    bot.run("INSERT INTO trades VALUES (?, 'KXA-1', 'open', NULL, NULL)", [(None,), ("a",)])

    with pytest.raises(ForeignDatabaseError, match="is NULL in a row"):
        bot.read()


def test_key_of_several_columns_is_one_identity(bot: Bot) -> None:
    bot.run(
        "CREATE TABLE trades (day TEXT, id INTEGER, ticker, status, settled_price, profit_loss, "
        "PRIMARY KEY (day, id)) WITHOUT ROWID"
    )
    bot.run("INSERT INTO trades VALUES ('mon', ?, 'KXA-1', 'open', NULL, NULL)", [(1,), (2,)])

    assert [trade.row_id for trade in bot.read()] == ['["mon", 1]', '["mon", 2]']


def test_names_with_blanks_and_keywords_are_quoted(bot: Bot) -> None:
    bot.run(
        'CREATE TABLE "my ""trades: all" (id INTEGER PRIMARY KEY, "market name" TEXT, '
        '"order" TEXT, "a:b" REAL, "P&L %" REAL)'
    )
    bot.run("""INSERT INTO "my ""trades: all" VALUES (1, 'KXA-1', 'open', 100, 0.5)""")
    mapping = ForeignTable(
        name='my "trades: all',
        columns={
            "ticker": "market name",
            "status": "order",
            "settled_price": "a:b",
            "profit_loss": "P&L %",
        },
    )

    with ForeignDatabase(bot.place) as foreign:
        (trade,) = foreign.read(foreign.inspect(mapping))

    assert (trade.ticker, trade.settled_price, trade.profit_loss) == ("KXA-1", 100, Ratio(1, 2))


def test_reading_leaves_the_file_as_it_was(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))
    before = Path(bot.place).read_bytes()

    bot.read()

    assert Path(bot.place).read_bytes() == before


def test_rows_in_the_write_ahead_log_are_seen(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))
    with closing(sqlite3.connect(bot.place)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("UPDATE trades SET profit_loss = 4.5")
        running.commit()

        (trade,) = bot.read()

    assert trade.profit_loss == Ratio(9, 2)


# -- words ----------------------------------------------------------------------------------------


def test_own_words_go_before_the_usual_ones() -> None:
    words = ForeignTable(open_words=("Won",), settled_words=("done", "over")).words

    assert "won" in words.open
    assert "won" not in words.settled
    assert words.settled_word == "done"


def test_unordered_words_do_not_say_which_is_written() -> None:
    assert ForeignTable(settled_words=frozenset({"x", "settled"})).words.settled_word == "settled"
    assert ForeignTable(settled_words=frozenset({"x"})).words.settled_word == "x"
    with pytest.raises(ForeignDatabaseError, match="done, over"):
        _ = ForeignTable(settled_words=frozenset({"done", "over"})).words


def test_words_for_won_and_lost_are_written_by_the_outcome() -> None:
    named = ForeignTable(won_words=("hit", "won"), lost_words=("miss",)).words
    listed = ForeignTable(settled_words=("WON", "LOST")).words

    assert (named.written(won=True), named.written(won=False)) == ("hit", "miss")
    assert {"hit", "miss", "won", "lost", "settled"} <= named.settled
    assert (listed.written(won=True), listed.written(won=False)) == ("WON", "LOST")
    assert ForeignTable(settled_words=("won", "done")).words.written(won=False) == "done"
    with pytest.raises(ForeignDatabaseError, match="not for both"):
        _ = ForeignTable(won_words=("hit",)).words


# -- bad input ------------------------------------------------------------------------------------


def _nothing(path: Path) -> None:
    assert not path.exists()


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "bot.sqlite").touch()


def _text(path: Path) -> None:
    path.write_text("id,market_ticker,status\n" * 100)


def _empty(path: Path) -> None:
    path.touch()


def _view(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW trades AS SELECT 1 AS id")


def _other_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
        connection.execute("CREATE TABLE bot_trades (id INTEGER)")


def _no_columns(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER, ticker TEXT, state TEXT, pnl REAL)")


@pytest.mark.parametrize(
    ("make", "message", "remedy"),
    [
        (_nothing, "There is no database at", "Nothing was created"),
        (_folder, "is a folder", "bot.sqlite"),
        (_text, "is not an SQLite database", "Check the path"),
        (_empty, "holds no tables at all", "another file"),
        (_view, "is a view", "table behind it"),
        (_other_tables, "its tables: bot_trades, orders", "[bot_database] table"),
        (_no_columns, "no column for status, settled_price, profit_loss", 'profit_loss = "pnl"'),
    ],
)
def test_what_is_no_table_of_trades_is_refused_with_a_remedy(
    tmp_path: Path, make: Callable[[Path], None], message: str, remedy: str
) -> None:
    path = tmp_path / "trades.db"
    make(path)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ForeignDatabaseError, match=message) as caught:
        Bot(str(path)).read()

    assert sorted(tmp_path.iterdir()) == before
    assert remedy in caught.value.remedy


def test_mapped_column_that_is_not_there_is_named(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))

    with pytest.raises(ForeignDatabaseError, match=r"side \(as 'direction'\)"):
        bot.read(side="direction")
    with pytest.raises(ForeignDatabaseError, match="names tickr, which means nothing"):
        bot.read(tickr="market_ticker")
    with pytest.raises(ForeignDatabaseError, match="neither a unit nor a time zone"):
        bot.read(profit_loss="profit_loss in euros")


def test_database_that_another_program_holds_is_named_as_locked(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))
    with closing(sqlite3.connect(bot.place, isolation_level=None)) as running:
        running.execute("BEGIN EXCLUSIVE")

        with (
            ForeignDatabase(bot.place, patience_seconds=0) as foreign,
            pytest.raises(ForeignDatabaseError, match="is locked") as caught,
        ):
            foreign.inspect()

    assert "Stop the bot" in caught.value.remedy


@pytest.mark.parametrize(
    "place",
    [
        "postgresql://bot:hush-hush@127.0.0.1:1/trades",
        "postgresql://bot@127.0.0.1:1/trades?password=hush-hush",
        "nosuchdatabase://bot:hush-hush@host/trades",
        "postgresql://bot:hush-hush@127.0.0.1:port/trades",
    ],
)
def test_password_is_never_shown(place: str) -> None:
    with pytest.raises(ForeignDatabaseError) as caught:
        ForeignDatabase(place, patience_seconds=1).inspect()

    assert "hush" not in str(caught.value)
    assert "hush" not in caught.value.remedy
    assert caught.value.remedy


def test_place_is_shown_without_its_password() -> None:
    foreign = ForeignDatabase("postgresql://bot:hush@host/trades?sslmode=require&sslpassword=hush")

    assert foreign.place == "postgresql://bot:***@host/trades?sslmode=require&sslpassword=***"


def test_large_table_is_read_to_its_end(bot: Bot) -> None:
    bot.seed(*((f"KXA-{number}", "open", None, number / 100) for number in range(5_000)))

    trades = bot.read()

    assert len(trades) == 5_000
    assert sum((each.profit_loss or 0 for each in trades), Ratio(0)) == Ratio(
        sum(range(5_000)), 100
    )


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
@pytest.mark.parametrize("table", ["trades", "bets"])
def test_reading_or_refusing_a_file_leaves_it_as_it_is_to_the_byte(
    bot: Bot, journal_mode: str, table: str
) -> None:
    path = Path(bot.place)
    bot.seed(("KXA-1", "open", None, None))
    bot.run(f"PRAGMA journal_mode = {journal_mode}")
    before = path.read_bytes()

    with ForeignDatabase(bot.place) as foreign:
        try:
            foreign.read(foreign.inspect(ForeignTable(name=table)))
        except ForeignDatabaseError:
            assert table == "bets"

    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_log_of_a_bot_that_has_the_file_open_stays(bot: Bot) -> None:
    bot.seed(("KXA-1", "open", None, None))
    with closing(bot.connect()) as running:
        running.execute("PRAGMA journal_mode = wal")
        running.execute("UPDATE trades SET status = 'live'")
        running.commit()

        (trade,) = bot.read()

        assert trade.status == "live"
        assert Path(f"{bot.place}-wal").exists()
