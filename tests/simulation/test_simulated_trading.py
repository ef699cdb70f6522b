"""Hours of trading on a bad line, with crashes: the books equal the exchange's, whatever happens.

A red run prints its seed: `run(Plan(seed=…))` repeats it.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from many_seeds import judge, run_seed, summarize
from world import Plan, run

SEEDS = int(os.environ.get("TRUEUP_SIMULATION_SEEDS", "12"))
FIRST = int(os.environ.get("TRUEUP_SIMULATION_FIRST", "1"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_auditor_has_nothing_to_complain_about(seed: int) -> None:
    world = run(Plan(seed=seed))

    assert judge(world) == [], f"seed {seed}"
    assert len(world.venue.heard.placed) >= 20


def test_order_that_comes_to_rest_after_the_list_was_read_is_not_called_gone() -> None:
    """Seed 1005: the list was as current as the cancel, and older than the order's arrival."""
    assert run(Plan(seed=1005, surprises=False)).auditor.complaints == []


def test_many_seeds_are_summed_up_and_a_bad_one_is_named() -> None:
    good = run_seed(1)
    said: list[str] = []

    bad = summarize(
        [good, replace(good, seed=2, complaints=("a cent is missing",))], 2, said.append
    )

    assert not good.complaints
    assert bad == 1
    assert "make sim SEEDS=1 FIRST=2" in said[0]
    assert "a cent is missing" in said[1]
    assert "2 seeds (1 to 2)" in said[-1]


def test_world_that_was_too_easy_is_not_good() -> None:
    world = run(Plan(seed=1, hours=1, crashes=0))

    assert any("crashes" in each for each in judge(world))
