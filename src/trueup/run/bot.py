"""A bot put together: strategies from a file or by name, an account, the intent log, the loops."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO
from uuid import uuid4

from trueup.core.errors import BooksError, ConfigError
from trueup.core.ids import PRIMARY, ClientOrderId, SeriesTicker, Subaccount, Ticker
from trueup.core.instant import Instant, format_instant
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.engine.limits import Limits
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode, HaltLifted, HaltRaised
from trueup.engine.state import Settings
from trueup.engine.strategies.anchored import Anchored
from trueup.engine.strategies.arbitrage import Arbitrage
from trueup.engine.strategies.market_maker import MarketMaker
from trueup.engine.strategies.mean_reversion import MeanReversion, case_study_limits
from trueup.engine.strategies.momentum import Momentum
from trueup.engine.strategies.news import News
from trueup.engine.strategies.threshold import Threshold
from trueup.engine.strategy import Mandate, Strategy
from trueup.engine.wishes import Order, Tell, Wish
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as SandboxSettings
from trueup.net.client import open_async_client
from trueup.net.session import Options
from trueup.net.signer import Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.clients import sleep_on_the_loop, why_read_only
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import make_home
from trueup.run.desk import Desk, DeskSettings
from trueup.run.live import LiveBot, LiveOptions
from trueup.run.live_feeds import Pace, Scope
from trueup.run.living import LIVELY, identifiers, prepare
from trueup.run.living import Wish as WorldWish
from trueup.sim.living.built_in import DEFAULT_WORLD
from trueup.store.intents import IntentLog

STRATEGIES: Final[dict[str, Callable[[], Strategy]]] = {
    "threshold": Threshold,
    "mean-reversion": MeanReversion,
    "momentum": Momentum,
    "market-maker": MarketMaker,
    "news": News,
    "anchored": Anchored,
    "arbitrage": Arbitrage,
}
"""The strategies that ship, by name."""

_NAME_MAX: Final = 24
"""A strategy's name goes into every client order id, which FIX cuts at 64 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotOptions:
    """What a bot is started with.  Times in microseconds."""

    strategies: tuple[Strategy, ...]
    capital: Money
    tickers: frozenset[Ticker] = frozenset()
    series: frozenset[SeriesTicker] = frozenset()
    subaccount: Subaccount = PRIMARY
    streams: bool = True
    leave_after: int | None = None
    live: bool = False
    world: str = DEFAULT_WORLD
    seed: int | None = None


@dataclass(slots=True)
class BotReport:
    """What a bot did, for the end of its run."""

    venue: str
    began_at: Instant
    ended_at: Instant
    sent: int = 0
    refused: int = 0
    fills: int = 0
    alerts: list[str] = field(default_factory=list[str])
    profits: dict[str, Money] = field(default_factory=dict[str, Money])
    positions: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    halts: list[str] = field(default_factory=list[str])
    decisions: str = ""


def load_strategies(name: str) -> tuple[Strategy, ...]:
    """The strategies of a file, or the one that ships under this name.

    A file gives a `strategy`, a list of `strategies`, or classes of its own that
    derive from `Strategy` and need no arguments.  Raises `ConfigError`.
    """
    if name in STRATEGIES:
        return (STRATEGIES[name](),)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(
            f"there is no strategy and no file {name!r}",
            remedy=f"Name a file, or one of {', '.join(STRATEGIES)}.",
        )
    found = tuple(_strategies_of(path))
    if not found:
        raise ConfigError(
            f"{path} defines no strategy",
            remedy="Derive a class from trueup.Strategy; `trueup bot new-strategy` writes one.",
        )
    for each in found:
        if not each.name or len(each.name) > _NAME_MAX or " " in each.name:
            raise ConfigError(
                f"{path}: {each.name!r} is no good name for a strategy",
                remedy=f"Use up to {_NAME_MAX} characters without spaces.",
            )
    return found


def _strategies_of(path: Path) -> Iterable[Strategy]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file", remedy="Give it the ending .py.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        given: Any = getattr(module, "strategies", None) or getattr(module, "strategy", None)
        if isinstance(given, Strategy):
            return (given,)
        if given is not None:
            return tuple(each for each in given if isinstance(each, Strategy))
        own = (each for each in vars(module).values() if isinstance(each, type))
        return tuple(
            each() for each in own if issubclass(each, Strategy) and each.__module__ == path.stem
        )
    except Exception as error:
        raise ConfigError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}",
            remedy="Run it with python to see where.",
        ) from error


# -- places ------------------------------------------------------------------------------------


def intents_path(settings: DeskSettings) -> Path:
    """The intent log of an account."""
    return settings.home / f"intents-{settings.config.venue}-{settings.config.account}.log"


def kill_path(settings: DeskSettings) -> Path:
    """The file that stops a bot of this account as soon as it exists."""
    return settings.home / f"kill-{settings.config.venue}-{settings.config.account}"


def decisions_path(settings: DeskSettings) -> Path:
    """The decision log of an account: one JSON object a line."""
    name = f"decisions-{settings.config.venue}-{settings.config.account}.jsonl"
    return settings.home / name


def rearm(settings: DeskSettings, by: str) -> list[str]:
    """Lift the halts that wait for an operator, and take the kill file away.

    Only while no bot runs.  Returns what was lifted.  Raises `BooksError`.
    """
    lifted: list[str] = []
    now = SystemClock().now()
    with IntentLog(intents_path(settings)) as log:
        raised: dict[tuple[HaltCode, str], HaltRaised] = {}
        for each in log.records:
            if isinstance(each, HaltRaised):
                raised[each.code, each.strategy] = each
            elif isinstance(each, HaltLifted):
                raised.pop((each.code, each.strategy), None)
        records = [
            HaltLifted(code=each.code, by=by, at=now, strategy=each.strategy)
            for each in raised.values()
        ]
        if records:
            log.submit(records).result()
        lifted.extend(f"{each.code}: {each.words}" for each in raised.values())
    kill_path(settings).unlink(missing_ok=True)
    return lifted


# -- running -----------------------------------------------------------------------------------


class _Log:
    """Writes the decision log and counts for the report."""

    def __init__(
        self, file: TextIO, report: BotReport, said: Callable[[f.Decision | f.Alert], None]
    ) -> None:
        self._file = file
        self._report = report
        self._said = said
        self._last: dict[tuple[str, str, str], tuple[str, ...]] = {}

    def __call__(self, told: f.Decision | f.Alert) -> None:
        self._file.write(json.dumps(_line(told)) + "\n")
        self._file.flush()
        report = self._report
        if isinstance(told, f.Alert):
            report.fills += told.kind is f.AlertKind.FILL
            if told.kind is not f.AlertKind.FILL:
                report.alerts.append(told.words)
            self._said(told)
            return
        report.sent += told.verdict is f.Verdict.SENT
        report.refused += told.verdict is f.Verdict.REFUSED
        # Everything is in the file; a screen wants to hear of what is new.
        ticker = told.wish if isinstance(told.wish, str) else told.wish.ticker
        key = (told.strategy, str(ticker), told.verdict)
        codes = tuple(each.code.value for each in told.refusals)
        if told.verdict is not f.Verdict.REFUSED or self._last.get(key) != codes:
            self._said(told)
        self._last[key] = codes


def _line(told: f.Decision | f.Alert) -> dict[str, object]:
    if isinstance(told, f.Alert):
        return {
            "at": format_instant(told.at),
            "alert": told.kind,
            "strategy": told.strategy,
            "words": told.words,
        }
    return {
        "at": format_instant(told.at),
        "strategy": told.strategy,
        "verdict": told.verdict,
        "wish": wish_words(told.wish),
        "reason": told.wish if isinstance(told.wish, str) else told.wish.reason,
        "client_order_id": told.client_order_id,
        "refusals": [
            {"code": each.code, "scope": each.scope, **each.figures} for each in told.refusals
        ],
        "figures": dict(told.figures),
    }


def wish_words(wish: Wish | str) -> str:
    """A wish in a few words."""
    if isinstance(wish, str):
        return wish
    if isinstance(wish, Order):
        reducing = ", only to reduce" if wish.only_reduce else ""
        return f"{wish.style} {wish.side} {wish.count} {wish.ticker} at {wish.limit}{reducing}"
    if isinstance(wish, Tell):
        return f"tell of {wish.ticker}"
    return f"withdraw {wish.ticker} {wish.slot or ''}".rstrip()


def run_bot(
    settings: DeskSettings,
    options: BotOptions,
    *,
    said: Callable[[f.Decision | f.Alert], None],
    started: Callable[[str], None],
) -> BotReport:
    """Run a bot until it is stopped (Ctrl-C, SIGTERM, the kill file, the end of its time).

    On the sandbox without an address of its own a living world is started for it.
    Raises `ConfigError` for what cannot be run, and what the exchange refuses at
    the start.
    """
    make_home(settings.home)
    if kill_path(settings).exists():
        raise ConfigError(
            f"the kill switch of this account is on ({kill_path(settings)})",
            remedy="Look at what happened, then `trueup bot rearm`.",
        )
    with ExitStack() as stack:
        endpoint, signer, words = _reach(settings, options, stack)
        log = stack.enter_context(IntentLog(intents_path(settings)))
        path = decisions_path(settings)
        file = stack.enter_context(path.open("a", encoding="utf-8"))
        now = SystemClock().now()
        report = BotReport(settings.config.venue, now, now, decisions=str(path))
        started(words)
        asyncio.run(
            _run(
                settings,
                options,
                endpoint,
                signer,
                log=log,
                told=_Log(file, report, said),
                report=report,
            )
        )
    return report


async def _run(
    settings: DeskSettings,
    options: BotOptions,
    endpoint: Endpoint,
    signer: Signer,
    *,
    log: IntentLog,
    told: Callable[[f.Decision | f.Alert], None],
    report: BotReport,
) -> None:
    clock = SystemClock()
    client = open_async_client(
        endpoint,
        signer,
        clock=clock.now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
        options=Options(why_read_only=lambda: why_read_only(settings, live=options.live)),
    )
    machine = _machine(settings, options)
    bot = LiveBot(
        machine,
        client,
        log,
        clock=clock,
        options=LiveOptions(
            scope=Scope(tickers=options.tickers, series=options.series),
            pace=Pace(streams=options.streams),
            kill_file=kill_path(settings),
            leave_after=options.leave_after,
        ),
        told=told,
    )
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(each, bot.stop)
    try:
        await client.learn_limits()
        await bot.run()
    finally:
        await client.close()
        _conclude(machine, report, clock.now())


def _machine(settings: DeskSettings, options: BotOptions) -> Machine:
    limits = Limits(exposure_max=options.capital)
    share = Money(options.capital.units // len(options.strategies))
    mandates = [
        (
            each,
            Mandate(
                capital=share,
                limits=case_study_limits() if isinstance(each, MeanReversion) else limits,
                subaccount=options.subaccount,
            ),
        )
        for each in options.strategies
    ]
    step = settings.precision.step
    return Machine(mandates, Settings(limits=limits, balance_step=step), new_client_order_id)


def new_client_order_id(strategy: str) -> ClientOrderId:
    """An id that was never used, beginning with the strategy's name."""
    return ClientOrderId(f"{strategy}-{uuid4()}")


def _reach(
    settings: DeskSettings, options: BotOptions, stack: ExitStack
) -> tuple[Endpoint, Signer, str]:
    if not settings.is_embedded:
        desk = stack.enter_context(Desk(settings))
        endpoint, signer = desk.reach()
        return endpoint, signer, f"{settings.config.venue}, {endpoint.base_url}"
    prepared = prepare(
        WorldWish(world=options.world, seed=options.seed, start=SystemClock().now(), density=LIVELY)
    )
    server = SandboxServer(
        prepared.living,
        clock=SystemClock().now,
        settings=SandboxSettings(limits=UNLIMITED, new_id=identifiers(prepared.living.seed)),
    )
    server.start()
    stack.callback(server.stop)
    endpoint = resolve_endpoint(Venue.SANDBOX, server.base_url)
    return endpoint, signer_for(server.key_id, server.pair.private), prepared.words


def _conclude(machine: Machine, report: BotReport, now: Instant) -> None:
    state = machine.state
    report.ended_at = now
    marks = state.marks()
    for name in state.running:
        report.profits[name] = state.portfolio.profit(marks, name)
    report.positions = [
        (owner or "others", ticker, str(held.position.net))
        for owner, ticker, held in state.portfolio.held()
    ]
    report.halts = [f"{each.code}: {each.words}" for each in state.halts]


TEMPLATE: Final = '''"""{name}: say in a sentence what it is betting on."""

from trueup import Count, Price, Strategy, buy_yes, sell_yes


class {title}(Strategy):
    name = "{name}"

    def on_markets(self, desk, moved):
        for ticker in moved:
            top, net = desk.top(ticker), desk.net(ticker)
            if top.ask and top.ask <= Price.of_cents(40) and not net:
                yield buy_yes(ticker, Count.of_contracts(5), top.ask, reason="cheap")
            elif top.bid and top.bid >= Price.of_cents(60) and net.units > 0:
                yield sell_yes(ticker, net, top.bid, reason="dear enough")
'''


def write_template(path: Path) -> None:
    """Write a strategy to begin with.  Raises `ConfigError` when the file exists."""
    words = [each for each in path.stem.replace("-", "_").split("_") if each]
    title = "".join(each.capitalize() for each in words)
    if path.suffix != ".py" or not title.isidentifier():
        raise ConfigError(f"{path} is no name for a Python file", remedy="Try my_bot.py.")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name="-".join(words), title=title))
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already.", remedy="Name a new file.") from error


def check_log(settings: DeskSettings) -> str:
    """Whether a bot runs on this account; words, empty when none does."""
    path = intents_path(settings)
    if not path.exists():
        return ""
    try:
        IntentLog(path).close()
    except BooksError as error:
        return str(error)
    return ""


def names(given: Sequence[str]) -> frozenset[Ticker]:
    """Tickers from a command line: repeated, or with commas."""
    return frozenset(Ticker(part) for each in given for part in each.split(",") if part)
