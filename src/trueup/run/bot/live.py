"""A machine at a real exchange (or at the sandbox, which cannot tell): loops, no rules.

The machine steps on the event loop.  Its records go to the intent log, whose
writer thread makes them durable; an order leaves only after that.  Calls run as
tasks of their own, so a slow answer holds nobody up.  Starting is recovering:
the log's records, then the account as the exchange tells it, then the feeds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final, assert_never

from trueup.core.errors import (
    BooksError,
    ExchangeRefused,
    OutcomeUnknown,
    ProtocolBroken,
    TrueupError,
    with_remedy,
)
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, MINUTE, SECOND, Instant
from trueup.engine import effects as f
from trueup.engine import inputs as i
from trueup.engine.machine import Machine
from trueup.engine.records import HaltCode, Record
from trueup.net.client import AsyncClient
from trueup.net.order_roads import (
    OrderRoad,
    OrderUnread,
    RestRoad,
    RoadChanged,
    RoadMissed,
    RoadNews,
)
from trueup.run.bot.connections import Connections, Happening
from trueup.run.bot.hearing import Told
from trueup.run.bot.live_account import AccountReader
from trueup.run.bot.live_calls import Called, Calls, is_key_refused
from trueup.run.bot.live_feeds import Feeds, Pace, Scope
from trueup.run.clock import Clock
from trueup.store.intents import IntentLog

Observer = Callable[[i.Input, Sequence[f.Effect], int], None]
"""Sees each step: the input, what came of it, and the microseconds it took.  It must not
raise and must not take long."""

ORDERS: Final = "orders"
"""The road of the orders among the connections, where it has one of its own (FIX)."""

_ASK_AGAIN: Final = 2 * SECOND
_LISTEN_AGAIN: Final = 5 * SECOND
_CLOCKS_APART: Final = 5 * MINUTE

_PASSES_BY: Final = (OutcomeUnknown, ExchangeRefused, ProtocolBroken)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a bot runs.  `kill_file` stops everything as soon as it exists; `withdraws` takes
    back what rests of our own before the end.
    """

    scope: Scope = field(default_factory=Scope)
    pace: Pace = field(default_factory=Pace)
    kill_file: Path | None = None
    withdraws: bool = True
    warm_up: Callable[[Callable[[i.Input], None]], Awaitable[object]] | None = None
    """Tells what the strategies' windows would have seen, before the first price is told."""
    look_back: int = 90 * DAY
    """How far back the live tier is read at start, in microseconds; about all that it holds."""
    leave_after: int | None = None
    """Microseconds after which the bot stops by itself; `None`: never."""


class LiveBot:
    """Runs a machine until `stop`, a kill, or the end of its time."""

    def __init__(
        self,
        machine: Machine,
        client: AsyncClient,
        log: IntentLog,
        *,
        clock: Clock,
        options: LiveOptions,
        told: Told,
        road: OrderRoad | None = None,
    ) -> None:
        """Orders go out by `road`; by REST when none is given."""
        self.machine = machine
        self._log = log
        self._clock = clock
        self._options = options
        self._told = told
        self._road = road or RestRoad(client)
        self._calls = Calls(client, self._road, clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarms: list[Instant] = []
        self._rung = asyncio.Event()
        self._stopping = asyncio.Event()
        self.step_began: float | None = None
        """When the present step of the machine began, by the monotonic clock."""
        self.beat_at: float | None = None
        """When the loops last had their turn, by the same clock; `None` while none runs."""
        self.ready = asyncio.Event()
        """Set once the account and the world have been read, and trading begins."""
        self.connections = Connections()
        self.observers: list[Observer] = []
        self._feeds = Feeds(
            client=client,
            clock=clock,
            scope=options.scope,
            pace=options.pace,
            give=self.give,
            held=self._held,
            connections=self.connections,
        )
        self._account = AccountReader(
            client=client,
            clock=clock,
            give=self.give,
            subaccounts=_subaccounts(machine),
            portfolio=machine.state.portfolio,
            held=self._held,
        )

    @property
    def is_streaming(self) -> bool:
        """Whether it listens to streams, not only to REST."""
        return self._options.pace.streams

    def _held(self) -> list[Ticker]:
        held = [ticker for _, ticker, _ in self.machine.state.portfolio.held()]
        open_orders = [each.intent.ticker for each in self.machine.state.inflight.unsettled()]
        return list(dict.fromkeys((*held, *open_orders)))

    # -- the machine -----------------------------------------------------------------------

    def give(self, given: i.Input) -> None:
        """Give the machine an input and set about what it wants."""
        durable: asyncio.Future[None] | None = None
        records: list[Record] = []
        began = self._clock.now()
        self.step_began = time.monotonic()
        try:
            effects = self.machine.step(given)
        finally:
            self.step_began = None
        for observe in self.observers:
            observe(given, effects, self._clock.now() - began)
        for effect in effects:
            match effect:
                case f.Persist():
                    records.append(effect.record)
                case f.Decision() | f.Alert():
                    self._told(effect)
                case f.WakeAt():
                    heappush(self._alarms, effect.at)
                    self._rung.set()
                case f.Place() | f.Cancel() | f.Amend() | f.Sweep() | f.Ask() | f.ReadResting():
                    if records:
                        durable = asyncio.wrap_future(self._log.submit(records))
                        records = []
                    self._spawn(self._call(effect, durable))
                case _:
                    assert_never(effect)
        if records:
            self._spawn(self._keep(asyncio.wrap_future(self._log.submit(records))))

    async def kept(self) -> bool:
        """Wait until everything that was given so far is durable; false where it cannot be."""
        try:
            await asyncio.wrap_future(self._log.submit(()))
        except BooksError:
            return False
        return True

    async def _keep(self, durable: Awaitable[None]) -> None:
        try:
            await durable
        except BooksError as error:
            self.give(i.StorageFailed(at=self._clock.now(), words=with_remedy(error)))

    async def _call(self, effect: Called, durable: asyncio.Future[None] | None) -> None:
        if durable is not None:
            try:
                await asyncio.shield(durable)
            except BooksError as error:
                self.give(i.StorageFailed(at=self._clock.now(), words=with_remedy(error)))
                if isinstance(effect, f.Place):
                    # It never left: that is certain.
                    refused = i.Refused(code="not_durable", words=str(error))
                    name = effect.intent.client_order_id
                    self.give(
                        i.SendEnded(at=self._clock.now(), client_order_id=name, outcome=refused)
                    )
                    return
        given = await self._calls.answer(effect)
        for each in given:
            self.give(each)
        learnt = any(not isinstance(each, i.CallEnded) for each in given)
        if isinstance(effect, f.Ask | f.ReadResting) and not learnt:
            await asyncio.sleep(_ASK_AGAIN / SECOND)
            self._spawn(self._call(effect, None))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- running ---------------------------------------------------------------------------

    def stop(self) -> None:
        """End soon: resting orders are withdrawn first."""
        self._stopping.set()

    async def run(self) -> None:
        """Recover, then trade until told to stop.

        Raises what the exchange refuses at start (a wrong key, say); later trouble
        is the machine's to judge.
        """
        self.give(i.Recovered(at=self._clock.now(), records=self._log.records))
        async with self._road.running(self._heard_of_orders) as reading:
            await self._run(reading)

    async def _run(self, road: Awaitable[None] | None) -> None:
        began = self._clock.now()
        await self._begin(Instant(began - self._options.look_back))
        # The exchange's clock is not ours: what it dates a little earlier must not be missed.
        since = Instant(began - _CLOCKS_APART)
        loops = [asyncio.create_task(each) for each in self._loops(began, since)]
        ending = asyncio.create_task(self._end())
        watched: list[asyncio.Future[None]] = [*loops, ending]
        if road is not None:
            watched.append(asyncio.ensure_future(road))
        try:
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                if each is not ending:
                    each.result()
        finally:
            for each in (*loops, ending):
                each.cancel()
            await asyncio.gather(*loops, ending, return_exceptions=True)
            self.beat_at = None
            if self._options.withdraws:
                await self._withdraw()
            for each in self._tasks:
                each.cancel()

    def _heard_of_orders(self, told: RoadNews) -> None:
        """What the road of the orders tells by itself, as inputs."""
        at = self._clock.now()
        self.connections.heard(ORDERS, at)
        match told:
            case Filled():
                self.give(i.FillSeen(at=at, fill=told))
            case OrderReported():
                self.give(i.OrderSeen(at=at, order=told))
            case OrderUnread(ticker, words):
                self.give(i.OrderUnreadable(at=at, ticker=ticker, words=words))
            case RoadMissed(words):
                happening = Happening(name=ORDERS, what="gap", words=words, is_trouble=True)
                self.connections.happened(happening)
            case RoadChanged(is_open, words):
                what = "logon" if is_open else "logout"
                happening = Happening(name=ORDERS, what=what, words=words, is_trouble=not is_open)
                self.connections.happened(happening)
                if not is_open:
                    self.connections.failed(ORDERS, at, words)
                self.give(i.CallEnded(at=at, ok=is_open, words=words))
            case _:
                assert_never(told)

    def _loops(self, began: Instant, since: Instant) -> Sequence[Coroutine[Any, Any, None]]:
        feeds, pace = self._feeds, self._options.pace
        loops: list[Coroutine[Any, Any, None]] = [
            self._timers(),
            self._watch_for_the_end(began),
            *(self._again(read, every) for read, every in self._readings()),
        ]
        if pace.streams:
            loops += [
                self._again(feeds.read_listings, pace.listings),
                self._prices(),
                feeds.flush_prices(),
                self._listen("fills", lambda: feeds.stream_fills(since)),
                self._listen("orders", feeds.stream_orders),
                self._again(feeds.read_recent_orders, pace.account),
            ]
        else:
            loops += [
                self._again(feeds.read_listings, pace.prices),
                self._listen("poll", lambda: feeds.poll_account(since)),
            ]
        return loops

    def _readings(self) -> Sequence[tuple[Callable[[], Awaitable[None]], int]]:
        """What is read of the account and the exchange again and again, and how often."""
        account, every = self._account, self._options.pace.account
        return (
            (account.read_account, every),
            (account.read_positions, every),
            (account.read_settled, every),
            (account.read_status, every),
            (account.read_other_pots, max(every, MINUTE)),
            (account.read_revised, max(every, 10 * MINUTE)),
            (account.read_schedule, HOUR),
        )

    async def _begin(self, since: Instant) -> None:
        """Read the exchange and the account before anything is decided."""
        account = self._account
        await account.read_status()
        await account.read_schedule()
        await self._feeds.begin(since)
        await account.read_account()
        await account.read_other_pots()
        await account.read_settled()
        await account.begin(self._feeds.read_recent)
        if self._options.warm_up is not None:
            await self._options.warm_up(self.give)
        # Prices last: with them strategies begin to wish.
        await self._feeds.read_listings()
        names = [read.__name__.removeprefix("read_") for read, _ in self._readings()]
        for name in (*names, "listings"):
            self.connections.heard(name, self._clock.now())
        self.ready.set()

    async def _prices(self) -> None:
        """Follow the markets of all universes; begin anew when they change."""
        followed: frozenset[Ticker] = frozenset()
        task: asyncio.Task[None] | None = None
        try:
            while True:
                wanted = frozenset(
                    ticker
                    for running in self.machine.state.running.values()
                    for ticker in running.universe
                )
                if wanted != followed:
                    if task is not None:
                        task.cancel()
                        with suppress(asyncio.CancelledError):
                            await task
                    followed = wanted
                    tickers = sorted(wanted)
                    task = asyncio.create_task(
                        self._listen("prices", partial(self._feeds.stream_prices, tickers))
                    )
                if task is not None and task.done():
                    task.result()
                await asyncio.sleep(1)
        finally:
            if task is not None:
                task.cancel()

    async def _again(self, read: Callable[[], Awaitable[None]], every: int) -> None:
        """Read something over and over; trouble is told to the machine, not raised."""
        name = read.__name__.removeprefix("read_")
        while True:
            await asyncio.sleep(every / SECOND)
            try:
                await read()
            except _PASSES_BY as error:
                self._failed(name, error)
            else:
                self.connections.heard(name, self._clock.now())
                self.give(i.CallEnded(at=self._clock.now(), ok=True))

    async def _listen(self, name: str, follow: Callable[[], Awaitable[None]]) -> None:
        """Follow something for ever; what breaks is told, and followed again."""
        while True:
            try:
                await follow()
            except _PASSES_BY as error:
                self._failed(name, error)
            await asyncio.sleep(_LISTEN_AGAIN / SECOND)

    def _failed(self, name: str, error: TrueupError) -> None:
        now, words = self._clock.now(), str(error)
        self.connections.failed(name, now, words)
        if is_key_refused(error):
            self.give(i.KeyRefused(at=now, words=words))
        # A refusal is an answer, too: the exchange is there.
        self.give(i.CallEnded(at=now, ok=isinstance(error, ExchangeRefused), words=words))

    async def _end(self) -> None:
        await self._stopping.wait()

    async def _timers(self) -> None:
        while True:
            now = self._clock.now()
            while self._alarms and self._alarms[0] <= now:
                heappop(self._alarms)
                self.give(i.TimerFired(at=now))
            wait = self._alarms[0] - now if self._alarms else SECOND
            self._rung.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), max(wait, 1) / SECOND)

    async def _watch_for_the_end(self, began: Instant) -> None:
        """The kill file, and the end of the time that was given."""
        killed = False
        while True:
            self.beat_at = time.monotonic()
            await asyncio.sleep(0.2)
            file, leave = self._options.kill_file, self._options.leave_after
            exists = file is not None and file.exists()
            is_new = exists and not killed and not self.machine.state.halts.has(HaltCode.KILL)
            killed = exists
            if file is not None and is_new:
                words = f"{file.name} exists"
                self.give(
                    i.OperatorSaid(
                        at=self._clock.now(), wanted=i.Wanted.KILL, by="kill file", words=words
                    )
                )
            if leave is not None and self._clock.now() - began >= leave:
                self.stop()

    async def _withdraw(self) -> None:
        """Before the end: take back what rests, and wait a little for every answer."""
        state = self.machine.state
        for running in state.running.values():
            self.give(
                i.OperatorSaid(
                    at=self._clock.now(),
                    wanted=i.Wanted.WITHDRAW,
                    by="trueup",
                    strategy=running.name,
                )
            )
        for _ in range(100):
            if not state.inflight.living() and not self._tasks:
                return
            await asyncio.sleep(0.1)


def _subaccounts(machine: Machine) -> tuple[Subaccount, ...]:
    return tuple(sorted({each.mandate.subaccount for each in machine.state.running.values()}))
