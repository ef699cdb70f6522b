"""What to fetch about an account, in which order, and what that proves.

A *sync* asks for what is new: every stream from a little before the time it is
proven complete up to.  A *backfill* asks again for a whole window, from the live
tier first and then from the historical one, as the tiers overlap and move.  An
interrupted one goes on where it was, and then asks for what is new.
Balances and positions come last, so that what moved them is already here.

Rows of balances, positions and settlements do not name their subaccount, and
the defaults of the calls differ: these are asked for one subaccount at a time,
for every one that the exchange lists or that a fill, an order or a transfer
names.  A key that is locked to one subaccount is asked for that one, and what it
brings proves that one complete, not the account.

What the exchange refuses to this key is noted, and the certificate names it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from trueup.core.errors import ExchangeRefused
from trueup.core.facts import Fact, Source, Stream
from trueup.core.ids import PRIMARY, Subaccount, Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.observations import Observation, Quarantined
from trueup.core.orders import OrderStatus
from trueup.core.statements import PositionStated, Statement
from trueup.ledger.coverage import Tier
from trueup.ledger.position_check import nothing_left
from trueup.run.books import listings as listing_of
from trueup.run.books.fetching import Fetcher, Listing, with_body
from trueup.run.books.listings import BEGINNING, Window
from trueup.run.books.subaccounts import MAY_NOT_SEE, find_subaccounts
from trueup.store.journal import Appended
from trueup.store.progress import NOT_FOR_THIS_KEY, Progress, as_coverage
from trueup.store.proof_reading import pots
from trueup.wire.rest import historical, portfolio
from trueup.wire.rest.call import Page
from trueup.wire.rest.historical import Cutoffs

OVERLAP: Final = {Stream.FILLS: HOUR, Stream.ORDERS: DAY, Stream.SETTLEMENTS: 2 * DAY}
"""How far a sync reaches back behind what is covered: rows may appear late."""

BORDER_MARGIN: Final = DAY
"""By how much the live tier may shrink while it is read: so much of it is read in both tiers."""

UNATTRIBUTED: Final = "the account's listing has it, but that of no subaccount does"
"""Why a settlement row is in quarantine although it can be read."""


@dataclass(slots=True)
class SyncReport:
    """What a sync or a backfill brought, stream by stream."""

    started_at: Instant
    window_start: Instant
    subaccounts: tuple[Subaccount, ...]
    locked: bool = False
    """Whether the key may see this one subaccount only."""
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
    def view(self) -> Subaccount | None:
        """Whose records the listings of the account show; `None`: those of all subaccounts."""
        return self.subaccounts[0] if self.locked else None

    @property
    def total(self) -> Appended:
        """Everything that was brought."""
        return sum(self.brought.values(), Appended())


def sync_account(fetcher: Fetcher, *, since: Instant | None) -> SyncReport:
    """Fetch the account's streams into the journal.

    `since` is the start of a backfill (`BEGINNING` for everything); `None` asks
    for what is new.  Raises what the client and the books raise; everything
    stored before is kept, and the next call goes on.
    """
    now = fetcher.clock.now()
    cutoffs = fetcher.client.send(historical.cutoff())
    found = find_subaccounts(fetcher)
    report = SyncReport(now, BEGINNING if since is None else since, found.subaccounts, found.locked)
    report.notes.extend(found.notes)
    listings: list[Listing] = []
    if since is None and _was_interrupted(fetcher, report):
        # The first sync goes back to the beginning too; what it missed nothing else would ask for.
        since = BEGINNING
    if since is not None:
        report.resumed = _fetch_rest(
            fetcher, _history(fetcher, since, report, cutoffs), report, listings
        )
    if since is None or report.resumed:
        # An interrupted backfill proves nothing about the time since it was begun.
        for listing in _news(fetcher, report, cutoffs):
            _fetch(fetcher, listing, report)
            listings.append(listing)
    for listing in listing_of.cash_movements(now, report.view):
        _fetch(fetcher, listing, report)
    for listing in _settlements_of_new(fetcher, report, cutoffs, listings):
        _fetch(fetcher, listing, report)
        listings.append(listing)
    _compare_union(fetcher, report, listings)
    read_statements(fetcher, report, include_settled=since is not None)
    # A fill between the first listing and the balance would look like missing money, and so
    # would an order that came to rest in between: it ties up cash.
    late = Window(since=Instant(now - HOUR), now=fetcher.clock.now(), live_from=BEGINNING)
    for listing in listing_of.orders(late, report.view, resumable=False):
        _fetch(fetcher, listing, report)
    for listing in listing_of.fills(late, report.view, resumable=False):
        _fetch(fetcher, listing, report)
    _forget_places(fetcher, listings)
    return report


def _was_interrupted(fetcher: Fetcher, report: SyncReport) -> bool:
    """Whether a fetch since the beginning was begun and never came to its end.

    One that a key of another view began is of no concern to this one.
    """
    begun = [
        each.progress
        for each in fetcher.books.fetches()
        if each.progress.window_start == BEGINNING and each.progress.stream in OVERLAP
    ]
    return any(
        each.subaccount in report.subaccounts
        if each.stream is Stream.SETTLEMENTS
        else each.subaccount == report.view
        for each in begun
    )


def _history(
    fetcher: Fetcher, since: Instant, report: SyncReport, cutoffs: Cutoffs
) -> Iterator[Listing]:
    """The listings of a backfill: every stream from one instant on."""

    def window(live_from: Instant) -> Window:
        return Window(since=since, now=report.started_at, live_from=live_from)

    yield from listing_of.fills(window(_border(cutoffs.trades_created_at)), report.view)
    yield from listing_of.orders(window(_border(cutoffs.orders_updated_at)), report.view)
    _widen(fetcher, report)
    for subaccount in report.subaccounts:
        yield listing_of.settlements(window(cutoffs.market_settled_at), subaccount)


def _news(fetcher: Fetcher, report: SyncReport, cutoffs: Cutoffs) -> Iterator[Listing]:
    """The listings of a sync: every stream from where it is complete."""
    coverage = as_coverage(fetcher.books.coverage())

    def window(stream: Stream, live_from: Instant) -> Window:
        spans = coverage.fetched(stream, report.view)
        since = BEGINNING
        if spans:
            since = Instant(max(BEGINNING, spans[0].until - OVERLAP[stream]))
        if stream is Stream.ORDERS:
            since = min([since, *_resting_since(fetcher)])
        return Window(since=since, now=report.started_at, live_from=live_from)

    fills_window = window(Stream.FILLS, _border(cutoffs.trades_created_at))
    orders_window = window(Stream.ORDERS, _border(cutoffs.orders_updated_at))
    yield from listing_of.fills(fills_window, report.view)
    yield from listing_of.orders(orders_window, report.view)
    _widen(fetcher, report)
    for subaccount in report.subaccounts:
        yield _news_of_settlements(fetcher, report, cutoffs, subaccount)


def _border(cutoff: Instant) -> Instant:
    """From where on the live tier surely holds everything while it is being read."""
    return Instant(cutoff + BORDER_MARGIN)


def _news_of_settlements(
    fetcher: Fetcher, report: SyncReport, cutoffs: Cutoffs, subaccount: Subaccount
) -> Listing:
    spans = as_coverage(fetcher.books.coverage()).fetched(Stream.SETTLEMENTS, subaccount)
    live_from = cutoffs.market_settled_at
    # Rows behind the live tier are gone: a gap there cannot be filled any more.
    spans = tuple(each for each in spans if each.until >= live_from) or spans[-1:]
    since = BEGINNING
    if spans:
        since = Instant(max(BEGINNING, spans[0].until - OVERLAP[Stream.SETTLEMENTS]))
    asked = Window(since=since, now=report.started_at, live_from=live_from)
    return listing_of.settlements(asked, subaccount)


def _settlements_of_new(
    fetcher: Fetcher, report: SyncReport, cutoffs: Cutoffs, listings: Iterable[Listing]
) -> Iterator[Listing]:
    """The settlements of subaccounts that only a transfer has named."""
    _widen(fetcher, report)
    asked = {each.subaccount for each in listings if each.stream is Stream.SETTLEMENTS}
    for subaccount in report.subaccounts:
        if subaccount not in asked:
            yield _news_of_settlements(fetcher, report, cutoffs, subaccount)


def _widen(fetcher: Fetcher, report: SyncReport) -> None:
    """Ask also for the subaccounts that facts name, listed or not."""
    if report.locked:
        return
    named = {subaccount for subaccount, _ in pots(fetcher.books.driver)}
    report.subaccounts = tuple(sorted({*report.subaccounts, *named}))


def _resting_since(fetcher: Fetcher) -> Iterator[Instant]:
    """When the orders were made that rested when they were last seen: they may have changed."""
    for order in fetcher.books.orders(status=OrderStatus.RESTING.value):
        yield Instant(max(BEGINNING, order.created_at - HOUR))


def _fetch_rest(
    fetcher: Fetcher, wanted: Iterable[Listing], report: SyncReport, listings: list[Listing]
) -> bool:
    """Fetch what an interrupted backfill of the same window has not; was there one?

    What is `wanted` is added to `listings`.
    """
    resumed = False
    for listing in wanted:
        place = fetcher.place(listing)
        resumed = resumed or place is not None
        if place is None or not place.progress.done:
            _fetch(fetcher, listing, report)
        listings.append(listing)
    return resumed


def _forget_places(fetcher: Fetcher, listings: Iterable[Listing]) -> None:
    """Everything from these windows on is here: their places are of no use any more."""
    whole = {
        (each.stream, each.subaccount, each.tier): each.since or BEGINNING for each in listings
    }
    for fetch in fetcher.books.fetches():
        stored = fetch.progress
        since = whole.get((stored.stream, stored.subaccount, stored.tier))
        if since is None:
            since = whole.get((stored.stream, None, stored.tier))
        if since is not None and (stored.window_start or BEGINNING) >= since:
            fetcher.books.forget_fetch(stored)


def read_statements(fetcher: Fetcher, report: SyncReport, *, include_settled: bool) -> None:
    """Read positions and balances of every subaccount: what the books are compared with."""
    for subaccount in report.subaccounts:
        started_at = fetcher.clock.now()
        shown = _Shown()
        listings = [
            Listing(
                stream=Stream.POSITIONS,
                subaccount=subaccount,
                call=portfolio.positions(
                    settlement_status="all" if include_settled else "unsettled",
                    subaccount=subaccount,
                ),
                heard=shown,
            )
        ]
        if include_settled:
            listings.append(
                Listing(
                    stream=Stream.POSITIONS,
                    subaccount=subaccount,
                    tier=Tier.HISTORICAL,
                    call=historical.positions(subaccount=subaccount),
                    heard=shown,
                )
            )
        try:
            for listing in listings:
                _fetch(fetcher, listing, report)
            _note_gone(fetcher, report, shown, subaccount=subaccount, at=started_at)
            read_balance(fetcher, report, subaccount)
        except ExchangeRefused as error:
            if error.status not in MAY_NOT_SEE or subaccount == PRIMARY or report.locked:
                raise
            report.notes.append(f"subaccount {subaccount}: not available to this key ({error})")


def _note_gone(
    fetcher: Fetcher, report: SyncReport, shown: _Shown, *, subaccount: Subaccount, at: Instant
) -> None:
    """State as gone what was a position before and is in no page of complete listings."""
    if shown.unreadable:
        return
    gone = [
        nothing_left(stated, at)
        for stated in fetcher.books.latest_positions()
        if stated.subaccount == subaccount and stated.net and stated.ticker not in shown.tickers
    ]
    appended = fetcher.books.append(
        [Observation(stated, Source.REST, at, b"") for stated in gone], stream=Stream.POSITIONS
    )
    report.add(Stream.POSITIONS, appended)


@dataclass(slots=True)
class _Shown:
    """What the pages of positions listings showed."""

    tickers: set[str] = field(default_factory=set[str])
    unreadable: int = 0

    def __call__(self, page: Page[Fact | Statement]) -> None:
        self.tickers.update(each.ticker for each in page.items if isinstance(each, PositionStated))
        self.unreadable += len(page.unreadable)


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
        if error.status not in MAY_NOT_SEE or listing.stream not in _OPTIONAL:
            raise
        report.notes.append(f"{listing.words}: not available to this key ({error})")
        _remember_refusal(fetcher, listing)


def _remember_refusal(fetcher: Fetcher, listing: Listing) -> None:
    fetcher.books.append(
        [],
        stream=listing.stream,
        progress=Progress(
            stream=listing.stream,
            subaccount=listing.subaccount,
            shard=None,
            tier=listing.tier,
            window_start=listing.since,
            window_end=None,
            cursor=NOT_FOR_THIS_KEY,
            done=True,
            at=fetcher.clock.now(),
        ),
    )


_OPTIONAL: Final = frozenset(
    {Stream.DEPOSITS, Stream.WITHDRAWALS, Stream.TRANSFERS, Stream.SHARD_TRANSFERS}
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
    asked_from = None if since == BEGINNING else since
    call = portfolio.settlements(min_at=asked_from, subaccount=report.view)
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
