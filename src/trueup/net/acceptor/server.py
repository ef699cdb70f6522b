"""Starting and stopping the sandbox: in a thread of its own, or in the foreground.

    with SandboxServer(world, clock=clock) as sandbox:
        ...  # sandbox.base_url, sandbox.pair

The thread has its own event loop and touches the exchange alone while the
server runs; `step` hands a command over to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from aiohttp import web
from msgspec import Struct

from trueup.core.errors import ConfigError, InvariantBroken
from trueup.core.instant import Instant
from trueup.net.acceptor.answers import WorldAnswers
from trueup.net.acceptor.billing import Meters
from trueup.net.acceptor.control_room import ControlRoom
from trueup.net.acceptor.control_words import Word
from trueup.net.acceptor.faults import FaultLine, Faults
from trueup.net.acceptor.fix_side import FixMaker, FixSide
from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.forms import FORMS, Personality
from trueup.net.acceptor.gate import WINDOW, Clock, Gate
from trueup.net.acceptor.house import AROUND_THE_CLOCK, BASIC, BASIC_BEFORE, costs
from trueup.net.acceptor.house_answers import HouseAnswers
from trueup.net.acceptor.keys import KeyPair, KeyRing, RegisteredKey, new_ed25519_pair
from trueup.net.acceptor.living import Living, give_life, skewed
from trueup.net.acceptor.old_operations import operations_of
from trueup.net.acceptor.question import Answers
from trueup.net.acceptor.recordings import RecordedAnswers
from trueup.net.acceptor.rest import Stations, application
from trueup.net.acceptor.routes import Routes
from trueup.net.acceptor.stream import StreamHub, StreamTerms
from trueup.net.loops import loop_factory
from trueup.sim import commands as c
from trueup.sim.events import Event as ExchangeEvent
from trueup.sim.faults import FaultPlan
from trueup.sim.living.paper_world import PaperWorld
from trueup.sim.living.replay import Replay
from trueup.sim.recorded import Recording
from trueup.sim.scenario import World
from trueup.sim.tiers import EVERYTHING_LIVE, Tiers
from trueup.wire.rest.account import AccountLimits
from trueup.wire.signing import REST_PREFIX, WEBSOCKET_PATH
from trueup.wire.spelling import Record
from trueup.wire.ws.server_session import SessionLimits

HOST: Final = "127.0.0.1"
DEMO_KEY_ID: Final = "5a2d0b3e-7c41-4a8e-9d02-6b1f00c0ffee"
"""The id of the key pair that a sandbox makes for itself."""

_NOBODY: Final = c.Member("")
_START_SECONDS_MAX: Final = 10
_STOP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the sandbox behaves.

    `new_id` makes the ids of orders, groups and keys.  `tokens` are bearer tokens that a gateway in front would accept.  A request's
    timestamp may be off by `window` microseconds.  Reads of the account lag `lag`
    microseconds behind its writes, and ``user_data_timestamp`` says so.  Without `limits`
    everybody has those of the lowest tier; without `tiers` there are
    the present ones, or none at all for the personality of 2025, which knew none.
    With `fix` (`fix_gateway.fix_side`) there are FIX sessions beside REST and WebSocket.
    `schedule` is what it announces of its hours (`house.schedule`); it closes only when told to.
    """

    personality: Personality = Personality.PRESENT
    limits: AccountLimits | None = None
    tiers: Tiers | None = None
    faults: Faults = field(default_factory=Faults)
    tokens: frozenset[str] = frozenset()
    window: int = WINDOW
    lag: int = 0
    streams: StreamTerms | None = None
    fix: FixMaker | None = None
    new_id: Callable[[], str] = lambda: str(uuid4())
    schedule: Record = field(default_factory=lambda: AROUND_THE_CLOCK)

    def limits_granted(self) -> AccountLimits:
        """The limits of the lowest tier of the time, unless others were asked for."""
        if self.limits is not None:
            return self.limits
        return BASIC if self.personality is Personality.PRESENT else BASIC_BEFORE

    def stream_terms(self) -> StreamTerms:
        """How connections are treated: as at the time, unless something else was asked for."""
        if self.streams is not None:
            return self.streams
        if self.personality is Personality.PRESENT:
            return StreamTerms()
        limits = SessionLimits(is_stamped=False)
        return StreamTerms(compresses=False, tells_clock=False, limits=limits)

    def tiers_shown(self) -> Tiers:
        """The tiers that the personality implies, unless others were asked for."""
        if self.tiers is not None:
            return self.tiers
        return EVERYTHING_LIVE if self.personality is Personality.OLD else Tiers()


PLAIN: Final = Settings()


def stations(
    source: World | Recording | Living,
    keys: Iterable[RegisteredKey],
    settings: Settings,
    *,
    clock: Clock,
    wall_clock: Clock | None = None,
) -> Stations:
    """Everything a server needs to answer from a world or from a recording.

    `clock` is the exchange's time.  A world may live at another date than its
    clients: their signatures are good by `wall_clock`, too.  A living world has a
    clock of its own, and `clock` is the machine's.
    """
    forms = FORMS[settings.personality]
    ring = KeyRing(keys, settings.tokens, owner=_owner(source))
    meters = Meters(settings.limits_granted())
    operations = operations_of(settings.personality)
    house = HouseAnswers(
        ring,
        meters,
        forms,
        costs=costs(operations),
        new_id=settings.new_id,
        schedule=settings.schedule,
    )
    answers: Answers
    if isinstance(source, Recording):
        answers, shown, floor = RecordedAnswers(source, house), clock, None
    else:
        floor, shown = _floor_of(source, clock)
        answers = WorldAnswers(
            floor,
            house,
            tiers=settings.tiers_shown(),
            personality=settings.personality,
            new_id=settings.new_id,
            meters=meters,
        )
    living = source if isinstance(source, Living) else None
    if living is not None:
        clock = skewed(clock, living.plan, shown)
        clocks = (skewed(shown, living.plan, shown), clock)
    else:
        clocks = (shown, clock) if wall_clock is None else (shown, clock, wall_clock)
    gate = Gate(ring, clocks, settings.window)
    streams = floor and StreamHub(
        floor, gate, settings.stream_terms(), clock=clock, world_clock=shown
    )
    return Stations(
        routes=Routes(operations),
        gate=gate,
        meters=meters,
        answers=answers,
        faults=FaultLine(settings.faults, None if living is None else living.plan),
        clock=clock,
        world_clock=shown,
        lag=settings.lag,
        floor=floor,
        streams=streams,
        life=living and floor and streams and give_life(living, floor, streams, settings.new_id),
        fix=_fix_sessions(
            floor,
            ring,
            settings,
            clock=clock if living is not None else wall_clock or clock,
            world_clock=shown,
            plan=None if living is None else living.plan,
        ),
    )


def _fix_sessions(
    floor: Floor | None,
    ring: KeyRing,
    settings: Settings,
    *,
    clock: Clock,
    world_clock: Clock,
    plan: FaultPlan | None,
) -> FixSide | None:
    """The FIX side, if there shall be one."""
    if settings.fix is None:
        return None
    if floor is None:
        raise ConfigError("recorded answers have no exchange that could speak FIX")
    new_id = settings.new_id
    return settings.fix(floor, ring, clock=clock, world_clock=world_clock, new_id=new_id, plan=plan)


def _floor_of(source: World | Living, clock: Clock) -> tuple[Floor, Clock]:
    """Where everything happens, and the time at which it is looked at."""
    if isinstance(source, Living):
        floor = Floor(source.world.exchange, around=source.world)
        if isinstance(source.world, PaperWorld | Replay):
            # First of all listeners: nobody is told what a paper account has not kept.
            floor.listen(source.world.hear)
        return floor, source.clock.now
    return Floor(source.exchange), _never_before(source.end, clock)


def _owner(source: World | Recording | Living) -> c.Member:
    """Whose account a key without an owner opens."""
    if isinstance(source, Living):
        return source.world.member
    return source.member if isinstance(source, World) else _NOBODY


def _never_before(end: Instant, clock: Clock) -> Clock:
    """A clock that does not show a time at which the world's history has not happened yet."""
    return lambda: Instant(max(end, clock()))


class SandboxServer:
    """A sandbox in a thread of its own.  A context manager; `base_url` is known inside.

    Port 0 takes any free one.  `pair` is a key made for this server; further
    `keys` may be registered.  Raises `ConfigError` when the port is taken.
    """

    def __init__(
        self,
        source: World | Recording | Living,
        *,
        clock: Clock,
        wall_clock: Clock | None = None,
        port: int = 0,
        keys: Iterable[RegisteredKey] = (),
        pair: KeyPair | None = None,
        settings: Settings = PLAIN,
    ) -> None:
        self.pair = new_ed25519_pair(DEMO_KEY_ID) if pair is None else pair
        self._stations = stations(
            source,
            (self.pair.registered, *keys),
            settings,
            clock=clock,
            wall_clock=wall_clock,
        )
        self._port = port
        self._started = Event()
        self._failure: OSError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self._port}"

    @property
    def base_url(self) -> str:
        """Origin and REST prefix, without a trailing slash."""
        return self.origin + REST_PREFIX

    @property
    def streams(self) -> StreamHub | None:
        """The connected streams; `None` for a recording.  For the server's own thread."""
        return self._stations.streams

    @property
    def fix(self) -> FixSide | None:
        """The FIX sessions, where there are some.  Its ports are known while it runs."""
        return self._stations.fix

    @property
    def websocket_url(self) -> str:
        """The address of the streams."""
        return f"ws://{HOST}:{self._port}{WEBSOCKET_PATH}"

    @property
    def key_id(self) -> str:
        """The id of the server's own key pair."""
        return self.pair.registered.key_id

    def start(self) -> None:
        """Start the thread and return once the port is open."""
        self._thread = Thread(target=self._run, name="trueup-sandbox", daemon=True)
        self._thread.start()
        if not self._started.wait(_START_SECONDS_MAX):
            raise InvariantBroken("the sandbox did not start in time")
        if self._failure is not None:
            self._thread.join()
            raise ConfigError(
                f"the sandbox cannot listen on port {self._port}: {self._failure.strerror}",
                remedy="Choose another --port, or 0 for any free one.",
            ) from self._failure

    def control(self, word: Word, body: Struct) -> Record:
        """Ask a word of the control API from outside the server's thread.

        Raises `ConfigError` where nothing lives that could be steered.
        """
        life = self._stations.life
        if life is None:
            raise ConfigError("this sandbox serves no living world that could be steered")
        if self._loop is None or self._thread is None:
            return asyncio.run(_ask(word, life.room, body))
        return asyncio.run_coroutine_threadsafe(_ask(word, life.room, body), self._loop).result()

    def stop(self) -> None:
        """Close the port, end open requests and the thread.  Harmless when not running."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        self._thread = None
        if thread is None:
            return
        if loop is not None and stopping is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join()

    def step(self, command: c.Command) -> tuple[ExchangeEvent, ...]:
        """Give the running exchange a command from outside its thread."""
        floor = self._stations.floor
        if floor is None:
            raise ConfigError("a recording takes no commands")
        if self._loop is None or self._thread is None:
            return floor.step(command)
        done: Future[tuple[ExchangeEvent, ...]] = asyncio.run_coroutine_threadsafe(
            _step(floor, command), self._loop
        )
        return done.result(_START_SECONDS_MAX)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = await _open(self._stations, self._port)
        try:
            self._port = _port_of(runner)
            self._started.set()
            await self._stopping.wait()
        finally:
            await _close(self._stations, runner)


async def serve(served: Stations, port: int, *, started: asyncio.Future[int]) -> None:
    """Serve in the foreground until cancelled; `started` gets the port once it is open."""
    runner = await _open(served, port)
    try:
        started.set_result(_port_of(runner))
        await asyncio.Event().wait()
    finally:
        await _close(served, runner)


async def _open(served: Stations, port: int) -> web.AppRunner:
    runner = web.AppRunner(
        application(served), handle_signals=False, access_log=None, shutdown_timeout=_STOP_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        if served.fix is not None:
            await served.fix.open(HOST)
    except OSError:
        await runner.cleanup()
        raise
    return runner


async def _close(served: Stations, runner: web.AppRunner) -> None:
    if served.fix is not None:
        await served.fix.close()
    if served.streams is not None:
        served.streams.close()
    await runner.cleanup()


def _port_of(runner: web.AppRunner) -> int:
    return int(runner.addresses[0][1])


async def _ask(word: Word, room: ControlRoom, body: Struct) -> Record:
    return await word.run(room, body)


async def _step(floor: Floor, command: c.Command) -> tuple[ExchangeEvent, ...]:
    return floor.step(command)
