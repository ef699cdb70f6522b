"""The bots' own tables of the same account: they end before its recorded fills begin.

Outcomes and profits before fees can be held against the market results.  Entries and
fees cannot be held against anything: they are named as not verifiable, never as fine.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from trueup.core.fees import Precision
from trueup.core.instant import parse_instant
from trueup.core.orders import Side
from trueup.core.units import Ratio
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import AdoptionLine, AdoptionReport, Outcome, Reason
from trueup.run.books.booking import book_new
from trueup.run.books.patching import evidence_of
from trueup.run.books.recording import check_recording, import_recording
from trueup.run.config import Config
from trueup.store.database import Books, open_books
from trueup.store.foreign import ForeignDatabase, ForeignTable

pytestmark = pytest.mark.recorded

NOW = parse_instant("2026-06-01T00:00:00Z")

MAPPING = ForeignTable(
    name="bot_trades",
    columns={
        "id": "number",
        "ticker": "market",
        "status": "outcome",
        "settled_price": "settled_cents",
        "profit_loss": "net_pnl_dollars",
        "side": "side",
        "quantity": "qty",
        "entry_price": "entry_fill_cents_used",
        "exit_price": "exit_fill_cents_used",
        "fees": "total_fees_dollars",
        "opened_at": "entry_ts",
        "closed_at": "exit_ts",
    },
    closed_words=("exited_before_settlement",),
)

OUTCOME = "outcome: agrees with the market's result"
PROFIT = "profit: follows from the row's own figures"
OUTSIDE = "entry price, quantity and fees: not verifiable, outside coverage"


def load(table: Path, place: Path, *, turned: bool = False) -> str:
    """A bot's CSV as the SQLite table that it came from, with the settled price in cents."""
    cents = {"yes": 0, "no": 100} if turned else {"yes": 100, "no": 0}
    with table.open() as lines:
        rows = list(csv.DictReader(lines))
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    places = ", ".join("?" * (len(names) + 1))
    with closing(sqlite3.connect(place)) as connection, connection:
        connection.execute(
            f"CREATE TABLE bot_trades (number INTEGER PRIMARY KEY, settled_cents INTEGER, {columns})"
        )
        connection.executemany(
            f"INSERT INTO bot_trades (settled_cents, {columns}) VALUES ({places})",  # noqa: S608
            [(cents.get(row["result"]), *(row[name] or None for name in names)) for row in rows],
        )
    return str(place)


@pytest.fixture(scope="module")
def books(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    place = tmp_path_factory.mktemp("books") / "recorded.db"
    with open_books(place, venue="prod", mode="live", account="recorded", create=True) as opened:
        import_recording(opened, check_recording(recording), now=NOW)
        book_new(opened, precision=Precision.NON_DIRECT, config=Config())
        yield opened


def check(books: Books, place: str) -> AdoptionReport:
    with ForeignDatabase(place) as foreign:
        table = foreign.inspect(MAPPING)
        trades = foreign.read(table)
    return adopt(trades, evidence_of(books, trades, now=NOW), words=table.words)


def class_of(line: AdoptionLine) -> tuple[str, ...]:
    """What was said about a row, without its own figures."""
    told = [each.partition(": the row says")[0] for each in (*line.checks, *line.caveats)]
    return (line.reason.value, *told)


SOLD = (Reason.OUTSIDE_COVERAGE.value, PROFIT, OUTSIDE)
"""Sold before the market ended: its profit is the one of its own prices and fees."""
SOLD_WRONG = (Reason.OUTSIDE_COVERAGE.value, "profit", OUTSIDE)
"""The same, but its own prices and fees give another profit."""
HELD = (Reason.OUTSIDE_COVERAGE.value, OUTCOME, PROFIT, OUTSIDE)
"""Held to the end: the outcome is right, and the profit follows from it."""
HELD_WRONG = (Reason.OUTSIDE_COVERAGE.value, OUTCOME, "profit", OUTSIDE)
NOT_FINAL = (Reason.NOT_FINAL.value,)
"""The market is recorded as determined, which can still be disputed."""


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        # Nine lost what a partial exit left over; one cut 2.5 contracts to 2.
        ("a", {SOLD: 325, SOLD_WRONG: 9, HELD: 135, HELD_WRONG: 1}),
        ("b", {SOLD: 124, HELD: 509, NOT_FINAL: 1}),
        ("c", {HELD: 9}),
    ],
)
def test_rows_are_checked_as_far_as_results_reach_and_never_called_fine(
    books: Books,
    account_files: Path,
    tmp_path: Path,
    *,
    name: str,
    classes: dict[tuple[str, ...], int],
) -> None:
    report = check(books, load(account_files / f"bot_trades_{name}.csv", tmp_path / "bot.db"))

    assert Counter(map(class_of, report.lines)) == classes
    assert {line.outcome for line in report.lines} == {Outcome.NOT_VERIFIABLE}
    assert all(line.rests_on == "market result" for line in report.lines if line.caveats)


@pytest.mark.parametrize(("name", "right", "wrong"), [("a", 135, 1), ("b", 509, 0), ("c", 9, 0)])
def test_profits_of_held_rows_are_those_of_the_results(
    books: Books, account_files: Path, tmp_path: Path, *, name: str, right: int, wrong: int
) -> None:
    """By another road: the table's column of profits before fees, against quantity and result."""
    source = account_files / f"bot_trades_{name}.csv"
    report = check(books, load(source, tmp_path / "bot.db"))
    with source.open() as lines:
        gross = [Ratio(row["gross_pnl_dollars"]) for row in csv.DictReader(lines)]

    found = Counter(
        abs(expected - told) < Ratio(1, 200)
        for line, told in zip(report.lines, gross, strict=True)
        if (expected := _held_to_the_end(line)) is not None
    )

    assert found == Counter({True: right, False: wrong})


def _held_to_the_end(line: AdoptionLine) -> Ratio | None:
    """Quantity × (payout − entry price) of a row that was held; `None` for others."""
    row, settled = line.trade, line.settled_price
    if OUTCOME not in line.checks:
        return None
    assert settled is not None
    assert row.quantity is not None
    assert row.entry_price is not None
    paid = settled if row.side is Side.YES else settled.complement()
    return row.quantity * (Ratio(paid.units, 10_000) - row.entry_price)


@pytest.mark.parametrize(("name", "patches"), [("a", 136), ("b", 509), ("c", 9)])
def test_a_table_with_every_result_turned_round_is_found_out(
    books: Books, account_files: Path, tmp_path: Path, *, name: str, patches: int
) -> None:
    source = account_files / f"bot_trades_{name}.csv"

    report = check(books, load(source, tmp_path / "bot.db", turned=True))

    assert len(report.patches) == patches
    assert {line.reason for line in report.patches} == {Reason.WRONG_VALUES}
    assert all(line.caveats[0] == OUTSIDE for line in report.patches)
