"""Who passes the gate, and the exact words for who does not."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from asker import Asker, OpenSandbox
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from trueup.core.ids import Subaccount
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.keys import (
    READ_BALANCE,
    KeyPair,
    RegisteredKey,
    new_ed25519_pair,
    new_rsa_pair,
)
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Ed25519Signer,
    signer_for,
)
from trueup.run.clock import SystemClock
from trueup.sim.scenario import World

BALANCE = "/portfolio/balance"


def refused(code: str, message: str, details: str = "") -> dict[str, object]:
    inner: dict[str, object] = {"code": code, "message": message}
    if details:
        inner["details"] = details
    return {"error": inner}


def test_good_signature_passes(sandbox: Asker) -> None:
    assert sandbox.get(BALANCE).status == 200


def test_query_is_not_part_of_what_is_signed(sandbox: Asker) -> None:
    assert sandbox.get(BALANCE + "?subaccount=1").status == 200


def test_rsa_key_passes(open_sandbox: OpenSandbox, rsa_key: RSAPrivateKey) -> None:
    registered = RegisteredKey(key_id="rsa", public=rsa_key.public_key())
    asker = open_sandbox(Settings(), keys=[registered])
    asker.signer = signer_for("rsa", rsa_key)

    assert asker.get(BALANCE).status == 200


@pytest.mark.parametrize("seconds", [-10, -5, 5, 10])
def test_small_skew_passes(sandbox: Asker, seconds: int) -> None:
    headers = sandbox.signed_headers(BALANCE, off=seconds * SECOND)

    assert sandbox.raw(BALANCE, headers).status == 200


@pytest.mark.parametrize("off", [-30 * SECOND, 30 * SECOND, -5 * MINUTE, 5 * MINUTE])
def test_large_skew_is_refused_as_recorded(sandbox: Asker, off: int) -> None:
    answer = sandbox.raw(BALANCE, sandbox.signed_headers(BALANCE, off=off))

    assert answer.status == 401
    assert answer.tree == refused("header_timestamp_expired", "header timestamp expired")


@pytest.mark.parametrize("stamp", ["soon", "1792080000", "", "-1", "1e12"])
def test_timestamp_that_is_none_in_milliseconds_is_refused(sandbox: Asker, stamp: str) -> None:
    headers = sandbox.signed_headers(BALANCE) | {TIMESTAMP_HEADER: stamp}

    assert sandbox.raw(BALANCE, headers).status == 401


def test_wrong_signature_is_refused_as_recorded(sandbox: Asker) -> None:
    answer = sandbox.raw(BALANCE, sandbox.signed_headers("/portfolio/fills"))

    assert answer.status == 401
    assert answer.tree == refused(
        "authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE"
    )


@pytest.mark.parametrize("signature", ["not base64!", "AAAA"])
def test_signature_that_is_none_is_refused(sandbox: Asker, signature: str) -> None:
    headers = sandbox.signed_headers(BALANCE) | {SIGNATURE_HEADER: signature}

    assert sandbox.raw(BALANCE, headers).status == 401


def test_signature_with_the_query_is_refused(sandbox: Asker) -> None:
    path = BALANCE + "?subaccount=1"
    stamp = str(sandbox.clock() // 1000)
    private = sandbox.server.pair.private
    assert isinstance(private, Ed25519PrivateKey)
    raw = private.sign(f"{stamp}GET/trade-api/v2{path}".encode())
    headers = sandbox.signed_headers(path)

    good = sandbox.raw(path, headers)
    wrong = sandbox.raw(
        path,
        headers | {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: base64.b64encode(raw).decode()},
    )

    assert (good.status, wrong.status) == (200, 401)


def test_unknown_key_is_refused_as_recorded(sandbox: Asker) -> None:
    headers = sandbox.signed_headers(BALANCE) | {KEY_HEADER: "00000000-0000-0000-0000-000000000000"}

    answer = sandbox.raw(BALANCE, headers)

    assert answer.status == 401
    assert answer.tree == refused("authentication_error", "authentication_error", "NOT_FOUND")


def test_other_members_key_does_not_pass_as_ours(sandbox: Asker) -> None:
    stranger = Ed25519Signer(sandbox.server.key_id, Ed25519PrivateKey.generate())
    headers = stranger.headers("GET", "/trade-api/v2" + BALANCE, sandbox.clock())

    assert sandbox.raw(BALANCE, headers).status == 401


def test_missing_signature_is_refused_as_recorded(sandbox: Asker) -> None:
    headers = sandbox.signed_headers(BALANCE)
    del headers[SIGNATURE_HEADER]

    answer = sandbox.raw(BALANCE, headers)

    assert answer.status == 401
    assert answer.tree == refused(
        "signature_is_missing_from_headers", "signature is missing from headers"
    )


def test_request_without_any_header_is_refused_as_recorded(sandbox: Asker) -> None:
    answer = sandbox.raw(BALANCE)

    assert answer.status == 401
    assert answer.tree == refused("token_authentication_failure", "token authentication failure")


def test_public_data_needs_no_key(sandbox: Asker) -> None:
    assert sandbox.raw("/exchange/status").status == 200
    assert sandbox.raw("/markets?limit=1").status == 200


def test_key_without_the_scope_is_refused(open_sandbox: OpenSandbox) -> None:
    pair = new_ed25519_pair("narrow", scopes=(READ_BALANCE,))
    asker = open_sandbox(Settings(), pair=pair)

    assert asker.get(BALANCE).status == 200
    assert asker.get("/portfolio/fills").status == 403


def test_locked_key_reads_its_own_subaccount_only(open_sandbox: OpenSandbox) -> None:
    pair = new_ed25519_pair("locked", subaccount=Subaccount(1))
    asker = open_sandbox(Settings(limits=UNLIMITED), pair=pair)

    own, other = asker.get(BALANCE), asker.get(BALANCE + "?subaccount=0")
    fills = asker.get("/portfolio/fills?limit=1000").rows("fills")
    account_wide = asker.get("/portfolio/deposits")

    assert "balance_breakdown" not in own.tree
    assert {row["subaccount_number"] for row in fills} == {1}
    assert other.status == account_wide.status == 403
    assert "restricted to a single sub-account" in str(other.tree)


def test_bearer_token_passes_where_a_gateway_takes_it(open_sandbox: OpenSandbox) -> None:
    asker = open_sandbox(Settings(tokens=frozenset({"let-me-in"})))

    good = asker.raw(BALANCE, {"Authorization": "Bearer let-me-in"})
    wrong = asker.raw(BALANCE, {"Authorization": "Bearer let-me-out"})

    assert (good.status, wrong.status) == (200, 401)


@pytest.mark.parametrize("make", [new_ed25519_pair, new_rsa_pair])
def test_pem_of_a_new_pair_is_what_the_client_can_load(make: Callable[[str], KeyPair]) -> None:
    pair = make("key-1")

    key = load_key(Secret(pair.pem), passphrase=None, origin="the sandbox")

    assert signer_for("key-1", key).key_id == "key-1"
    assert repr(pair) == "KeyPair(key-1)"


def test_world_at_another_date_takes_signatures_of_the_wall_clock(
    world: World, clock: Callable[[], Instant], sandbox: Asker
) -> None:
    """A foreign client signs with its own time, whatever date the world is at."""
    wall = SystemClock().now
    with SandboxServer(world, clock=clock, wall_clock=wall) as server:
        asker = Asker(server, wall)
        passed = asker.get(BALANCE)
        asker.close()
    refused_elsewhere = sandbox.raw(
        BALANCE, sandbox.signed_headers(BALANCE, off=wall() - sandbox.clock())
    )

    assert passed.status == 200
    assert refused_elsewhere.status == 401
