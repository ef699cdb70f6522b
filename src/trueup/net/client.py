"""The two clients: thin loops around `Session.flow`.

Both offer the same: the sections of the API (``client.orders.buy(…)``,
``client.markets.list(…)``, see `trueup.net.sections`), and below them `send` a
call and get its value, walk the `pages` of a listing to the end, `learn_limits` so that the exchange need not refuse
anything, and tell the clock's `skew` and the `counts` of what was done.

Clock, sleep and chance come from outside (`trueup.run` provides them; tests
provide their own).  A `Client` may be shared by several threads, e.g. one that
fetches ahead and one that books; an `AsyncClient` by the tasks of one loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import TracebackType
from typing import Self, TypeVar

from trueup.core.errors import CallerError
from trueup.net.http import AsyncTransport, AwaitableTransport, SyncTransport, Transport
from trueup.net.learning import learn_limits
from trueup.net.pages import list_pages
from trueup.net.request import Reply
from trueup.net.retry import Chance
from trueup.net.section import AsyncListing, Awaiting, Blocking, Listing
from trueup.net.sections import Sections
from trueup.net.session import Clock, Counts, LimitsLearned, Options, Pause, Session, Step
from trueup.net.signer import Signer
from trueup.net.skew import Skew
from trueup.net.streams import StreamOptions, Streams
from trueup.net.venues import Endpoint
from trueup.net.watching import Watching
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

Sleep = Callable[[int], None]
"""Waits for so many microseconds."""

AsyncSleep = Callable[[int], Awaitable[None]]
"""Waits for so many microseconds without holding up the event loop."""


class Client(Sections[Blocking]):
    """Blocking client of one account at one endpoint."""

    def __init__(
        self,
        session: Session,
        *,
        transport: Transport,
        sleep: Sleep,
        at_close: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(self)
        self.session = session
        self._at_close = at_close
        self._transport = transport
        self._sleep = sleep

    @property
    def skew(self) -> Skew | None:
        """How far this machine's clock is off; None before the first answer."""
        return self.session.skew

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self.session.counts

    def send(self, call: Call[T]) -> T:
        """Send one call and decode its answer.

        Raises `ExchangeRefused` and its kinds, `Unreachable` or `OutcomeUnknown`,
        `ProtocolBroken`, and `CallerError` before anything is sent.
        """
        return self._run(self.session.flow(call))

    def pages(self, call: Call[Page[T]]) -> Iterator[Page[T]]:
        """All pages from `call` on, each fetched when it is asked for.

        Raises like `send`, and `ProtocolBroken` for a cursor that never ends.
        """
        flow, reply = list_pages(self.session, call), None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration:
                return
            if isinstance(step, Page):
                yield step
                reply = None
            else:
                reply = self._take(step)

    def listing(self, call: Call[Page[T]]) -> Listing[T]:
        """A listing to walk through, record by record or page by page."""
        return Listing(lambda: self.pages(call))

    def run(self, flow: Callable[[Session], Generator[Step, Reply | None, T]]) -> T:
        """Follow a course of several calls to its end; raises like `send`."""
        return self._run(flow(self.session))

    def learn_limits(self) -> LimitsLearned:
        """Ask for the account's budget and the costs of endpoints, and keep to them."""
        return self._run(learn_limits(self.session))

    def close(self) -> None:
        """Close the connections, and what was opened for them."""
        self._transport.close()
        if self._at_close is not None:
            self._at_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, flow: Generator[Step, Reply | None, T]) -> T:
        reply: Reply | None = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as stop:
                return stop.value
            reply = self._take(step)

    def _take(self, step: Step) -> Reply | None:
        if isinstance(step, Pause):
            self._sleep(step.microseconds)
            return None
        return self._transport.exchange(step)


class AsyncClient(Sections[Awaiting], Watching):
    """Client of one account at one endpoint for an event loop."""

    def __init__(
        self,
        session: Session,
        *,
        transport: AwaitableTransport,
        sleep: AsyncSleep,
        at_close: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(self)
        self.session = session
        self._at_close = at_close
        self._transport = transport
        self._sleep = sleep
        self._stream_options: StreamOptions | None = None
        self._streams: Streams | None = None

    @property
    def streams(self) -> Streams:
        """The one connection over which everything is watched."""
        if self._streams is None:
            session = self.session
            self._streams = Streams(
                session.endpoint,
                session.signer,
                asker=self,
                clock=session.now,
                sleep=self._sleep,
                chance=session.chance,
                note_drift=session.note_drift,
                options=self._stream_options,
            )
        return self._streams

    def stream_with(self, options: StreamOptions) -> None:
        """How to watch; to be said before anything is watched."""
        if self._streams is not None:
            raise CallerError("something is watched already; say first how")
        self._stream_options = options

    @property
    def skew(self) -> Skew | None:
        """How far this machine's clock is off; None before the first answer."""
        return self.session.skew

    @property
    def counts(self) -> Counts:
        """What was done so far."""
        return self.session.counts

    async def send(self, call: Call[T]) -> T:
        """Send one call and decode its answer; raises like `Client.send`."""
        return await self._run(self.session.flow(call))

    async def pages(self, call: Call[Page[T]]) -> AsyncIterator[Page[T]]:
        """All pages from `call` on; like `Client.pages`."""
        flow, reply = list_pages(self.session, call), None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration:
                return
            if isinstance(step, Page):
                yield step
                reply = None
            else:
                reply = await self._take(step)

    def listing(self, call: Call[Page[T]]) -> AsyncListing[T]:
        """A listing to walk through, record by record or page by page."""
        return AsyncListing(lambda: self.pages(call))

    async def run(self, flow: Callable[[Session], Generator[Step, Reply | None, T]]) -> T:
        """Follow a course of several calls to its end; raises like `send`."""
        return await self._run(flow(self.session))

    async def take_turn(self, call: Call[T]) -> None:
        """Wait until this call may go out, and count it, for one that takes another road (FIX).

        Raises `ConfigError` for a write where the client only reads.
        """
        self.session.check_may_send(call)
        wait = self.session.take_turn(call)
        if wait:
            await self._sleep(wait)

    async def learn_limits(self) -> LimitsLearned:
        """Ask for the account's budget and the costs of endpoints, and keep to them."""
        return await self._run(learn_limits(self.session))

    async def close(self) -> None:
        """Close the connections, and what was opened for them."""
        if self._streams is not None:
            await self._streams.close()
        await self._transport.close()
        if self._at_close is not None:
            self._at_close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, flow: Generator[Step, Reply | None, T]) -> T:
        reply: Reply | None = None
        while True:
            try:
                step = flow.send(reply)
            except StopIteration as stop:
                return stop.value
            reply = await self._take(step)

    async def _take(self, step: Step) -> Reply | None:
        if isinstance(step, Pause):
            await self._sleep(step.microseconds)
            return None
        return await self._transport.exchange(step)


def open_client(
    endpoint: Endpoint,
    signer: Signer | None,
    *,
    clock: Clock,
    sleep: Sleep,
    chance: Chance,
    options: Options | None = None,
    at_close: Callable[[], None] | None = None,
) -> Client:
    """A blocking client with connections of its own; `at_close` is done after closing them."""
    session = Session(endpoint, signer, clock=clock, chance=chance, options=options)
    limits = session.options.limits
    transport = SyncTransport(clock=clock, limits=limits)
    return Client(session, transport=transport, sleep=sleep, at_close=at_close)


def open_async_client(
    endpoint: Endpoint,
    signer: Signer | None,
    *,
    clock: Clock,
    sleep: AsyncSleep,
    chance: Chance,
    options: Options | None = None,
    at_close: Callable[[], None] | None = None,
) -> AsyncClient:
    """A client for an event loop, with connections of its own; `at_close` as in `open_client`."""
    session = Session(endpoint, signer, clock=clock, chance=chance, options=options)
    limits = session.options.limits
    transport = AsyncTransport(clock=clock, limits=limits)
    return AsyncClient(session, transport=transport, sleep=sleep, at_close=at_close)
