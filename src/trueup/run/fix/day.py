"""`fix report` from the books: a day's settlements by FIX, by REST and as booked.

Three figures stand beside each other for every market of every account: what FIX reported
(to the micro-dollar, after fees), what REST's row shows (whole cents) and what the books
paid.  Where they are not equal the report says in which market, by how much and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from trueup.core.facts import Settled, Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant, eastern_day
from trueup.core.settlement import SettlementReported
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.ledger.bare import BareReport
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.entries import Evidence, MarketBook
from trueup.ledger.report_check import FixEvidence, compare_report
from trueup.ledger.report_pages import check_pages
from trueup.run.fix.report import TOLD_COLUMNS, fee_types, fees_by_type, party_row, sum_of
from trueup.run.views import Row
from trueup.store.database import Books
from trueup.store.progress import as_coverage

COLUMNS: Final = (*TOLD_COLUMNS, "rest_revenue", "booked", "doubt")
Subject = tuple[Subaccount, Ticker]


@dataclass(slots=True)
class BookedDay:
    """The settlements of one clearing date, as FIX, REST and the books have them.

    `differences` are what does not agree, or is not there; `waiting` what is only late.
    """

    day: date
    parties: list[SettlementReported] = field(default_factory=list[SettlementReported])
    rests: dict[Subject, Settled] = field(default_factory=dict[Subject, Settled])
    books: dict[Subject, MarketBook] = field(default_factory=dict[Subject, MarketBook])
    differences: list[str] = field(default_factory=list[str])
    waiting: list[str] = field(default_factory=list[str])
    pages: int = 0

    def rows(self) -> list[Row]:
        """One row for each party of each market, and one for each market that only REST has."""
        told = {(each.subaccount, each.ticker) for each in self.parties}
        return [
            *(self._told_row(each) for each in self.parties),
            *(self._rest_row(row) for subject, row in self.rests.items() if subject not in told),
        ]

    def _told_row(self, each: SettlementReported) -> Row:
        row = book = None
        if each.subaccount is not None:
            subject = (each.subaccount, each.ticker)
            row, book = self.rests.get(subject), self.books.get(subject)
        return {
            **party_row(each),
            "rest_revenue": None if row is None else row.revenue,
            "booked": None if book is None or not book.settled else book.payout,
        }

    def _rest_row(self, row: Settled) -> Row:
        book = self.books.get((row.subaccount, row.ticker))
        net = row.yes_count - row.no_count
        return {
            "party": None,
            "subaccount": row.subaccount,
            "ticker": row.ticker,
            "result": row.result.value,
            "settlement_price": row.value,
            "yes_count": max(net, ZERO_COUNT),
            "no_count": max(Count(-net.units), ZERO_COUNT),
            "gross": None,
            "fees": None,
            "fee_types": "",
            "payout": None,
            "doubt": None,
            "rest_revenue": row.revenue,
            "booked": None if book is None or not book.settled else book.payout,
        }

    def totals(self) -> list[Row]:
        """What each account was paid on the day, by the three, and its fees by type."""
        rows = self.rows()
        owners = sorted({_owner(row) for row in rows})
        return [
            self._total(owner, [row for row in rows if _owner(row) == owner]) for owner in owners
        ]

    def _total(self, owner: tuple[bool, str], rows: list[Row]) -> Row:
        parties = [each for each in self.parties if _owner_of(each.subaccount, each.party) == owner]
        subjects = {(row["subaccount"], row["ticker"]): row for row in rows}
        return {
            "account": owner[1],
            "parties": len({each.party for each in parties}),
            "settlements": len(subjects),
            "gross": sum_of(each.gross for each in parties),
            "fees": sum_of(each.fee for each in parties),
            "fee_types": fee_types(parties),
            "fees_by_type": fees_by_type(parties),
            "payout": sum_of(each.payout for each in parties),
            "rest_revenue": _money(row["rest_revenue"] for row in subjects.values()),
            "booked": _money(row["booked"] for row in subjects.values()),
        }


def _owner(row: Row) -> tuple[bool, str]:
    return _owner_of(row["subaccount"], row["party"])


def _owner_of(subaccount: object, party: object) -> tuple[bool, str]:
    """The account that a row belongs to: subaccounts first, then parties that nobody knows."""
    known = subaccount is not None
    return not known, f"subaccount {subaccount}" if known else f"party {party}"


def _money(amounts: Iterable[object]) -> Money:
    return sum((each for each in amounts if isinstance(each, Money)), ZERO_MONEY)


def read_booked_day(books: Books, day: date, *, now: Instant) -> BookedDay:
    """The report of a clearing date from the books."""
    found = BookedDay(day)
    text = day.isoformat()
    found.parties = list(books.reports_of_day(text))
    reports = {each.subject: each for each in books.reports() if each.key.startswith(f"{text}/")}
    found.rests = {
        (row.subaccount, row.ticker): row
        for row in books.settlements()
        if (row.subaccount, row.ticker) in reports or eastern_day(row.at) == text
    }
    wanted = {*reports, *found.rests}
    for book in books.market_books():
        subject = book.subaccount, book.ticker
        if subject in wanted:
            found.books[subject] = book
        elif (
            book.evidence is Evidence.MARKET_RESULT
            and book.net_at_settlement
            and eastern_day(book.last_at) == text
        ):
            found.waiting.append(
                f"{book.ticker}, subaccount {book.subaccount}: {book.payout} was booked from the "
                "market's result; neither FIX nor REST has told it yet"
            )
    _judge(books, found, reports, now=now)
    return found


def _judge(
    books: Books, found: BookedDay, reports: dict[Subject, BareReport], *, now: Instant
) -> None:
    """What does not agree, or is missing on one side."""
    pages = list(books.report_pages(found.day.isoformat()))
    found.pages = sum(each.pages for each in pages)
    evidence = FixEvidence(
        heard=books.heard(Stream.SETTLEMENT_REPORTS),
        coverage=as_coverage(books.coverage()),
        fills_of=books.fills_of,
    )
    for each in check_pages(pages, now=now):
        _note(found, each.kind, f"{each.ticker}: {each.summary}")
    for subject, report in reports.items():
        book = found.books.get(subject)
        if book is None:
            found.waiting.append(f"{report.ticker}: reported, and not booked yet")
            continue
        market = books.market(report.ticker)
        row = found.rests.get(subject)
        for each in compare_report(evidence, report, book, row=row, market=market, now=now):
            if each.severity is not Severity.GREEN:
                _note(found, each.kind, f"{each.ticker}, subaccount {subject[0]}: {each.summary}")
    for subject, row in found.rests.items():
        if subject not in reports and row.yes_count != row.no_count:
            was_heard = any(span.since <= row.at <= span.until for span in evidence.heard)
            told = "FIX did not report it" if was_heard else "FIX was not listened to then"
            words = f"{row.ticker}, subaccount {subject[0]}: {told}; REST shows {row.revenue}"
            found.differences.append(words)
    strangers = sorted({each.party for each in found.parties if each.subaccount is None})
    found.differences += [
        f"party {party} belongs to no subaccount in fix_parties" for party in strangers
    ]


def _note(found: BookedDay, kind: BreakKind, words: str) -> None:
    (found.waiting if kind is BreakKind.TIMING else found.differences).append(words)
