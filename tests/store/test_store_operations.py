"""The diary: it keeps everything, forgets in time, and never stands in the way."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from trueup.core.errors import BooksError
from trueup.core.instant import DAY, HOUR, SECOND, Instant
from trueup.store.operations import (
    QUEUE_MAX,
    CallRow,
    ErrorRow,
    OperationsLog,
    OrderRow,
    Selection,
    connect,
    count_rows,
    prune,
    read_rows,
)

NOON = Instant(1_780_000_000 * SECOND)
CALL = CallRow(
    at=NOON,
    process="bot",
    event="answered",
    operation="GetBalance",
    path="/portfolio/balance",
    attempt=1,
    status=200,
    microseconds=12_345,
)
SENT = OrderRow(
    at=NOON, process="bot", event="sent", ticker="RAIN", client_order_id="a-1", price=4_000
)
DOWN = ErrorRow(at=NOON, process="bot", kind="Unreachable", words="no answer", remedy="Wait.")


def log(path: Path, *, trouble: list[str] | None = None, keep_days: int = 30) -> OperationsLog:
    heard = [] if trouble is None else trouble
    return OperationsLog(path, keep_days=keep_days, clock=lambda: NOON, trouble=heard.append)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    diary = log(path)
    for row in (CALL, SENT, DOWN):
        diary.note(row)
    diary.close()

    (call,) = read_rows(path, CallRow, Selection())
    (sent,) = read_rows(path, OrderRow, Selection())
    (down,) = read_rows(path, ErrorRow, Selection())
    assert CallRow(**call) == CALL
    assert OrderRow(**sent) == SENT
    assert ErrorRow(**down) == DOWN
    assert count_rows(path) == {"calls": 1, "order_events": 1, "errors": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_readable_views_speak_dollars(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    diary = log(path)
    diary.note(replace(SENT, count=500))
    diary.close()

    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT at, price, count FROM order_events_readable").fetchone()
    assert row == ("2026-05-28T20:26:40Z", 0.4, 5.0)


def test_selection_finds_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    diary = log(path)
    diary.note(CALL)
    diary.note(replace(CALL, at=Instant(NOON + HOUR), status=503, operation="CreateOrder"))
    diary.note(replace(CALL, at=Instant(NOON + HOUR), status=0, operation="GetFills"))
    diary.note(SENT)
    diary.note(replace(SENT, ticker="SNOW", client_order_id="b-2"))
    diary.close()

    def names(selection: Selection) -> list[str]:
        return [each["operation"] for each in read_rows(path, CallRow, selection)]

    assert names(Selection(failed=True)) == ["CreateOrder", "GetFills"]
    assert names(Selection(operation="order")) == ["CreateOrder"]
    assert names(Selection(since=Instant(NOON + 1))) == ["CreateOrder", "GetFills"]
    assert names(Selection(limit=1)) == ["GetFills"], "the newest"
    assert [r["ticker"] for r in read_rows(path, OrderRow, Selection(ticker="sno"))] == ["SNOW"]
    assert [r["ticker"] for r in read_rows(path, OrderRow, Selection(order="a-1"))] == ["RAIN"]


def test_old_rows_are_forgotten_and_their_room_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    old = replace(CALL, at=Instant(NOON - 31 * DAY), words="x" * 200)
    diary = log(path, keep_days=60)
    for _ in range(6_000):
        diary.note(old)
    diary.note(CALL)
    diary.close()
    size = path.stat().st_size

    younger = log(path, keep_days=30)
    younger.note(SENT)
    younger.close()

    assert count_rows(path) == {"calls": 1, "order_events": 1, "errors": 0}
    assert younger.counts["pruned"] == 6_000
    assert path.stat().st_size < size / 4


def test_two_programs_write_one_diary(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    diaries = [log(path) for _ in range(2)]

    def write(diary: OperationsLog) -> None:
        for _ in range(500):
            diary.note(CALL)
        diary.close()

    threads = [Thread(target=write, args=(each,)) for each in diaries]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert count_rows(path)["calls"] == 1_000


def test_bot_goes_on_when_the_diary_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "a file, no folder"
    folder.write_text("", encoding="utf-8")
    trouble: list[str] = []
    diary = log(folder / "operations.db", trouble=trouble)

    for _ in range(10):
        diary.note(CALL)
    diary.close()

    assert diary.counts["dropped"] == 10
    assert len(trouble) == 1
    assert "rows are lost" in trouble[0]


def test_flood_is_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    diary = log(path)
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(QUEUE_MAX + 5_000):
            diary.note(CALL)
        other.execute("ROLLBACK")
    diary.close()

    assert diary.counts["dropped"] > 0
    assert diary.counts["written"] + diary.counts["dropped"] == QUEUE_MAX + 5_000
    assert count_rows(path)["calls"] == diary.counts["written"]


def test_damaged_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(BooksError, match="cannot be read"):
        read_rows(path, CallRow, Selection())

    diary = log(path)
    diary.note(CALL)
    diary.close()

    assert count_rows(path)["calls"] == 1
    assert path.with_suffix(".damaged").read_bytes().startswith(b"this is no database")


def test_nothing_is_made_where_nothing_happens(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    log(path).close()

    assert not path.exists()
    assert read_rows(path, CallRow, Selection()) == []
    assert count_rows(path) == {}


def test_pruning_counts_what_it_deletes(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "operations.db")) as connection:
        assert prune(connection, NOON) == 0
