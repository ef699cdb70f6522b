"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded real material, or a skip that says why."""
    named = os.environ.get("TRUEUP_TEST_DATA", "")
    if not named:
        pytest.skip("recorded cases: TRUEUP_TEST_DATA does not name a folder")
    folder = Path(named)
    if not folder.is_dir():
        pytest.skip(f"recorded cases: TRUEUP_TEST_DATA names {named}, which does not exist")
    return folder
