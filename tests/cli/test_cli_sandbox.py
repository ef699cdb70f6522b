"""`sandbox serve` and `sandbox control`: living worlds and scenarios in real processes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from typing_user import User

from trueup.net.fix.client import FixClient
from trueup.net.fix.endpoints import FixEndpoint, client_tls
from trueup.net.fix.store import SessionStore
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import signer_for
from trueup.net.venues import Venue
from trueup.run.clock import SystemClock, seeded
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import LoggedOn

WAIT = 150

SCENARIO = """\
name = "rain"

[clock]
start = 2026-10-18T12:00:00Z
speed = 0

[[events]]
ticker = "KXRAIN-TODAY"
decided = "+8h"

[[markets]]
ticker = "KXRAIN-TODAY-YES"
event = "KXRAIN-TODAY"
fair = 0.40
pays = 1
"""


class Serving:
    """Starts sandboxes, and ends them with the test."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.processes: list[subprocess.Popen[str]] = []

    def __call__(self, *options: str) -> dict[str, Any]:
        process = self.user.start("sandbox", "serve", "--port", "0", "--json", *options)
        self.processes.append(process)
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if line == "}\n":
                return json.loads(text)
        assert process.stderr is not None
        raise AssertionError(process.stderr.read())

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def serve(user: User) -> Iterator[Serving]:
    serving = Serving(user)
    yield serving
    serving.stop()


def origin(served: dict[str, Any]) -> str:
    return str(served["base_url"]).removesuffix("/trade-api/v2")


def test_a_world_is_served_and_steered_from_another_process(user: User, serve: Serving) -> None:
    served = serve("--world", "economics", "--speed", "0", "--seed", "4", "--fault", "slow")
    url = origin(served)

    before = user.json("sandbox", "control", "state", "--url", url)
    user.json("sandbox", "control", "advance", "by=2h30m", "--url", url)
    after = user.json("sandbox", "control", "state", "--url", url)
    said = user.type("sandbox", "control", "markets", "status=active", "--url", url)

    assert (before["seed"], before["speed"]) == (4, 0)
    assert [one["name"] for one in before["faults"]] == ["slow"]
    assert before["time"] < after["time"]
    assert "KXFEDDECISION" in said.out
    token = Path(served["control_token_path"])
    assert token.stat().st_mode & 0o077 == 0

    serve.processes[0].send_signal(signal.SIGINT)
    _, err = serve.processes[0].communicate(timeout=WAIT)
    assert (serve.processes[0].returncode, err) == (0, "")
    assert not token.exists()


def test_a_sandbox_is_steered_where_the_shell_points_to(user: User, serve: Serving) -> None:
    served = serve("--world", "economics", "--speed", "0", "--fault", "slow")
    elsewhere = "https://external-api.kalshi.com/trade-api/v2"

    user.variables = {"TRUEUP_BASE_URL": served["base_url"]}
    told = user.json("sandbox", "control", "state")
    user.variables = {"TRUEUP_BASE_URL": elsewhere}
    said = user.type("sandbox", "control", "state")

    assert [one["name"] for one in told["faults"]] == ["slow"]
    assert said.code == 2
    assert "no sandbox on this machine" in said.err


def test_a_second_key_is_made_for_a_listener(user: User, serve: Serving) -> None:
    served = serve("--world", "economics", "--speed", "0")
    user.variables = {
        "TRUEUP_BASE_URL": served["base_url"],
        "KALSHI_API_KEY_ID": served["key_id"],
        "KALSHI_PRIVATE_KEY_PATH": served["private_key_path"],
    }

    made = user.json("sandbox", "key", "listener", "--read-only")
    again = user.type("sandbox", "key", "listener")
    user.variables |= {
        "KALSHI_API_KEY_ID": made["key_id"],
        "KALSHI_PRIVATE_KEY_PATH": made["private_key_path"],
    }
    checks = {each["name"]: each["finding"] for each in user.json("doctor")["checks"]}

    assert (made["scopes"], made["key_id"] != served["key_id"]) == (["read"], True)
    assert Path(made["private_key_path"]).stat().st_mode & 0o077 == 0
    assert "listener.pem is there already" in again.err
    assert (checks["access"], checks["scopes"]) == ("ok", "ok")


def test_a_scenario_is_served_and_its_mistake_told(user: User, serve: Serving) -> None:
    path = user.folder / "rain.toml"
    path.write_text(SCENARIO + '\n[[accounts]]\n\n[[accounts]]\nname = "second"\ndeposit = 7\n')
    served = serve("--scenario", str(path), "--control-token", "sesame")
    url = origin(served)
    second = User(user.home.with_name("second"), user.folder, user.monkeypatch)
    second.variables = {
        "TRUEUP_BASE_URL": served["base_url"],
        "KALSHI_API_KEY_ID": "second",
        "KALSHI_PRIVATE_KEY_PATH": served["further_keys"]["second"],
    }
    assert second.json("sync")
    told = user.json(
        *("sandbox", "control", "account", "member=second", "--url", url, "--token", "sesame")
    )
    assert told["cash"] == "28.00"

    ended = user.json(
        *("sandbox", "control", "advance", "ticker=KXRAIN-TODAY-YES", "by=1d"),
        *("--url", url, "--token", "sesame"),
    )
    path.write_text(SCENARIO.replace("decided", "decide"))
    refused = user.type("sandbox", "serve", "--scenario", str(path), "--port", "0")

    assert ended["reached"] is True
    assert refused.code == 2
    assert (
        "line 9, events[1].decide: there is no key 'decide'; did you mean 'decided'?" in refused.err
    )


def test_the_account_with_a_past_lives_in_a_market_by_default(user: User, serve: Serving) -> None:
    served = serve("--speed", "0", "--bot-database", "bot.db")
    url = origin(served)
    markets = user.json("sandbox", "control", "markets", "status=active", "--url", url)["markets"]
    client = User(user.home.with_name("client"), user.folder, user.monkeypatch)
    client.variables = {
        "TRUEUP_BASE_URL": served["base_url"],
        "KALSHI_API_KEY_ID": served["key_id"],
        "KALSHI_PRIVATE_KEY_PATH": served["private_key_path"],
    }

    assert client.json("sync")
    assert client.json("reconcile", "--offline")["verdict"] == "closes"
    assert any(one["bid"] and one["volume"] != "0.00" for one in markets)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serve", "--world", "cricket"), "there is no built-in world 'cricket'"),
        (("serve", "--world", "crypto", "--scenario", "x.toml"), "serves one thing"),
        (("serve", "--scenario", "none.toml"), "none.toml"),
        (("serve", "--world", "crypto", "--fault", "outtage"), "there is no fault 'outtage'"),
        (("serve", "--world", "crypto", "--personality", "2025"), "2025"),
        (("serve", "--world", "account", "--speed", "5"), "no clock"),
        (("serve", "--world", "crypto", "--bot-database", "b.db"), "only the built-in account"),
        (("serve", "--world", "crypto", "--speed", "-1"), "--speed"),
        (("control", "advnace"), "there is no word 'advnace'"),
        (("control", "state"), "there is no control token"),
        (("control", "advance", "bye=1h"), "advance does not take 'bye=1h'"),
        (("control", "state", "--token", "x", "--url", "http://127.0.0.1:1"), "no sandbox answers"),
    ],
)
def test_a_mistake_is_told_before_anything_is_served(
    user: User, arguments: tuple[str, ...], told: str
) -> None:
    said = user.type("sandbox", *arguments)

    assert said.code in {1, 2}
    assert told in said.err


def test_fix_sessions_are_served_with_a_certificate_to_trust(
    serve: Serving, tmp_path: Path
) -> None:
    key_file = tmp_path / "sandbox.pem"
    options = ("--world", "economics", "--fix-port", "0", "--key-file", str(key_file))
    served = serve(*options)
    key = load_key(Secret(key_file.read_bytes()), passphrase=None, origin="sandbox")
    certificate = Path(served["fix_certificate_path"])
    port = served["fix_ports"]["KalshiPT"]
    endpoint = FixEndpoint(Venue.SANDBOX, SessionKind.PT, "127.0.0.1", port)

    async def log_on() -> None:
        with SessionStore.open(tmp_path, endpoint, served["key_id"]) as store:
            async with (
                FixClient(
                    endpoint,
                    signer=signer_for(served["key_id"], key),
                    store=store,
                    clock=SystemClock().now,
                    chance=seeded(1),
                    tls=client_tls(certificate),
                ) as client,
                asyncio.timeout(WAIT),
                aclosing(client.events()) as events,
            ):
                assert isinstance(await anext(events), LoggedOn)

    asyncio.run(log_on())
    assert set(served["fix_ports"]) == {each.value for each in SessionKind}
    assert key_file.with_suffix(".fix.key").stat().st_mode & 0o077 == 0
