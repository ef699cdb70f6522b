"""`kill -9` of the real bot at recorded points, again and again: `make kill9 RUNS=100`.

    python tests/run/kill_bot_often.py RUNS [SEED]

`trueup sandbox serve` runs as one process, `trueup bot run` as another.  In each round the
bot is killed at one of three kinds of moment, without any hook in it:

* `any`: some time after it began to trade;
* `commit`: the intent log grew.  The process is frozen at once (SIGSTOP); whether the
  order has reached the exchange by then is recorded, then it is killed;
* `answer`: the exchange has the order, and its answer is held up on the way back.

Then a bot that wishes for nothing takes over the log.  When it has an end for every intent
it is stopped, and everything is compared: no client order id twice at the exchange, none
there that the log does not know, none lost, positions equal, and the books close.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import trueup
from trueup.core.ids import ClientOrderId
from trueup.core.units import Count
from trueup.engine.inflight import Intent, OrderState
from trueup.engine.records import OrderEnded, Record
from trueup.run.sandbox.steering import steer
from trueup.store.intents import decode_line

COMMAND: Final = (sys.executable, "-c", "from trueup.cli.main import main; main()")
TOKEN: Final = "kill-nine"
PATIENCE: Final = 120.0
MARKETS: Final = 3
KINDS: Final = ("any", "commit", "answer")

RESTLESS: Final = '''
"""Buys and sells a little, rests, takes back: always something under way."""

import random

from trueup import Count, Order, Price, Strategy, Style, Withdraw, buy_yes, sell_yes
from trueup.core.orders import Side

LITTLE = Count(10)


class Restless(Strategy):
    name = "restless"

    def on_markets(self, desk, moved):
        for ticker in moved:
            top = desk.top(ticker)
            if top.ask is None or top.bid is None:
                continue
            if desk.net(ticker) > Count(0):
                yield sell_yes(ticker, LITTLE, top.bid, reason="enough")
            else:
                yield buy_yes(ticker, LITTLE, top.ask, reason="more")
            if random.random() < 0.3:
                yield Withdraw(ticker=ticker, reason="tired of it")
            else:
                cents = random.randint(1, 3)
                yield Order(ticker=ticker, side=Side.YES, count=LITTLE, reason="rest",
                            limit=Price.of_cents(cents), style=Style.POST, slot="low")
'''
QUIET: Final = '''
"""The same name, and no wish: it only looks after what the other one left behind."""

from trueup import Strategy


class Quiet(Strategy):
    name = "restless"
'''


@dataclass
class Round:
    """One kill and what was found after it."""

    number: int
    kind: str
    killed_after: float = 0.0
    intents: int = 0
    moment: str = ""
    """Where an order was when the bot was killed, as far as it could be seen."""
    states: dict[str, int] = field(default_factory=dict[str, int])
    complaints: list[str] = field(default_factory=list[str])


class Ground:
    """A served sandbox, a home for the bot, and the ways to look at both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.log = self.home / "intents-sandbox-main.log"
        self.base_url = ""
        self.key_id = ""
        self.tickers: list[str] = []
        (folder / "restless.py").write_text(RESTLESS, encoding="utf-8")
        (folder / "quiet.py").write_text(QUIET, encoding="utf-8")
        (self.home / "config.toml").write_text('[books]\nevery = "off"\n', encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("KALSHI", "TRUEUP"))}
        return kept | {
            "TRUEUP_HOME": str(self.home),
            "TRUEUP_BASE_URL": self.base_url,
            "KALSHI_API_KEY_ID": self.key_id,
            "KALSHI_PRIVATE_KEY_PATH": str(self.folder / "key.pem"),
        }

    @contextmanager
    def serving(self, seed: int) -> Generator[None]:
        """`trueup sandbox serve`, until the end."""
        options = ("--world", "temperatures", "--port", "0", "--seed", str(seed), "--mishaps", "0")
        options += ("--density", "2")
        keys = ("--key-file", str(self.folder / "key.pem"), "--control-token", TOKEN)
        # Its errors go to a file: a pipe that nobody reads would stop it once it is full.
        with (
            (self.folder / "sandbox.txt").open("w", encoding="utf-8") as errors,
            subprocess.Popen(
                [*COMMAND, "sandbox", "serve", *options, *keys],
                env=self.environment,
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if "serving" in line:
                        self.base_url = line.split()[1]
                    if "key id" in line:
                        self.key_id = line.split()[-1]
                    if line.strip() == "trueup sync":
                        break
                self.tickers = self._choose_markets()
                yield
            finally:
                process.terminate()
                process.stdout.close()
                process.wait()

    def _choose_markets(self) -> list[str]:
        """A few markets far from both ends, in which there is always something to take."""
        found: list[str] = []
        for market in self.steer("markets", "status=active")["markets"]:
            bid, ask = market.get("bid"), market.get("ask")
            if bid and ask and 20 < float(bid) * 100 < float(ask) * 100 < 80:
                found.append(str(market["ticker"]))
        if not found:
            message = "no market of the world is traded in the middle"
            raise LookupError(message)
        return found[:MARKETS]

    def steer(self, word: str, *fields: str) -> dict[str, Any]:
        """Ask the sandbox's control API."""
        url = self.base_url.partition("/trade-api")[0]
        return dict(steer(url, TOKEN, word, fields, key_file=self.folder / "key.pem"))

    def start(self, strategy: str) -> subprocess.Popen[str]:
        """`trueup bot run`; what it says goes to a file."""
        options = ("--capital", "500", "--ticker", ",".join(self.tickers), "--json")
        with (self.folder / "said.txt").open("w", encoding="utf-8") as said:
            return subprocess.Popen(
                [*COMMAND, "bot", "run", f"{strategy}.py", *options],
                env=self.environment,
                cwd=self.folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def said(self) -> str:
        return (self.folder / "said.txt").read_text(encoding="utf-8")

    def records(self) -> list[Record]:
        """What is durable; a torn last line is not."""
        if not self.log.exists():
            return []
        return [decode_line(each) for each in self.log.read_bytes().split(b"\n")[:-1]]

    def is_steerable(self) -> bool:
        """Whether a bot has opened its control channel, and so hears signals."""
        return (self.home / "control-sandbox-main.json").exists()

    def size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def orders(self) -> list[dict[str, Any]]:
        return list(self.steer("orders")["orders"])

    def books(self) -> dict[str, Any]:
        """One look at the books, as beside a bot."""
        done = subprocess.run(
            [sys.executable, "-m", "trueup.run.books.once", "sandbox", "main"],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        return dict(json.loads(done.stdout or b'{"trouble": "said nothing"}'))


def until(true: Callable[[], object], what: str, *, pause: float = 0.05) -> None:
    """Wait for something; it is an error when it never comes."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            message = f"it never happened that {what}"
            raise TimeoutError(message)
        time.sleep(pause)


# -- killing -----------------------------------------------------------------------------------


def kill_once(ground: Ground, chance: random.Random, found: Round) -> None:
    """Start the bot, and kill it at a moment of the round's kind."""
    known = {each.client_order_id for each in ground.records() if isinstance(each, Intent)}

    def fresh() -> list[Intent]:
        intents = (each for each in ground.records() if isinstance(each, Intent))
        return [each for each in intents if each.client_order_id not in known]

    began = time.monotonic()
    process = ground.start("restless")
    try:
        until(lambda: process.poll() is not None or fresh(), "the bot sends an order")
        if process.poll() is not None:
            found.complaints.append(f"the bot ended by itself: {ground.said()[-500:]}")
            return
        match found.kind:
            case "commit":
                _freeze_at_a_commit(ground, process, chance)
            case "answer":
                ground.steer("fault", "name=slow", "amount=700")
                before = {each.client_order_id for each in fresh()}
                _wait_for_an_order_without_answer(ground, fresh, before)
            case _:
                time.sleep(chance.uniform(0.0, 3.0))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        ground.steer("clear-faults")
    found.killed_after = round(time.monotonic() - began, 3)
    sent = {each["client_order_id"] for each in ground.orders()}
    ended = {e.client_order_id for e in ground.records() if isinstance(e, OrderEnded)}
    left = [each for each in fresh() if each.client_order_id not in ended]
    found.intents = len(fresh())
    here = sum(1 for each in left if each.client_order_id in sent)
    found.moment = f"{len(left) - here} committed and not sent, {here} sent without a last word"


def _freeze_at_a_commit(
    ground: Ground, process: subprocess.Popen[str], chance: random.Random
) -> None:
    """Stop the process in the moment in which the log has grown."""
    for _ in range(chance.randint(1, 4)):
        before = ground.size()
        until(lambda size=before: ground.size() > size, "the log grows", pause=0.0002)
    process.send_signal(signal.SIGSTOP)
    # What has left by now arrives; what has not never will.
    time.sleep(0.3)


def _wait_for_an_order_without_answer(
    ground: Ground, fresh: Callable[[], list[Intent]], before: set[ClientOrderId]
) -> None:
    def arrived() -> bool:
        names = {each.client_order_id for each in fresh()} - before
        return any(each["client_order_id"] in names for each in ground.orders())

    until(arrived, "an order arrives", pause=0.01)


# -- recovering and comparing ------------------------------------------------------------------


def recover(ground: Ground, found: Round) -> dict[str, Any]:
    """Let a quiet bot take over, until every intent has its end; returns its report."""

    def open_intents() -> list[str]:
        records = ground.records()
        ended = {each.client_order_id for each in records if isinstance(each, OrderEnded)}
        intents = (each for each in records if isinstance(each, Intent))
        return [each.client_order_id for each in intents if each.client_order_id not in ended]

    def rests() -> set[str]:
        return {e["client_order_id"] for e in ground.orders() if e["status"] == "resting"}

    (ground.home / "control-sandbox-main.json").unlink(missing_ok=True)
    process = ground.start("quiet")
    try:
        until(
            lambda: process.poll() is not None or ground.is_steerable(),
            "the recovering bot is there",
        )
        # What rests has no end yet: the stopping bot takes it back.
        until(
            lambda: process.poll() is not None or set(open_intents()) <= rests(),
            "every order that does not rest has its end",
            pause=0.2,
        )
        time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    lost = open_intents()
    if lost:
        found.complaints.append(f"intents without an end: {lost}")
    try:
        return dict(json.loads(ground.said()))
    except json.JSONDecodeError:
        found.complaints.append(f"the recovering bot said: {ground.said()[-500:]}")
        return {}


def compare(ground: Ground, report: dict[str, Any], found: Round) -> None:
    """Hold the log, the exchange, the machine and the books against each other."""
    records = ground.records()
    intents = Counter(each.client_order_id for each in records if isinstance(each, Intent))
    ended = {each.client_order_id: each.state for each in records if isinstance(each, OrderEnded)}
    found.states = dict(Counter(each.value for each in ended.values()))
    at_exchange = Counter(str(each["client_order_id"]) for each in ground.orders())
    for name, times in at_exchange.items():
        if times > 1:
            found.complaints.append(f"{name} is {times} times at the exchange")
        if not intents[name]:  # type: ignore[index]
            found.complaints.append(f"{name} is at the exchange and not in the log")
    for name, state in ended.items():
        is_there = str(name) in at_exchange
        if is_there == (state in {OrderState.ABSENT, OrderState.REFUSED}):
            where = "is" if is_there else "is not"
            found.complaints.append(f"{name} ended as {state} and {where} at the exchange")
    still = [each for each in ground.orders() if each["status"] == "resting"]
    if still:
        found.complaints.append(f"{len(still)} orders still rest")
    _compare_positions(ground, report, found)
    standing = ground.books()
    if not standing.get("closes"):
        found.complaints.append(f"the books do not close: {standing}")


def _compare_positions(ground: Ground, report: dict[str, Any], found: Round) -> None:
    ours: Counter[str] = Counter()
    for _, ticker, net in report.get("positions", ()):
        ours[ticker] += Count.parse(net).units
    with trueup.open_client(environment=ground.environment) as client:
        theirs = {str(e.ticker): e.net.units for e in client.portfolio.positions() if e.net}
    if {ticker: net for ticker, net in ours.items() if net} != theirs:
        found.complaints.append(f"positions differ: exchange {theirs}, bot {dict(ours)}")


def run(runs: int, seed: int, told: Callable[[Round], None]) -> list[Round]:
    """Kill the bot so many times; every round is told when it is over."""
    chance = random.Random(seed)  # noqa: S311
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="kill-nine-") as folder:
        ground = Ground(Path(folder))
        with ground.serving(seed):
            for number in range(1, runs + 1):
                kind = KINDS[(number - 1) % len(KINDS)]
                found = Round(number, kind)
                kill_once(ground, chance, found)
                compare(ground, recover(ground, found), found)
                rounds.append(found)
                told(found)
    return rounds


def main() -> int:
    """The command line of `make kill9`."""
    say = partial(print, flush=True)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rounds = run(runs, seed, lambda each: say(json.dumps(asdict(each))))
    bad = [each.number for each in rounds if each.complaints]
    kinds = Counter(each.kind for each in rounds)
    say(
        f"{len(rounds)} kills ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}), "
        f"{sum(each.intents for each in rounds)} orders sent, "
        f"{len(bad)} rounds with complaints {bad or ''}; seed {seed}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
