"""Subaccounts by hand against a served exchange: opened, filled, and never filled twice."""

from __future__ import annotations

import pytest
from typing_user import User

from trueup.testing.sandbox import KalshiSandbox

TRANSFER_ID = "5f0b3c1e-7a52-4d0e-9c41-2f6f0d1e8a77"


@pytest.fixture
def owner(user: User, kalshi_sandbox: KalshiSandbox) -> User:
    """Somebody with a fresh account, $10,000 on each shard, and no subaccount."""
    user.variables = {
        "TRUEUP_BASE_URL": kalshi_sandbox.base_url,
        "KALSHI_API_KEY_ID": kalshi_sandbox.key_id,
        "KALSHI_PRIVATE_KEY_PATH": str(kalshi_sandbox.private_key_path),
    }
    return user


def held(owner: User, subaccount: int) -> list[str]:
    """What a subaccount holds, shard by shard."""
    rows = owner.json("subaccounts", "list")["subaccounts"]
    return [row["balance"] for row in rows if row["subaccount"] == subaccount]


def test_a_subaccount_is_opened_and_gets_money(owner: User) -> None:
    created = owner.json("subaccounts", "create")
    moved = owner.json("subaccounts", "transfer", "250.50", "--to", "1")
    back = owner.json("subaccounts", "transfer", "50.50", "--from", "1", "--to", "0")

    assert created["result"] == {"subaccount": 1}
    assert moved["request"]["body"]["amount_cents"] == 25_050
    assert (moved["sent"], back["sent"]) == (True, True)
    assert held(owner, 0)[0] == "9800.00"
    assert held(owner, 1) == ["200.00"]


def test_what_came_by_hand_is_in_books_that_close(owner: User) -> None:
    owner.json("subaccounts", "create")
    owner.json("subaccounts", "transfer", "100", "--to", "1")

    owner.json("sync")

    assert owner.json("reconcile", "--offline")["verdict"] == "closes"


def test_a_dry_run_shows_the_request_and_moves_nothing(owner: User) -> None:
    owner.json("subaccounts", "create")

    said = owner.json("subaccounts", "transfer", "250", "--to", "1", "--dry-run")

    assert not said["sent"]
    assert said["request"]["path"] == "/portfolio/subaccounts/transfer"
    assert held(owner, 0)[0] == "10000.00"


def test_a_transfer_whose_answer_is_lost_is_asked_for_again_by_its_id(
    owner: User, kalshi_sandbox: KalshiSandbox
) -> None:
    owner.json("subaccounts", "create")
    kalshi_sandbox.control.fault("accepted-then-503", times=1)

    lost = owner.json("subaccounts", "transfer", "250", "--to", "1", code=1)
    again = owner.json(
        *("subaccounts", "transfer", "250", "--to", "1"),
        *("--transfer-id", lost["result"]["transfer_id"]),
    )

    assert f"--transfer-id {lost['result']['transfer_id']}" in lost["words"]
    assert again["result"]["taken_before"]
    assert held(owner, 1) == ["250.00"]


def test_a_lost_answer_to_an_opening_says_to_look_first(
    owner: User, kalshi_sandbox: KalshiSandbox
) -> None:
    kalshi_sandbox.control.fault("accepted-then-503", times=1)

    lost = owner.json("subaccounts", "create", code=1)

    assert "trueup subaccounts list" in lost["words"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("1", "--to", "0"), 2, "from subaccount 0 to itself"),
        (("0.005", "--to", "1"), 2, "not a whole number of cents"),
        (("0", "--to", "1"), 2, "more than $0"),
        (("1", "--to", "64"), 2, "--to"),
        (("1",), 2, "--to"),
        (("1", "--to", "1", "--transfer-id", "mine"), 2, "UUID"),
        (("90000000", "--to", "1"), 1, "insufficient"),
        (("1", "--to", "40"), 1, "trueup subaccounts list"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_in_words(
    owner: User, words: tuple[str, ...], code: int, says: str
) -> None:
    owner.json("subaccounts", "create")

    said = owner.type("subaccounts", "transfer", *words)

    assert said.code == code
    assert says in said.err
    assert held(owner, 1) in ([], ["0.00"])


@pytest.mark.kalshi(tier="basic")
def test_the_lowest_tier_has_no_subaccounts_and_is_told_so(owner: User) -> None:
    said = owner.type("subaccounts", "create")

    assert said.code == 1
    assert "tier Advanced" in said.err


def test_production_moves_nothing_without_its_gates(owner: User) -> None:
    del owner.variables["TRUEUP_BASE_URL"]
    owner.variables["KALSHI_ENV"] = "prod"

    said = owner.json(
        *("subaccounts", "transfer", "1", "--to", "1", "--transfer-id", TRANSFER_ID), code=1
    )

    assert not said["sent"]
    assert [gate["name"] for gate in said["closed_gates"]] == ["command", "configuration", "arming"]
    assert said["request"]["body"]["client_transfer_id"] == TRANSFER_ID
