"""Fault profiles: pure decisions, repeatable from a seed, inside their windows only."""

from __future__ import annotations

from collections import Counter

import pytest

from trueup.core.errors import CallerError
from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.run.clock import seeded
from trueup.sim.faults import (
    PROFILES,
    AnswerFate,
    FaultName,
    FaultPlan,
    FrameFate,
    fault,
)

NOW = parse_instant("2026-10-18T17:00:00Z")
LATER = Instant(NOW + HOUR)


def plan(*names: str, seed: int = 1) -> FaultPlan:
    return FaultPlan(seeded(seed), [fault(name) for name in names], seed=seed)


def test_every_name_has_a_profile_that_says_what_it_does() -> None:
    assert set(PROFILES) == set(FaultName)
    assert all(profile.does for profile in PROFILES.values())


def test_nothing_goes_wrong_unless_asked() -> None:
    calm = plan()

    assert calm.answer_fate(NOW, is_write=True) is AnswerFate.WHOLE
    assert calm.frame_fate(NOW) is FrameFate.SENT
    assert calm.settlement_copies(NOW, "KXA", NOW) == 1
    assert (calm.delay(NOW), calm.clock_skew(NOW), calm.fee_off(NOW, "KXA", "t")) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "is_write", "fate"),
    [
        ("outage", False, AnswerFate.UNAVAILABLE),
        ("accepted-then-503", True, AnswerFate.LOST_AFTERWARDS),
        ("accepted-then-503", False, AnswerFate.WHOLE),
        ("2xx-without-order", True, AnswerFate.EMPTY),
        ("2xx-without-order", False, AnswerFate.WHOLE),
    ],
)
def test_a_request_meets_its_fault(name: str, is_write: bool, fate: AnswerFate) -> None:
    assert plan(name).answer_fate(NOW, is_write=is_write) is fate


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("sequence-gap", FrameFate.LOST),
        ("silent-stall", FrameFate.STALLED),
        ("disconnects", FrameFate.CUT),
        ("duplicate-messages", FrameFate.TWICE),
        ("reordered-messages", FrameFate.HELD),
    ],
)
def test_a_message_meets_its_fault(name: str, fate: FrameFate) -> None:
    struck = FaultPlan(seeded(1), [fault(name, percent=100)])

    assert struck.frame_fate(NOW) is fate


def test_a_message_without_a_number_cannot_leave_a_gap() -> None:
    struck = FaultPlan(seeded(1), [fault("sequence-gap", percent=100)])

    assert struck.frame_fate(NOW, has_sequence=False) is FrameFate.SENT


def test_a_fault_holds_inside_its_window_only() -> None:
    struck = FaultPlan(
        seeded(1), [fault("outage", starts=Instant(NOW + MINUTE), stops=Instant(NOW + 2 * MINUTE))]
    )

    fates = [
        struck.answer_fate(Instant(NOW + seconds * SECOND), is_write=False)
        for seconds in (59, 60, 119, 120)
    ]

    assert fates == [
        AnswerFate.WHOLE,
        AnswerFate.UNAVAILABLE,
        AnswerFate.UNAVAILABLE,
        AnswerFate.WHOLE,
    ]


def test_a_fault_of_so_many_times_is_over_after_them() -> None:
    struck = FaultPlan(seeded(1), [fault("accepted-then-503", times=2)])

    fates = [struck.answer_fate(NOW, is_write=True) for _ in range(4)]

    assert fates == [AnswerFate.LOST_AFTERWARDS] * 2 + [AnswerFate.WHOLE] * 2
    assert struck.hits(1) == 2


def test_a_share_is_about_met_and_repeats_from_the_seed() -> None:
    first, again = plan("429-storm", seed=5), plan("429-storm", seed=5)

    fates = [first.answer_fate(NOW, is_write=False) for _ in range(1_000)]

    assert fates == [again.answer_fate(NOW, is_write=False) for _ in range(1_000)]
    assert 640 < Counter(fates)[AnswerFate.TOO_MANY] < 760


def test_rows_are_hit_the_same_on_every_reading() -> None:
    struck = FaultPlan(seeded(1), [fault("settlement-missing", percent=50)], seed=3)
    tickers = [f"KX-{number}" for number in range(200)]

    first = [struck.settlement_copies(LATER, ticker, NOW) for ticker in tickers]

    assert first == [struck.settlement_copies(LATER, ticker, NOW) for ticker in tickers]
    assert 60 < first.count(0) < 140


def test_late_doubled_and_revised_settlements() -> None:
    late = plan("settlement-late")
    assert late.settlement_copies(Instant(NOW + 14 * MINUTE), "KXA", NOW) == 0
    assert late.settlement_copies(Instant(NOW + 15 * MINUTE), "KXA", NOW) == 1

    assert plan("settlement-duplicated").settlement_copies(LATER, "KXA", NOW) == 2

    revised = plan("settlement-revised")
    assert revised.settlement_revised(Instant(NOW + 59 * SECOND), "KXA", NOW) == 0
    assert revised.settlement_revised(Instant(NOW + 60 * SECOND), "KXA", NOW) == 100


def test_faults_are_combined_and_stopped_by_name_or_number() -> None:
    struck = plan("outage", "clock-skew", "slow")
    assert struck.clock_skew(NOW) == 45 * SECOND
    assert 400_000 <= struck.delay(NOW) <= 800_000

    assert struck.stop_named(FaultName.OUTAGE) == 1
    assert struck.answer_fate(NOW, is_write=False) is AnswerFate.WHOLE
    assert struck.stop(2)
    assert not struck.stop(2)
    assert struck.clock_skew(NOW) == 0
    assert struck.stop_named() == 1


def test_a_fault_about_a_ticker_leaves_the_others_alone() -> None:
    struck = FaultPlan(seeded(1), [fault("settlement-missing", tickers=["KXA"])])

    assert struck.settlement_copies(LATER, "KXA", NOW) == 0
    assert struck.settlement_copies(LATER, "KXB", NOW) == 1


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(CallerError) as raised:
        fault("outtage")

    assert "outtage" in str(raised.value)
    assert "outage" in raised.value.remedy


@pytest.mark.parametrize("wrong", [{"percent": 101}, {"percent": -1}, {"times": 0}])
def test_nonsense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CallerError):
        fault("outage", percent=wrong.get("percent"), times=wrong.get("times"))
