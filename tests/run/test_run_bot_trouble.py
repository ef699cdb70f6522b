"""What goes wrong around a running bot: it hangs, the key is revoked, the disk is full, clocks jump."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from bot_at_sandbox import Once, an_order, client, rests, run

from trueup.core.ids import Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.units import Price
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode, HaltRaised, SweepOrdered
from trueup.engine.strategy import Desk
from trueup.engine.wishes import Style, Wish
from trueup.run.bot.watchdog import EXIT_HUNG
from trueup.run.clock import ManualClock, SteadyClock, SystemClock
from trueup.store.intents import IntentLog
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.rest import api_keys

HANGING = """
from trueup import Count, Price, Strategy, Style, buy_yes

class Hanging(Strategy):
    name = "hanging"

    def on_markets(self, desk, moved):
        for ticker in moved:
            yield buy_yes(ticker, Count.of_contracts(1), Price.of_cents(1), reason="rest", style=Style.POST)
        if any(order.order_id for ticker in desk.tickers for order in desk.orders(ticker)):
            while True:
                pass
"""

CONFIG = """
hang_max = "1s"
[[strategies]]
strategy = "hanging.py"
capital = "50"
"""


@pytest.fixture
def sandbox() -> Iterator[KalshiSandbox]:
    start = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, density=1, start=start) as running:
        yield running


@pytest.fixture
def ticker(sandbox: KalshiSandbox) -> Ticker:
    with client(sandbox) as one:
        for market in one.markets.list(status="open", combos=False):
            if Price.of_cents(20) < market.yes_bid < market.yes_ask < Price.of_cents(80):
                return market.ticker
    pytest.fail("no market of the world is traded in the middle")


def test_strategy_that_hangs_halts_cancels_and_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "hanging.py").write_text(HANGING, encoding="utf-8")
    (tmp_path / "bot.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text('[books]\nevery = "off"\n', encoding="utf-8")
    command = "from trueup.cli.main import main; main()"
    arguments = ["bot", "run", "--config", "bot.toml", "--world", "temperatures"]

    done = subprocess.run(
        [sys.executable, "-c", command, *arguments],
        env=os.environ | {"TRUEUP_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert done.returncode == EXIT_HUNG, done.stderr
    assert "strategy hanging did not return within 1 s" in done.stderr
    assert "hanging.py" in done.stderr, "where it hangs"
    assert "nothing rests any more; `trueup bot rearm`" in done.stderr
    assert not list((tmp_path / "home").glob("control-*"))
    with IntentLog(tmp_path / "home" / "intents-sandbox-main.log") as log:
        last = [each for each in log.records if isinstance(each, HaltRaised | SweepOrdered)]
    assert isinstance(last[0], HaltRaised)
    assert last[0].code is HaltCode.HANG
    assert isinstance(last[1], SweepOrdered), "the next start cancels everything first"
    decided = next((tmp_path / "home").glob("decisions-*")).read_text(encoding="utf-8")
    assert '"alert":"watchdog"' in decided


def test_key_that_is_revoked_in_mid_run_halts_with_words(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    revoked = False

    def until(machine: Machine) -> bool:
        nonlocal revoked
        if rests(ticker)(machine) and not revoked:
            revoked = True
            with client(sandbox) as one:
                one.send(api_keys.delete(sandbox.key_id))
        return machine.state.halts.has(HaltCode.KEY)

    wish = an_order(ticker, limit=1, style=Style.POST)
    ran = run(sandbox, tmp_path, Once(wish), until, leaves_orders=True)

    assert "all trading halted (key): " in ran.words()
    with IntentLog(tmp_path / "intents.log") as log:
        raised = [each for each in log.records if isinstance(each, HaltRaised)]
    assert [each.code for each in raised] == [HaltCode.KEY], "it starts halted"


class Always(Once):
    """Wishes for the same at every tick."""

    def on_markets(self, desk: Desk, moved: Sequence[Ticker]) -> Iterable[Wish]:
        del desk, moved
        yield self.wish


def test_full_disk_under_the_intent_log_sends_nothing_and_halts(
    sandbox: KalshiSandbox, ticker: Ticker, tmp_path: Path
) -> None:
    before = len(sandbox.control.orders(ticker))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow: what a full disk does to a writer, but under another error number.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        ran = run(
            sandbox,
            tmp_path,
            Always(an_order(ticker)),
            lambda machine: machine.state.halts.has(HaltCode.STORAGE),
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "cannot be written" in ran.words()
    assert len(sandbox.control.orders(ticker)) == before, "no order leaves without its intent"


# -- clocks ------------------------------------------------------------------------------------


class Ticks:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.nanoseconds = 0

    def __call__(self) -> int:
        return self.nanoseconds

    def pass_by(self, microseconds: int) -> None:
        self.nanoseconds += microseconds * 1_000


def test_steady_clock_follows_the_machine_and_never_goes_back() -> None:
    wall, ticks = ManualClock(Instant(1_000 * SECOND)), Ticks()
    jumps: list[int] = []
    steady = SteadyClock(machine=wall, monotonic=ticks, jumped=jumps.append)

    def after(monotonic: int, machine: int) -> int:
        ticks.pass_by(monotonic)
        wall.instant = Instant(wall.instant + machine)
        return steady.now() // SECOND

    assert after(SECOND, SECOND) == 1_001
    assert jumps == []
    assert after(SECOND, -HOUR) == 1_002, "set back by an hour: waiting goes on"
    assert after(10 * SECOND, 10 * SECOND) == 1_012
    assert after(SECOND, HOUR + 2 * SECOND) == 1_013, "set right again"
    assert after(SECOND, HOUR) == 1_013 + 3_600, "the machine slept, or was set forward"
    assert steady.ahead == 0
    assert after(SECOND, -HOUR) == 1_014 + 3_600, "that was wrong, and is set back"
    assert steady.ahead // SECOND == 3_601, "the bot had better be started again"
    assert [round(each / SECOND) for each in jumps] == [-3_601, 3_601, 3_599, -3_601]
