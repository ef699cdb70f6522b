"""A living world for a page that has no account to show: an exchange, an account, a bot at work.

The exchange of the sandbox runs inside this process at normal speed, with months of the
built-in account's trading behind it.  A bot and a sync run beside it as processes of their
own, exactly as a user would start them, in a home that is gone afterwards.  There is no key
of the user's in any of it, and no real money.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer, Settings
from trueup.run.books.account import open_account
from trueup.run.clock import SystemClock
from trueup.run.private_files import write_private_file
from trueup.run.sandbox.living import HOME_WORLD, Wish, identifiers, prepare
from trueup.run.sandbox.serving import write_bot_database

SYNC_EVERY: Final = "5s"
CAPITAL: Final = "600"
_ENDS_WITHIN: Final = 5.0
"""Seconds that a companion has to end before it is ended by force."""

_KEPT: Final = ("HOME", "PATH", "LANG", "TERM", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")

_STRATEGIES: Final = '''"""The two strategies that trade the demonstration."""

from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.momentum import Momentum

strategies = (MarketMaker(), Momentum())
'''


@dataclass(slots=True)
class Companions:
    """Programs that run beside a page, in the environment that points them at one exchange.

    A context: they are ended with it.
    """

    environment: Mapping[str, str]
    folder: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(
        default_factory=dict[str, "subprocess.Popen[bytes]"]
    )

    def start_bot(self) -> None:
        """Start the bot of the demonstration; does nothing while it runs."""
        strategies = self.folder / "strategies.py"
        strategies.write_text(_STRATEGIES, encoding="utf-8")
        self._start("bot", ("bot", "run", str(strategies), "--capital", CAPITAL))

    def start_sync(self, account: str = "") -> None:
        """Keep the books up to date, of the environment's account or of the one that is named."""
        named = ("--account", account) if account else ()
        self._start("sync", ("sync", "--every", SYNC_EVERY, *named))

    @property
    def bot_runs(self) -> bool:
        """Whether the bot's process is there."""
        process = self._running.get("bot")
        return process is not None and process.poll() is None

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        process = self._running.get(name)
        if process is not None and process.poll() is None:
            return
        call = "from trueup.cli.main import main; main()"
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own commands
                [sys.executable, "-c", call, *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for the page; it ends its companions itself.
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN)
                continue
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class LivingAccount:
    """An account in a living world: what points programs at it, and its bot's own table."""

    environment: Mapping[str, str]
    bot_table: Path
    companions: Companions


class LivingWorldForPage:
    """Makes a `LivingAccount` and keeps it while the block lasts."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._given = environment
        self._stack = ExitStack()

    def __enter__(self) -> LivingAccount:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trueup-living-")))
            prepared = prepare(Wish(world=HOME_WORLD, with_history=True))
            server = SandboxServer(
                prepared.living,
                clock=SystemClock().now,
                settings=Settings(limits=UNLIMITED, new_id=identifiers(prepared.living.seed)),
            )
            server.start()
            stack.callback(server.stop)
            key = folder / "living.pem"
            write_private_file(key, server.pair.pem)
            environment = {
                **{name: self._given[name] for name in _KEPT if name in self._given},
                "TRUEUP_HOME": str(folder / "home"),
                "TRUEUP_BASE_URL": server.base_url,
                "KALSHI_API_KEY_ID": server.key_id,
                "KALSHI_PRIVATE_KEY_PATH": str(key),
            }
            table = folder / "trades.db"
            if prepared.history is not None:
                write_bot_database(table, prepared.history, seed=prepared.living.seed)
            with open_account(venue="sandbox", environment=environment) as account:
                account.backfill()
            companions = stack.enter_context(Companions(environment, folder))
            companions.start_bot()
            companions.start_sync()
            self._stack = stack.pop_all()
        return LivingAccount(environment, table, companions)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
