"""A bot put together: strategies, an account, the intent log, the loops, the operator's channel."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

from trueup.core.errors import ConfigError
from trueup.core.ids import PRIMARY, ClientOrderId, Subaccount
from trueup.core.instant import MINUTE, SECOND, Instant, format_age
from trueup.core.units import Money
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.net.client import AsyncClient, open_async_client, open_client
from trueup.net.control import Whereabouts, withdraw_whereabouts, write_whereabouts
from trueup.net.control_server import ControlServer
from trueup.net.order_roads import OrderRoad, RestRoad
from trueup.net.session import Event, Options
from trueup.net.streams import StreamOptions
from trueup.net.venues import Venue
from trueup.run.bot.at_work import Beside, BotAtWork
from trueup.run.bot.books_beside import books_of
from trueup.run.bot.decision_log import DecisionLog
from trueup.run.bot.first_hours import begin_first_hours
from trueup.run.bot.funds import REMEDY, shortfalls
from trueup.run.bot.hearing import Hearing, Told
from trueup.run.bot.killing import Killed, kill
from trueup.run.bot.live import LiveBot, LiveOptions
from trueup.run.bot.options import BotOptions, FlattenOnly
from trueup.run.bot.own_world import tell_own_world
from trueup.run.bot.places import (
    control_path,
    decisions_path,
    intents_path,
    kill_path,
    pull_kill_switch,
)
from trueup.run.bot.reach import PaperMarket, Reach, reach_exchange
from trueup.run.bot.room import BotRoom
from trueup.run.bot.status import as_document
from trueup.run.bot.tally import Tally
from trueup.run.bot.telling import Teller
from trueup.run.bot.told_before import ToldBefore, told_before
from trueup.run.bot.warming import warm_up
from trueup.run.bot.watchdog import Emergency, Watchdog
from trueup.run.clients import sleep_on_the_loop, why_read_only
from trueup.run.clock import SteadyClock, SystemClock, unseeded
from trueup.run.config import archive_path, make_home
from trueup.run.desk import DeskSettings
from trueup.run.fix.settings import OrderEntry
from trueup.run.paper.accounts import DEPOSIT
from trueup.store.archive import Archive
from trueup.store.intents import IntentLog

_AHEAD_MAX: Final = MINUTE
"""How far the bot's own time may be ahead before a person had better start it again."""

_CANCEL_PATIENCE: Final = 30 * SECOND
"""How long a bot that hangs tries to cancel everything before it ends."""


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
    flatten: dict[str, Any] | None = None
    """What became of each position that was to be closed."""


def run_bot(
    settings: DeskSettings,
    options: BotOptions,
    *,
    said: Told,
    started: Callable[[str], None],
    attach: Sequence[Callable[[BotAtWork], None]] = (),
    beside: Sequence[Beside] = (),
) -> BotReport:
    """Run a bot until it is stopped (Ctrl-C, SIGTERM, the kill file, the end of its time).

    On the sandbox without an address of its own a living world is started for it.
    `attach` is called with the bot before anything moves, `beside` runs beside it.
    Raises `ConfigError` for what cannot be run, and what the exchange refuses at
    the start.
    """
    with ExitStack() as stack:
        work = _prepared(settings, options, stack, said=said, started=started)
        return asyncio.run(work(attach, beside))


async def run_bot_on_the_loop(
    settings: DeskSettings,
    options: BotOptions,
    *,
    said: Told,
    started: Callable[[str], None],
    attach: Sequence[Callable[[BotAtWork], None]] = (),
    beside: Sequence[Beside] = (),
) -> BotReport:
    """The same on the caller's event loop, whose signals are the caller's, too."""
    with ExitStack() as stack:
        work = await asyncio.to_thread(
            partial(_prepared, settings, options, stack, said=said, started=started)
        )
        return await work(attach, beside, minds_signals=False)


class _Work(Protocol):
    """What is left to do once everything is open."""

    def __call__(
        self,
        attach: Sequence[Callable[[BotAtWork], None]],
        beside: Sequence[Beside],
        *,
        minds_signals: bool = True,
    ) -> Coroutine[Any, Any, BotReport]: ...


def _prepared(
    settings: DeskSettings,
    options: BotOptions,
    stack: ExitStack,
    *,
    said: Told,
    started: Callable[[str], None],
) -> _Work:
    make_home(settings.home)
    if kill_path(settings).exists() and options.flatten is None:
        raise ConfigError(
            f"the kill switch of this account is on ({kill_path(settings)})",
            remedy="Look at what happened, then `trueup bot rearm`.",
        )
    log = stack.enter_context(IntentLog(intents_path(settings)))
    starts = Whereabouts(port=0, token="", pid=os.getpid(), started_at=SystemClock().now())
    write_whereabouts(control_path(settings), starts)
    stack.callback(withdraw_whereabouts, control_path(settings), starts)
    by_fix = (
        not settings.is_paper
        and (options.order_entry or settings.config.order_entry) == OrderEntry.FIX
    )
    reach = reach_exchange(
        settings,
        stack,
        world=options.world,
        seed=options.seed,
        fix=by_fix,
        market=PaperMarket(scope=options.scope, deposit=max(DEPOSIT, options.capital)),
    )
    tell_own_world(settings, reach.environment, stack)
    decisions = stack.enter_context(DecisionLog(decisions_path(settings)))
    before = told_before(decisions_path(settings))
    open_road, words = _fix_road(settings, reach, stack) if by_fix else (RestRoad, "")
    started("; ".join(filter(None, (reach.words, words))))

    async def work(
        attach: Sequence[Callable[[BotAtWork], None]],
        beside: Sequence[Beside],
        *,
        minds_signals: bool = True,
    ) -> BotReport:
        run = _Run(
            settings,
            options,
            reach,
            log=log,
            decisions=decisions,
            before=before,
            said=said,
            open_road=open_road,
        )
        for each in attach:
            each(run.work)
        books = books_of(settings, reach) if options.flatten is None else ()
        closers = () if options.flatten is None else (run.flatten_only(options.flatten),)
        return await run.go((*closers, *beside, *books), minds_signals=minds_signals)

    return work


def _fix_road(
    settings: DeskSettings, reach: Reach, stack: ExitStack
) -> tuple[Callable[[AsyncClient], OrderRoad], str]:
    # Few need it, and its dictionary takes time to load.
    from trueup.run.fix.road import fix_road  # noqa: PLC0415

    return fix_road(settings, reach, stack)


class _Run:
    """One run of a bot, from its start to its report."""

    def __init__(
        self,
        settings: DeskSettings,
        options: BotOptions,
        reach: Reach,
        *,
        log: IntentLog,
        decisions: DecisionLog,
        before: ToldBefore,
        said: Told,
        open_road: Callable[[AsyncClient], OrderRoad],
    ) -> None:
        self._settings = settings
        self._options = options
        self._reach = reach
        self._log = log
        self._decisions = decisions
        self._clock = SteadyClock(jumped=self._clock_jumped)
        self._tally = Tally()
        self._said = said
        self._hearing = Hearing(decisions, self._tally, failed=self._storage_failed, before=before)
        self._hearing.listeners.append(
            lambda told: said(told) if self._tally.is_news(told) else None
        )
        self._client = open_async_client(
            reach.endpoint,
            reach.signer,
            # Signatures want the machine's own time, whatever it is.
            clock=SystemClock().now,
            sleep=sleep_on_the_loop,
            chance=unseeded(),
            options=Options(
                on_event=self._on_event,
                why_read_only=lambda: why_read_only(settings, live=options.live),
            ),
        )
        self._live = LiveBot(
            _machine(settings, options),
            self._client,
            log,
            clock=self._clock,
            options=LiveOptions(
                scope=options.scope,
                pace=options.pace,
                kill_file=kill_path(settings),
                leave_after=options.leave_after,
                warm_up=self._warm_up,
            ),
            told=self._hearing,
            road=open_road(self._client),
        )
        self._client.stream_with(StreamOptions(on_event=self._live.connections.line))
        self.work = BotAtWork(
            settings=settings,
            live=self._live,
            client=self._client,
            hearing=self._hearing,
            tally=self._tally,
            clock=self._clock,
            started_at=self._clock.now(),
            is_real=settings.venue is Venue.PROD and not settings.is_paper,
        )

    async def go(self, beside: Sequence[Beside], *, minds_signals: bool) -> BotReport:
        """Run, and say what it came to."""
        loop = asyncio.get_running_loop()
        for each in _ending_signals() if minds_signals else ():
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(each, self._live.stop)
        try:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._client.close)
                await self._client.learn_limits()
                server = ControlServer(
                    control_path(self._settings), self._room(), started_at=self.work.started_at
                )
                await server.start()
                stack.push_async_callback(server.stop)
                self._hearing.pushes.append(server.push)
                teller = Teller(
                    self._live.machine.state, partial(self.work.status, tops=False), server
                )
                # First of all that wait for it: what comes after the recovery is news.
                tasks = [asyncio.create_task(self._until_ready())]
                tasks.append(asyncio.create_task(teller.run()))
                tasks += [asyncio.create_task(self._beside(each)) for each in beside]
                stack.push_async_callback(_end, tasks)
                if self._options.hang_max is not None:
                    dog = self._watchdog(self._options.hang_max)
                    stack.enter_context(dog)
                await self._live.run()
        finally:
            self._end_recovery()
            self._hearing.finish()
        return self._report()

    async def _until_ready(self) -> None:
        await self._live.ready.wait()
        self._end_recovery()

    def _end_recovery(self) -> None:
        if (told := self._hearing.recovered(self._clock.now())) is not None:
            self._said(told)

    def _watchdog(self, hang_max: int) -> Watchdog:
        def cancel(places: Sequence[Subaccount]) -> Killed:
            control_path(self._settings).unlink(missing_ok=True)
            client = open_client(
                self._reach.endpoint,
                self._reach.signer,
                clock=SystemClock().now,
                sleep=SystemClock().sleep,
                chance=unseeded(),
                options=Options(
                    why_read_only=lambda: why_read_only(self._settings, live=self._options.live)
                ),
            )
            with client:
                return kill(client, places, clock=SystemClock(), patience=_CANCEL_PATIENCE)

        return Watchdog(
            self._live,
            self._log,
            Emergency(
                tell=self._hearing,
                cancel=cancel,
                pull_switch=lambda: pull_kill_switch(self._settings, "the bot hung"),
            ),
            clock=self._clock,
            hang_max=hang_max,
        )

    def _clock_jumped(self, microseconds: int) -> None:
        where = "forward" if microseconds > 0 else "back"
        words = (
            f"the machine's clock was set {where} by {format_age(abs(microseconds))}; waiting goes "
            "on by the steady clock, signatures by the machine's"
        )
        if self._clock.ahead > _AHEAD_MAX:
            words += (
                f". The bot's own time is {format_age(self._clock.ahead)} ahead now: orders live "
                "longer by it, trading hours come early, and no kill is proven before the exchange "
                "has caught up. Stop the bot and start it again"
            )
        at = SystemClock().now()
        self._hearing(f.Alert(at=at, kind=f.AlertKind.TROUBLE, words=words, key="clock"))

    async def _warm_up(self, give: Callable[[i.Input], None]) -> None:
        """What comes between reading the account and the first price."""
        self._look_at_funds()
        folder = archive_path(self._settings.home, self._settings.config)
        await warm_up(
            self._live.machine,
            self._client,
            self._options.scope,
            now=self._clock.now(),
            archive=Archive(folder) if folder.is_dir() else None,
            give=give,
        )

    def _look_at_funds(self) -> None:
        for each in shortfalls(self._live.machine.state):
            if self.work.is_real:
                raise ConfigError(each.words, remedy=REMEDY)
            words, at = f"{each.words}; orders beyond that will be refused", self._clock.now()
            self._hearing(f.Alert(at=at, kind=f.AlertKind.TROUBLE, words=words, key="funds"))

    def _on_event(self, event: Event) -> None:
        for listener in self.work.events:
            listener(event)

    def _room(self) -> BotRoom:
        return BotRoom(
            live=self._live,
            clock=self._clock,
            shown=lambda: as_document(self.work.status()),
            decision_log=self._decisions.path,
            before_rearm=lambda: kill_path(self._settings).unlink(missing_ok=True),
            pull_switch=lambda: pull_kill_switch(self._settings, "a running bot was told to"),
        )

    async def _beside(self, work: Beside) -> None:
        try:
            await work(self.work)
        except Exception as error:  # noqa: BLE001  (whatever it is, the bot goes on)
            name = getattr(work, "__name__", type(work).__name__).strip("_")
            words = f"{name} ended: {type(error).__name__}: {error}"
            self._live.connections.failed(name, self._clock.now(), words)
            self._hearing(f.Alert(at=self._clock.now(), kind=f.AlertKind.TROUBLE, words=words))

    def flatten_only(self, wish: FlattenOnly) -> Beside:
        """What closes the positions of an account on which no bot trades."""

        async def flatten(work: BotAtWork) -> None:
            await work.live.ready.wait()
            state = work.live.machine.state
            places = {each.intent.subaccount for each in state.inflight.unsettled()}
            places |= {place for (_, place, _), _ in state.portfolio.positions()}
            kill = i.OperatorSaid(
                at=self._clock.now(),
                wanted=i.Wanted.KILL,
                by=wish.by,
                words=wish.words or f"flatten, said by {wish.by}",
                subaccounts=tuple(sorted(places)) or (PRIMARY,),
            )
            work.live.give(kill)
            work.live.give(
                replace(
                    kill,
                    wanted=i.Wanted.FLATTEN,
                    strategy=wish.strategy,
                    slippage=wish.slippage.units,
                )
            )
            while state.flattener.is_active:  # noqa: ASYNC110  (the machine rings no bell)
                await asyncio.sleep(0.2)
            work.live.stop()

        return flatten

    def _storage_failed(self, words: str) -> None:
        def tell() -> None:
            self._live.give(i.StorageFailed(at=self._clock.now(), words=words))

        # Not at once: the machine is in the middle of telling something.
        asyncio.get_running_loop().call_soon(tell)

    def _report(self) -> BotReport:
        state, tally = self._live.machine.state, self._tally
        marks = state.marks()
        return BotReport(
            venue=self._settings.config.venue,
            began_at=self.work.started_at,
            ended_at=self._clock.now(),
            sent=tally.sent,
            refused=tally.refused,
            fills=tally.fills,
            alerts=list(tally.words),
            profits={name: state.portfolio.profit(marks, name) for name in state.running},
            positions=[
                (owner or "others", ticker, str(held.position.net))
                for owner, ticker, held in state.portfolio.held()
            ],
            halts=[f"{each.code}: {each.words}" for each in state.halts],
            decisions=str(self._decisions.path),
            flatten=as_document(self.work.status())["flatten"],
        )


def _ending_signals() -> tuple[signal.Signals, ...]:
    """What tells a bot to withdraw its orders and end; a closed terminal, unless `nohup` said no."""
    hangs_up = getattr(signal, "SIGHUP", None)
    if hangs_up is None or signal.getsignal(hangs_up) is not signal.SIG_DFL:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, hangs_up


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _machine(settings: DeskSettings, options: BotOptions) -> Machine:
    first_hours = begin_first_hours(settings, SystemClock().now()) if options.live else None
    engine = replace(options.engine, balance_step=settings.precision.step, first_hours=first_hours)
    return Machine(options.mandates, engine, new_client_order_id)


def new_client_order_id(strategy: str) -> ClientOrderId:
    """An id that was never used, beginning with the strategy's name."""
    return ClientOrderId(f"{strategy}-{uuid4()}")
