"""Keys, tiers, subaccounts and transfers, as a member manages them over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from asker import Asker
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from served_floor import RunningClock, ServedFloor

from trueup.net.acceptor.house import BASIC, TIERS, UNLIMITED
from trueup.net.acceptor.keys import new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.signer import signer_for
from trueup.wire.rest.account import AccountLimits

Open = Callable[..., Asker]
TRANSFER = {
    "client_transfer_id": "6f9c1d2e-0000-4000-8000-000000000001",
    "from_subaccount": 0,
    "to_subaccount": 1,
    "amount_cents": 2500,
}


@pytest.fixture
def open_account() -> Iterator[Open]:
    askers: list[Asker] = []

    def start(limits: AccountLimits = UNLIMITED) -> Asker:
        floor = ServedFloor()
        clock = RunningClock(floor.now)
        server = SandboxServer(floor.world(), clock=clock, settings=Settings(limits=limits))
        server.start()
        askers.append(Asker(server, clock))
        return askers[-1]

    yield start
    for asker in askers:
        asker.close()
        asker.server.stop()


@pytest.fixture
def us(open_account: Open) -> Asker:
    return open_account()


def as_holder(asker: Asker, made: dict[str, Any]) -> Asker:
    private = load_pem_private_key(made["private_key"].encode(), password=None)
    signer = signer_for(made["api_key_id"], cast("Any", private))
    return Asker(asker.server, asker.clock, signer)


# -- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_that_the_exchange_makes_signs_until_it_is_deleted(us: Asker, kind: str) -> None:
    made = us.post("/api_keys/generate", {"name": "bot", "key_type": kind})
    holder = as_holder(us, made.tree)
    while_it_lives = holder.get("/portfolio/balance").status
    gone = us.delete(f"/api_keys/{made.tree['api_key_id']}")
    after = holder.get("/portfolio/balance").status
    holder.close()

    assert made.status == 201
    assert while_it_lives == 200
    assert (gone.status, gone.body) == (204, b"")
    assert after == 401


def test_a_key_may_do_what_its_scopes_say_and_nothing_else(us: Asker) -> None:
    wanted = {"name": "watcher", "key_type": "ed25519", "scopes": ["read"]}
    watcher = as_holder(us, us.post("/api_keys/generate", wanted).tree)
    read = watcher.get("/portfolio/balance").status
    wrote = watcher.delete("/portfolio/events/orders/none").status
    watcher.close()

    assert (read, wrote) == (200, 403)
    assert us.get("/api_keys").rows("api_keys")[-1]["scopes"] == ["read"]


@pytest.mark.parametrize("scopes", [["fly"], ["write"], ["read", "write::fly"]])
def test_scopes_that_make_no_sense_make_no_key(us: Asker, scopes: list[str]) -> None:
    answer = us.post("/api_keys/generate", {"name": "bot", "scopes": scopes})

    assert answer.status == 400
    assert len(us.get("/api_keys").rows("api_keys")) == 1


def test_an_own_key_needs_a_higher_tier(open_account: Open) -> None:
    pair = new_ed25519_pair("mine")
    public = pair.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own = {"name": "mine", "public_key": public.decode()}

    basic = open_account(BASIC).post("/api_keys", own)
    premier = open_account(TIERS["premier"]).post("/api_keys", own)
    nonsense = open_account(TIERS["premier"]).post("/api_keys", own | {"public_key": "none"})

    assert basic.status == 403
    assert premier.status == 201
    assert premier.tree.keys() == {"api_key_id"}
    assert nonsense.status == 400


def test_an_unknown_key_cannot_be_deleted(us: Asker) -> None:
    assert us.delete("/api_keys/nobody").status == 404


def test_the_lowest_tier_is_granted_the_next_one(open_account: Open) -> None:
    us = open_account(replace(BASIC))

    before = us.get("/account/limits").tree["usage_tier"]
    asked = us.post("/account/api_usage_level/upgrade", None)
    after = us.get("/account/limits").tree["usage_tier"]

    assert (before, asked.status, after) == ("basic", 201, "advanced")


# -- subaccounts and transfers -----------------------------------------------------------------


def balances(us: Asker) -> dict[object, object]:
    rows = us.get("/portfolio/subaccounts/balances").rows("subaccount_balances")
    return {row["subaccount_number"]: row["balance"] for row in rows}


def test_cash_moves_to_a_new_subaccount_once(us: Asker) -> None:
    opened = us.post("/portfolio/subaccounts", {})
    first = us.post("/portfolio/subaccounts/transfer", TRANSFER)
    again = us.post("/portfolio/subaccounts/transfer", TRANSFER)

    assert (opened.status, opened.tree) == (201, {"subaccount_number": 1})
    assert (first.status, again.status) == (200, 409)
    assert balances(us) == {0: "75.0000", 1: "25.0000"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"amount_cents": 0}, 400),
        ({"amount_cents": -5}, 400),
        ({"amount_cents": "5"}, 400),
        ({"amount_cents": 1_000_000}, 400),
        ({"to_subaccount": 0}, 400),
        ({"to_subaccount": 9}, 404),
    ],
)
def test_transfers_that_cannot_be_are_refused(
    us: Asker, change: dict[str, object], status: int
) -> None:
    us.post("/portfolio/subaccounts", {})
    answer = us.post("/portfolio/subaccounts/transfer", TRANSFER | change)

    assert answer.status == status, answer.body
    assert balances(us)[0] == "100.0000"


def test_the_lowest_tier_has_no_subaccounts(open_account: Open) -> None:
    answer = open_account(BASIC).post("/portfolio/subaccounts", {})

    assert answer.status == 403


def test_cash_moves_between_shards(us: Asker) -> None:
    transfer = {
        "source": "event_contract",
        "destination": "event_contract",
        "amount": 250_000,
        "source_exchange_shard": 0,
        "destination_exchange_shard": 1,
    }
    made = us.post("/portfolio/intra_exchange_instance_transfer", transfer)
    nowhere = us.post(
        "/portfolio/intra_exchange_instance_transfer", transfer | {"destination_exchange_shard": 9}
    )

    assert made.status == 200, made.body
    assert nowhere.status == 400
    breakdown = us.get("/portfolio/balance").tree["balance_breakdown"]
    assert breakdown == [
        {"exchange_index": 0, "balance": "75.0000"},
        {"exchange_index": 1, "balance": "25.0000"},
    ]


def test_netting_and_allocation_are_remembered(us: Asker) -> None:
    shares = [{"exchange_index": 0, "percent": 60}, {"exchange_index": 1, "percent": 40}]
    netting = us.put("/portfolio/subaccounts/netting", {"subaccount_number": 0, "enabled": False})
    wrong = us.post("/portfolio/target_balance_allocation", {"allocations": shares[:1]})
    right = us.post("/portfolio/target_balance_allocation", {"allocations": shares})

    assert netting.status == 200
    assert us.get("/portfolio/subaccounts/netting").rows("netting_configs")[0]["enabled"] is False
    assert (wrong.status, right.status) == (400, 200)
    assert us.get("/portfolio/target_balance_allocation").rows("allocations") == shares
