"""The built-in world, made once, and a helper for small exchanges."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trueup.run.clock import seeded
from trueup.sim.scenario import DEFAULT_SEED, World, account_world

# Tests are no package: the helper beside them has to be made findable.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def world() -> World:
    """The built-in account; nobody may change it."""
    return account_world(seeded(DEFAULT_SEED))
