"""Fetching one listing into the journal: page by page, resumable, one page ahead.

While a page is being stored the next one is already on its way, so the wait
for the exchange and the wait for the disk overlap.  The place of a fetch is
stored in the same transaction as its page: an interrupted fetch goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, Queue
from threading import Event, Thread
from typing import Final, Generic, TypeVar

from trueup.core.errors import ExchangeRefused, ProtocolBroken
from trueup.core.facts import Fact, Source, Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.statements import Statement
from trueup.ledger.coverage import Tier
from trueup.net.client import Client
from trueup.run.clock import Clock
from trueup.run.collecting import collecting_rarely
from trueup.store.database import Books
from trueup.store.journal import Appended
from trueup.store.progress import Fetch, Progress
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

PAGES_AHEAD: Final = 2
PAGE_SIZE: Final = 1000
"""The largest page most listings give; the deposits' listings give half."""

IDLE_SECONDS: Final = 5
"""How often a fetch that waits for the exchange tells that it is alive."""

STOP_SECONDS: Final = 2
"""How long an interrupted fetch waits for the request that is on its way."""

Told = Callable[[str, int], None]
"""Hears what is being fetched and how many records just came."""


def tell_nobody(what: str, records: int) -> None:
    """The listener of those who do not listen."""
    del what, records


def do_nothing() -> None:
    """The heartbeat of those who hold no lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One listing to fetch, and what it proves when it was read to the end.

    `since` and `until` bound what was asked for; `covers` is the time for which
    the stream is complete once the last page is stored (`None`: nothing).
    `resumable` listings keep their place when interrupted.
    """

    stream: Stream
    call: Call[Page[Fact | Statement]]
    tier: Tier = Tier.LIVE
    subaccount: Subaccount | None = None
    since: Instant | None = None
    until: Instant | None = None
    covers: tuple[Instant, Instant] | None = None
    resumable: bool = False
    heard: Callable[[Page[Fact | Statement]], None] | None = None
    """Hears every page once it is stored."""

    @property
    def source(self) -> Source:
        """How its records are marked in the journal."""
        return Source.HISTORICAL if self.tier is Tier.HISTORICAL else Source.REST

    @property
    def words(self) -> str:
        """What it is, for a progress line."""
        whose = "" if self.subaccount is None else f" of subaccount {self.subaccount}"
        return f"{self.stream.value}{whose} ({self.tier.value} tier)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Brings listings into the books."""

    client: Client
    books: Books
    clock: Clock
    told: Told = tell_nobody
    alive: Callable[[], None] = do_nothing
    """Called again and again while a fetch runs: keeps the writer lease."""

    @collecting_rarely()
    def fetch(self, listing: Listing) -> Appended:
        """Fetch one listing to its end; returns what was new.

        An interrupted resumable listing goes on from its stored place; then it
        proves no more than the interrupted one would have.  Raises what the client
        and the books raise; everything stored before is kept.
        """
        stored = self._interrupted(listing) if listing.resumable else None
        if stored is None:
            return self._fetch(listing, listing.call)
        resumed = resume_listing(listing, stored)
        before = self.counted(listing)
        try:
            return self._fetch(resumed, listing.call.with_cursor(stored.cursor))
        except (ExchangeRefused, ProtocolBroken) as error:
            if self.counted(listing) != before or not _doubts_place(error):
                raise
            # The place leads nowhere any more: from the beginning, once.
            self.books.forget_fetch(stored)
        return self._fetch(listing, listing.call)

    def _fetch(self, listing: Listing, call: Call[Page[Fact | Statement]]) -> Appended:
        total = Appended()
        with ahead(self.client.pages(call), PAGES_AHEAD, idle=self.alive) as pages:
            for page in pages:
                total += self._store(listing, page)
        return total

    def place(self, listing: Listing) -> Fetch | None:
        """How far a listing of the same window came before; `None`: it was not begun."""
        for fetch in self.books.fetches():
            stored = fetch.progress
            found = (stored.stream, stored.subaccount, stored.tier, stored.window_start)
            if found == (listing.stream, listing.subaccount, listing.tier, listing.since):
                return fetch
        return None

    def _interrupted(self, listing: Listing) -> Progress | None:
        fetch = self.place(listing)
        return None if fetch is None or fetch.progress.done else fetch.progress

    def counted(self, listing: Listing) -> int:
        """How many pages of a listing are stored."""
        fetch = self.place(listing)
        return 0 if fetch is None else fetch.pages

    def _store(self, listing: Listing, page: Page[Fact | Statement]) -> Appended:
        now = self.clock.now()
        source = listing.source
        done = not page.cursor
        appended = self.books.append(
            [
                Observation(item, source, now, raw)
                for item, raw in zip(page.items, page.raws, strict=True)
            ],
            stream=listing.stream,
            quarantined=[
                Quarantined(
                    listing.stream, record.reason, source, now, record.raw, listing.subaccount
                )
                for record in page.unreadable
            ],
            unknown_fields=page.unknown_fields,
            progress=Progress(
                stream=listing.stream,
                subaccount=listing.subaccount,
                shard=None,
                tier=listing.tier,
                window_start=listing.since,
                window_end=listing.until,
                cursor=page.cursor,
                done=done,
                at=now,
                covers=listing.covers if done else None,
            ),
        )
        if listing.heard is not None:
            listing.heard(page)
        self.alive()
        self.told(listing.words, len(page.items))
        return appended


def with_body(call: Call[T]) -> Call[tuple[bytes, T]]:
    """The same call giving the exchange's own words beside what they mean."""
    return Call(
        operation=call.operation,
        method=call.method,
        template=call.template,
        path=call.path,
        decode=lambda body: (body, call.decode(body)),
        query=call.query,
        body=call.body,
        signed=call.signed,
        idempotent=call.idempotent,
        cost=call.cost,
        unknown_fields=call.unknown_fields,
    )


def resume_listing(listing: Listing, stored: Progress) -> Listing:
    """A listing as it goes on from a stored place.

    What the exchange got since the interrupted fetch began stands before its
    first page, so it is not read here and not claimed.
    """
    until, covers = stored.window_end, listing.covers
    if until is None or covers is None:
        return replace(listing, until=until, covers=None)
    start, end = covers
    end = min(end, until)
    return replace(listing, until=until, covers=(start, end) if start < end else None)


def _doubts_place(error: ExchangeRefused | ProtocolBroken) -> bool:
    """Whether an error may come from the cursor and not from the key or the traffic."""
    return isinstance(error, ProtocolBroken) or error.status in _CURSOR_REFUSED


_CURSOR_REFUSED: Final = frozenset({400, 404, 410, 422})


class _Ahead(Generic[T]):
    """A thread that pulls items from a source and waits when it is far enough ahead."""

    def __init__(self, source: Iterable[T], count: int, idle: Callable[[], None]) -> None:
        self._source = source
        self._idle = idle
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(maxsize=count)
        self._stopped = Event()
        self._thread = Thread(target=self._pull, name="fetching ahead", daemon=True)
        self._thread.start()

    def _pull(self) -> None:
        try:
            for item in self._source:
                if self._stopped.is_set():
                    return
                self._queue.put((item,))
            self._queue.put(None)
        except BaseException as error:  # noqa: BLE001  # raised again by the consumer
            self._queue.put(error)

    def __iter__(self) -> Iterator[T]:
        while (got := self._next()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]

    def _next(self) -> tuple[T] | BaseException | None:
        while True:
            try:
                return self._queue.get(timeout=IDLE_SECONDS)
            except Empty:
                self._idle()

    def stop(self) -> None:
        """End the thread; what it pulled already is dropped.

        One that still waits for the exchange after a moment is left to end alone.
        """
        self._stopped.set()
        rounds = 0
        while self._thread.is_alive() and rounds * _STOP_STEP < STOP_SECONDS:
            while not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(timeout=_STOP_STEP)
            rounds += 1


_STOP_STEP: Final = 0.05


@contextmanager
def ahead(
    source: Iterable[T], count: int, *, idle: Callable[[], None] = do_nothing
) -> Generator[Iterator[T]]:
    """Iterate `source` in a thread of its own, at most `count` items ahead.

    `idle` is called now and then while there is nothing to take.  An error of the source is raised at the place where its item would have come.
    """
    pulling = _Ahead(source, count, idle)
    try:
        yield iter(pulling)
    finally:
        pulling.stop()
