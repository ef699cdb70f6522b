"""What to fetch about an account, in which order, and what that proves.

A *sync* asks for what is new: every stream from a little before the time it is
proven complete up to.  A *backfill* asks again for a whole window, from the live
tier first and then from the historical one, as the tiers overlap and move.  An
interrupted one goes on where it was, and then asks for what is new.
Balances and positions come last, so that what moved them is already here.

Rows of balances, positions and settlements do not name their subaccount, and
the defaults of the calls differ: these are asked for one subaccount at a time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.facts import Source, Stream
from trueup.core.ids import PRIMARY, Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.orders import OrderStatus
from trueup.run.fetching import Fetcher, Listing, with_body
from trueup.store.journal import Appended
from trueup.store.progress import Tier, as_coverage
from trueup.wire.rest import cash, historical, portfolio
from trueup.wire.rest.historical import Cutoffs

BEGINNING: Final = Instant(0)
"""Before the exchange existed."""

OVERLAP: Final = {Stream.FILLS: HOUR, Stream.ORDERS: DAY, Stream.SETTLEMENTS: 2 * DAY}
"""How far a sync reaches back behind what is covered: rows may appear late."""

UNATTRIBUTED: Final = "the account's listing has it, but that of no subaccount does"
"""Why a settlement row is in quarantine although it can be read."""


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
    resumed: bool = False
    """Whether it went on from a backfill that was interrupted."""

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
    def live_covers(self) -> tuple[Instant, Instant] | None:
        """What reading the live tier to its end proves."""
        start = max(self.since, self.live_from)
        return (start, self.now) if start < self.now else None

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
    listings: list[Listing] = []
    if since is not None:
        listings += _history(since, report, cutoffs)
        report.resumed = _fetch_rest(fetcher, listings, report)
    if since is None or report.resumed:
        # An interrupted backfill proves nothing about the time since it was begun.
        news = list(_news(fetcher, report, cutoffs))
        for listing in news:
            _fetch(fetcher, listing, report)
        listings += news
    for listing in _cash(now):
        _fetch(fetcher, listing, report)
    _compare_union(fetcher, report, listings)
    read_statements(fetcher, report, include_settled=since is not None)
    # A fill between the first listing and the balance would look like missing money.
    late = Window(since=Instant(now - HOUR), now=fetcher.clock.now(), live_from=BEGINNING)
    for listing in _fills(late, resumable=False):
        _fetch(fetcher, listing, report)
    _forget_places(fetcher, listings)
    return report


def _history(since: Instant, report: SyncReport, cutoffs: Cutoffs) -> Iterator[Listing]:
    """The listings of a backfill: every stream from one instant on."""

    def window(live_from: Instant) -> Window:
        return Window(since=since, now=report.started_at, live_from=live_from)

    yield from _fills(window(cutoffs.trades_created_at))
    yield from _orders(window(cutoffs.orders_updated_at))
    for subaccount in report.subaccounts:
        yield _settlements(window(cutoffs.market_settled_at), subaccount)


def _news(fetcher: Fetcher, report: SyncReport, cutoffs: Cutoffs) -> Iterator[Listing]:
    """The listings of a sync: every stream from where it is complete."""
    coverage = as_coverage(fetcher.books.coverage())

    def window(stream: Stream, live_from: Instant, subaccount: Subaccount | None = None) -> Window:
        spans = coverage.of(stream, subaccount)
        if stream is Stream.SETTLEMENTS:
            # Rows behind the live tier are gone: a gap there cannot be filled any more.
            spans = tuple(each for each in spans if each.until >= live_from) or spans[-1:]
        since = BEGINNING
        if spans:
            since = Instant(max(BEGINNING, spans[0].until - OVERLAP[stream]))
        if stream is Stream.ORDERS:
            since = min([since, *_resting_since(fetcher)])
        return Window(since=since, now=report.started_at, live_from=live_from)

    yield from _fills(window(Stream.FILLS, cutoffs.trades_created_at))
    yield from _orders(window(Stream.ORDERS, cutoffs.orders_updated_at))
    for subaccount in report.subaccounts:
        asked = window(Stream.SETTLEMENTS, cutoffs.market_settled_at, subaccount)
        yield _settlements(asked, subaccount)


def _resting_since(fetcher: Fetcher) -> Iterator[Instant]:
    """When the orders were made that rested when they were last seen: they may have changed."""
    for order in fetcher.books.orders(status=OrderStatus.RESTING.value):
        yield Instant(max(BEGINNING, order.created_at - HOUR))


def _fetch_rest(fetcher: Fetcher, listings: Iterable[Listing], report: SyncReport) -> bool:
    """Fetch what an interrupted backfill of the same window has not; was there one?"""
    resumed = False
    for listing in listings:
        place = fetcher.place(listing)
        resumed = resumed or place is not None
        if place is None or not place.progress.done:
            _fetch(fetcher, listing, report)
    return resumed


def _forget_places(fetcher: Fetcher, listings: Iterable[Listing]) -> None:
    """Everything from these windows on is here: their places are of no use any more."""
    whole = {
        (each.stream, each.subaccount, each.tier): each.since or BEGINNING for each in listings
    }
    for fetch in fetcher.books.fetches():
        stored = fetch.progress
        since = whole.get((stored.stream, stored.subaccount, stored.tier))
        if since is not None and (stored.window_start or BEGINNING) >= since:
            fetcher.books.forget_fetch(stored)


def find_subaccounts(fetcher: Fetcher) -> tuple[Subaccount, ...]:
    """The account's subaccounts; just the primary one where the exchange will not say."""
    try:
        rows = fetcher.client.send(cash.subaccount_balances())
    except ExchangeRefused as error:
        if error.status not in _MAY_NOT_SEE:
            raise
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
    raw, balance = fetcher.client.send(with_body(portfolio.balance(subaccount=subaccount)))
    now = fetcher.clock.now()
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


def _fills(window: Window, *, resumable: bool = True) -> Iterator[Listing]:
    yield Listing(
        stream=Stream.FILLS,
        call=portfolio.fills(min_at=window.asked_from),
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=resumable,
    )
    if window.needs_history:
        yield Listing(
            stream=Stream.FILLS,
            call=historical.fills(min_at=window.asked_from),
            tier=Tier.HISTORICAL,
            since=window.since,
            until=window.live_from,
            covers=(window.since, window.live_from),
            resumable=resumable,
        )


def _orders(window: Window) -> Iterator[Listing]:
    yield Listing(
        stream=Stream.ORDERS,
        call=portfolio.orders(min_at=window.asked_from),
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=True,
    )
    if window.needs_history:
        yield Listing(
            stream=Stream.ORDERS,
            call=historical.orders(min_at=window.asked_from),
            tier=Tier.HISTORICAL,
            since=window.since,
            until=window.live_from,
            covers=(window.since, window.live_from),
            resumable=True,
        )


def _settlements(window: Window, subaccount: Subaccount) -> Listing:
    return Listing(
        stream=Stream.SETTLEMENTS,
        call=portfolio.settlements(min_at=window.asked_from, subaccount=subaccount),
        subaccount=subaccount,
        since=window.since,
        until=window.now,
        covers=window.live_covers,
        resumable=True,
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


def _compare_union(fetcher: Fetcher, report: SyncReport, listings: Iterable[Listing]) -> None:
    """Hold the settlements of the single subaccounts against the listing over all of them.

    A row that no subaccount gave is kept as one that could not be attributed: it
    stays a break until a subaccount gives it.  The last hour is left for the next
    time, as rows may appear between the two listings.
    """
    since = min(
        (each.since or BEGINNING for each in listings if each.stream is Stream.SETTLEMENTS),
        default=BEGINNING,
    )
    known = Counter(row.ticker for row in fetcher.books.settlements(since=since))
    rows: defaultdict[Ticker, set[bytes]] = defaultdict(set)
    call = portfolio.settlements(min_at=None if since == BEGINNING else since)
    for page in fetcher.client.pages(call):
        for row, raw in zip(page.items, page.raws, strict=True):
            if since <= row.at <= report.started_at - HOUR:
                rows[row.ticker].add(bytes(raw))
        fetcher.told("settlements of all subaccounts", len(page.items))
    report.only_in_all = sorted(t for t, raws in rows.items() if len(raws) > known[t])
    unattributed = {raw for ticker in report.only_in_all for raw in rows[ticker]}
    explained = {raw for raws in rows.values() for raw in raws} - unattributed
    fetcher.books.forget_quarantined(
        [
            each
            for each in fetcher.books.quarantined()
            if each.reason == UNATTRIBUTED and each.raw in explained
        ]
    )
    now = fetcher.clock.now()
    fetcher.books.append(
        [],
        stream=Stream.SETTLEMENTS,
        quarantined=[
            Quarantined(Stream.SETTLEMENTS, UNATTRIBUTED, Source.REST, now, raw)
            for raw in sorted(unattributed)
        ],
    )
