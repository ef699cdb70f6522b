"""Makes the helpers beside the tests findable (tests are no package)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_folder import write_recording


@pytest.fixture(scope="session")
def account_files(recorded_data: Path) -> Path:
    """The recorded account in the files of the bot that recorded it."""
    return recorded_data / "ledger" / "kxbtc15m_account"


@pytest.fixture(scope="session")
def recording(account_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a folder that `trueup import` reads."""
    return write_recording(account_files, tmp_path_factory.mktemp("recording") / "folder")


@pytest.fixture(scope="session")
def postgres_url(empty_postgres: Callable[[], str]) -> str:
    """An empty database of an embedded PostgreSQL."""
    return empty_postgres()
