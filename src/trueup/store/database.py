"""The books: one open database, and everything that can be done with it.

`open_books` opens (or makes) the database of one venue, mode and account, on
SQLite or PostgreSQL; `Books` is the handle.  A path, ``sqlite:///path`` or
``:memory:`` is SQLite; ``postgresql://…`` is PostgreSQL.  The in-memory form is
the same code on a database without a file: a fake that cannot drift.  Only one
process writes at a time (`trueup.store.lease`); reading is always possible.
Times are arguments, the store has no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

from trueup.core.facts import Filled, Opened, OrderReported, Settled, Stream
from trueup.core.ids import (
    ClientOrderId,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant
from trueup.core.observations import Observation, Quarantined, Recorded
from trueup.core.settlement import ReportTerms, SettlementReported
from trueup.core.statements import BalanceStated, MarketStated, PositionStated
from trueup.ledger.bare import BareReport
from trueup.ledger.breaks import Break
from trueup.ledger.coverage import Span
from trueup.ledger.entries import Entry, MarketBook, RoundTrip
from trueup.ledger.movements import CashMovement
from trueup.ledger.report_pages import ReportPages, Stranger
from trueup.store import (
    book_reading,
    break_register,
    journal,
    listing,
    order_reading,
    projections,
    proof_reading,
    quarantine,
    reading,
    settlement_reports,
    snapshots,
)
from trueup.store import progress as progress_of
from trueup.store.book_reading import ProfitRow, Totals
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.store.cache import CatalogCache
from trueup.store.driver import Driver
from trueup.store.handoff import Handoff
from trueup.store.journal import Appended
from trueup.store.lease import WriterLease
from trueup.store.listing import Leaf, Listed, ListedFill, SettledMarket
from trueup.store.opening import check_identity, open_driver
from trueup.store.progress import Covered, Fetch, Progress
from trueup.store.reading import Evidence, UnknownField
from trueup.store.selection import Selection
from trueup.store.session import Session
from trueup.store.settlement_reports import ReportCounts
from trueup.store.snapshots import Snapshot
from trueup.store.unbooked import UnbookedMarket, unbooked


class Wanted(TypedDict, total=False):
    """What a listing may be narrowed by; see `trueup.store.reading.Selection`."""

    ticker: Ticker | None
    subaccount: Subaccount | None
    shard: Shard | None
    since: Instant | None
    until: Instant | None
    newest_first: bool
    limit: int | None


class _Within(TypedDict, total=False):
    since: Instant | None
    until: Instant | None


def open_books(
    place: str | Path,
    *,
    venue: str,
    mode: str,
    account: str,
    create: bool = False,
    read_only: bool = False,
    patience_seconds: int = 10,
) -> Books:
    """Open the books of one venue, mode and account.

    With `create`, books that are not there yet are made.  `patience_seconds` is
    how long to wait for another writer.  Raises `BooksError` with a remedy: no
    such books, not a database, books of another account or version, locked,
    read-only, full disk, server not reachable.
    """
    identity = {"venue": venue, "mode": mode, "account": account}
    driver = open_driver(
        str(place),
        identity=identity,
        create=create and not read_only,
        read_only=read_only,
        patience_seconds=patience_seconds,
    )
    try:
        check_identity(driver, identity)
    except BaseException:
        driver.close()
        raise
    return Books(Session(driver, read_only), venue=venue, mode=mode, account=account)


class Books:
    """The open books of one account.  Close them, or use them as a context."""

    def __init__(self, session: Session, *, venue: str, mode: str, account: str) -> None:
        self._session = session
        self.driver: Driver = session.driver
        """The database itself, for maintenance."""
        self.cache = CatalogCache(session)
        """What is remembered about series, events, markets, fees and quotes."""
        self.lease = WriterLease(session)
        """Which process writes."""
        self.handoff = Handoff(session)
        """What other processes saw and handed over."""
        self.venue = venue
        self.mode = mode
        self.account = account

    @property
    def place(self) -> str:
        """Where the books are, for people; never with a password."""
        return self.driver.place

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.driver.dialect

    # Writing: the journal

    def append(
        self,
        observations: Sequence[Observation],
        *,
        stream: Stream,
        quarantined: Sequence[Quarantined] = (),
        unknown_fields: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> Appended:
        """Store one page of a stream: durable when this returns, all of it or nothing.

        Seeing the same content again changes nothing.  `progress` is the place
        of the running fetch after this page.  Raises `BooksError`.
        """
        return journal.append(
            self._session,
            observations,
            stream=stream,
            quarantined=quarantined,
            unknown_fields=unknown_fields,
            progress=progress,
        )

    def append_page(
        self, page: Observation, parties: Sequence[Observation]
    ) -> tuple[Appended, Appended]:
        """Store a page of a settlement report and what it says of its parties."""
        return journal.append_page(self._session, page, parties)

    def report_terms(self) -> ReportTerms:
        """How settlement reports are read."""
        return settlement_reports.read_terms(self._session, self.driver)

    def set_report_terms(self, terms: ReportTerms) -> bool:
        """Read settlement reports in another way from now on; returns whether that changes
        anything that is booked (then the projections were made again, to be booked).
        """
        changed = settlement_reports.set_terms(self._session, terms)
        if changed:
            self.rebuild()
        return changed

    def note_heard(self, stream: Stream, span: Span, session: str) -> None:
        """Note that a FIX session missed nothing of a stream in a span; any process may."""
        with self._session.writing(any_process=True) as transaction:
            progress_of.note_heard(transaction, stream, span, session)

    def heard(self, stream: Stream, session: str = "") -> tuple[Span, ...]:
        """For which times nothing that FIX told of a stream was missed (by one session)."""
        return progress_of.heard(self.driver, stream, session)

    def fetches(self) -> list[Fetch]:
        """Every fetch with its place; the running ones were interrupted or are under way."""
        return progress_of.fetches(self.driver)

    def forget_fetch(self, progress: Progress) -> None:
        """Drop the place of a fetch whose cursor the exchange no longer knows."""
        with self._session.writing() as transaction:
            progress_of.forget_fetch(transaction, progress)

    def coverage(self) -> list[Covered]:
        """For which time each stream is proven complete."""
        return progress_of.coverage(self.driver)

    # Writing: the books

    def unbooked(self, limit: int) -> list[UnbookedMarket]:
        """Up to `limit` markets to be booked again; fewer when they hold many facts."""
        return unbooked(self._session, limit)

    def write_market_books(self, books: Sequence[MarketBook]) -> None:
        """Replace the books of these markets, in one transaction."""
        projections.write_market_books(self._session, books)

    def unbooked_cash(self, limit: int) -> list[Recorded]:
        """All versions of up to `limit` deposits, withdrawals, transfers, openings to book."""
        return projections.unbooked_cash(self._session, limit)

    def write_cash_entries(self, entries: Sequence[Entry], recorded: Sequence[Recorded]) -> None:
        """Replace the entries of the cash facts in `recorded`, in one transaction."""
        projections.write_cash_entries(self._session, entries, recorded)

    def rebuild(self) -> int:
        """Make all projections again from the journal; everything is to be booked then.

        Returns how many versions were read.
        """
        # Imported here: it brings SQLAlchemy, which is slow to load and rarely needed.
        from trueup.store.rebuilding import rebuild  # noqa: PLC0415

        return rebuild(self._session)

    def count_unbooked(self) -> int:
        """How many markets and cash facts are still to be booked."""
        return projections.count_unbooked(self.driver)

    def mark_everything_unbooked(self) -> None:
        """Have all markets booked again, e.g. after the strategy rules changed."""
        projections.mark_everything(self._session)

    # Reading: what the exchange said

    def fills(self, **wanted: Unpack[Wanted]) -> Iterator[Filled]:
        """Fills in time order, the latest version of each."""
        return reading.fills(self.driver, Selection(**wanted))

    def fills_of(self, ticker: Ticker) -> list[Filled]:
        """The fills of one market in time order: quicker than `fills` for very many markets."""
        return reading.fills_of(self.driver, ticker)

    def settlements(self, **wanted: Unpack[Wanted]) -> Iterator[Settled]:
        """Settlement rows in time order, the latest version of each."""
        return reading.settlements(self.driver, Selection(**wanted))

    def orders(
        self, *, status: str | None = None, **wanted: Unpack[Wanted]
    ) -> Iterator[OrderReported]:
        """Orders by their last update, merged from all reports."""
        return reading.orders(self.driver, Selection(**wanted), status=status)

    def cash_facts(self) -> Iterator[tuple[Stream, Recorded]]:
        """Deposits, withdrawals, transfers and openings in time order, latest versions."""
        return reading.cash_facts(self.driver)

    def balance_readings(
        self,
        subaccount: Subaccount | None = None,
        shard: Shard | None = None,
        **wanted: Unpack[_Within],
    ) -> Iterator[BalanceStated]:
        """Balance readings of exactly this scope in time order; `None` is "all of them"."""
        selection = Selection(subaccount=subaccount, shard=shard, **wanted)
        return reading.balance_readings(self.driver, selection)

    def balance_scopes(self) -> list[tuple[Subaccount | None, Shard | None]]:
        """The scopes for which there are balance readings."""
        return reading.balance_scopes(self.driver)

    def latest_balances(self) -> list[BalanceStated]:
        """The newest balance reading of every scope."""
        return reading.latest_balances(self.driver)

    def latest_positions(self) -> Iterator[PositionStated]:
        """Positions as the exchange stated them last."""
        return reading.latest_positions(self.driver)

    def market(self, ticker: Ticker) -> MarketStated | None:
        """The latest statement about one market."""
        return reading.market(self.driver, ticker)

    def market_statements(self) -> Iterator[MarketStated]:
        """The latest statement about every market."""
        return reading.market_statements(self.driver)

    def client_order_ids(self) -> dict[OrderId, ClientOrderId]:
        """The client order id of every known order that has one."""
        return dict(reading.client_order_ids(self.driver))

    def revised(self) -> Iterator[tuple[Stream, Recorded]]:
        """All versions of every fact that the exchange has told otherwise later."""
        return reading.revised(self.driver)

    def evidence(self, stream: Stream, key: str) -> list[Evidence]:
        """All versions of one record with their raw payloads."""
        return reading.evidence(self.driver, stream, key)

    def quarantined(self) -> list[Quarantined]:
        """Everything that could not be read in full, raw."""
        return list(quarantine.quarantined(self.driver))

    def payloads(self, tickers: Iterable[str]) -> Iterator[tuple[str, Instant, bytes]]:
        """Everything ever said about some markets, raw: (name, observed at, payload)."""
        return reading.payloads(self.driver, tickers)

    def forget_quarantined(self, records: Iterable[Quarantined]) -> None:
        """Drop quarantined records that could be read meanwhile."""
        quarantine.forget(self._session, records)

    def unknown_fields(self) -> list[UnknownField]:
        """Fields that the exchange sends and trueup does not know yet."""
        return reading.unknown_fields(self.driver)

    def record_counts(self) -> dict[Stream, int]:
        """How many records of each stream are known."""
        return reading.record_counts(self.driver)

    # Reading: page by page

    def list_fills(self, leaf: Leaf) -> Listed[ListedFill]:
        """A page of fills, each with its order's own name."""
        return listing.list_fills(self.driver, leaf)

    def list_orders(self, leaf: Leaf) -> Listed[OrderReported]:
        """A page of orders."""
        return listing.list_orders(self.driver, leaf)

    def count_orders(self) -> int:
        """How many orders there are, exactly."""
        return listing.count_orders(self.driver)

    def list_settled(self, leaf: Leaf) -> Listed[SettledMarket]:
        """A page of markets that have paid out."""
        return listing.list_settled(self.driver, leaf)

    def changes(self) -> int:
        """Another number whenever another connection has written something meanwhile."""
        return listing.changes(self.driver, self.driver.dialect)

    # Reading: the books

    def cash_movements(
        self,
        subaccount: Subaccount | None = None,
        shard: Shard | None = None,
        **wanted: Unpack[_Within],
    ) -> Iterator[CashMovement]:
        """Every entry's change of cash in time order; `None` is "of any"."""
        selection = Selection(subaccount=subaccount, shard=shard, **wanted)
        return book_reading.cash_movements(self.driver, selection)

    def entries(self, **wanted: Unpack[Wanted]) -> Iterator[Entry]:
        """The ledger's entries with their postings in time order."""
        return book_reading.entries(self.driver, Selection(**wanted))

    def cash_entries(self) -> Iterator[Entry]:
        """The entries that belong to no market: deposits, transfers, openings; in time order."""
        return proof_reading.cash_entries(self.driver)

    def market_books(
        self, *, open_only: bool = False, ticker: Ticker | None = None
    ) -> Iterator[MarketBook]:
        """The book of every market (or of one) by ticker, without its entries and round trips."""
        return proof_reading.market_books(self.driver, open_only=open_only, ticker=ticker)

    def entries_of(self, stream: Stream, key: str, *, ticker: Ticker | None) -> list[Entry]:
        """The entries that book one record: its versions and what took them back."""
        return book_reading.entries_of(self.driver, stream, key, ticker=ticker)

    def fills_by_order(self) -> Iterator[Filled]:
        """All fills sorted by order, those of one order in time order."""
        return proof_reading.fills_by_order(self.driver)

    def orders_by_id(self) -> Iterator[OrderReported]:
        """All orders sorted by their id."""
        return proof_reading.orders_by_id(self.driver)

    def rested_orders(
        self, subaccount: Subaccount | None = None, shard: Shard | None = None
    ) -> Iterator[OrderReported]:
        """Every report of orders that rested, market by market, by each market's first order."""
        return order_reading.rested_orders(self.driver, subaccount, shard)

    def fills_of_one_side(self, *, told_by_fix: bool) -> Iterator[Filled]:
        """Fills that only FIX has told, or that everybody but FIX has."""
        return proof_reading.fills_of_one_side(self.driver, told_by_fix=told_by_fix)

    def reports(self) -> Iterator[BareReport]:
        """What FIX reported of every settlement of a known subaccount, by market."""
        return settlement_reports.reports(self.driver)

    def reports_of_day(self, day: str) -> Iterator[SettlementReported]:
        """What FIX reported of every party on a clearing date (ISO), by party and market."""
        return settlement_reports.reports_of_day(self.driver, day, self.report_terms())

    def report_pages(self, day: str = "") -> Iterator[ReportPages]:
        """How much came of every settlement's report (of a clearing date), by session."""
        return settlement_reports.report_pages(self.driver, day=day)

    def report_counts(self) -> ReportCounts:
        """How many pages of settlement reports came, and how."""
        return settlement_reports.report_counts(self.driver)

    def strangers(self) -> Iterator[Stranger]:
        """Parties of settlement reports that belong to no configured subaccount."""
        return settlement_reports.strangers(self.driver)

    def transfer_entries(self) -> Iterator[Entry]:
        """The entries of transfers between subaccounts or shards, in time order."""
        return proof_reading.transfer_entries(self.driver)

    def openings(self) -> Iterator[Opened]:
        """The operator's opening balances."""
        return proof_reading.openings(self.driver)

    def trades(self, **wanted: Unpack[Wanted]) -> Iterator[RoundTrip]:
        """Round trips by when they were opened."""
        return book_reading.trades(self.driver, Selection(**wanted))

    def pnl_rows(self, **wanted: Unpack[Wanted]) -> Iterator[ProfitRow]:
        """Realised P&L and fees by market, strategy and hour, summed by the database."""
        return book_reading.profit_rows(self.driver, Selection(**wanted))

    def totals(self) -> Totals:
        """Sums over all books."""
        return book_reading.totals(self.driver)

    def booking_breaks(self) -> Iterator[Break]:
        """What booking itself noticed."""
        return book_reading.booking_breaks(self.driver)

    # Breaks and snapshots

    def record_breaks(self, found: Iterable[Break], *, now: Instant) -> list[AgedBreak]:
        """Note what a complete reconciliation found; returns the whole register."""
        return break_register.record_found(self._session, found, now=now)

    def breaks(self) -> list[AgedBreak]:
        """Every break ever found with its age, oldest first."""
        return break_register.register(self.driver)

    def decide_break(
        self, identity: str, status: BreakStatus, *, reason: str, who: str, now: Instant
    ) -> AgedBreak:
        """Acknowledge, close or open again one break."""
        return break_register.decide(
            self._session, identity, status, reason=reason, who=who, now=now
        )

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Store the figures of a sync."""
        snapshots.save(self._session, snapshot)

    def snapshots(self, *, since: Instant | None = None) -> list[Snapshot]:
        """Snapshots, oldest first."""
        return snapshots.load(self.driver, since=since or Instant(0))

    def latest_snapshot(self) -> Snapshot | None:
        """The last snapshot: how old the figures are."""
        return snapshots.newest(self.driver)

    # The end

    def close(self) -> None:
        """Give the lease back and close the database."""
        try:
            self.lease.release()
        finally:
            self.driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
