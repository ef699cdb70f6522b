"""A bot trades by FIX, its markets settle, and three records of the day agree to the cent.

A sandbox serves REST and FIX.  `trueup bot run` buys in five markets by FIX while `trueup
fix listen`, with a key of its own, writes the settlement reports into the books.  The
listener is killed in the middle of the settlements, and a page is lost on its way when it
is back.  At the end FIX, REST and the books are put beside each other.

python examples/fix_settlements.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from trueup.net.client import open_client
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.net.signer import signer_for
from trueup.net.venues import Venue, resolve_endpoint
from trueup.run.clock import SystemClock, unseeded
from trueup.testing.sandbox import KalshiSandbox
from trueup.wire.rest import api_keys

MARKETS = 5
BOT = '''
from trueup import Count, Price, Strategy, buy_yes


class FiveMarkets(Strategy):
    """Three contracts in each of five markets, and no more."""

    name = "five-markets"

    def on_markets(self, desk, moved):
        for ticker in moved:
            top = desk.top(ticker)
            if top.ask and not desk.net(ticker):
                yield buy_yes(ticker, Count.of_contracts(3), top.ask, reason="a small position")
'''


class Terminal:
    """Types commands as a user does, and shows what they say."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **variables, "PYTHONUNBUFFERED": "1", "COLUMNS": "132"}

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command in the background."""
        print(f"$ trueup {' '.join(words)}", flush=True)
        return subprocess.Popen(  # noqa: S603  # our own command line
            [sys.executable, "-c", "from trueup.cli.main import main; main()", *words],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Run a command to its end."""
        out, _ = self.start(*words).communicate(timeout=60)
        print(out, flush=True)
        return out


def until(process: subprocess.Popen[str], words: str) -> None:
    """Show what a command says until certain words come."""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if words in line:
            return
    raise SystemExit(f"the listener ended before it said {words!r}")


def second_key(sandbox: KalshiSandbox, folder: Path) -> dict[str, str]:
    """A key that may only read: a FIX connection needs one that nobody else uses."""
    pem = Secret(sandbox.private_key_path.read_bytes())
    client = open_client(
        resolve_endpoint(Venue.SANDBOX, sandbox.base_url),
        signer_for(sandbox.key_id, load_key(pem, passphrase=None, origin="the sandbox")),
        clock=SystemClock().now,
        sleep=SystemClock().sleep,
        chance=unseeded(),
    )
    with client:
        made = client.send(api_keys.generate(api_keys.WantedKey(name="listener", scopes=("read",))))
    file = folder / "listener.pem"
    file.touch(mode=0o600)
    file.write_text(made.private_key)
    return {"KALSHI_API_KEY_ID": made.key_id, "KALSHI_PRIVATE_KEY_PATH": str(file)}


def trade(terminal: Terminal, sandbox: KalshiSandbox, tickers: list[str]) -> None:
    """Let the bot buy by FIX until it holds all five."""
    named = [word for ticker in tickers for word in ("--ticker", ticker)]
    bot = terminal.start("bot", "run", "bot.py", "--order-entry", "fix", *named)
    while len({fill["ticker"] for fill in sandbox.control.fills()} & {*tickers}) < MARKETS:
        if bot.poll() is not None:
            raise SystemExit(bot.stdout.read() if bot.stdout else "the bot ended")
        time.sleep(0.2)
    bot.terminate()
    out, _ = bot.communicate(timeout=60)
    print(*out.splitlines()[-4:], sep="\n", flush=True)


def main() -> None:
    """The story."""
    folder = Path(os.environ.get("TRUEUP_HOME", "fix-settlements")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    now = SystemClock().now()
    with KalshiSandbox.start(world="temperatures", speed=1, start=now, fix=True) as sandbox:
        member = sandbox.control.ask("state")["member"]
        address = f"127.0.0.1:{sandbox.fix_ports['KalshiNR']}"
        (folder / "bot.py").write_text(BOT)
        (folder / "config.toml").write_text(
            f'[fix]\naddress = "{address}"\ncertificate = "{sandbox.fix_certificate_path}"\n'
            f'[fix_parties]\n"{member}" = 0\n'
        )
        variables = {**sandbox.environment, "TRUEUP_HOME": str(folder), "KALSHI_ENV": "sandbox"}
        terminal = Terminal(folder, variables)
        markets = sandbox.control.markets()
        tickers = [
            str(each["ticker"]) for each in markets if each["ask"] and "0.10" < each["ask"] < "0.90"
        ][:MARKETS]
        port = sandbox.fix_ports["KalshiPT"]
        listen = ("fix", "listen", "--address", f"127.0.0.1:{port}")
        key = second_key(sandbox, folder)

        listener = terminal.start(*listen, **key)
        until(listener, "logged on")
        trade(terminal, sandbox, tickers)
        sandbox.control.settle(tickers[0], "yes")
        until(listener, "in the books")
        listener.kill()
        print("The listener is killed. Two markets settle meanwhile.", flush=True)
        sandbox.control.settle(tickers[1], "no")
        sandbox.control.settle(tickers[2], pays="0.3700")

        listener = terminal.start(*listen, **key)
        until(listener, tickers[2])
        print("The next report is lost on its way; the one after it shows the gap.", flush=True)
        sandbox.control.fault("fix-lost", times=1, percent=100)
        sandbox.control.settle(tickers[3], "yes")
        sandbox.control.settle(tickers[4], "no")
        until(listener, tickers[3])
        until(listener, tickers[4])
        listener.terminate()
        listener.wait(30)
        sandbox.control.advance("1m")

        terminal.run("sync")
        terminal.run("fix", "report")
        terminal.run("settlements", "list", "--offline")
        terminal.run("reconcile", "--offline")


if __name__ == "__main__":
    main()
