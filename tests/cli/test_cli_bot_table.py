"""`settlements backfill`: every planted fault is found, patched, and taken back again."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typing_user import User, rows_of

from trueup.core.units import Money, Ratio
from trueup.run.clock import seeded
from trueup.run.sandbox.built_in import built_in_world
from trueup.run.sandbox.serving import write_bot_database
from trueup.sim.bot_database import BotDatabase, Fault, bot_database
from trueup.sim.scenario import DEFAULT_SEED

TABLE = "SELECT id, status, settled_price, profit_loss FROM trades ORDER BY id"
EVERYTHING = "SELECT * FROM trades ORDER BY id"


@pytest.fixture(scope="module")
def bot_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BotDatabase]:
    """The bot's table as it is, and the truth about it."""
    world = built_in_world()
    path = tmp_path_factory.mktemp("bot") / "trades.db"
    write_bot_database(path, world)
    return path, bot_database(world, seeded(DEFAULT_SEED))


@pytest.fixture
def bot(settled: User, bot_file: tuple[Path, BotDatabase]) -> Path:
    return Path(shutil.copy(bot_file[0], settled.folder / "trades.db"))


@pytest.fixture
def truth(bot_file: tuple[Path, BotDatabase]) -> BotDatabase:
    return bot_file[1]


def backfill(user: User, *words: str, code: int = 0, db: str = "trades.db") -> dict[str, Any]:
    return user.json("settlements", "backfill", "--db", db, "--offline", *words, code=code)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def outcomes(payload: dict[str, Any], *rows: int) -> list[tuple[str, str]]:
    by_row = {each["row"]: (each["outcome"], each["reason"]) for each in payload["rows"]}
    return [by_row[str(row)] for row in rows]


def test_dry_run_finds_every_planted_fault_and_writes_nothing(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    before = bot.read_bytes()
    payload = backfill(settled, code=1)

    wrong = {f.trade_id: f for f in truth.faults if f.fault is not Fault.UNKNOWN_TICKER}
    patches = {int(each["row"]): each for each in payload["rows"] if each["outcome"] == "patch"}
    assert patches.keys() == wrong.keys()
    for row, fault in wrong.items():
        assert fault.settled_price is not None
        assert Decimal(patches[row]["settled_price"]) == Decimal(str(fault.settled_price))
        assert patches[row]["profit_loss"] == str(fault.profit_loss)
    assert bot.read_bytes() == before
    assert payload["dry_run"] is True
    assert payload["undo_file"] is None


def test_every_kind_of_fault_is_among_the_planted_ones(truth: BotDatabase) -> None:
    assert {fault.fault for fault in truth.faults} == set(Fault)


def test_mistyped_ticker_and_rightly_open_trades_are_skipped(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    assert bot.exists()
    payload = backfill(settled, code=1)
    (mistyped,) = [f.trade_id for f in truth.faults if f.fault is Fault.UNKNOWN_TICKER]

    assert outcomes(payload, mistyped) == [("skipped", "unknown_ticker")]
    assert {outcome for outcome, _ in outcomes(payload, *truth.truly_open)} == {"skipped"}


def test_written_table_equals_the_truth_and_a_second_look_finds_nothing(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    right = {trade.trade_id: trade for trade in truth.trades}
    written = backfill(settled, "--write")
    again = backfill(settled)

    assert written["patched"] == len(truth.faults) - 1
    assert again["counts"].get("patch", 0) == 0
    wanted = {f.trade_id: (f.settled_price, f.profit_loss) for f in truth.faults}
    for row, status, price, profit in rows_of(bot, TABLE):
        value, money = wanted.get(row, (right[row].settled_price, right[row].profit_loss))
        if value is None:
            assert (status, price, profit) == ("open", None, None)
            continue
        assert status == "settled"
        assert Ratio(str(price)) == Ratio(value.units, 100)
        assert abs(Money.parse(f"{profit:.6f}") - (money or Money(0))).units <= 1


def test_undo_restores_the_rows_byte_for_byte(settled: User, bot: Path) -> None:
    before = rows_of(bot, EVERYTHING)
    written = backfill(settled, "--write")
    patched = rows_of(bot, EVERYTHING)
    undone = settled.json("settlements", "undo", "--db", "trades.db", written["undo_file"])

    assert patched != before
    assert rows_of(bot, EVERYTHING) == before
    assert undone["restored"] == written["patched"]


def test_undo_of_rows_that_changed_since_is_refused_and_changes_nothing(
    settled: User, bot: Path
) -> None:
    written = backfill(settled, "--write")
    row = next(each["row"] for each in written["rows"] if each["outcome"] == "patch")
    change(bot, f"UPDATE trades SET profit_loss = 1 WHERE id = {row}")  # noqa: S608
    left = rows_of(bot, EVERYTHING)
    said = settled.type("settlements", "undo", "--db", "trades.db", written["undo_file"])

    assert said.code == 2
    assert "Nothing was changed" in said.err
    assert rows_of(bot, EVERYTHING) == left


def test_text_report_says_what_would_change_and_why(settled: User, bot: Path) -> None:
    assert bot.exists()
    said = settled.type("settlements", "backfill", "--db", "trades.db", "--offline")

    assert said.code == 1
    assert said.out.lstrip().startswith("SANDBOX, no real money · account main")
    assert "open in the table, settled at the exchange" in said.out
    assert "A dry run: nothing was written" in said.out


def test_write_and_dry_run_contradict_each_other(settled: User, bot: Path) -> None:
    before = bot.read_bytes()
    said = settled.type("settlements", "backfill", "--db", "trades.db", "--write", "--dry-run")

    assert said.code == 2
    assert bot.read_bytes() == before


def test_missing_columns_are_named(settled: User, bot: Path) -> None:
    change(bot, "ALTER TABLE trades RENAME COLUMN profit_loss TO gain")
    said = settled.type("settlements", "backfill", "--db", "trades.db", "--offline", "--write")

    assert said.code == 2
    assert "profit_loss" in said.err
    assert "[bot_database.columns]" in said.err


def test_columns_and_words_of_another_bot_are_mapped_in_the_config(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    change(
        bot,
        "ALTER TABLE trades RENAME TO bets",
        "ALTER TABLE bets RENAME COLUMN profit_loss TO gain",
        "ALTER TABLE bets RENAME COLUMN market_ticker TO contract",
        "UPDATE bets SET status = 'running' WHERE status = 'open'",
        "UPDATE bets SET status = 'over' WHERE status = 'settled'",
    )
    with (settled.home / "config.toml").open("a", encoding="utf-8") as file:
        file.write(
            '[bot_database]\ntable = "bets"\nopen_words = ["running"]\nsettled_words = ["over"]\n'
            '[bot_database.columns]\nprofit_loss = "gain"\nticker = "contract"\n'
        )
    written = backfill(settled, "--write")

    assert written["patched"] == len(truth.faults) - 1
    assert rows_of(bot, "SELECT DISTINCT status FROM bets ORDER BY 1") == [("over",), ("running",)]
    assert backfill(settled)["counts"].get("patch", 0) == 0


def test_unknown_status_words_and_null_prices_are_no_crash(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    stuck = [f.trade_id for f in truth.faults if f.fault is Fault.STUCK_OPEN]
    change(
        bot,
        f"UPDATE trades SET status = 'limbo' WHERE id = {stuck[0]}",  # noqa: S608
        f"UPDATE trades SET entry_price = NULL WHERE id = {stuck[1]}",  # noqa: S608
        f"UPDATE trades SET quantity = NULL, side = NULL WHERE id = {stuck[2]}",  # noqa: S608
        f"UPDATE trades SET profit_loss = 'a lot' WHERE id = {truth.trades[-2].trade_id}",  # noqa: S608
    )
    payload = backfill(settled, code=1)
    (limbo, without_price, without_side) = outcomes(payload, *stuck[:3])

    assert limbo == ("skipped", "unknown_status")
    assert without_price[0] in {"patch", "not verifiable"}
    assert without_side[0] in {"patch", "not verifiable"}


def test_row_that_repeats_another_is_not_paid_twice(
    settled: User, bot: Path, truth: BotDatabase
) -> None:
    stuck = next(f for f in truth.faults if f.fault is Fault.STUCK_OPEN)
    columns = (
        "market_ticker, status, settled_price, profit_loss, updated_at, side, quantity, entry_price"
    )
    change(
        bot,
        f"INSERT INTO trades (id, {columns}) SELECT 9999, {columns} FROM trades "  # noqa: S608
        f"WHERE id = {stuck.trade_id}",
    )
    payload = backfill(settled, code=1)
    first, second = outcomes(payload, stuck.trade_id, 9999)

    assert first[0] == "patch"
    assert second[0] != "patch"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no database at"),
        (b"", "holds no tables at all"),
        (b"id,market_ticker\n1,KXHIGHNY\n" * 100, "not an SQLite database"),
    ],
)
def test_file_that_is_no_bot_database_is_refused_and_not_made(
    settled: User, content: bytes | None, words: str
) -> None:
    path = settled.folder / "other.db"
    if content is not None:
        path.write_bytes(content)
    said = settled.type("settlements", "backfill", "--db", "other.db", "--offline")

    assert said.code == 2
    assert words in said.err
    assert path.exists() == (content is not None)


def test_bot_that_is_writing_keeps_its_table(settled: User, bot: Path) -> None:
    before = rows_of(bot, EVERYTHING)
    with closing(sqlite3.connect(bot, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        said = settled.type("settlements", "backfill", "--db", "trades.db", "--offline", "--write")
        connection.execute("ROLLBACK")

    assert said.code == 2
    assert "locked" in said.err
    assert rows_of(bot, EVERYTHING) == before


def test_read_only_bot_table_is_said_plainly(settled: User, bot: Path) -> None:
    """Root may write everything, so the table itself is made unwilling."""
    change(bot, "CREATE TRIGGER no BEFORE UPDATE ON trades BEGIN SELECT RAISE(ABORT, 'no'); END")
    before = rows_of(bot, EVERYTHING)
    said = settled.type("settlements", "backfill", "--db", "trades.db", "--offline", "--write")

    assert said.code == 2
    assert rows_of(bot, EVERYTHING) == before
    assert not list((settled.home / "undo").glob("*"))
