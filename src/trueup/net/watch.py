"""What a program watches: a book, or a queue of news, each with its policy for slow readers.

- A `LiveBook` has no queue: it is the book as it is now.  Whoever looks rarely
  sees fewer states, never an old one.
- `Watch` holds news in the order in which they came, up to a bound.  When a
  reader is too slow the *oldest* are dropped and counted in `missed`: public
  news are better new than complete.
- `LatestWatch` keeps only the latest news for each market; none waits twice.
- The account's own fills and orders are in `private_watch`: nothing is dropped
  there, what does not fit is read again through REST.

All of them are for one event loop, and each for one reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from typing import Final, Generic, Self, TypeVar, cast

from trueup.core.announcements import Announcement
from trueup.core.errors import TrueupError
from trueup.core.ids import Ticker
from trueup.core.orderbook import Level, OrderBook
from trueup.core.units import Money, Price, Ratio

T = TypeVar("T")

WAITING_MAX: Final = 10_000
"""How many news may wait for a reader unless asked for otherwise."""


class Bell:
    """Lets one task wait until another has something for it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.is_rung = False
        self.failure: TrueupError | None = None
        self.is_over = False

    def ring(self) -> None:
        """Wake the reader."""
        self.is_rung = True
        self._event.set()

    def end(self, failure: TrueupError | None = None) -> None:
        """Nothing comes any more; with `failure` because of it."""
        self.is_over, self.failure = True, failure
        self._event.set()

    async def wait(self) -> None:
        """Wait for the next ring, or for the end.  Raises the failure that ended it."""
        await self._event.wait()
        self._event.clear()
        self.is_rung = False
        if self.is_over:
            self._event.set()
        if self.failure is not None:
            raise self.failure


class LiveBook:
    """The order book of one market, kept up to date while the client is open.

    Between a lost message and the next snapshot `is_valid` is false, and every
    question raises `BookUnknown` instead of showing an old price.
    """

    def __init__(self, book: OrderBook, on_close: Callable[[LiveBook], None]) -> None:
        self.book: Final = book
        self.bell: Final = Bell()
        self._on_close = on_close

    @property
    def ticker(self) -> Ticker:
        """The market."""
        return self.book.ticker

    @property
    def is_valid(self) -> bool:
        """Whether the book can be believed now."""
        return self.book.is_valid

    @property
    def best_bid(self) -> Price | None:
        """The highest price somebody buys YES at."""
        return self.book.best_bid

    @property
    def best_ask(self) -> Price | None:
        """The lowest price somebody sells YES at."""
        return self.book.best_ask

    @property
    def spread(self) -> Money | None:
        """Dollars a contract between the two."""
        return self.book.spread

    @property
    def mid(self) -> Ratio | None:
        """The middle between the two, exactly."""
        return self.book.mid

    def bids(self, levels_max: int | None = None) -> tuple[Level, ...]:
        """Bids from the best down."""
        return self.book.bids(levels_max)

    def asks(self, levels_max: int | None = None) -> tuple[Level, ...]:
        """Asks from the best up."""
        return self.book.asks(levels_max)

    async def changed(self) -> None:
        """Wait until the book changed, became valid or became invalid.

        Changes that come while nobody waits count once.
        """
        await self.bell.wait()

    async def valid(self) -> None:
        """Wait until the book can be believed.  Bound it with `asyncio.timeout`."""
        while not self.book.is_valid and not self.bell.is_over:
            await self.bell.wait()

    async def changes(self) -> AsyncIterator[OrderBook]:
        """The book after every change that it can be believed after; ends with `close`."""
        while not self.bell.is_over:
            await self.bell.wait()
            if self.book.is_valid and not self.bell.is_over:
                yield self.book

    def close(self) -> None:
        """Watch it no more."""
        if not self.bell.is_over:
            self.bell.end()
            self._on_close(self)

    def __repr__(self) -> str:
        return f"LiveBook({self.book!r})"


class Watch(Generic[T]):
    """News of one kind, as an async iterator.  The oldest are dropped for a slow reader.

    `tickers` narrows it down to some markets; `None` is everything.
    """

    def __init__(
        self,
        *,
        tickers: Iterable[Ticker] | None = None,
        waiting_max: int = WAITING_MAX,
        on_close: Callable[[Watch[T]], None],
    ) -> None:
        self.tickers: Final = None if tickers is None else frozenset(tickers)
        self.missed = 0
        """How many news were dropped because the reader was too slow."""
        self.bell: Final = Bell()
        self._waiting: deque[T] = deque()
        self._waiting_max = waiting_max
        self._on_close = on_close

    def wants(self, ticker: Ticker | None) -> bool:
        """Whether news about this market (or about none) belong here."""
        return self.tickers is None or ticker is None or ticker in self.tickers

    def hear(self, value: Announcement) -> None:
        """The exchange announced something of this watch's kind."""
        self.put(cast("T", value))

    def put(self, value: T) -> None:
        """Something came."""
        if len(self._waiting) >= self._waiting_max:
            self._waiting.popleft()
            self.missed += 1
        self._waiting.append(value)
        self.bell.ring()

    def take(self) -> T | None:
        """The next one, if one waits."""
        return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Watch it no more."""
        if not self.bell.is_over:
            self.bell.end()
            self._on_close(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while (value := self.take()) is None:
            if self.bell.is_over and self.bell.failure is None:
                raise StopAsyncIteration
            await self.bell.wait()
        return value


class LatestWatch(Watch[T]):
    """Only the latest news for each key; its place in the queue is that of the first."""

    def __init__(
        self,
        *,
        tickers: Iterable[Ticker] | None = None,
        key: Callable[[T], Hashable],
        on_close: Callable[[Watch[T]], None],
    ) -> None:
        super().__init__(tickers=tickers, on_close=on_close)
        self._key = key
        self._latest: dict[Hashable, T] = {}

    def put(self, value: T) -> None:
        """Something came; it takes the place of what waits for the same key."""
        self._latest[self._key(value)] = value
        self.bell.ring()

    def take(self) -> T | None:
        """The next one, if one waits."""
        if not self._latest:
            return None
        return self._latest.pop(next(iter(self._latest)))
