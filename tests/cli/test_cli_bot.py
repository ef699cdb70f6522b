"""`trueup bot` as a person types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trueup.engine.inflight import Intent
from trueup.store.intents import IntentLog

COMMAND = [sys.executable, "-c", "from trueup.cli.main import main; main()"]

EAGER = """
from trueup import Count, Price, Strategy, Style, buy_yes

class Eager(Strategy):
    name = "eager"

    def on_markets(self, desk, moved):
        for ticker in moved:
            top = desk.top(ticker)
            if top.ask:
                yield buy_yes(ticker, Count.of_contracts(1), top.ask, reason="more")
                yield buy_yes(
                    ticker, Count.of_contracts(1), Price.of_cents(1), reason="rest", style=Style.POST
                )
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def trueup(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=os.environ | {"TRUEUP_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        cwd=home.parent,
    )


def run_until_it_sent(home: Path, *arguments: str) -> tuple[str, str]:
    """Run a bot, and Ctrl-C as soon as its decisions tell of an order; what it printed."""
    process = subprocess.Popen(
        [*COMMAND, "bot", "run", *arguments, "--world", "temperatures"],
        env=os.environ | {"TRUEUP_HOME": str(home)},
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None and not any(
            '"verdict":"sent"' in each.read_text(encoding="utf-8")
            for each in home.glob("decisions-*")
        ):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    return out, err


def test_template_runs_on_the_sandbox(home: Path) -> None:
    assert trueup(home, "bot", "new-strategy", "my_bot.py").returncode == 0

    out, _ = run_until_it_sent(home, "my_bot.py", "--json")

    told = json.loads(out)
    assert told["orders_sent"] > 0
    lines = Path(told["decisions"]).read_text(encoding="utf-8").splitlines()
    sent = [each for each in map(json.loads, lines) if each.get("verdict") == "sent"]
    assert len(sent) == told["orders_sent"]
    assert all(each["reason"] == "cheap" for each in sent)


def test_orders_go_out_by_fix_with_one_line_of_configuration(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('order_entry = "fix"\n', encoding="utf-8")
    (home.parent / "eager.py").write_text(EAGER, encoding="utf-8")

    out, _ = run_until_it_sent(home, "eager.py")

    assert "orders by FIX, KalshiNR" in out
    assert " 0 orders sent" not in out
    assert list((home / "fix").glob("sandbox-KalshiNR-*.fix"))


def test_a_road_that_does_not_exist_is_said_so(home: Path) -> None:
    refused = trueup(home, "bot", "run", "threshold", "--order-entry", "pigeon")

    assert refused.returncode != 0
    assert "rest, fix" in refused.stdout + refused.stderr


def test_kill_stays_until_rearmed(home: Path) -> None:
    killed = trueup(home, "bot", "kill", "--json")
    refused = trueup(home, "bot", "run", "threshold", "--minutes", "0.05")
    status = trueup(home, "bot", "status", "--json")
    rearmed = trueup(home, "bot", "rearm", "--json")

    assert json.loads(killed.stdout)["proven"] is True
    assert refused.returncode != 0
    assert "bot rearm" in refused.stdout + refused.stderr
    assert json.loads(status.stdout)["killed"] is True
    assert rearmed.returncode == 0
    assert json.loads(trueup(home, "bot", "status", "--json").stdout)["killed"] is False


def test_unknown_strategy_is_refused_with_words(home: Path) -> None:
    done = trueup(home, "bot", "run", "martingale")

    assert done.returncode == 2
    assert "martingale" in done.stdout + done.stderr


def test_killed_process_leaves_a_log_that_can_be_recovered(home: Path, tmp_path: Path) -> None:
    (tmp_path / "eager.py").write_text(EAGER, encoding="utf-8")
    process = subprocess.Popen(
        [*COMMAND, "bot", "run", "eager.py", "--world", "temperatures"],
        env=os.environ | {"TRUEUP_HOME": str(home)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "  sent " in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    with IntentLog(home / "intents-sandbox-main.log") as log:
        intents = [each for each in log.records if isinstance(each, Intent)]

    assert intents, "what was sent was durable before"
    names = [each.client_order_id for each in intents]
    assert len(set(names)) == len(names)
