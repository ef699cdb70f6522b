"""`settlements backfill`: a bot's own table against the exchange's record.

    from trueup import backfill_settlements, open_account

    with open_account() as account:
        done = backfill_settlements(account, "trades.db")              # a dry run
        done = backfill_settlements(account, "trades.db", write=True)  # patches, with an undo file

The bot's rows are read, every ticker in them is looked up in the books (and at
the exchange, where the books have never heard of it), `ledger.adopt` decides
row by row, and only then is anything written: one transaction, each patch on
exactly one row that still says what it said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trueup.core.errors import ForeignDatabaseError, OutcomeUnknown
from trueup.core.facts import Filled, Settled, Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.ledger.adopt import adopt
from trueup.ledger.coverage import Span
from trueup.ledger.entries import MarketBook
from trueup.ledger.foreign import AdoptionReport, ForeignTrade, TickerEvidence
from trueup.run.books.account import Account
from trueup.run.books.listings import BEGINNING
from trueup.run.books.metadata import refresh_metadata
from trueup.run.config import BotDatabase
from trueup.store.database import Books
from trueup.store.foreign import ForeignDatabase, ForeignTable, Patched
from trueup.store.foreign_csv import as_database, is_csv
from trueup.store.progress import as_coverage


@dataclass(frozen=True, slots=True)
class SettlementBackfill:
    """What was found, and what was written (`None`: a dry run or nothing to write).

    `notice` says what could not be asked at the exchange.
    """

    report: AdoptionReport
    patched: Patched | None
    table: ForeignTable
    place: str
    notice: str = ""


def backfill_settlements(
    account: Account,
    database: str,
    *,
    write: bool = False,
    layout: BotDatabase | None = None,
    subaccount: int | None = None,
    offline: bool = False,
) -> SettlementBackfill:
    """Check a bot's own table; with `write`, patch it.

    `database` is a path of an SQLite file or an SQLAlchemy URL; a ``.csv`` file can be
    checked, not written.  `layout` says
    how the table is laid out (default: as configured).  `subaccount` is the one in
    which the bot trades (default: as the layout says, else found by quantity and
    price).  Raises `ForeignDatabaseError` when it cannot be read or patched; then
    nothing in it was changed.
    """
    layout = layout or account.desk.settings.config.bot_database
    if is_csv(database):
        if write:
            raise ForeignDatabaseError(
                f"{database} can be checked, but not patched: it is a file of text.",
                remedy="Load it into SQLite, or check it without --write and correct it yourself.",
            )
        with as_database(database, layout.table) as place:
            opened = ForeignDatabase(place, shown=database)
            return _backfill(account, opened, layout, subaccount=subaccount, offline=offline)
    with ForeignDatabase(database) as foreign:
        return _backfill(
            account, foreign, layout, subaccount=subaccount, offline=offline, write=write
        )


def _backfill(
    account: Account,
    foreign: ForeignDatabase,
    layout: BotDatabase,
    *,
    subaccount: int | None,
    offline: bool,
    write: bool = False,
) -> SettlementBackfill:
    only = layout.subaccount if subaccount is None else subaccount
    notice = ""
    table = foreign.inspect(_mapping(layout))
    trades = foreign.read(table)
    if not offline:
        try:
            _look_up(account, {trade.ticker for trade in trades})
        except OutcomeUnknown as error:
            notice = f"{error} Judged by the local books alone."
    evidence = evidence_of(
        account.books,
        trades,
        now=account.now(),
        subaccount=None if only is None else Subaccount(only),
    )
    report = adopt(trades, evidence, words=table.words)
    patched = None
    if write and report.patches:
        undo = account.desk.settings.home / "undo"
        patched = foreign.apply(table, report.patches, undo_folder=undo, now=account.now())
    return SettlementBackfill(report, patched, table, foreign.place, notice)


def evidence_of(
    books: Books,
    trades: Iterable[ForeignTrade],
    *,
    now: Instant,
    subaccount: Subaccount | None = None,
) -> Mapping[Ticker, Sequence[TickerEvidence]]:
    """What the books know of every ticker that the rows name, by subaccount.

    With `subaccount`, of that one alone.  A ticker that no subaccount has any
    record of has one evidence, with what is known of its market.
    """
    wanted = {trade.ticker for trade in trades}
    held: defaultdict[Ticker, dict[Subaccount, _Held]] = defaultdict(dict)
    for book in books.market_books():
        if book.ticker in wanted:
            held[book.ticker].setdefault(book.subaccount, _Held()).books.append(book)
    coverage = as_coverage(books.coverage())
    catalog = books.cache.catalog()
    found: dict[Ticker, Sequence[TickerEvidence]] = {}
    for ticker in sorted(wanted):
        stated = books.market(ticker)
        market = catalog.markets.get(ticker)
        opened = BEGINNING if market is None or market.open_at is None else market.open_at
        ended = now
        if stated is not None:
            ended = stated.settled_at or stated.close_at or now
        whose = held[ticker]
        for filled in books.fills(ticker=ticker):
            whose.setdefault(filled.subaccount, _Held()).fills.append(filled)
        for row in books.settlements(ticker=ticker):
            whose.setdefault(row.subaccount, _Held()).row = row
        if subaccount is not None:
            whose = {subaccount: whose[subaccount]} if subaccount in whose else {}
        life = Span(opened, Instant(min(ended, now)))
        unheld = TickerEvidence(
            ticker=ticker,
            subaccount=subaccount,
            market=stated,
            # "Never traded" would contradict the bot: nobody's word is enough for that.
            covered=_covers(coverage.fetched(Stream.FILLS, subaccount), life),
        )
        found[ticker] = [
            replace(
                unheld,
                subaccount=number,
                covered=_covers(coverage.of(Stream.FILLS, number), life),
                books=tuple(each.books),
                fills=tuple(each.fills),
                row=each.row,
            )
            for number, each in sorted(whose.items())
        ] or [unheld]
    return found


@dataclass(slots=True)
class _Held:
    """What one subaccount has of one market."""

    books: list[MarketBook] = field(default_factory=list[MarketBook])
    fills: list[Filled] = field(default_factory=list[Filled])
    row: Settled | None = None


def _covers(spans: Iterable[Span], life: Span) -> bool:
    return any(each.since <= life.since and life.until <= each.until for each in spans)


def _look_up(account: Account, tickers: set[Ticker]) -> None:
    """Bring the books up to date, and ask for markets that they have never heard of."""
    account.sync()
    unknown = {ticker for ticker in tickers if account.books.market(ticker) is None}
    if unknown:
        with account.writing("market results"):
            refresh_metadata(account.fetcher(), tickers=unknown)
            account.book()


def _mapping(layout: BotDatabase) -> ForeignTable:
    return ForeignTable(
        name=layout.table,
        columns=dict(layout.columns),
        open_words=layout.open_words,
        settled_words=layout.settled_words,
        closed_words=layout.closed_words,
        won_words=layout.won_words,
        lost_words=layout.lost_words,
    )


def undo_backfill(database: str, undo_file: Path) -> int:
    """Take a written backfill back; returns how many rows were restored."""
    with ForeignDatabase(database) as foreign:
        return foreign.undo(undo_file)
