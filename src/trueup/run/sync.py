"""What to fetch about an account, in which order, and what that proves.

A *sync* asks for what is new: every stream from a little before the time it is
proven complete up to.  A *backfill* asks again for a whole window, from the live
tier first and then from the historical one, as the tiers overlap and move.
Balances and positions come last, so that what moved them is already here.

Rows of balances, positions and settlements do not name their subaccount, and
the defaults of the calls differ: these are asked for one subaccount at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.facts import Source, Stream
from trueup.core.ids import PRIMARY, Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.observations import Observation
from trueup.core.orders import OrderStatus
from trueup.run.fetching import Fetcher, Listing
from trueup.store.journal import Appended
from trueup.store.progress import Tier
from trueup.wire.rest import cash, historical, portfolio
from trueup.wire.rest.historical import Cutoffs

BEGINNING: Final = Instant(0)
"""Before the exchange existed."""

OVERLAP: Final = {Stream.FILLS: HOUR, Stream.ORDERS: DAY, Stream.SETTLEMENTS: 2 * DAY}
"""How far a sync reaches back behind what is covered: rows may appear late."""


@dataclass(slots=True)
class SyncReport:
    """What a sync or a backfill brought, stream by stream."""

    started_at: Instant
    window_start: Instant
    subaccounts: tuple[Subaccount, ...]
    brought: dict[Stream, Appended] = field(default_factory=dict[Stream, Appended])
    notes: list[str] = field(default_factory=list[str])
    only_in_all: list[Ticker] = field(default_factory=list[Ticker])
    """Settled markets that the listing over all subaccounts has and no single one gave."""

    def add(self, stream: Stream, appended: Appended) -> None:
        """Count what a listing of a stream brought."""
        self.brought[stream] = self.brought.get(stream, Appended()) + appended

    @property
    def total(self) -> Appended:
        """Everything that was brought."""
        return sum(self.brought.values(), Appended())


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when a stream is asked for, and where the live tier begins."""

    since: Instant
    now: Instant
    live_from: Instant

    @property
    def live_covers(self) -> tuple[Instant, Instant]:
        """What reading the live tier to its end proves."""
        return (max(self.since, self.live_from), self.now)

    @property
    def needs_history(self) -> bool:
        """Whether the window reaches back behind the live tier."""
        return self.since < self.live_from

    @property
    def asked_from(self) -> Instant | None:
        """The time filter: none at all for "from the beginning"."""
        return None if self.since == BEGINNING else self.since


def sync_account(fetcher: Fetcher, *, since: Instant | None) -> SyncReport:
    """Fetch the account's streams into the journal.

    `since` is the start of a backfill (`BEGINNING` for everything); `None` asks
    for what is new.  Raises what the client and the books raise; everything
    stored before is kept, and the next call goes on.
    """
    now = fetcher.clock.now()
    cutoffs = fetcher.client.send(historical.cutoff())
    report = SyncReport(now, BEGINNING if since is None else since, find_subaccounts(fetcher))
    is_backfill = since is not None

    def window(stream: Stream, live_from: Instant) -> Window:
        start = since if since is not None else _covered_until(fetcher, stream)
        return Window(since=start, now=now, live_from=live_from)

    for listing in (
        *_fills(window(Stream.FILLS, cutoffs.trades_created_at), is_backfill),
        *_orders(window(Stream.ORDERS, cutoffs.orders_updated_at), is_backfill),
        *_settlements(window(Stream.SETTLEMENTS, cutoffs.market_settled_at), report.subaccounts),
        *_cash(now),
    ):
        _fetch(fetcher, listing, report)
    _compare_union(fetcher, report, cutoffs)
    read_statements(fetcher, report, include_settled=is_backfill)
    # A fill between the first listing and the balance would look like missing money.
    late = Window(since=Instant(now - HOUR), now=fetcher.clock.now(), live_from=BEGINNING)
    for listing in _fills(late, is_backfill=False):
        _fetch(fetcher, listing, report)
    return report


def find_subaccounts(fetcher: Fetcher) -> tuple[Subaccount, ...]:
    """The account's subaccounts; just the primary one where the exchange will not say."""
    try:
        rows = fetcher.client.send(cash.subaccount_balances())
    except ExchangeRefused:
        return (PRIMARY,)
    return tuple(sorted({PRIMARY} | {row.subaccount for row in rows}))


def read_statements(fetcher: Fetcher, report: SyncReport, *, include_settled: bool) -> None:
    """Read positions and balances of every subaccount: what the books are compared with."""
    for subaccount in report.subaccounts:
        _fetch(
            fetcher,
            Listing(
                stream=Stream.POSITIONS,
                subaccount=subaccount,
                call=portfolio.positions(
                    settlement_status="all" if include_settled else "unsettled",
                    subaccount=subaccount,
                ),
            ),
            report,
        )
        if include_settled:
            _fetch(
                fetcher,
                Listing(
                    stream=Stream.POSITIONS,
                    subaccount=subaccount,
                    tier=Tier.HISTORICAL,
                    call=historical.positions(subaccount=subaccount),
                ),
                report,
            )
        read_balance(fetcher, report, subaccount)


def read_balance(fetcher: Fetcher, report: SyncReport, subaccount: Subaccount) -> None:
    """Take a balance reading of one subaccount, over all shards and of each."""
    call = portfolio.balance(subaccount=subaccount)
    balance = fetcher.client.send(call)
    now = fetcher.clock.now()
    raw = f"{call.operation} subaccount={subaccount}".encode()
    appended = fetcher.books.append(
        [
            Observation(stated, Source.REST, now, raw)
            for stated in balance.statements(now, subaccount)
        ],
        stream=Stream.BALANCES,
    )
    report.add(Stream.BALANCES, appended)
    fetcher.told(f"balance of subaccount {subaccount}", 1)


def _fetch(fetcher: Fetcher, listing: Listing, report: SyncReport) -> None:
    """Fetch one listing; one that the key may not see is noted, not fatal."""
    try:
        report.add(listing.stream, fetcher.fetch(listing))
    except ExchangeRefused as error:
        if error.status not in _MAY_NOT_SEE or listing.stream not in _OPTIONAL:
            raise
        report.notes.append(f"{listing.words}: not available to this key ({error})")


_MAY_NOT_SEE: Final = frozenset({403, 404})
_OPTIONAL: Final = frozenset(
    {Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.TRANSFERS, Stream.SHARD_TRANSFERS}
)


def _covered_until(fetcher: Fetcher, stream: Stream) -> Instant:
    """From where to ask for news: what is covered, less the overlap."""
    ends = [each.end for each in fetcher.books.coverage() if each.stream is stream]
    if not ends:
        return BEGINNING
    start = Instant(max(BEGINNING, max(ends) - OVERLAP[stream]))
    if stream is Stream.ORDERS:
        resting = fetcher.books.orders(status=OrderStatus.RESTING.value)
        start = min([start, *(Instant(order.created_at - HOUR) for order in resting)])
    return start


def _fills(window: Window, is_backfill: bool) -> Iterator[Listing]:
    yield Listing(
        stream=Stream.FILLS,
        call=portfolio.fills(min_at=window.asked_from),
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=is_backfill,
    )
    if window.needs_history:
        yield Listing(
            stream=Stream.FILLS,
            call=historical.fills(min_at=window.asked_from),
            tier=Tier.HISTORICAL,
            since=window.since,
            until=window.live_from,
            covers=(window.since, window.live_from),
            resumable=is_backfill,
        )


def _orders(window: Window, is_backfill: bool) -> Iterator[Listing]:
    yield Listing(
        stream=Stream.ORDERS,
        call=portfolio.orders(min_at=window.asked_from),
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=is_backfill,
    )
    if window.needs_history:
        yield Listing(
            stream=Stream.ORDERS,
            call=historical.orders(min_at=window.asked_from),
            tier=Tier.HISTORICAL,
            since=window.since,
            until=window.live_from,
            covers=(window.since, window.live_from),
            resumable=is_backfill,
        )


def _settlements(window: Window, subaccounts: tuple[Subaccount, ...]) -> Iterator[Listing]:
    for subaccount in subaccounts:
        yield Listing(
            stream=Stream.SETTLEMENTS,
            call=portfolio.settlements(min_at=window.asked_from, subaccount=subaccount),
            subaccount=subaccount,
            since=window.since,
            until=window.now,
            covers=window.live_covers,
        )


def _cash(now: Instant) -> Iterator[Listing]:
    """Cash movements: short listings, read whole each time."""
    calls: tuple[tuple[Stream, Callable[[], object]], ...] = (
        (Stream.DEPOSITS, cash.deposits),
        (Stream.WITHDRAWALS, cash.withdrawals),
        (Stream.TRANSFERS, cash.subaccount_transfers),
        (Stream.SHARD_TRANSFERS, cash.shard_transfers),
    )
    for stream, call in calls:
        yield Listing(
            stream=stream,
            call=call(),  # type: ignore[arg-type]  # each gives a listing of facts
            since=BEGINNING,
            until=now,
            covers=(BEGINNING, now),
        )


def _compare_union(fetcher: Fetcher, report: SyncReport, cutoffs: Cutoffs) -> None:
    """Hold the settlements of the single subaccounts against the listing over all of them."""
    since = None if report.window_start == BEGINNING else report.window_start
    known = {row.ticker for row in fetcher.books.settlements(since=cutoffs.market_settled_at)}
    for page in fetcher.client.pages(portfolio.settlements(min_at=since)):
        report.only_in_all.extend(row.ticker for row in page.items if row.ticker not in known)
