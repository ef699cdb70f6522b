"""`tour`: the whole story on the built-in sandbox, by the same commands that a user types."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from trueup.cli.account import pnl
from trueup.cli.common import Invocation, open_account
from trueup.cli.fetching import backfill
from trueup.cli.proving import proof, reconcile
from trueup.cli.setup import doctor
from trueup.cli.steps import Gathering, kept_variables
from trueup.cli.trades import show_backfill
from trueup.ledger.report import By
from trueup.run.books.patching import backfill_settlements
from trueup.run.sandbox.companions import Companions, LivingAccount
from trueup.run.sandbox.demonstration import LivingDemonstration

SHOWN_MAX = 10
"""How many wrong rows the story shows."""


def tell(invocation: Invocation, *, ends_in_page: bool = False) -> None:
    """Tell the story in a home of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trueup-tour-") as folder:
        home = Path(folder)
        environment = kept_variables(invocation.environment)
        with LivingDemonstration(home) as exchange:
            environment |= {**exchange.environment, "TRUEUP_HOME": str(home / "home")}
            _Guide(invocation, environment, exchange).walk(home / "trades.db")
            if ends_in_page:
                exchange.go_on()
                _show_page(invocation, environment, home)


def _show_page(invocation: Invocation, environment: Mapping[str, str], home: Path) -> None:
    """The dashboard on the story's world, with a bot at work, until Ctrl-C."""
    try:
        from trueup.cli.web import serve_living  # noqa: PLC0415  # an extra, and slow to load
    except ModuleNotFoundError:
        return
    with Companions(environment, home) as companions:
        companions.start_bot()
        companions.start_sync()
        serve_living(invocation, LivingAccount(environment, home / "trades.db", companions))


class _Guide:
    """Leads from step to step."""

    def __init__(
        self, invocation: Invocation, environment: dict[str, str], exchange: LivingDemonstration
    ) -> None:
        self._exchange = exchange
        self._output = invocation.output
        self._environment = environment
        self._steps = 0
        self._main = invocation
        self._gathered: list[Mapping[str, Any]] = []

    def walk(self, bot_table: Path) -> None:
        """All steps in order."""
        say = self._output.say
        say(
            "A bot traded weather, economics and crypto for five months and was down twice. "
            "Now it trades on, in a market that lives on this machine. Its own table says one "
            "thing, the exchange another. Nothing here is real money, and no key of yours is used."
        )
        self._step("Is everything in order?", "trueup doctor")
        doctor(self._new())
        self._step("Three days of trading: real orders over HTTP, a market that moves.", "")
        self._trade(bot_table)
        self._step("Fetch the account's whole history, recent and archived.", "backfill --full")
        backfill(self._new(), full=True)
        self._step("The bot's own table, before.", "")
        self._show_table(bot_table)
        self._step(
            "Check it against the exchange's record. A dry run: nothing is written.",
            f"settlements backfill --db {bot_table.name}",
        )
        self._patch(bot_table, write=False)
        self._step(
            "Patch it: one transaction, with an undo file.",
            f"settlements backfill --db {bot_table.name} --write",
        )
        self._patch(bot_table, write=True)
        self._step("The bot's own table, after.", "")
        self._show_table(bot_table)
        self._step("Do the books equal the exchange's in everything it states?", "reconcile")
        judged = self._new()
        reconcile(judged, offline=True)
        self._step("Is every cent of the balance explained by a fact?", "proof")
        proven = self._new()
        proof(proven, offline=True)
        self._step("What was earned, and where?", "pnl --by category")
        pnl(self._new(), by=By.CATEGORY, offline=True)
        say()
        say("Where to go next", style="bold")
        say("  trueup sandbox serve            such a market as an exchange for your own bot")
        say("  trueup init --venue demo        the same for your account; reading needs a key only")
        say("  trueup settlements backfill --db YOUR.db    your own bot's table, a dry run first")
        self._output.result({"venue": "sandbox", "account": "main", "steps": self._gathered})
        self._main.exit_code = judged.exit_code or proven.exit_code

    def _trade(self, bot_table: Path) -> None:
        done = self._exchange.trade(bot_table, self._environment)
        say = self._output.say
        say(f"{done.orders} orders placed, {done.filled} filled, at the prices of other members.")
        say(
            f"{done.lost_answers} answer was lost (503, but taken): the bot asked, and found its order."
        )
        settled = f"{done.settled} of its" if done.settled else "None of its"
        say(
            f"{settled} markets settled while it ran; then it was stopped, and the "
            f"exchange went on: {done.left_open} of its rows still say open."
        )
        self._gathered.append(
            {
                "orders": done.orders,
                "filled": done.filled,
                "lost_answers": done.lost_answers,
                "settled": done.settled,
                "left_open": done.left_open,
            }
        )

    def _new(self) -> Invocation:
        output = Gathering(self._gathered) if self._output.as_json else self._output
        return Invocation(output, environment=self._environment)

    def _step(self, what: str, command: str) -> None:
        self._steps += 1
        self._output.say()
        self._output.say(f"{self._steps}. {what}", style="bold")
        if command:
            self._output.say(f"$ trueup {command.removeprefix('trueup ')}", style="cyan")

    def _patch(self, bot_table: Path, *, write: bool) -> None:
        step = self._new()
        with open_account(step) as account:
            done = backfill_settlements(account, str(bot_table), write=write, offline=True)
        show_backfill(step, done, write=write, shown_max=0 if write else SHOWN_MAX)

    def _show_table(self, path: Path) -> None:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT status, count(*), round(total(profit_loss), 2) FROM trades "
                "GROUP BY status ORDER BY status"
            ).fetchall()
        self._output.table(
            ["status", "trades", "profit by the bot's own account"],
            rows,
            right=["trades", "profit by the bot's own account"],
        )
