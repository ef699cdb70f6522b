"""A bot in a few lines of a script or a notebook.

    report = trueup.run_bot(MyBot(), minutes=1)             # the built-in sandbox, no key

    with trueup.Bot(MyBot(), capital="50") as bot:          # goes on while you look
        bot.status()["profit"]
        bot.decisions(limit=5)
        bot.pause(words="lunch")

It is the bot of `trueup bot run`: the same machine, limits, logs and gates, and the
commands `trueup bot status`, `kill` and so on reach it, too.
"""

from __future__ import annotations

import asyncio
import getpass
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from trueup.core.errors import CallerError, ConfigError
from trueup.core.ids import SeriesTicker, Ticker
from trueup.core.instant import MINUTE
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.engine.limits import Limits
from trueup.engine.strategy import Strategy
from trueup.net.control import Control, Said
from trueup.run.bot.assembly import BotReport, run_bot_on_the_loop
from trueup.run.bot.at_work import BotAtWork
from trueup.run.bot.configuration import options_of, read_bot_file
from trueup.run.bot.decision_log import Line, line_of, line_words
from trueup.run.bot.options import BotOptions, plain_options
from trueup.run.bot.places import control_path
from trueup.run.bot.strategy_files import check_every, check_name, load_strategies
from trueup.run.config import read_environment
from trueup.run.desk import read_desk_settings
from trueup.sim.living.built_in import DEFAULT_WORLD

_LOOK_SECONDS: Final = 0.05
_START_SECONDS: Final = 120.0


class Bot:
    """One bot of one account, started in the background and steered from here.

    `strategies` are objects, names of those that ship, or Python files; or `config` is a
    file that says everything (docs/guides/bot.md).  `capital` is in dollars, shared in
    equal parts; `limits` hold for the whole account.  Without `venue` it is the sandbox:
    a living `world` inside of this process.  `paper` trades beside the venue's real market,
    and no order leaves.  `said` hears each line of the decision log.
    Raises `ConfigError` for what cannot be run.
    """

    def __init__(
        self,
        *strategies: Strategy | str,
        config: str | Path = "",
        capital: Money | str = "250",
        limits: Limits | None = None,
        tickers: Iterable[str] = (),
        series: Iterable[str] = (),
        minutes: float | None = None,
        venue: str = "",
        account: str = "",
        live: bool = False,
        paper: bool = False,
        world: str = DEFAULT_WORLD,
        seed: int | None = None,
        said: Callable[[Line], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        known = read_environment() if environment is None else environment
        settings = read_desk_settings(known, venue=venue, account=account)
        self._settings = settings.on_paper() if paper else settings
        if config:
            if strategies:
                raise CallerError("both strategies and a config", remedy="Give one of them.")
            options = options_of(read_bot_file(Path(config)), Path(config))
        else:
            options = plain_options(
                _made(strategies),
                capital if isinstance(capital, Money) else Money.parse(capital),
                tickers=frozenset(Ticker(each) for each in tickers),
                series=frozenset(SeriesTicker(each) for each in series),
            )
        if limits is not None:
            options = replace(options, engine=replace(options.engine, limits=limits))
        self._options: BotOptions = replace(
            options,
            leave_after=None if minutes is None else int(minutes * MINUTE),
            live=live,
            world=world,
            seed=seed,
        )
        self._said = said
        self._thread: threading.Thread | None = None
        self._work: BotAtWork | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._report: BotReport | None = None
        self._failure: BaseException | None = None

    # -- running ---------------------------------------------------------------------------

    async def run(self) -> BotReport:
        """Run on the caller's event loop until `stop`, or the end of its minutes."""
        self._loop = asyncio.get_running_loop()

        def attach(work: BotAtWork) -> None:
            self._work = work

        self._report = await run_bot_on_the_loop(
            self._settings,
            self._options,
            said=self._hear,
            started=lambda _: None,
            attach=[attach],
        )
        return self._report

    def start(self) -> Self:
        """Run in a thread of its own; returns once it trades.

        Raises what keeps it from starting.
        """
        if self._thread is not None:
            raise CallerError("this bot was started already", remedy="Make a new one.")
        self._thread = threading.Thread(target=self._run, name="trueup-bot", daemon=True)
        self._thread.start()
        waited = 0.0
        while self._thread.is_alive() and not (self._work and self._work.live.ready.is_set()):
            self._thread.join(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
            if waited > _START_SECONDS:
                raise ConfigError(
                    f"the bot is not ready after {_START_SECONDS:.0f} s",
                    remedy="Look at `trueup doctor`; the exchange may be slow or away.",
                )
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> BotReport:
        """Withdraw what rests, end, and say what it came to."""
        if self._work is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._work.live.stop)
        return self.wait()

    def wait(self) -> BotReport:
        """Wait for the end of its minutes, or of a `stop` from elsewhere."""
        if self._thread is not None:
            self._thread.join()
        if self._failure is not None:
            raise self._failure
        if self._report is None:
            raise CallerError("this bot has not run", remedy="Call start() first.")
        return self._report

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- looking and steering --------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What it is doing now: the document of `trueup bot status --json`."""
        return self._control().status()

    def decisions(self, *, limit: int = 20) -> list[Line]:
        """The newest lines of the decision log, oldest first."""
        found: list[Line] = self._control().decisions(limit=limit)["decisions"]
        return found

    def why_not(self, *, limit: int = 20) -> list[str]:
        """Why wishes were not sent lately, in words."""
        lines = self.decisions(limit=1_000)
        return [line_words(each) for each in lines if each.get("verdict") == "refused"][-limit:]

    def pause(self, strategy: str = "", *, words: str = "") -> dict[str, Any]:
        """Let a strategy (or all) send nothing more, and take back what rests of it."""
        return self._say("pause", strategy, words)

    def resume(self, strategy: str = "") -> dict[str, Any]:
        """Let it trade again."""
        return self._say("resume", strategy, "")

    def kill(self, *, words: str = "") -> dict[str, Any]:
        """Pull the kill switch.  It is proven once ``status()["sweep"]`` is `None`."""
        return self._say("kill", "", words)

    def rearm(self) -> dict[str, Any]:
        """Lift the halts that wait for an operator."""
        return self._say("rearm", "", "")

    def _say(self, command: str, strategy: str, words: str) -> dict[str, Any]:
        said = Said(by=getpass.getuser(), strategy=strategy, words=words)
        return self._control().say(command, said)

    def _control(self) -> Control:
        return Control(control_path(self._settings))

    def _run(self) -> None:
        try:
            asyncio.run(self.run())
        except BaseException as error:  # noqa: BLE001  (raised again where somebody waits)
            self._failure = error

    def _hear(self, told: f.Decision | f.Alert) -> None:
        if self._said is not None:
            self._said(line_of(told))


def run_bot(
    *strategies: Strategy | str,
    config: str | Path = "",
    capital: Money | str = "250",
    minutes: float | None = None,
    venue: str = "",
    account: str = "",
    live: bool = False,
    world: str = DEFAULT_WORLD,
    said: Callable[[Line], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> BotReport:
    """Run a bot and wait for its end; also in a notebook, where an event loop runs already.

    The arguments are those of `Bot`.  Ctrl-C (or the notebook's stop button) withdraws
    what rests and ends it.
    """
    bot = Bot(
        *strategies,
        config=config,
        capital=capital,
        minutes=minutes,
        venue=venue,
        account=account,
        live=live,
        world=world,
        said=said,
        environment=environment,
    ).start()
    try:
        return bot.wait()
    except KeyboardInterrupt:
        return bot.stop()


def _made(strategies: Iterable[Strategy | str]) -> list[Strategy]:
    found: list[Strategy] = []
    for each in strategies:
        found.extend(load_strategies(each) if isinstance(each, str) else (each,))
    for each in found:
        check_name(each.name, type(each).__name__)
        check_every(each, type(each).__name__)
    if not found:
        raise CallerError("a bot without a strategy", remedy="Give one, e.g. run_bot(MyBot()).")
    return found
