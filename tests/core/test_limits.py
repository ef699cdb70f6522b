from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import CallerError
from trueup.core.instant import SECOND, Instant
from trueup.core.limits import MICRO, Bucket, Buckets, Budget

START = Instant(1_790_000_000 * SECOND)


def after(microseconds: int) -> Instant:
    return Instant(START + microseconds)


def test_a_full_bucket_lets_a_burst_through_and_then_paces() -> None:
    """The Basic tier writes 100 tokens a second: ten requests at once, then one every 100 ms."""
    bucket = Bucket.full(100, 100, START)
    for _ in range(10):
        assert bucket.wait_for(10, START) == 0
        bucket = bucket.take(10, START)

    assert bucket.wait_for(10, START) == 100_000
    assert bucket.wait_for(10, after(99_999)) == 1
    assert bucket.wait_for(10, after(100_000)) == 0
    assert bucket.wait_for(2, START) == 20_000


def test_a_wait_is_rounded_up_so_that_it_suffices() -> None:
    bucket = Bucket.full(10, 3, START).take(10, START)

    wait = bucket.wait_for(1, START)

    assert wait == 333_334
    assert bucket.wait_for(1, after(wait)) == 0
    assert bucket.wait_for(1, after(wait - 1)) == 1


def test_idle_time_never_overfills() -> None:
    bucket = Bucket.full(600, 200, START).take(600, START)

    assert bucket.level_at(after(3600 * SECOND)) == 600 * MICRO


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    bucket = Bucket.full(100, 100, START).take(100, START)

    back = bucket.take(10, after(-5 * SECOND))

    assert back.at == START
    assert back.level_at(after(-5 * SECOND)) == -10 * MICRO
    assert back.wait_for(10, START) == 200_000


def test_taking_ahead_of_time_makes_the_next_one_wait_behind() -> None:
    bucket = Bucket.full(10, 10, START)
    waits: list[int] = []
    for _ in range(4):
        waits.append(bucket.wait_for(10, START))
        bucket = bucket.take(10, START)

    assert waits == [0, 1 * SECOND, 2 * SECOND, 3 * SECOND]


def test_a_request_that_can_never_fit_is_refused_at_once() -> None:
    with pytest.raises(CallerError, match="never fit") as refused:
        Bucket.full(100, 100, START).wait_for(110, START)

    assert "batch" in refused.value.remedy


@pytest.mark.parametrize(("capacity", "refill"), [(0, 1), (1, 0), (-5, 5)])
def test_a_bucket_without_size_is_refused(capacity: int, refill: int) -> None:
    with pytest.raises(CallerError, match="at least 1"):
        Bucket.full(capacity, refill, START)


def test_a_refusal_of_the_exchange_empties_the_bucket_but_keeps_its_queue() -> None:
    full = Bucket.full(100, 100, START)

    assert full.emptied(START).wait_for(10, START) == 100_000
    in_debt = full.take(100, START).take(50, START)
    assert in_debt.emptied(START).level == -50 * MICRO


def test_learned_sizes_replace_the_guess_and_keep_what_was_used() -> None:
    used = Bucket.full(100, 100, START).take(60, START)

    learned = used.resized(900, 300, START)

    assert (learned.capacity, learned.refill_per_second) == (900, 300)
    assert learned.level == 840 * MICRO


def test_reads_and_writes_have_their_own_buckets() -> None:
    buckets = Buckets(read=Bucket.full(20, 20, START), write=Bucket.full(10, 10, START))

    written = buckets.take(Budget.WRITE, 10, START)

    assert written.wait_for(Budget.WRITE, 10, START) == SECOND
    assert written.wait_for(Budget.READ, 20, START) == 0
    assert written.emptied(Budget.READ, START).wait_for(Budget.READ, 20, START) == SECOND
    assert buckets.wait_for(Budget.WRITE, 10, START) == 0


@given(
    st.integers(1, 1_000),
    st.integers(1, 12_000),
    st.lists(st.tuples(st.integers(1, 1_000), st.integers(0, 3 * SECOND)), max_size=30),
)
def test_whoever_waits_as_told_never_spends_more_than_the_exchange_grants(
    capacity: int, refill: int, requests: list[tuple[int, int]]
) -> None:
    """In every stretch of time: spent ≤ capacity + refill × elapsed."""
    bucket, now = Bucket.full(capacity, refill, START), START
    sent: list[tuple[Instant, int]] = []
    for cost, pause in requests:
        cost = min(cost, capacity)  # noqa: PLW2901 - what fits
        now = Instant(now + pause)
        now = Instant(now + bucket.wait_for(cost, now))
        bucket = bucket.take(cost, now)
        sent.append((now, cost))

    for first in range(len(sent)):
        spent = 0
        for at, cost in sent[first:]:
            spent += cost
            assert spent * MICRO <= capacity * MICRO + refill * (at - sent[first][0])
