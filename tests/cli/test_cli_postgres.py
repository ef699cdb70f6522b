"""The same commands on PostgreSQL: new books, moved books, and an address that leads nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typing_user import User

pytestmark = pytest.mark.postgres


def test_books_on_postgres_close_and_are_read(
    user: User, empty_postgres: Callable[[], str]
) -> None:
    user.variables["TRUEUP_DATABASE"] = empty_postgres()
    nothing = user.json("doctor")
    made = user.json("init")
    balances = user.json("balance")["balances"]
    doctor = user.json("doctor")

    assert {each["name"]: each["finding"] for each in nothing["checks"]}["books"] == "notice"
    assert made["verdict"] == "closes"
    assert {row["difference"] for row in balances} == {"0.00"}
    assert doctor["problems"] == 0
    assert not (user.home / "books").exists()


def test_books_move_to_postgres_proven_and_close_there(
    settled: User, empty_postgres: Callable[[], str]
) -> None:
    target = empty_postgres()
    before = settled.json("pnl", "--by", "ticker")["rows"]
    moved = settled.json("db", "move", target)
    again = settled.type("db", "move", target)
    settled.variables["TRUEUP_DATABASE"] = target

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
