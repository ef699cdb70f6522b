"""Keys, clocks, hosts and answers that are wrong: what a person is told, and what is left."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from typing_user import User, rows_of

from trueup.net.acceptor.faults import Faults
from trueup.net.acceptor.keys import new_ed25519_pair
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.clock import ShiftedClock, SystemClock
from trueup.sim.scenario import World

OpenServer = Callable[[Faults], SandboxServer]


def test_init_of_a_demo_account_with_a_key(user: User, server: SandboxServer) -> None:
    user.points_at(server)
    key_file = user.variables.pop("KALSHI_PRIVATE_KEY_PATH")
    del user.variables["KALSHI_API_KEY_ID"]
    payload = user.json(
        "init", "--venue", "demo", "--key-id", server.key_id, "--private-key-path", key_file
    )

    assert (payload["venue"], payload["verdict"]) == ("demo", "closes")
    config = (user.home / "config.toml").read_text(encoding="utf-8")
    assert server.key_id in config
    assert key_file in config
    assert "PRIVATE" not in config
    assert user.json("balance")["venue"] == "demo"
    assert (user.home / "books" / "demo-live-main.db").exists()


def test_wrong_key_leaves_nothing_behind(user: User, server: SandboxServer) -> None:
    user.points_at(server)
    Path(user.variables["KALSHI_PRIVATE_KEY_PATH"]).write_bytes(new_ed25519_pair("other").pem)
    for words in (("init",), ("sync",), ("backfill", "--full"), ("balance",)):
        said = user.type(*words)
        assert said.code == 1
        assert "the signature does not fit" in said.err
        assert "What to do: The private key belongs to another key id." in said.err
        assert not user.home.exists()


def test_missing_key_is_named(user: User, server: SandboxServer) -> None:
    user.points_at(server)
    del user.variables["KALSHI_PRIVATE_KEY_PATH"]
    alone = user.type("init")
    del user.variables["KALSHI_API_KEY_ID"]
    none = user.type("init")

    assert alone.code == none.code == 2
    assert "no private key" in alone.err
    assert "KALSHI_API_KEY_ID and KALSHI_PRIVATE_KEY_PATH" in none.err
    assert not user.home.exists()


def test_encrypted_key_needs_its_passphrase(user: User, server: SandboxServer) -> None:
    user.points_at(server)
    encrypted = server.pair.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
    )
    Path(user.variables["KALSHI_PRIVATE_KEY_PATH"]).write_bytes(encrypted)
    without = user.type("sync")
    user.variables["KALSHI_PRIVATE_KEY_PASSPHRASE"] = "wrong"
    wrong = user.type("sync")
    user.variables["KALSHI_PRIVATE_KEY_PASSPHRASE"] = "open sesame"
    right = user.type("sync")

    assert (without.code, wrong.code, right.code) == (2, 2, 0)
    assert "KALSHI_PRIVATE_KEY_PASSPHRASE" in without.err
    assert "sesame" not in without.err + wrong.err + right.err + right.out


def test_world_readable_key_is_refused(user: User, server: SandboxServer) -> None:
    user.points_at(server, key_file=user.write_key(server, mode=0o644))
    said = user.type("sync")

    assert said.code == 2
    assert "can be read by other users" in said.err
    assert "chmod 600" in said.err


def test_json_error_is_one_object(user: User, server: SandboxServer) -> None:
    user.points_at(server, key_file=user.write_key(server, mode=0o644))
    said = user.type("sync", "--json")

    assert (said.code, said.err) == (2, "")
    assert said.payload["error"] == "ConfigError"
    assert "chmod 600" in said.payload["remedy"]


def test_demo_key_is_not_sent_to_production(user: User, server: SandboxServer) -> None:
    """The demo's own variables never serve another venue."""
    key_file = user.write_key(server)
    user.variables = {
        "KALSHI_ENV": "prod",
        "KALSHI_DEMO_KEY_ID": server.key_id,
        "KALSHI_DEMO_PRIVATE_KEY_PATH": str(key_file),
    }
    said = user.type("sync")

    assert said.code == 2
    assert "only keys of the demo are given" in said.err
    assert not user.home.exists()


def test_key_that_the_exchange_does_not_know_may_be_of_the_other_environment(
    user: User, server: SandboxServer
) -> None:
    user.points_at(server)
    user.variables["KALSHI_API_KEY_ID"] = "00000000-0000-4000-8000-000000000000"
    said = user.type("doctor")
    access = user.type("sync")

    assert said.code == access.code == 1
    assert "does not know this key id on demo" in said.out
    assert "Keys of production do not work on the demo" in access.err


def test_unknown_host_is_refused_before_anything_is_sent(user: User, server: SandboxServer) -> None:
    user.points_at(server)
    del user.variables["TRUEUP_ALLOW_HOST"]
    said = user.type("sync")

    assert said.code == 2
    assert "not a known host of demo; nothing was signed or sent" in said.err
    assert "TRUEUP_ALLOW_HOST=127.0.0.1" in said.err


def test_clock_off_by_a_minute_is_found_by_doctor(user: User, world: World) -> None:
    """The server's clock goes wrong here; for the client it is the same."""
    late = ShiftedClock(60 * 1_000_000)
    with SandboxServer(world, clock=late.now) as server:
        user.points_at(server)
        doctor = user.type("doctor")
        sync = user.type("sync")

    assert doctor.code == sync.code == 1
    assert "clock" in doctor.out
    assert "NTP" in doctor.out
    assert "the exchange refused the time of the request" in sync.err
    assert not user.home.exists()


TROUBLE = [
    (Faults(after=8, truncated=50), "could not be read"),
    (Faults(after=8, not_json=50), "could not be read"),
    (Faults(endless_cursor=frozenset({"GetOrders"})), "a cursor that never ends"),
]


@pytest.mark.parametrize(("faults", "words"), TROUBLE, ids=["truncated", "html", "endless"])
def test_answers_without_sense_are_reported_and_the_next_run_is_whole(
    user: User, server: SandboxServer, open_server: OpenServer, faults: Faults, words: str
) -> None:
    user.points_at(open_server(faults))
    broken = user.type("backfill", "--full")
    user.points_at(server)
    user.variables["KALSHI_PRIVATE_KEY_PATH"] = str(user.write_key(server))
    whole = user.type("backfill", "--full")

    assert broken.code == 1
    assert words in broken.err
    assert "What to do: " in broken.err
    assert whole.code == 0
    assert user.json("reconcile", "--offline")["verdict"] == "closes"


def test_storm_of_429_is_waited_out(user: User, open_server: OpenServer) -> None:
    user.points_at(open_server(Faults(after=6, storm=2)))
    payload = user.json("sync")

    assert payload["streams"]["fills"]["new"] > 400


def test_exchange_that_is_away_for_a_moment_is_waited_for(
    user: User, open_server: OpenServer
) -> None:
    user.points_at(open_server(Faults(after=6, unavailable=2)))
    said = user.type("sync", "--verbose")

    assert said.code == 0
    assert "503" in said.err
    assert "again in" in said.err


def test_read_commands_answer_from_the_books_when_the_exchange_is_away(
    user: User, server: SandboxServer
) -> None:
    """Exit code 0, the age of the figures, and a notice."""
    user.points_at(server)
    assert user.type("sync").code == 0
    with (user.home / "config.toml").open("w", encoding="utf-8") as file:
        file.write("max_age_seconds = 0\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    user.variables["TRUEUP_BASE_URL"] = f"http://127.0.0.1:{port}"
    user.variables["TRUEUP_ALLOW_HOST"] = f"127.0.0.1:{port}"
    said = user.type("positions")
    as_json = user.type("positions", "--json")
    fetching = user.type("sync")

    assert said.code == as_json.code == 0
    assert "KXGDP-NEXT-T2.5" in said.out
    assert " ago)" in said.out
    for notice in (said.err, as_json.err):
        assert "could not be connected to" in notice
        assert "The figures are those of the local books." in notice
    assert as_json.payload["positions"]
    assert fetching.code == 1


def test_read_command_without_books_and_without_exchange_fails(user: User) -> None:
    user.variables = {"TRUEUP_BASE_URL": "http://127.0.0.1:9", "KALSHI_API_KEY_ID": "x"}
    pair = new_ed25519_pair("x")
    key_file = user.folder / "key.pem"
    key_file.touch(mode=0o600)
    key_file.write_bytes(pair.pem)
    user.variables["KALSHI_PRIVATE_KEY_PATH"] = str(key_file)
    said = user.type("balance")

    assert said.code == 1
    assert "trueup sandbox serve" in said.err
    assert not user.home.exists()


def test_settlement_rows_twice_or_late_do_no_harm(
    user: User, server: SandboxServer, open_server: OpenServer
) -> None:
    user.points_at(server)
    user.type("backfill", "--full")
    tickers = [
        row[0]
        for row in rows_of(
            user.home / "books" / "demo-live-main.db",
            "SELECT ticker FROM settlements ORDER BY at DESC LIMIT 6",
        )
    ]
    other = User(user.home.with_name("other"), user.folder, user.monkeypatch)
    other.points_at(
        open_server(
            Faults(
                settlements_twice=frozenset(tickers[:2]),
                settlements_missing=frozenset(tickers[2:4]),
                settlements_late=dict.fromkeys(tickers[4:], 10**15),
            )
        )
    )
    first = other.json("backfill", "--full")
    reconciled = other.json("reconcile", "--offline")
    other.points_at(server)
    second = other.json("backfill", "--full")

    assert reconciled["verdict"] == "closes"
    assert second["streams"]["settlements"]["new"] == 4
    assert first["streams"]["settlements"]["revised"] == 0
    assert other.json("reconcile", "--offline")["verdict"] == "closes"


def test_changed_settlement_row_is_shown_as_a_revision(
    user: User, server: SandboxServer, open_server: OpenServer
) -> None:
    user.points_at(server)
    user.type("backfill", "--full")
    books = user.home / "books" / "demo-live-main.db"
    ticker = rows_of(books, "SELECT ticker FROM settlements ORDER BY at DESC LIMIT 1")[0][0]
    user.points_at(open_server(Faults(settlements_changed={ticker: 300})))
    changed = user.json("backfill", "--days", "30")
    found = user.json("reconcile", "--offline", code=1)

    assert changed["streams"]["settlements"]["revised"] == 1
    kinds = {each["kind"] for each in found["breaks"] if each["ticker"] == ticker}
    assert "revised_settlement" in kinds


def test_unknown_words_are_kept_and_reported_and_the_rest_is_booked(
    user: User, open_server: OpenServer
) -> None:
    strange = Faults(
        unknown_word=frozenset({"GetFills"}), unknown_field=frozenset({"GetOrders", "GetFills"})
    )
    user.points_at(open_server(strange))
    fetched = user.json("backfill", "--full")
    found = user.json("reconcile", "--offline", code=1)
    doctor = user.type("doctor")

    # One row of each answer; how many answers there are depends on where the archive ends today.
    assert 1 <= fetched["streams"]["fills"]["unreadable"] <= 3
    assert fetched["streams"]["fills"]["new"] > 400
    assert "quarantined" in {each["kind"] for each in found["breaks"]}
    assert "brand_new_field" in doctor.out
    assert "could not be read and are kept raw" in doctor.out


def test_key_with_less_rights_sees_less_and_says_so(user: User, world: World) -> None:
    pair = new_ed25519_pair(
        "5a2d0b3e-7c41-4a8e-9d02-000000000000", subaccount=None, scopes=("read",)
    )
    with SandboxServer(world, clock=SystemClock().now, pair=pair, settings=Settings()) as server:
        user.points_at(server)
        payload = user.json("doctor")

    found = {each["name"]: each for each in payload["checks"]}
    assert found["scopes"]["finding"] == "ok"
    assert "may only read" in found["scopes"]["words"]
