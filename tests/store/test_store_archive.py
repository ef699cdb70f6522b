"""The market archive: exact, small, and whole whatever happens to whoever writes it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trueup.core.errors import CallerError, ConfigError
from trueup.core.instant import DAY, MINUTE, Instant, parse_instant
from trueup.store.archive import Archive, Columns, read_table, schema_of, write_table
from trueup.store.archive_columns import COLUMNS, Kind, reference
from trueup.store.archive_keeping import aggregate, compact, old_parts, prune
from trueup.store.archive_query import query

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

NOON = parse_instant("2026-10-05T12:00:00Z")
TODAY = "2026-10-06"
DOCS = Path(__file__).parents[2] / "docs" / "reference" / "archive.md"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def deltas(ticker: str, changes: list[int], *, at: Instant = NOON) -> Columns:
    count = len(changes)
    return {
        "occurred_at": [at + n for n in range(count)],
        "heard_at": [at + n + 5 for n in range(count)],
        "ticker": [ticker] * count,
        "is_bid": [True] * count,
        "price": [4_200] * count,
        "change": changes,
    }


def trades(*rows: tuple[str, int, int], ticker: str = "KXA", at: Instant = NOON) -> Columns:
    """Rows of trade id, price and count."""
    return {
        "occurred_at": [at + n for n in range(len(rows))],
        "heard_at": [at + n for n in range(len(rows))],
        "ticker": [ticker] * len(rows),
        "trade_id": [row[0] for row in rows],
        "price": [row[1] for row in rows],
        "count": [row[2] for row in rows],
        "taker_is_yes": [True] * len(rows),
        "is_block": [False] * len(rows),
    }


def test_rows_come_back_exactly_and_in_the_order_in_which_they_were_heard(
    archive: Archive,
) -> None:
    big = 2**53 + 1
    archive.append(Kind.DELTAS, deltas("KXB", [big, -3]), at=NOON, writer="1")
    archive.append(Kind.DELTAS, deltas("KXA", [7]), at=NOON, writer="1")

    rows = list(archive.rows(Kind.DELTAS))

    assert [(row["ticker"], row["change"]) for row in rows] == [
        ("KXB", big),
        ("KXB", -3),
        ("KXA", 7),
    ]
    assert [row["change"] for row in archive.rows(Kind.DELTAS, tickers=["KXA"])] == [7]


def test_every_column_says_its_unit(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXA", [1]), at=NOON, writer="1")
    parquet: Any = importlib.import_module("pyarrow.parquet")

    (part,) = archive.parts(Kind.DELTAS)

    schema = parquet.read_schema(part.path)
    assert schema.field("price").metadata[b"unit"] == b"1/10,000 dollar"
    assert schema.field("change").metadata[b"unit"] == b"1/100 contract"
    assert all(schema.field(each.name).metadata[b"unit"] for each in COLUMNS[Kind.DELTAS])


def test_a_value_that_does_not_fit_is_refused_and_nothing_is_written(archive: Archive) -> None:
    columns = {**deltas("KXA", [1]), "price": [70_000]}

    with pytest.raises(ConfigError, match="do not fit the archive"):
        archive.append(Kind.DELTAS, columns, at=NOON, writer="1")

    assert not archive.parts(Kind.DELTAS)


def test_a_file_that_is_not_finished_is_not_seen(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXA", [1]), at=NOON, writer="1")
    (part,) = archive.parts(Kind.DELTAS)
    part.path.with_name(".half.parquet.1.new").write_bytes(part.path.read_bytes()[:100])

    assert archive.parts(Kind.DELTAS) == [part]
    assert query(archive, "SELECT count(*) FROM deltas").rows == [(1,)]


def test_a_writer_killed_at_any_moment_leaves_only_whole_files(archive: Archive) -> None:
    script = f"""
import sys
from pathlib import Path
from trueup.store.archive import Archive
from trueup.store.archive_columns import Kind
archive = Archive(Path({str(archive.folder)!r}))
at = {NOON}
for n in range(10_000):
    columns = {{"occurred_at": [at + n] * 500, "heard_at": [at + n] * 500, "ticker": ["KXA"] * 500,
               "is_bid": [True] * 500, "price": [4_200] * 500, "change": [n] * 500}}
    archive.append(Kind.DELTAS, columns, at=at + n, writer="1")
    print(n, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=dict(os.environ)
    ) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()

    counts = [part.rows() for part in archive.parts(Kind.DELTAS)]

    assert len(counts) >= 20
    assert set(counts) == {500}


def test_compacting_keeps_every_row_and_each_markets_order(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXB", [1, 2]), at=NOON, writer="1")
    archive.append(Kind.DELTAS, deltas("KXA", [3]), at=Instant(NOON + MINUTE), writer="1")
    archive.append(Kind.DELTAS, deltas("KXB", [4]), at=Instant(NOON + MINUTE), writer="1")

    (done,) = compact(archive, today=TODAY)

    assert (done.kind, done.day, done.rows) == (Kind.DELTAS, "2026-10-05", 4)
    (part,) = archive.parts(Kind.DELTAS)
    assert part.is_compacted
    assert [(row["ticker"], row["change"]) for row in archive.rows(Kind.DELTAS)] == [
        ("KXA", 3),
        ("KXB", 1),
        ("KXB", 2),
        ("KXB", 4),
    ]
    assert compact(archive, today=TODAY) == []


def test_an_interrupted_compaction_counts_nothing_twice(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXA", [1, 2]), at=NOON, writer="1")
    archive.append(Kind.DELTAS, deltas("KXA", [3]), at=Instant(NOON + MINUTE), writer="1")
    parts = archive.parts(Kind.DELTAS)
    kept = {part.path: part.path.read_bytes() for part in parts}
    compact(archive, today=TODAY)
    for path, content in kept.items():
        # The process died after the day's file was there and before its parts were gone.
        path.write_bytes(content)

    assert query(Archive(archive.folder), "SELECT sum(change) FROM deltas").rows == [(6,)]

    compact(archive, today=TODAY)
    assert not any(path.exists() for path in kept)


def test_rows_that_come_after_a_compaction_are_compacted_too(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXA", [1]), at=NOON, writer="1")
    archive.append(Kind.DELTAS, deltas("KXA", [2]), at=NOON, writer="1")
    compact(archive, today=TODAY)
    archive.append(Kind.DELTAS, deltas("KXA", [3]), at=NOON, writer="2")

    compact(archive, today=TODAY)

    assert sorted(row["change"] for row in archive.rows(Kind.DELTAS)) == [1, 2, 3]
    assert len(archive.parts(Kind.DELTAS)) == 1


def test_a_day_that_goes_on_is_left_alone(archive: Archive) -> None:
    archive.append(Kind.DELTAS, deltas("KXA", [1]), at=NOON, writer="1")
    archive.append(Kind.DELTAS, deltas("KXA", [2]), at=NOON, writer="1")

    assert compact(archive, today="2026-10-05") == []
    assert aggregate(archive, today="2026-10-05") == []


def test_a_day_is_added_up_by_hand_the_same(archive: Archive) -> None:
    """Open 40, high 60, low 40, close 50 cents; 6 contracts for $0.40 + 2 × 0.60 + 3 × 0.50."""
    rows = trades(("a", 4_000, 100), ("b", 6_000, 200), ("c", 5_000, 300))
    archive.append(Kind.TRADES, rows, at=NOON, writer="1")
    # A second recorder heard one of them, too.
    archive.append(Kind.TRADES, trades(("b", 6_000, 200)), at=NOON, writer="2")
    archive.append(Kind.DELTAS, deltas("KXA", [1, 1, 1]), at=NOON, writer="1")

    aggregate(archive, today=TODAY)

    (day,) = archive.rows(Kind.DAYS)
    assert day == {
        "day": "2026-10-05",
        "ticker": "KXA",
        "open": 4_000,
        "high": 6_000,
        "low": 4_000,
        "close": 5_000,
        "volume": 600,
        "trades": 3,
        "dollar_volume": 4_000 * 100 + 6_000 * 200 + 5_000 * 300,
        "spread_mean": None,
        "tickers": 0,
        "deltas": 3,
        "gaps": 0,
    }


def test_compacted_trades_are_there_once(archive: Archive) -> None:
    archive.append(Kind.TRADES, trades(("a", 4_000, 1), ("b", 5_000, 1)), at=NOON, writer="1")
    archive.append(Kind.TRADES, trades(("b", 5_000, 1), ("c", 6_000, 1)), at=NOON, writer="2")

    compact(archive, today=TODAY)

    assert [row["trade_id"] for row in archive.rows(Kind.TRADES)] == ["a", "b", "c"]


def test_old_ticks_go_only_after_their_day_was_added_up(archive: Archive) -> None:
    archive.append(Kind.TRADES, trades(("a", 4_000, 100)), at=NOON, writer="1")
    archive.append(Kind.HISTORY, trades(("h", 4_000, 100)), at=NOON, writer="1")
    recent = Instant(NOON + 20 * DAY)
    archive.append(Kind.TRADES, trades(("b", 4_000, 100), at=recent), at=recent, writer="1")
    today = "2026-11-10"

    waiting = old_parts(archive, today=today, keep_days=30)
    assert (waiting.parts, waiting.waiting) == ((), ("2026-10-05",))

    aggregate(archive, today=today)
    pruning = old_parts(archive, today=today, keep_days=30)
    assert [part.day for part in pruning.parts] == ["2026-10-05"]
    prune(pruning)

    assert [row["trade_id"] for row in archive.rows(Kind.TRADES)] == ["b"]
    assert [row["trade_id"] for row in archive.rows(Kind.HISTORY)] == ["h"]
    assert [row["day"] for row in archive.rows(Kind.DAYS)] == ["2026-10-05", "2026-10-25"]


def test_questions_in_sql_see_this_archive_and_nothing_else(archive: Archive) -> None:
    archive.append(Kind.TRADES, trades(("a", 4_000, 100)), at=NOON, writer="1")

    answer = query(archive, "SELECT ticker, sum(count) AS units FROM trades GROUP BY ticker")

    assert (answer.columns, answer.rows) == (("ticker", "units"), [("KXA", 100)])
    for sql in ("SELECT * FROM read_text('/etc/hostname')", "SELEC 1"):
        with pytest.raises(CallerError, match="cannot answer that"):
            query(archive, sql)
    for sql in (f"COPY trades TO '{archive.folder}/x.parquet'", "SELECT 1; DROP VIEW trades"):
        with pytest.raises(CallerError, match="only questions"):
            query(archive, sql)


def test_an_empty_archive_answers_with_nothing(archive: Archive) -> None:
    assert archive.kinds() == []
    assert query(archive, "SELECT * FROM candles").rows == []


def test_a_file_that_is_no_parquet_is_named(archive: Archive) -> None:
    archive.append(Kind.TRADES, trades(("a", 4_000, 100)), at=NOON, writer="1")
    (part,) = archive.parts(Kind.TRADES)
    part.path.write_bytes(b"not parquet")

    with pytest.raises(ConfigError, match=part.name):
        list(archive.rows(Kind.TRADES))


def test_the_reference_lists_every_column_as_it_is() -> None:
    assert reference() in DOCS.read_text(encoding="utf-8")


@pytest.mark.recorded
def test_real_ticks_take_about_five_bytes_each(recorded_data: Path, tmp_path: Path) -> None:
    """300,000 recorded changes of order books, with both times to the microsecond."""
    parquet: Any = importlib.import_module("pyarrow.parquet")
    compute: Any = importlib.import_module("pyarrow.compute")
    pa: Any = importlib.import_module("pyarrow")
    source = recorded_data / "ws" / "organics_kxbtc15m_orderbook_deltas_2026-05.parquet"
    table = next(parquet.ParquetFile(source).iter_batches(batch_size=300_000))
    columns = [
        compute.multiply(table["ts_ms"], 1_000),
        compute.multiply(table["recv_ms"], 1_000),
        table["market"].cast(pa.string()),
        table["yes"],
        table["price_1e4"],
        table["delta_1e2"],
    ]
    path = tmp_path / "day.parquet"

    write_table(
        pa.table(columns, schema=schema_of(Kind.DELTAS)).sort_by("ticker"),
        path,
        Kind.DELTAS,
        packed=True,
    )

    assert path.stat().st_size / len(table) < 6
    assert parquet.read_metadata(path).num_rows == len(table)


def test_a_file_that_is_not_there_is_named_and_nothing_is_to_be_moved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no file .*gone\.parquet") as caught:
        read_table(tmp_path / "gone.parquet")
    assert caught.value.remedy == "Check the path."
