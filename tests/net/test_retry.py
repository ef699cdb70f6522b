"""The retry schedule and the measurement of the clock, as arithmetic."""

from __future__ import annotations

import random
from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st

from trueup.core.instant import HOUR, MINUTE, SECOND, Instant
from trueup.net.retry import RetryPolicy, pause_before_retry
from trueup.net.skew import Skew, measure_skew

POLICY = RetryPolicy(attempts=5, first=SECOND, ceiling=4 * SECOND, total=20 * SECOND)


class Highest:
    """Chance at its worst."""

    def randrange(self, start: int, /) -> int:
        return start - 1


def test_ceiling_of_the_pause_doubles_up_to_its_bound() -> None:
    pauses = [pause_before_retry(POLICY, attempt, 0, chance=Highest()) for attempt in range(1, 6)]

    assert pauses == [SECOND, 2 * SECOND, 4 * SECOND, 4 * SECOND, None]


def test_time_that_is_used_up_ends_the_retries() -> None:
    assert pause_before_retry(POLICY, 1, 19 * SECOND, chance=Highest()) == SECOND
    assert pause_before_retry(POLICY, 1, 19 * SECOND + 1, chance=Highest()) is None


def test_wait_asked_for_comes_before_the_jitter() -> None:
    assert pause_before_retry(POLICY, 1, 0, chance=Highest(), at_least=MINUTE) is None
    assert pause_before_retry(POLICY, 1, 0, chance=Highest(), at_least=SECOND) == 2 * SECOND


@given(st.integers(1, 60), st.integers(-HOUR, HOUR), st.integers(0, HOUR), st.integers(0, 2**32))
def test_pause_stays_within_the_policy(attempt: int, spent: int, at_least: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (jitter, repeatable)
    pause = pause_before_retry(POLICY, attempt, spent, chance=chance, at_least=at_least)

    if pause is not None:
        assert attempt < POLICY.attempts
        assert at_least <= pause <= at_least + POLICY.ceiling
        assert max(0, spent) + pause <= POLICY.total


@given(
    offset=st.integers(-HOUR, HOUR),
    away=st.integers(0, 5 * SECOND),
    back=st.integers(0, 5 * SECOND),
    at=st.integers(0, 2**50),
)
def test_true_skew_lies_in_what_is_measured(offset: int, away: int, back: int, at: int) -> None:
    header = formatdate((at + away) // SECOND, usegmt=True)
    sent, received = Instant(at + offset), Instant(at + away + back + offset)

    measured = measure_skew(header, sent, received)

    assert measured is not None
    assert measured.low <= offset <= measured.high
    assert measured.high - measured.low == away + back + SECOND
    assert measured.at_least <= abs(offset)


def test_several_readings_narrow_the_skew_and_a_set_clock_starts_anew() -> None:
    wide = Skew(0, 10 * SECOND)

    assert wide.narrowed_by(Skew(4 * SECOND, 20 * SECOND)) == Skew(4 * SECOND, 10 * SECOND)
    assert wide.narrowed_by(Skew(-MINUTE, -SECOND)) == Skew(-MINUTE, -SECOND)


def test_unreadable_date_measures_nothing() -> None:
    now = Instant(HOUR)

    for header in ("", "yesterday", "Tue, 20 Oct 2026 12:00:00"):
        assert measure_skew(header, now, now) is None
    assert measure_skew("Thu, 01 Jan 1970 00:00:00 GMT", now, Instant(now - MINUTE)) is None
