"""Makes the helpers beside the tests findable (tests are no package), and the recorded account."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_account import RecordedAccount, read_account


@pytest.fixture(scope="session")
def recorded_account(recorded_data: Path) -> RecordedAccount:
    return read_account(recorded_data / "ledger" / "kxbtc15m_account")
