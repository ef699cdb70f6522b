"""The front door: one account, and everything that can be asked or done about its books.

A few lines do the whole of it:

    import trueup

    with trueup.open_account() as account:
        account.sync()
        print(account.reconcile().verdict.words())
        for position in account.get_open_positions_summary():
            print(position["ticker"], position["quantity"], position["unrealized_pnl"])

Without any configuration that is the built-in sandbox, which needs no key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from trueup.core.errors import OutcomeUnknown, ProtocolBroken, RateLimited
from trueup.core.facts import Opened, Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.instant import DAY, SECOND, Instant, parse_instant
from trueup.core.observations import Observation
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.report import (
    By,
    CategoryRule,
    Naming,
    PnlLine,
    open_positions_summary,
    pnl,
    total_line,
)
from trueup.net.session import Event, ignore_event
from trueup.run import views
from trueup.run.books.booking import Booked, book_new, report_terms, strategies
from trueup.run.books.fetching import Fetcher, Told, tell_nobody
from trueup.run.books.listings import BEGINNING
from trueup.run.books.metadata import MetadataReport, refresh_metadata
from trueup.run.books.profit import earned, earned_by_strategy
from trueup.run.books.proving import Proof, Reconciliation, prove_cash, reconcile_books
from trueup.run.books.rereading import reread_kept_of_fix, reread_quarantined
from trueup.run.books.sync import SyncReport, sync_account
from trueup.run.clock import Clock, SystemClock
from trueup.run.desk import Desk, read_desk_settings
from trueup.run.views import Row
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.store.database import Books
from trueup.store.snapshots import Snapshot

LEASE_PATIENCE_SECONDS: Final = 30
BEAT_EVERY: Final = 15 * SECOND
"""How often a holder of the writer lease says that it lives."""

_CANNOT_ASK: Final = (OutcomeUnknown, RateLimited, ProtocolBroken)
"""The exchange cannot be asked just now: no answer, too many requests, or no sense in it."""


_LOCAL: Final = "The figures are those of the local books."


def _ignore(words: str) -> None:
    del words


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync or backfill did, from the wire to the books."""

    fetched: SyncReport
    metadata: MetadataReport
    booked: Booked
    snapshot: Snapshot


class Account:
    """One account at one venue.  Close it, or use it as a context."""

    def __init__(
        self,
        desk: Desk,
        *,
        told: Told = tell_nobody,
        on_wait: Callable[[str], None] = _ignore,
    ) -> None:
        self.desk = desk
        self._told = told
        self._on_wait = on_wait
        # The lease goes by the machine's time: a sandbox world has its own date.
        self._lease_clock = SystemClock()
        self._beaten_at = Instant(0)

    @property
    def venue(self) -> str:
        """``sandbox``, ``demo`` or ``prod``."""
        return self.desk.settings.venue.value

    @property
    def name(self) -> str:
        """The account's name in the configuration."""
        return self.desk.settings.config.account

    @property
    def books(self) -> Books:
        """The books themselves, for everything that has no method here.

        Raises `BooksError` when there are none yet: a sync makes them.
        """
        return self.desk.books(create=False)

    def now(self) -> Instant:
        """The account's time (the sandbox world has its own)."""
        return self.desk.clock.now()

    def as_of(self) -> Instant | None:
        """When the exchange was last asked; `None` before the first sync."""
        if not self.desk.has_books():
            return None
        snapshot = self.books.latest_snapshot()
        return None if snapshot is None else snapshot.at

    # Doing

    def sync(self) -> Synced:
        """Fetch what is new, book it, and store a snapshot."""
        return self._fetch(since=None)

    def backfill(self, *, days: int | None = None) -> Synced:
        """Fetch the whole history again, or that of the last `days`: both tiers, resumable.

        The days begin at midnight UTC, so that an interrupted one finds its place again.
        """
        since = BEGINNING
        if days is not None:
            start = self.now() - days * DAY
            since = Instant(max(0, start - start % DAY))
        return self._fetch(since=since)

    def open_with(self, cash: Money, *, at: str) -> None:
        """State an opening balance of the primary account, where early history is gone.

        `at` is RFC 3339.  It is booked as what it is, the operator's word, and
        the proof begins there.  Raises `NotANumber` for what is no time.
        """
        now = self.now()
        opened = Opened(
            cash=cash,
            at=parse_instant(at),
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
            note="stated by the operator",
        )
        with self.writing("opening balance"):
            self.books.append(
                [Observation(opened, Source.OPERATOR, now, b"")], stream=Stream.OPENING
            )
            self.book()

    def book(self) -> Booked:
        """Book what the journal has and the books have not."""
        settings = self.desk.settings
        self.books.set_report_terms(report_terms(settings.config))
        return book_new(
            self.books, precision=settings.precision, config=settings.config, alive=self._beat
        )

    def follow_report_terms(self) -> None:
        """Book settlement reports anew where the configured parties or unit have changed."""
        books, terms = self.books, report_terms(self.desk.settings.config)
        if books.report_terms() != terms:
            with self.writing("report terms"):
                self.book()

    def _fetch(self, *, since: Instant | None) -> Synced:
        # Asked before any books are made: a wrong key leaves nothing behind.
        self.desk.client().learn_limits()
        with self.writing("sync"):
            fetcher = self.fetcher()
            reread_quarantined(self.books)
            fetched = sync_account(fetcher, since=since)
            reread_kept_of_fix(self.books)
            metadata = refresh_metadata(fetcher)
            booked = self.book()
            snapshot = self._snapshot()
        return Synced(fetched, metadata, booked, snapshot)

    def fetcher(self) -> Fetcher:
        """What brings listings into the books; use it while `writing`."""

        def told(what: str, records: int) -> None:
            self._beat()
            self._told(what, records)

        return Fetcher(
            client=self.desk.client(),
            books=self.books,
            clock=self.desk.clock,
            told=told,
            alive=self._beat,
        )

    @contextmanager
    def writing(
        self, role: str, *, on_wait: Callable[[str], None] | None = None
    ) -> Generator[None]:
        """Hold the writer lease; waits for its holder and says so.  Makes absent books."""
        books = self.desk.books()
        say = on_wait or self._on_wait
        books.lease.wait(
            role=role,
            now=self._lease_clock.now,
            sleep=lambda seconds: self._lease_clock.sleep(round(seconds * SECOND)),
            patience_seconds=LEASE_PATIENCE_SECONDS,
            on_wait=lambda holder: say(f"Waiting for {holder.words()}: it writes the books."),
        )
        self._beaten_at = self._lease_clock.now()
        try:
            while books.handoff.waiting():
                books.handoff.drain()
            yield
        finally:
            books.lease.release()

    def _beat(self) -> None:
        """Say now and then that the holder of the lease lives."""
        now = self._lease_clock.now()
        if now - self._beaten_at >= BEAT_EVERY:
            self.books.lease.beat(now=now)
            self._beaten_at = now

    def _snapshot(self) -> Snapshot:
        books, now = self.books, self.now()
        balance, value = ZERO_MONEY, ZERO_MONEY
        value_known = True
        for reading in books.latest_balances():
            if reading.shard is not None:
                continue
            balance += reading.low
            value_known = value_known and reading.portfolio_value is not None
            value += reading.portfolio_value or ZERO_MONEY
        totals = books.totals()
        marks = [each.unrealized for each in views.open_positions(books)]
        unrealized = sum((each for each in marks if each is not None), ZERO_MONEY)
        snapshot = Snapshot(
            at=now,
            balance=balance,
            portfolio_value=value if value_known else None,
            equity=balance + value if value_known else None,
            positions=totals.open_positions,
            realized=totals.realized,
            unrealized=None if None in marks else unrealized,
            fees=totals.fees,
        )
        books.save_snapshot(snapshot)
        return snapshot

    # Asking

    def prove(self) -> Proof:
        """The cash proof: is every movement of the balance explained?"""
        settings = self.desk.settings
        return prove_cash(
            self.books,
            precision=settings.precision,
            now=self.now(),
            collateral_return_since=settings.collateral_return_since,
        )

    def reconcile(self) -> Reconciliation:
        """Compare the books with everything the exchange states; notes the breaks."""
        books = self.books
        with self.writing("reconcile"):
            if books.report_terms() != report_terms(self.desk.settings.config):
                self.book()
            return reconcile_books(
                books,
                precision=self.desk.settings.precision,
                now=self.now(),
                collateral_return_since=self.desk.settings.collateral_return_since,
            )

    def judge(self) -> Reconciliation:
        """The same without noting anything: for readers, who take no lease."""
        settings = self.desk.settings
        return reconcile_books(
            self.books,
            precision=settings.precision,
            now=self.now(),
            collateral_return_since=settings.collateral_return_since,
            noting=False,
        )

    def balances(self) -> list[Row]:
        """The newest balance readings beside the books."""
        return views.balances(self.books, now=self.now())

    def positions(self, *, ticker: str = "") -> list[Row]:
        """Open positions."""
        return views.positions(self.books, ticker=ticker, now=self.now())

    def orders(self, *, ticker: str = "", status: str = "", limit: int = 100) -> list[Row]:
        """Orders, newest first."""
        return views.orders(self.books, ticker=ticker, status=status, limit=limit)

    def fills(self, *, ticker: str = "", limit: int = 100) -> list[Row]:
        """Fills, newest first."""
        return views.fills(self.books, ticker=ticker, limit=limit)

    def settlements(self, *, ticker: str = "", limit: int = 100) -> list[Row]:
        """Settled markets, newest first."""
        return views.settlements(self.books, ticker=ticker, limit=limit)

    def get_open_positions_summary(self) -> list[Row]:
        """Open positions: ticker, quantity, side, avg_price, unrealized_pnl, realized_pnl.

        All figures are exact: `quantity` is a `Count` of contracts, `avg_price` the
        exact average in dollars per contract of `side` (a `Ratio`), the two P&L
        figures `Money` in dollars, before fees; `unrealized_pnl` is `None` where
        nobody quotes the market.
        """
        summaries = open_positions_summary(views.open_positions(self.books))
        return [
            {
                "ticker": each.ticker,
                "quantity": each.quantity,
                "side": each.side.value,
                "avg_price": each.avg_price,
                "unrealized_pnl": each.unrealized_pnl,
                "realized_pnl": each.realized_pnl,
            }
            for each in summaries
        ]

    def pnl(self, *, by: By = By.CATEGORY, days: int = 0) -> tuple[list[PnlLine], PnlLine]:
        """P&L by category, series, event, ticker, day, strategy or subaccount, and the total."""
        since = Instant(max(0, self.now() - days * DAY)) if days else None
        naming = self.naming()
        if by is By.STRATEGY or (by is By.CATEGORY and naming.asks_for_strategies):
            strategy_of = strategies(self.books, self.desk.settings.config)
            found = earned_by_strategy(self.books, strategy_of, since=since)
        else:
            found = earned(self.books, since=since)
        lines = pnl(found.rows, by, naming=naming, open_positions=found.open_positions)
        return lines, total_line(lines)

    def naming(self) -> Naming:
        """How P&L lines get their names: the catalog and the configured categories."""
        rules = [
            rule
            for category, given in self.desk.settings.config.categories.items()
            for rule in (
                *(CategoryRule(category=category, strategy=s) for s in given.strategies),
                *(CategoryRule(category=category, series=s) for s in given.series),
                *(
                    (CategoryRule(category=category, strategy=category),)
                    if given.client_id_prefixes
                    else ()
                ),
            )
        ]
        return Naming(catalog=self.books.cache.catalog(), rules=tuple(rules))

    # Breaks

    def breaks(self) -> list[AgedBreak]:
        """Every break ever found, with its age and what was decided."""
        return self.books.breaks()

    def decide(self, identity: str, status: BreakStatus, *, reason: str, who: str) -> AgedBreak:
        """Acknowledge, close or open again a break, with a reason."""
        with self.writing("breaks"):
            return self.books.decide_break(identity, status, reason=reason, who=who, now=self.now())

    def refresh(self) -> str:
        """Sync when the books are older than configured; words on why it could not, or ``""``.

        Raises what `sync` raises when there are no figures yet to show instead.
        """
        as_of = self.as_of()
        limit = self.desk.settings.config.max_age_seconds * SECOND
        if as_of is not None and 0 <= self.now() - as_of <= limit:
            return ""
        if as_of is not None:
            writer = self.books.lease.holder(self._lease_clock.now())
            if writer is not None:
                return f"{writer.words()} is writing the books just now. {_LOCAL}"
        try:
            self.sync()
        except _CANNOT_ASK as error:
            if as_of is None and not self._has_records():
                raise
            return f"{error}. {_LOCAL}"
        return ""

    def _has_records(self) -> bool:
        """Whether the books hold anything that was said (imported books have no snapshot)."""
        return self.desk.has_books() and any(self.books.record_counts().values())

    def close(self) -> None:
        """Close books and connections."""
        self.desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_account(
    *,
    venue: str = "",
    account: str = "",
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    told: Told = tell_nobody,
    on_event: Callable[[Event], None] = ignore_event,
    on_wait: Callable[[str], None] = _ignore,
) -> Account:
    """Open an account as configured: options win over the environment, that over the config.

    Without any configuration it is the built-in sandbox, which needs no key.
    `told` hears what is being fetched, `on_event` what the client does, `on_wait`
    who else is writing the books.  Raises `ConfigError` when settings are missing,
    wrong or contradictory.
    """
    settings = read_desk_settings(
        os.environ if environment is None else environment,
        venue=venue,
        account=account,
        clock=clock,
    )
    return Account(Desk(settings, on_event=on_event), told=told, on_wait=on_wait)
