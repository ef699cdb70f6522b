"""Hours of trading on a bad line, with crashes: the books equal the exchange's, whatever happens.

A red run prints its seed: `run(Plan(seed=…))` repeats it.
"""

from __future__ import annotations

import os

import pytest
from world import Plan, run

SEEDS = int(os.environ.get("TRUEUP_SIMULATION_SEEDS", "12"))
FIRST = int(os.environ.get("TRUEUP_SIMULATION_FIRST", "1"))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_auditor_has_nothing_to_complain_about(seed: int) -> None:
    world = run(Plan(seed=seed))

    assert world.auditor.complaints == [], f"seed {seed}"
    assert world.commands >= 1_000
    assert world.venue.heard.faults >= 5
    assert world.crashes >= 1
    assert len(world.venue.heard.placed) >= 20


def test_order_that_comes_to_rest_after_the_list_was_read_is_not_called_gone() -> None:
    """Seed 1005: the list was as current as the cancel, and older than the order's arrival."""
    assert run(Plan(seed=1005)).auditor.complaints == []
