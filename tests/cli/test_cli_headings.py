"""What every page begins with: nobody must take practice for real money, or the other way round."""

from __future__ import annotations

import pytest
from typing_user import User

LOOKS = (
    ("logs", "show"),
    ("alerts", "list"),
    ("archive", "list"),
    ("service", "install", "--sync"),
)
"""Commands that ask no exchange and open no books."""


def first_line(user: User, *words: str) -> str:
    return user.type(*words).out.splitlines()[0].strip()


@pytest.mark.parametrize("words", LOOKS)
def test_production_is_named_as_such(user: User, words: tuple[str, ...]) -> None:
    assert first_line(user, *words, "--venue", "prod") == "PRODUCTION · account main"


@pytest.mark.parametrize("words", LOOKS)
def test_a_sandbox_that_is_served_is_named_with_its_address(
    user: User, words: tuple[str, ...]
) -> None:
    user.variables["TRUEUP_BASE_URL"] = "http://127.0.0.1:8777/trade-api/v2"

    assert first_line(user, *words) == (
        "SANDBOX, no real money · account main · sandbox at http://127.0.0.1:8777/trade-api/v2"
    )


@pytest.mark.parametrize("words", LOOKS)
def test_a_paper_account_is_paper_also_at_the_production_exchange(
    user: User, words: tuple[str, ...]
) -> None:
    told = first_line(user, *words, "--venue", "prod", "--account", "main-paper")

    assert told == "PRODUCTION · account main-paper · on paper: no order leaves this machine"


@pytest.mark.parametrize("words", [("backtest", "momentum"), ("sweep", "momentum")])
def test_a_backtest_is_one_at_every_venue(user: User, words: tuple[str, ...]) -> None:
    told = first_line(user, *words, "--trades", "none.parquet", "--venue", "prod")

    assert told == "PRODUCTION · account main · a backtest: no order leaves this machine"


def test_what_asks_the_built_in_world_says_when_it_is_there(user: User) -> None:
    told = first_line(user, "markets", "watch", "KXNOWHERE-1", "--updates", "1")

    assert "built-in world, where it is 2026-" in told
