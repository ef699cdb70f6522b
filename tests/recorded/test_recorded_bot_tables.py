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
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import AdoptionLine, AdoptionReport, Outcome, Reason
from trueup.run.booking import book_new
from trueup.run.config import Config
from trueup.run.patching import evidence_of
from trueup.run.recording import import_recording
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

OUTCOME_RIGHT = "outcome: agrees with the market's result"
PROFIT_RIGHT = "profit: follows from the row's own figures"
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
        import_recording(opened, recording, now=NOW)
        book_new(opened, precision=Precision.NON_DIRECT, config=Config())
        yield opened


def check(books: Books, place: str) -> AdoptionReport:
    with ForeignDatabase(place) as foreign:
        table = foreign.inspect(MAPPING)
        trades = foreign.read(table)
    return adopt(trades, evidence_of(books, trades, now=NOW), words=table.words)


def class_of(line: AdoptionLine) -> tuple[Outcome, Reason, tuple[str, ...], tuple[str, ...]]:
    """What was said about a row, without its own figures."""
    caveats = tuple(each for each in line.caveats if not each.startswith("profit: the row says"))
    wrong = ("own figures differ",) if len(caveats) < len(line.caveats) else ()
    return line.outcome, line.reason, (*line.checks, *wrong), caveats


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_no_row_is_ever_called_fine(
    books: Books, account_files: Path, tmp_path: Path, name: str
) -> None:
    report = check(books, load(account_files / f"bot_trades_{name}.csv", tmp_path / "bot.db"))

    print(Counter(map(class_of, report.lines)))
    assert report.patches == ()
    assert report.counts()[Outcome.MATCHED] == 0
