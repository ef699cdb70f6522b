"""A start reads months back: what was told once rings no phone again, what nobody heard of does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from trueup.core.alerts import Alert, AlertKind
from trueup.core.instant import DAY, SECOND, Instant
from trueup.run.bot.decision_log import DecisionLog, read_decisions
from trueup.run.bot.hearing import Hearing
from trueup.run.bot.tally import Tally
from trueup.run.bot.told_before import told_before

NOON = Instant(1_790_000_000 * SECOND)


def fill(number: int, at: Instant = NOON) -> Alert:
    words, key = f"yes {number}.00 RAIN-1 at 0.40", f"trade-{number} order-{number}"
    return Alert(at=at, kind=AlertKind.FILL, words=words, strategy="mine", key=key)


def paid(ticker: str, at: Instant = NOON) -> Alert:
    words = f"{ticker} paid 1.00 a contract on 5.00: $3.00 realized"
    return Alert(at=at, kind=AlertKind.SETTLEMENT, words=words, strategy="mine", key=ticker)


class Run:
    """A run of a bot on one decision log: what its start reads back, and what comes later."""

    def __init__(
        self, path: Path, back: Iterable[Alert] = (), later: Iterable[Alert] = (), at: int = 0
    ) -> None:
        self.rang: list[str] = []
        self.tally = Tally()
        with DecisionLog(path) as log:
            hearing = Hearing(log, self.tally, failed=pytest.fail, before=told_before(path))
            hearing.listeners.append(lambda told: self.rang.append(getattr(told, "words", "")))
            for each in back:
                hearing(each)
            assert not self.rang, "nothing rings before all is read"
            told = hearing.recovered(Instant(NOON + at))
            self.screen = "" if told is None else told.words
            for each in later:
                hearing(each)
        self.log = [each["words"] for each in read_decisions(path)]


def test_what_earlier_runs_told_is_one_line_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    first = Run(path, later=[fill(1), fill(2), paid("SUN-1")])

    # The market is said to have paid at this start; REST dates the fill by microseconds.
    back = [fill(1, Instant(NOON + 123)), fill(2), paid("SUN-1", Instant(NOON + DAY))]
    again = Run(path, back, later=[fill(3)])

    assert len(first.rang) == 3
    assert again.rang == [fill(3).words]
    assert again.screen == "read back: 2 fills, 1 settlement of earlier runs"
    assert again.log == [*first.log, fill(3).words]
    assert again.tally.fills == 1


def test_what_happened_while_no_bot_ran_rings_once_and_is_written(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    Run(path, later=[fill(1)])
    back = [fill(each) for each in (1, 2, 3)] + [paid("SUN-1")]

    again = Run(path, back)
    third = Run(path, back)

    assert again.rang == [
        f"2 fills before this start; the last: mine: {fill(3).words}",
        f"{paid('SUN-1').words} (before this start)",
    ]
    assert again.log == [each.words for each in back]
    assert third.rang == []
    assert third.log == again.log


def test_equal_fills_of_two_trades_are_two(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    one = fill(1)
    two = Alert(at=NOON, kind=one.kind, words=one.words, strategy="mine", key="trade-2 order-1")
    Run(path, later=[one])

    assert Run(path, [one, two]).rang == [f"{one.words} (before this start)"]


def test_lines_without_a_key_are_known_by_their_time(tmp_path: Path) -> None:
    """A log of an older version does not make an update ring for every fill of three months."""
    path = tmp_path / "decisions.jsonl"
    path.write_text(
        '{"at":"2026-09-21T14:13:20.000500Z","alert":"fill","strategy":"mine","words":"yes"}\n'
        'nonsense "alert":"fill"\n'
    )

    again = Run(path, [fill(1), fill(2, Instant(NOON + 2 * SECOND))])

    assert again.rang == [f"{fill(2).words} (before this start)"]
