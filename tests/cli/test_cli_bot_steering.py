"""An operator at a running bot: a real process, steered by the commands of another one."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typing_user import PROGRAM

from trueup.cli.main import run
from trueup.engine.records import HaltRaised
from trueup.run.clock import SystemClock
from trueup.store.intents import IntentLog
from trueup.testing.sandbox import KalshiSandbox

BOT = """
from trueup import Count, Price, Strategy, Style, buy_yes

class Quoting(Strategy):
    name = "quoting"
    cents = 1

    def on_markets(self, desk, moved):
        for ticker in moved:
            price = Price.of_cents(self.cents)
            yield buy_yes(ticker, Count.of_contracts(1), price, reason="rest", style=Style.POST)
"""

CONFIG = """
[[strategies]]
strategy = "quoting.py"
capital = "50"
parameters = { cents = 2 }
limits = { open_orders_max = 5 }

[[strategies]]
strategy = "momentum"
capital = "50"
"""

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    # The books beside a bot have tests of their own.
    (home / "config.toml").write_text('[books]\nevery = "off"\n', encoding="utf-8")
    monkeypatch.setenv("TRUEUP_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*arguments: str, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert run([*arguments, "--json"]) == code
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return asked


@pytest.fixture
def bot(home: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "quoting.py").write_text(BOT, encoding="utf-8")
    (tmp_path / "bot.toml").write_text(CONFIG, encoding="utf-8")
    arguments = ["bot", "run", "--config", "bot.toml", "--world", "temperatures"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | {"TRUEUP_HOME": str(home)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def fill_the_disk_of(pid: int) -> None:
    """No file of the process may grow: what a full disk does to a writer."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))


@contextmanager
def full_disk() -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    fill_the_disk_of(os.getpid())
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def until(ask: Ask, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    end = time.monotonic() + 150
    while not is_so(shown := ask("bot", "status")):
        assert time.monotonic() < end, f"it never came true; the last status was {shown}"
        time.sleep(0.1)
    return shown


def test_operator_sees_pauses_cancels_kills_and_rearms(
    home: Path, bot: subprocess.Popen[bytes], ask: Ask
) -> None:
    shown = until(ask, lambda shown: len(shown.get("orders", ())) == 5)
    assert shown["pid"] == bot.pid
    # Whoever read what it prints goes; a bot must not mind.
    assert bot.stdout is not None
    bot.stdout.close()
    assert [each["name"] for each in shown["strategies"]] == ["quoting", "momentum"]
    assert shown["strategies"][0]["parameters"] == {"cents": "2"}
    assert {each["limit"] for each in shown["orders"]} == {"0.02"}
    feeds = {each["name"]: each for each in shown["connections"]}
    assert {"account", "listings", "websocket"} <= set(feeds)
    assert feeds["account"]["heard_at"] is not None
    full = next(
        each
        for each in shown["limits"]
        if each["limit"] == "open_orders_max" and each["strategy"] == "quoting"
    )
    assert (full["used"], full["allowed"], full["share"]) == ("5", "5", "1.0000")

    # Two bots on one account would not know of each other.
    second = ask("bot", "run", "threshold", "--minutes", "0.05", code=2)
    assert "another bot is using" in second["message"]
    wrong = ask("bot", "pause", "--strategy", "nobody", code=2)
    assert "quoting, momentum" in wrong["remedy"]

    paused = ask("bot", "pause", "--strategy", "quoting", "--why", "CPI at 8:30")
    assert paused["strategies"][0]["why"] == "CPI at 8:30"
    until(ask, lambda shown: not shown["orders"])
    ask("bot", "resume")
    shown = until(ask, lambda shown: len(shown["orders"]) == 5)
    ask("bot", "cancel", shown["orders"][0]["client_order_id"])
    assert "no living order" in ask("bot", "cancel", "nothing", code=2)["message"]

    killed = ask("bot", "kill", "--why", "enough")
    assert (killed["through"], killed["proven"], killed["left"]) == ("bot", True, [])
    halted = ask("bot", "status")
    assert halted["state"] == "halted"
    assert halted["orders"] == []
    assert ask("bot", "rearm")["lifted"] == ["kill: enough"]
    assert ask("bot", "status")["state"] == "trading"

    why = ask("bot", "decisions", "--why-not", "--strategy", "quoting", "--limit", "3")
    codes = {refusal["code"] for each in why["decisions"] for refusal in each["refusals"]}
    assert codes <= {"halted", "paused", "open_orders", "quiet_after_cancel_all", "in_flight"}
    said = [
        each for each in ask("bot", "decisions", "--limit", "9999")["decisions"] if "by" in each
    ]
    assert [each["command"] for each in said] == ["pause", "resume", "cancel", "kill", "rearm"]

    # The terminal is closed: the same as Ctrl-C and SIGTERM.
    bot.send_signal(signal.SIGHUP)
    assert bot.wait(timeout=150) == 0
    assert not list(home.glob("control-*"))
    assert ask("bot", "status")["running"] is False


def test_bot_that_was_stopped_by_force_is_recognised_and_starts_as_it_was(
    home: Path, bot: subprocess.Popen[bytes], ask: Ask
) -> None:
    until(ask, lambda shown: len(shown.get("orders", ())) == 5)
    ask("bot", "pause", "--strategy", "momentum", "--why", "by hand")
    bot.kill()
    bot.wait()

    gone = ask("bot", "status")
    assert gone["running"] is False
    assert f"process {bot.pid} ended without" in gone["words"]
    assert len(gone["open_orders"]) == 5
    assert gone["paused"] == {"momentum": "by hand"}

    killed = ask("bot", "kill")
    assert (killed["through"], killed["proven"]) == ("command", True)
    assert ask("bot", "status")["killed"] is True
    ask("bot", "rearm")
    with IntentLog(home / "intents-sandbox-main.log") as log:
        assert not any(isinstance(each, HaltRaised) for each in log.records)


def test_kill_on_a_full_disk_outlives_the_bot_and_nothing_else_is_promised(
    bot: subprocess.Popen[bytes], ask: Ask
) -> None:
    until(ask, lambda shown: len(shown.get("orders", ())) == 5)
    fill_the_disk_of(bot.pid)

    assert ask("bot", "pause", "--strategy", "momentum")["durable"] is False
    assert ask("bot", "rearm", code=1)["durable"] is False
    killed = ask("bot", "kill")
    assert (killed["proven"], killed["durable"]) == (True, True)
    halts = {each["code"]: each["words"] for each in ask("bot", "status")["halts"]}
    assert "stop the bot and start it again" in halts["storage"]

    bot.kill()
    bot.wait()
    started = ask("bot", "run", "threshold", "--minutes", "0.05", code=2)
    assert "the kill switch of this account is on" in started["message"]


def test_kill_switch_cancels_and_stays_on_also_on_a_full_disk(
    home: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=1, start=start) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv({"KALSHI_BASE_URL": "TRUEUP_BASE_URL"}.get(name, name), value)
        ticker = sandbox.control.markets()[0]["ticker"]
        ask("order", "place", "buy", "1", "yes", ticker, "0.01")

        with full_disk():
            killed = ask("bot", "kill")

        assert (killed["proven"], killed["durable"]) == (True, True)
        assert (home / "kill-sandbox-main").exists(), "an empty file does as well"
        assert {each["status"] for each in sandbox.control.orders()} == {"canceled"}


def test_closing_positions_needs_a_yes(home: Path, ask: Ask) -> None:
    for command in (("bot", "flatten"), ("bot", "kill", "--flatten")):
        refused = ask(*command, code=2)
        assert refused["remedy"] == "Add --yes."
    assert not list(home.glob("kill-*"))
    assert "no bound" in ask("bot", "flatten", "--yes", "--slippage", "0.60", code=2)["message"]


def test_check_shows_what_would_run_and_what_hinders(home: Path, tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "quoting.py").write_text(BOT, encoding="utf-8")
    (tmp_path / "bot.toml").write_text(CONFIG, encoding="utf-8")
    (home / "kill-sandbox-main").touch()

    shown = ask("bot", "check", "--config", "bot.toml")

    assert [each["name"] for each in shown["strategies"]] == ["quoting", "momentum"]
    assert shown["strategies"][0]["limits"]["open_orders_max"] == "5"
    assert shown["limits"]["exposure_max"] == "100.00"
    assert shown["hindrances"] == ["The kill switch is on: trueup bot rearm."]
    assert "what shall run?" in ask("bot", "run", code=2)["message"]
    assert "both a strategy" in ask("bot", "run", "x", "--config", "y", code=2)["message"]
    unknown = ask("bot", "check", "--config", "none.toml", code=2)
    assert "there is no file none.toml" in unknown["message"]
