"""The hidden numbers: the odds they give are the odds with which they end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.instant import HOUR, MINUTE, SECOND, Instant, parse_instant
from trueup.run.clock import seeded
from trueup.sim.living.hidden import (
    CERTAIN,
    Game,
    Overdone,
    Range,
    Stretch,
    Surprising,
    Walk,
    final_number,
    normal,
    odds,
)

START = parse_instant("2026-10-18T17:00:00Z")


def walk(seed: int | str, *, start: int = 0, hours: int = 24) -> Walk:
    return Walk(
        seeded(seed),
        start,
        swing=40,
        every=10 * MINUTE,
        begins=START,
        ends=Instant(START + hours * HOUR),
    )


def test_the_normal_distribution_is_symmetric_monotone_and_certain_at_the_ends() -> None:
    values = [normal(hundredths) for hundredths in range(-500, 501)]

    assert values == sorted(values)
    assert all(normal(-one) + normal(one) == CERTAIN for one in range(500))
    assert (values[0], normal(0), values[-1]) == (0, 5_000, CERTAIN)
    # One and two deviations, as in any table.
    assert (normal(100), normal(200)) == (8_413, 9_772)


@given(times=st.lists(st.integers(0, 30 * HOUR), max_size=20), seed=st.integers(0, 1000))
def test_a_walk_does_not_depend_on_how_often_it_is_asked(times: list[int], seed: int) -> None:
    asked, alone = walk(seed), walk(seed)

    for time in sorted(times):
        asked.expected(Instant(START + time))

    assert asked.expected(Instant(START + 40 * HOUR)) == alone.expected(Instant(START + 40 * HOUR))


@given(seed=st.integers(0, 10_000), at=st.integers(0, 30 * HOUR))
def test_ranges_that_cover_everything_share_all_the_odds(seed: int, at: int) -> None:
    hidden = walk(seed, start=120)
    ranges = (Range(None, -2), Range(-1, 1), Range(2, 3), Range(4, None))

    shares = [odds(hidden, Instant(START + at), one) for one in ranges]

    assert sum(shares) == CERTAIN
    assert min(shares) >= 0


def test_at_the_end_the_odds_are_the_result() -> None:
    hidden = walk(3)
    end = Instant(START + 24 * HOUR)

    number = final_number(hidden, end)

    assert odds(hidden, end, Range(number, number)) == CERTAIN
    assert odds(hidden, end, Range(number + 1, None)) == 0


@pytest.mark.parametrize("start", [-150, 0, 250])
def test_a_walk_ends_inside_a_range_as_often_as_its_odds_say(start: int) -> None:
    wanted, end = Range(0, 2), Instant(START + 24 * HOUR)
    said = odds(walk("odds", start=start), START, wanted)

    ended = sum(final_number(walk(f"w{n}", start=start), end) in wanted for n in range(2_000))

    # Within three deviations of a count of 2,000: a wrong formula is off by more.
    assert abs(ended * 5 - said) < 350


END = Instant(START + 24 * HOUR)


@pytest.mark.parametrize("start", [-150, 0, 250])
def test_a_surprise_is_in_the_odds_before_it_comes(start: int) -> None:
    wanted = Range(0, 2)
    one = Surprising(walk("odds", start=start), seeded("x"), 300, ends=END)
    said = odds(one, START, wanted)

    ended = sum(
        final_number(Surprising(walk(f"w{n}", start=start), seeded(f"s{n}"), 300, ends=END), END)
        in wanted
        for n in range(2_000)
    )

    assert abs(ended * 5 - said) < 350
    assert one.deviation(Instant(END - 1)) >= 300
    assert one.deviation(END) == 0


def overdone(seed: int) -> tuple[Overdone, Walk]:
    truth = walk(seed)
    return Overdone(truth, seeded(f"m{seed}"), every=HOUR, begins=START, ends=END), walk(seed)


@given(times=st.lists(st.integers(0, 30 * HOUR), max_size=20), seed=st.integers(0, 1000))
def test_what_is_felt_does_not_depend_on_who_asks_and_ends_as_the_truth(
    times: list[int], seed: int
) -> None:
    asked, truth = overdone(seed)
    alone, _ = overdone(seed)
    late = Instant(START + 20 * HOUR)

    for time in sorted(time for time in times if time <= 20 * HOUR):
        asked.expected(Instant(START + time))

    assert asked.expected(late) == alone.expected(late)
    assert asked.expected(END) == truth.expected(END)


def test_what_is_felt_leaves_the_truth_and_comes_back() -> None:
    """Of 400 numbers: those that are far off at noon are nearer to the truth a day later."""
    noon, later = Instant(START + 40 * HOUR), Instant(START + 64 * HOUR)
    ends = Instant(START + 400 * HOUR)
    before, after = list[int](), list[int]()
    for seed in range(400):
        truth, other = (walk(seed, hours=400) for _ in range(2))
        felt = Overdone(truth, seeded(f"m{seed}"), every=HOUR, begins=START, ends=ends)
        first = felt.expected(noon) - other.expected(noon)
        second = felt.expected(later) - other.expected(later)
        if abs(first) > truth.deviation(noon) // 2:
            before.append(abs(first))
            # Measured on the side on which it was off.
            after.append(second if first > 0 else -second)

    assert len(before) > 40
    assert sum(after) * 2 < sum(before)


@pytest.mark.parametrize("favour", [-700, 0, 350])
def test_a_game_is_won_as_often_as_its_odds_say(favour: int) -> None:
    games = [Game(seeded(f"g{number}"), favour, kick_off=START) for number in range(1_500)]
    said = odds(games[0], START, Range(1, None))

    won = sum(final_number(game, game.ends) > 0 for game in games)

    assert abs(won * CERTAIN // len(games) - said) < 500


def test_a_game_moves_in_scores_and_is_over_at_the_whistle() -> None:
    game = Game(seeded(1), 300, kick_off=START)
    leads = [game.expected(Instant(START + minute * MINUTE)) for minute in range(250)]

    assert game.deviation(Instant(START - HOUR)) == 1_628
    assert game.deviation(game.ends) == 0
    assert leads[-1] == (game.home - game.away) * 100
    assert 10 < game.home + game.away < 120
    assert max(abs(b - a) for a, b in itertools.pairwise(leads)) >= 300


def test_a_stretch_keeps_its_end_while_the_walk_goes_on() -> None:
    long = Walk(
        seeded(4),
        0,
        swing=100,
        every=5 * SECOND,
        begins=START,
        ends=Instant(START + HOUR),
    )
    first = Stretch(long, swing=100, every=5 * SECOND, ends=Instant(START + 15 * MINUTE))

    ended = first.expected(Instant(START + 15 * MINUTE))
    later = long.expected(Instant(START + 30 * MINUTE))

    assert first.deviation(Instant(START + 15 * MINUTE)) == 0
    assert first.expected(Instant(START + 30 * MINUTE)) == ended != later
