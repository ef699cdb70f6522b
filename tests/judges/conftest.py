"""Makes the helpers of other test folders findable, and a certificate for this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "net" / "fix", HERE.parent / "net" / "acceptor"):
    sys.path.insert(0, str(folder))

from fix_house import Certificate, write_certificate  # noqa: E402
from judge import ENGINES  # noqa: E402


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for 127.0.0.1 that signs itself."""
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(
    params=[
        "fixcore",
        pytest.param("quickfix", marks=pytest.mark.judges),
    ]
)
def engine(request: pytest.FixtureRequest) -> str:
    """An engine that nobody here wrote."""
    name = str(request.param)
    if not ENGINES[name].is_there():
        pytest.skip("quickfix is not installed: `make judges` builds it in about five minutes")
    return name
