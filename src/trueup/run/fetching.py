"""Fetching one listing into the journal: page by page, resumable, one page ahead.

While a page is being stored the next one is already on its way, so the wait
for the exchange and the wait for the disk overlap.  The place of a fetch is
stored in the same transaction as its page: an interrupted fetch goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from threading import Event, Thread
from typing import Final, Generic, TypeVar

from trueup.core.facts import Fact, Source, Stream
from trueup.core.ids import Subaccount
from trueup.core.instant import Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.statements import Statement
from trueup.net.client import Client
from trueup.run.clock import Clock
from trueup.store.database import Books
from trueup.store.journal import Appended
from trueup.store.progress import Progress, Tier
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

PAGES_AHEAD: Final = 2
PAGE_SIZE: Final = 1000
"""The largest page most listings give; the deposits' listings give half."""

Told = Callable[[str, int], None]
"""Hears what is being fetched and how many records just came."""


def tell_nobody(what: str, records: int) -> None:
    """The listener of those who do not listen."""
    del what, records


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

    def fetch(self, listing: Listing) -> Appended:
        """Fetch one listing to its end; returns what was new.

        An interrupted resumable listing goes on from its stored place.  Raises
        what the client and the books raise; everything stored before is kept.
        """
        call = listing.call
        place = self._place(listing) if listing.resumable else ""
        if place:
            call = call.with_cursor(place)
        total = Appended()
        with ahead(self.client.pages(call), PAGES_AHEAD) as pages:
            for page in pages:
                total += self._store(listing, page)
        return total

    def _place(self, listing: Listing) -> str:
        for fetch in self.books.fetches():
            stored = fetch.progress
            same = (stored.stream, stored.subaccount, stored.tier) == (
                listing.stream,
                listing.subaccount,
                listing.tier,
            )
            if same and not stored.done and stored.window_start == listing.since:
                return stored.cursor
        return ""

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
                Quarantined(listing.stream, record.reason, source, now, record.raw)
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
        self.told(listing.words, len(page.items))
        return appended


class _Ahead(Generic[T]):
    """A thread that pulls items from a source and waits when it is far enough ahead."""

    def __init__(self, source: Iterable[T], count: int) -> None:
        self._source = source
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
        while (got := self._queue.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]

    def stop(self) -> None:
        """End the thread; what it pulled already is dropped."""
        self._stopped.set()
        while self._thread.is_alive():
            while not self._queue.empty():
                self._queue.get_nowait()
            self._thread.join(timeout=0.05)


@contextmanager
def ahead(source: Iterable[T], count: int) -> Generator[Iterator[T]]:
    """Iterate `source` in a thread of its own, at most `count` items ahead.

    An error of the source is raised at the place where its item would have come.
    """
    pulling = _Ahead(source, count)
    try:
        yield iter(pulling)
    finally:
        pulling.stop()
