"""Settlement reports of FIX: whose they are, and what they say together.

The journal keeps what a report says: a party, and an amount.  Which subaccount a party
is, and whether amounts are dollars or cents, are settings of the user (`ReportTerms`);
the books remember them under a name in ``meta``, and the typed rows follow them.  When
the settings change, the projections are made again.

Several parties of one market may be one subaccount: it was paid all of them, once all pages
are there.  Where a market was reported under several clearing dates, each party's newest
counts: it pays once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from trueup.core.facts import Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.settlement import PayoutUnit, ReportTerms, SettlementReported
from trueup.core.units import Money
from trueup.ledger.bare import BareReport
from trueup.ledger.report_pages import ReportPages, Stranger
from trueup.store import sql
from trueup.store.driver import AnyRow, Driver, Reading, Transaction
from trueup.store.marking import mark
from trueup.store.records import KINDS, Version
from trueup.store.session import MarketKey, Session
from trueup.store.statement import Statement

_TERMS: Final = "report_terms"
NO_TERMS: Final = ReportTerms({})
"""Nobody is anybody."""

_KIND: Final = KINDS[Stream.SETTLEMENT_REPORTS]
_DAY: Final = 4
"""Where the clearing date stands in what is told of a book."""
_TICKER_OF_PAGE: Final = KINDS[Stream.SETTLEMENT_PAGES].columns.index("ticker")


class _StoredTerms(msgspec.Struct, frozen=True):
    parties: dict[str, int]
    unit: str


# How reports are read


def read_terms(session: Session, reading: Reading) -> ReportTerms:
    """The settings that the typed rows follow."""
    if session.terms is None:
        stored = dict(reading.rows(sql.META)).get(_TERMS)
        session.terms = NO_TERMS if stored is None else _decoded(stored)
    return session.terms


def _decoded(stored: str) -> ReportTerms:
    found = msgspec.json.decode(stored, type=_StoredTerms)
    parties = {party: Subaccount(number) for party, number in found.parties.items()}
    return ReportTerms(parties, PayoutUnit(found.unit))


def set_terms(session: Session, terms: ReportTerms) -> bool:
    """Remember other settings; returns whether the projections must be made again."""
    with session.writing() as transaction:
        if read_terms(session, transaction) == terms:
            return False
        parties = {party: int(owner) for party, owner in sorted(terms.parties.items())}
        stored = msgspec.json.encode(_StoredTerms(parties, terms.unit.value)).decode()
        transaction.upsert("meta", ("name", "value"), [(_TERMS, stored)], identity=("name",))
        session.terms = terms
        return bool(transaction.rows(sql.ANY_REPORT))


# From the journal to typed rows


def project_reports(
    session: Session, transaction: Transaction, versions: Sequence[Version]
) -> None:
    """Settlement reports: each belongs to the book of its party, which becomes dirty."""
    terms = read_terms(session, transaction)
    read = [terms.read(_KIND.value_of(version[5])) for version in versions]
    keys: list[MarketKey] = [
        (each.subaccount, each.ticker) for each in read if each.subaccount is not None
    ]
    session.find_numbers(transaction, keys)
    numbers, new_keys = session.numbers, list[AnyRow]()
    rows: dict[int, AnyRow] = {}
    marked: dict[int, int] = {}
    for reported, version in zip(read, versions, strict=True):
        first, sequence = version[:2]
        book = None
        if reported.subaccount is not None:
            key: MarketKey = (reported.subaccount, reported.ticker)
            book = numbers.get(key)
            if book is None:
                book = numbers[key] = sequence
                new_keys.append((book, *key))
            marked[book] = sequence
        rows[first] = (book, *_read_row(reported), *version[:5], *version[5])
    transaction.insert("market_keys", ("book", "subaccount", "ticker"), new_keys)
    transaction.upsert(
        _KIND.table, _KIND.table_columns, list(rows.values()), identity=_KIND.identity
    )
    mark(transaction, marked)


def _read_row(reported: SettlementReported) -> AnyRow:
    doubt = reported.doubt()
    return (
        reported.subaccount,
        None if reported.payout is None else reported.payout.units,
        reported.fee.units,
        None if doubt is None else doubt.value,
    )


# What the reports say


def reports_of_books(reading: Reading, among: object) -> dict[int, tuple[BareReport, bool]]:
    """What was reported of some books, and whether it was told in one way only."""
    found: dict[int, tuple[BareReport, bool]] = {}
    again: list[int] = []
    for row in reading.rows(sql.REPORTS_OF_BOOKS, (among, among)):
        book, first_day, *told = row
        report = _bare(told)
        found[book] = report, report.version == 1
        if first_day != told[_DAY]:
            again.append(book)
    for book, report in _newest(reading, again):
        found[book] = report, False
    return found


def _newest(reading: Reading, books: list[int]) -> Iterator[tuple[int, BareReport]]:
    """Books that were reported under several dates: of each party the newest counts."""
    if books:
        among = reading.among(books)
        for book, _, *told in reading.rows(sql.NEWEST_REPORTS_OF_BOOKS, (among, among, among)):
            yield book, _bare(told)


def _bare(told: Sequence[Any]) -> BareReport:
    at, version, subaccount, ticker, day, result, value, *sums, doubt = told
    long, short, paid, parties, say_paid, say_net, whole, fee = sums
    return BareReport(
        at=at,
        key=f"{day}/{ticker}",
        version=version,
        subaccount=subaccount,
        ticker=ticker,
        result=result,
        value=value,
        net=int(long or 0) - int(short or 0) if say_net == parties else None,
        paid=int(paid) if say_paid == parties else None,
        fee=int(fee),
        doubt=doubt or "",
        is_whole=whole == parties,
    )


def mark_markets(transaction: Transaction, pages: Sequence[Version]) -> None:
    """A page may be the one that makes a report whole: then it pays, whoever is on it."""
    tickers = {version[5][_TICKER_OF_PAGE] for version in pages}
    transaction.execute(sql.MARK_DIRTY_TICKERS, (pages[-1][1], transaction.among(tickers)))


def page_keys(reading: Reading, ticker: Ticker) -> list[str]:
    """The journal keys of all pages of a market's reports."""
    return [row[0] for row in reading.rows(sql.PAGE_KEYS_OF_MARKET, (ticker,))]


def keys_of_book(reading: Reading, book: tuple[Subaccount, Ticker]) -> list[str]:
    """The journal keys of all reports that belong to a book now."""
    return [row[0] for row in reading.rows(sql.REPORT_KEYS_OF_BOOK, book)]


def reports(driver: Driver) -> Iterator[BareReport]:
    """What was reported of every market of every subaccount, by ticker."""
    again: list[int] = []
    for book, first_day, *told in driver.stream(sql.ALL_REPORTS):
        if first_day == told[_DAY]:
            yield _bare(told)
        else:
            again.append(book)
    yield from (report for _, report in _newest(driver, again))


def reports_of_day(driver: Driver, day: str, terms: ReportTerms) -> Iterator[SettlementReported]:
    """All parties' reports of one clearing date, by party and market."""
    columns = ", ".join(_KIND.columns)
    statement = Statement(
        f"SELECT {columns} FROM settlement_reports WHERE clearing_date = ? "  # noqa: S608
        "ORDER BY party, ticker"
    )
    return (terms.read(_KIND.value_of(row)) for row in driver.stream(statement, (day,)))


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """How many reports there are, by how they came."""

    pages: int
    resent: int
    parties: int


def report_counts(reading: Reading) -> ReportCounts:
    """How many pages came, how many of them only when asked for again, and their parties."""
    pages, resent, parties = reading.rows(sql.REPORT_COUNTS)[0]
    return ReportCounts(pages, int(resent), int(parties))


def strangers(driver: Driver) -> Iterator[Stranger]:
    """The parties that are mapped to no subaccount, with the most money first."""
    for party, reports, paid, since, ticker in driver.stream(sql.STRANGERS):
        yield Stranger(
            party=party,
            reports=reports,
            paid=None if paid is None else Money(int(paid)),
            since=Instant(since),
            ticker=Ticker(ticker),
        )


def report_pages(driver: Driver, *, day: str = "") -> Iterator[ReportPages]:
    """What is there of every settlement (of a day), by session: pages counted, not held."""
    statement = sql.PAGES_OF_DAY if day else sql.PAGES
    for row in driver.stream(statement, (day,) if day else ()):
        session, ticker, clearing_date, pages, low, high, last, parties, results, values, *at = row
        yield ReportPages(
            session=session,
            ticker=Ticker(ticker),
            clearing_date=clearing_date,
            pages=pages,
            announced=high,
            last_pages=int(last),
            parties=int(parties),
            agree=low == high and results == 1 and values <= 1,
            first_at=Instant(at[0]),
            last_at=Instant(at[1]),
        )
