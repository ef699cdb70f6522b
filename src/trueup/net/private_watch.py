"""Our fills and orders: each exactly once, whatever happens to the connection.

The exchange's private channels have no replay and sometimes say nothing at all, so
they are only the quick way.  The slow way is REST: it is read when the channel
begins, after every interruption, and every so often in between, from some time
before the last thing known (reads lag behind writes).  Whatever both tell counts
once: fills by (trade id, order id), orders by what is new about them.

A reader that is too slow costs nothing but time: fills that do not fit are
forgotten again and read through REST when there is room.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from trueup.core.announcements import Announcement, FillAnnounced, OrderAnnounced
from trueup.core.errors import ExchangeRefused, OutcomeUnknown, RateLimited
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import OrderId, Ticker, TradeId
from trueup.core.instant import MINUTE, SECOND, Instant
from trueup.core.orders import OrderStatus, is_terminal
from trueup.net.watch import LatestWatch, Watch
from trueup.wire.rest import portfolio
from trueup.wire.rest.call import Call, Page

T = TypeVar("T")

_PAGE: Final = 200
_STEP: Final = SECOND // 4
_REMEMBERED: Final = 4
"""How many overlaps longer than it could be needed the identity of a fill is kept."""

_PASSES_BY: Final = (OutcomeUnknown, RateLimited)


class Asker(Protocol):
    """Whoever can ask REST; an `AsyncClient` is one."""

    async def send(self, call: Call[T]) -> T:
        """Send one call and decode its answer."""
        ...

    def pages(self, call: Call[Page[T]]) -> AsyncIterator[Page[T]]:
        """All pages of a listing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """How REST backs a private channel.  Times in microseconds.

    `every` is the time between two readings when nothing seems wrong, `overlap`
    how far a reading reaches back before the last thing known, `settle` the wait
    before the second reading after an interruption, because reads lag behind
    writes.
    """

    every: int = MINUTE
    overlap: int = 5 * MINUTE
    settle: int = 3 * SECOND


class FillWatch(Watch[Filled]):
    """Fills, each once, as an async iterator."""

    def __init__(
        self,
        *,
        since: Instant,
        backing: Backing,
        tickers: frozenset[Ticker] | None,
        waiting_max: int,
        on_close: Callable[[Watch[Filled]], None],
    ) -> None:
        super().__init__(tickers=tickers, waiting_max=waiting_max, on_close=on_close)
        self._since = since
        self._backing = backing
        self._seen: dict[tuple[TradeId, OrderId], Instant] = {}
        self._known_until = since
        self._again_from: Instant | None = None
        self.found_by_rest = 0
        """Fills that the channel did not tell, or told later."""

    def hear(self, value: Announcement) -> None:
        """The channel told of a fill."""
        if isinstance(value, FillAnnounced):
            self._offer(value.filled)

    def _offer(self, filled: Filled) -> bool:
        """Queue a fill that is new; whether it was."""
        key = (filled.trade_id, filled.order_id)
        if key in self._seen or filled.at < self._since or not self.wants(filled.ticker):
            return False
        if len(self._waiting) >= self._waiting_max:
            # Not seen, then: the next reading finds it.
            first = filled.at if self._again_from is None else min(self._again_from, filled.at)
            self._again_from = first
            return False
        self._seen[key] = filled.at
        self._known_until = max(self._known_until, filled.at)
        self._waiting.append(filled)
        self.bell.ring()
        return True

    @property
    def is_behind(self) -> bool:
        """Whether fills did not fit and there is room for them again."""
        return self._again_from is not None and len(self._waiting) * 2 <= self._waiting_max

    async def read(self, asker: Asker) -> int:
        """Read what REST knows; how many fills were new."""
        start = Instant(max(self._since, self._known_until - self._backing.overlap))
        if self._again_from is not None:
            start = min(start, self._again_from)
        self._again_from = None
        found: list[Filled] = []
        call = portfolio.fills(min_at=Instant(start - SECOND), limit=_PAGE)
        async for page in asker.pages(call):
            found += page.items
        news = 0
        for filled in sorted(found, key=lambda one: (one.at, one.trade_id, one.order_id)):
            news += self._offer(filled)
        self._forget(start)
        self.found_by_rest += news
        return news

    def _forget(self, start: Instant) -> None:
        """Keys that no later reading can reach need not be remembered."""
        oldest = start - _REMEMBERED * self._backing.overlap
        self._seen = {key: at for key, at in self._seen.items() if at >= oldest}


class OrderWatch(LatestWatch[OrderReported]):
    """Orders, each when something is new about it; the latest state of each waits."""

    def __init__(
        self,
        *,
        since: Instant,
        backing: Backing,
        tickers: frozenset[Ticker] | None,
        on_close: Callable[[Watch[OrderReported]], None],
    ) -> None:
        super().__init__(tickers=tickers, key=lambda one: one.order_id, on_close=on_close)
        self._backing = backing
        self._read_at = since
        self._known: dict[OrderId, OrderReported] = {}
        self.found_by_rest = 0
        """States that the channel did not tell, or told later."""
        self.is_behind: Final = False

    def hear(self, value: Announcement) -> None:
        """The channel told of an order."""
        if isinstance(value, OrderAnnounced):
            self._offer(value.order)

    def _offer(self, reported: OrderReported) -> bool:
        known = self._known.get(reported.order_id)
        if not self.wants(reported.ticker) or (known is not None and not _is_news(known, reported)):
            return False
        self._known[reported.order_id] = reported
        self.put(reported)
        return True

    async def read(self, asker: Asker) -> int:
        """Read what REST knows: everything resting, everything new, and what was resting before."""
        start = Instant(self._read_at - self._backing.overlap)
        found: dict[OrderId, OrderReported] = {}
        newest = self._read_at
        for call in (
            portfolio.orders(status=OrderStatus.RESTING, limit=_PAGE),
            portfolio.orders(min_at=start, limit=_PAGE),
        ):
            async for page in asker.pages(call):
                found.update({one.order_id: one for one in page.items})
        resting = [one for one in self._known.values() if not is_terminal(one.status)]
        for gone in (one.order_id for one in resting if one.order_id not in found):
            try:
                found[gone] = await asker.send(portfolio.order(gone))
            except ExchangeRefused as error:
                if isinstance(error, _PASSES_BY):
                    raise
                # It is in the archive by now; whoever books it reads it there.
        news = 0
        for reported in sorted(found.values(), key=lambda one: (one.updated_at, one.order_id)):
            news += self._offer(reported)
            newest = max(newest, reported.updated_at)
        self._read_at = newest
        self._forget(Instant(start - self._backing.overlap))
        self.found_by_rest += news
        return news

    def _forget(self, oldest: Instant) -> None:
        self._known = {
            order_id: one
            for order_id, one in self._known.items()
            if not is_terminal(one.status) or one.updated_at >= oldest
        }


def _is_news(known: OrderReported, reported: OrderReported) -> bool:
    """Whether a report tells something newer: reads lag, and the two ways overtake each other."""
    if reported.fill_count < known.fill_count:
        return False
    if is_terminal(known.status) and not is_terminal(reported.status):
        return False
    if is_terminal(reported.status) and not is_terminal(known.status):
        return True
    state, before = _state(reported), _state(known)
    return state != before and reported.updated_at >= known.updated_at


def _state(order: OrderReported) -> tuple[object, ...]:
    return (order.status, order.fill_count, order.remaining_count, order.price, order.initial_count)


Told = Callable[[str, int], None]
"""Hears of every reading: why, and how much was new."""


async def keep_backed(
    watch: FillWatch | OrderWatch,
    asker: Asker,
    *,
    backing: Backing,
    interrupted: Callable[[], bool],
    sleep: Callable[[int], Awaitable[None]],
    told: Told,
) -> None:
    """Read REST for a watch as long as it is open.

    `interrupted` says, once for each time, that the channel may have missed
    something.  A reading that fails for a passing reason is made again soon.
    """
    left, due_in, why = 1, 0, "start"
    while not watch.bell.is_over:
        if interrupted():
            left, due_in, why = 2, 0, "interruption"
        elif watch.is_behind:
            left, due_in, why = max(left, 1), 0, "slow reader"
        elif not left and due_in <= 0:
            left, why = 1, "routine"
        if left and due_in <= 0:
            try:
                told(why, await watch.read(asker))
            except _PASSES_BY:
                due_in = SECOND
            else:
                left -= 1
                due_in = backing.settle if left else backing.every
        await sleep(_STEP)
        due_in -= _STEP
