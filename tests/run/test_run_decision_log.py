"""The decision log: what is written, read again, repeated, and not lost on a full disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.engine import effects as f
from trueup.engine.refusals import Code, Refusal
from trueup.engine.wishes import Order
from trueup.run.bot.decision_log import DecisionLog, line_of, line_words, read_decisions
from trueup.run.bot.hearing import Hearing
from trueup.run.bot.tally import Tally

NOON = Instant(1_790_000_000 * SECOND)
RAIN = Ticker("RAIN-1")


def refused(at: Instant = NOON, *, limit: int = 40, code: Code = Code.HOURS) -> f.Decision:
    wish = Order(
        ticker=RAIN,
        side=Side.YES,
        count=Count.of_contracts(5),
        limit=Price.of_cents(limit),
        reason="cheap",
    )
    return f.Decision(
        at=at,
        strategy="mine",
        wish=wish,
        verdict=f.Verdict.REFUSED,
        refusals=(Refusal(code, "account", {"hours": "08:00-18:00 Eastern"}),),
    )


def alert(words: str) -> f.Alert:
    return f.Alert(at=NOON, kind=f.AlertKind.HALT, words=words, by="ada", command="kill")


def test_lines_are_read_from_where_one_stopped(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    with DecisionLog(path) as log:
        written = [log.write({"number": number}) for number in range(300)]

    newest = read_decisions(path, limit=3)
    after = read_decisions(path, after=newest[0]["n"], limit=10)

    assert newest == written[-3:]
    assert after == written[-2:]
    assert read_decisions(path, after=0, limit=2) == written[:2]
    assert read_decisions(path, limit=1_000) == written
    assert read_decisions(tmp_path / "none.jsonl") == []


def test_long_lines_are_found_across_blocks(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    with DecisionLog(path) as log:
        written = [log.write({"words": str(number) * 50_000}) for number in range(5)]

    assert read_decisions(path, limit=2) == written[-2:]


def test_torn_line_of_a_crash_is_ended_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b'{"number":1}\n{"numb')

    with DecisionLog(path) as log:
        log.write({"number": 3})

    assert [each["number"] for each in read_decisions(path)] == [1, 3]


def test_line_says_everything_and_reads_well() -> None:
    line = json.loads(json.dumps(line_of(refused())))

    assert line["ticker"] == RAIN
    assert line["refusals"] == [
        {"code": "trading_hours", "scope": "account", "hours": "08:00-18:00 Eastern"}
    ]
    assert line_words(line) == (
        "refused   mine           take yes 5.00 RAIN-1 at 0.40: "
        "trading_hours (account): hours 08:00-18:00 Eastern"
    )
    told = line_of(alert("all trading halted"))
    assert (told["by"], told["command"]) == ("ada", "kill")


def test_same_refusal_again_is_one_line_a_minute_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    tally = Tally()
    with DecisionLog(path) as log:
        hearing = Hearing(log, tally, failed=pytest.fail)
        for second in range(0, 130, 10):
            hearing(refused(Instant(NOON + second * SECOND)))
        hearing(refused(Instant(NOON + 2 * MINUTE), limit=41))
        hearing(refused(Instant(NOON + 2 * MINUTE), code=Code.HALTED))
        hearing.finish()

    lines = read_decisions(path)

    assert [each.get("repeated", 0) for each in lines] == [0, 5, 5, 0, 0]
    assert sum(1 + each.get("repeated", 0) for each in lines) == tally.refused == 15


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_told_once_and_loses_no_line(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    failures: list[str] = []
    with DecisionLog(path) as log:
        hearing = Hearing(log, Tally(), failed=failures.append)
        hearing(alert("before"))
        working = os.dup(log.fileno())
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, log.fileno())
        hearing(alert("in vain"))
        hearing(alert("in vain, too"))
        assert len(failures) == 1
        assert "No space left" in failures[0]
        os.dup2(working, log.fileno())
        hearing(alert("after"))
        os.close(full)
        os.close(working)

    assert [each["words"] for each in read_decisions(path)] == [
        "before",
        "in vain",
        "in vain, too",
        "after",
    ]
