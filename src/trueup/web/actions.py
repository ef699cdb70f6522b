"""What a person can do on the page, and the record of it.

Every action says who did it.  Commands to a bot are in its decision log, decisions about
breaks in the register of breaks; all of them, with their outcome, are also lines of the
account's action log, which is only ever added to.

Nothing here runs in a page that was started read-only.  Orders that reach the production
exchange need the same open gates as on the command line; cancelling is asked for by the
same road.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from trueup.core.errors import CallerError, ConfigError, TrueupError
from trueup.core.ids import ClientOrderId, OrderId, Subaccount
from trueup.core.instant import format_instant
from trueup.net.control import NoBot, Said
from trueup.run.books.account import Account
from trueup.run.bot.killing import Killed, kill
from trueup.run.bot.places import kill_path, pull_kill_switch
from trueup.run.bot.rearming import rearm
from trueup.run.clients import open_client
from trueup.run.clock import SystemClock
from trueup.run.config import make_home
from trueup.run.desk import Desk, DeskSettings
from trueup.run.sandbox.companions import Companions
from trueup.run.trading import Done, TradingDesk
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.web.bot_link import BotLink

T = TypeVar("T")
Progress = Callable[[str], None]

LINES_MAX: Final = 200
REASON_MAX: Final = 500


class ReadOnly(CallerError):
    """The page was started to look only."""

    remedy = "Start it without --read-only to act here."


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the action log."""

    at: str
    who: str
    what: str
    about: str = ""
    words: str = ""
    outcome: str = ""


def actions_path(settings: DeskSettings) -> Path:
    """The account's action log: one JSON object a line."""
    config = settings.config
    return settings.home / f"actions-{config.venue}-{config.account}.jsonl"


class Actions:
    """Does what the page is told to, off the event loop."""

    def __init__(
        self, settings: DeskSettings, bot: BotLink, *, who: str, read_only: bool, live: bool
    ) -> None:
        self._settings = settings
        self._bot = bot
        self._who = who
        self._live = live
        self.read_only = read_only

    @property
    def who(self) -> str:
        """Who acts, for the record."""
        return self._who

    # -- the bot -----------------------------------------------------------------------------

    async def command(self, command: str, *, strategy: str = "", words: str = "") -> str:
        """Tell the bot to pause or resume; returns the state it is in afterwards."""
        self._check()
        said = Said(by=self._who, strategy=strategy, words=words)

        async def do() -> str:
            return str((await self._bot.say(command, said))["state"])

        return await self._noted(command, strategy, words, do)

    async def kill(self, subaccounts: tuple[Subaccount, ...], words: str, told: Progress) -> Killed:
        """Stop the bot, cancel everything, and prove that nothing rests."""
        self._check()
        loop = asyncio.get_running_loop()

        def said(line: str) -> None:
            loop.call_soon_threadsafe(told, line)

        async def do() -> Killed:
            if pull_kill_switch(self._settings, f"pulled on the dashboard by {self._who}"):
                told("The kill switch is on: no bot of this account trades any more.")
            else:
                told(
                    f"{kill_path(self._settings)} cannot be written: start no bot of this account."
                )
            try:
                await self._bot.say("kill", Said(by=self._who, words=words))
                told("The bot was told.")
            except NoBot as error:
                told(f"{error}: nothing to tell.")
            return await asyncio.to_thread(self._cancel_everything, subaccounts, said)

        return await self._noted("kill", "", words, do, outcome=_killed_words)

    def _cancel_everything(self, subaccounts: tuple[Subaccount, ...], said: Progress) -> Killed:
        settings = self._settings
        with open_client(
            venue=settings.config.venue,
            account=settings.config.account,
            live=self._live,
            environment=settings.environment,
        ) as client:
            return kill(client, subaccounts, clock=SystemClock(), said=said)

    async def rearm(self, words: str) -> str:
        """Switch the account on again after a kill."""
        self._check()

        async def do() -> str:
            if self._bot.is_there:
                answer = await self._bot.say("rearm", Said(by=self._who, words=words))
                return str(answer["state"])
            lifted = await asyncio.to_thread(rearm, self._settings, self._who)
            return f"{len(lifted)} halts lifted"

        return await self._noted("rearm", "", words, do)

    async def start_bot(self, companions: Companions | None) -> str:
        """Start the demonstration's bot again."""
        self._check()

        async def do() -> str:
            if companions is None:
                raise CallerError(
                    "this page did not start a bot", remedy="Start yours: trueup bot run …"
                )
            companions.start_bot()
            return "The bot is starting."

        return await self._noted("start bot", "", "", do)

    # -- orders ------------------------------------------------------------------------------

    async def cancel(self, order_id: OrderId, client_order_id: str) -> Done:
        """Cancel one order: by the bot where it is one of its own, else at the exchange."""
        self._check()

        async def do() -> Done:
            status = self._bot.status
            living = [] if status is None else [each.client_order_id for each in status.orders]
            if client_order_id and client_order_id in living:
                order = ClientOrderId(client_order_id)
                await self._bot.say("cancel", Said(by=self._who, order=order))
                return Done(words="The bot cancels it.", row={})
            return await asyncio.to_thread(self._cancel_order, order_id)

        return await self._noted("cancel", order_id, "", do, outcome=lambda done: done.words)

    def _cancel_order(self, order_id: OrderId) -> Done:
        with self._trading() as desk:
            return desk.cancel(desk.order(order_id))

    async def cancel_all(self, subaccount: Subaccount | None) -> Done:
        """Cancel everything that rests, and look until nothing does."""
        self._check()

        def work() -> Done:
            with self._trading() as desk:
                return desk.cancel_all(subaccount)

        async def do() -> Done:
            return await asyncio.to_thread(work)

        return await self._noted("cancel all", "", "", do, outcome=lambda done: done.words)

    def _trading(self) -> TradingDesk:
        desk = TradingDesk(self._settings, live=self._live)
        if not desk.may_send:
            closed = [gate for gate in desk.gates if not gate.is_open]
            desk.close()
            raise CallerError(
                f"nothing was sent: {', '.join(gate.words for gate in closed)} is missing",
                remedy=" ".join(gate.remedy for gate in closed),
            )
        return desk

    # -- the books ---------------------------------------------------------------------------

    async def decide(self, identity: str, status: BreakStatus, reason: str) -> AgedBreak:
        """Acknowledge, close or open again a break, with a reason."""
        self._check()
        reason = reason.strip()[:REASON_MAX]

        def work(account: Account) -> AgedBreak:
            # What the page has found by reading only is noted first.
            account.reconcile()
            return account.decide(identity, status, reason=reason, who=self._who)

        return await self._noted(
            status.value, identity, reason, lambda: self._with_books(work), outcome=lambda _: "done"
        )

    async def sync(self) -> str:
        """Ask the exchange for what is new, and book it."""
        self._check()

        def work(account: Account) -> str:
            synced = account.sync()
            account.reconcile()
            return f"{synced.booked.markets} markets booked"

        return await self._noted("sync", "", "", lambda: self._with_books(work))

    async def with_books(
        self, what: str, about: str, work: Callable[[Account], T], outcome: Callable[[T], str]
    ) -> T:
        """Do something else about the books, and keep a record of it."""
        self._check()
        return await self._noted(what, about, "", lambda: self._with_books(work), outcome=outcome)

    async def _with_books(self, work: Callable[[Account], T]) -> T:
        def run() -> T:
            with Account(Desk(self._settings)) as account:
                return work(account)

        return await asyncio.to_thread(run)

    # -- the record --------------------------------------------------------------------------

    def recent(self) -> list[Acted]:
        """The newest actions, newest first."""
        try:
            lines = actions_path(self._settings).read_bytes().splitlines()[-LINES_MAX:]
        except OSError:
            return []
        found: list[Acted] = []
        for line in reversed(lines):
            with suppress(msgspec.MsgspecError):
                found.append(msgspec.json.decode(line, type=Acted))
        return found

    def _check(self) -> None:
        if self.read_only:
            raise ReadOnly("this page only looks: it was started with --read-only")

    async def _noted(
        self,
        what: str,
        about: str,
        words: str,
        do: Callable[[], Awaitable[T]],
        *,
        outcome: Callable[[T], str] = str,
    ) -> T:
        """Do it, and write down what came of it, also when it failed."""
        try:
            done = await do()
        except TrueupError as error:
            self._write(what, about, words, f"failed: {error}")
            raise
        self._write(what, about, words, outcome(done))
        return done

    def _write(self, what: str, about: str, words: str, outcome: str) -> None:
        acted = Acted(
            at=format_instant(SystemClock().now()),
            who=self._who,
            what=what,
            about=about,
            words=words,
            outcome=outcome,
        )
        # What was done is done: a full disk must not make a kill look like one that failed.
        with suppress(ConfigError, OSError):
            self._append(acted)

    def _append(self, acted: Acted) -> None:
        make_home(self._settings.home)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(actions_path(self._settings), flags, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(acted) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _killed_words(done: Killed) -> str:
    if done.proven and done.read_at is not None:
        return f"nothing rests any more, read at {format_instant(done.read_at)}"
    quoting = f" {done.quoting.words()}." if done.quoting else ""
    return f"not proven: {len(done.left)} orders rest.{quoting} {done.trouble}".strip()
