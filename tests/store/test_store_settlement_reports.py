"""Settlement reports in the store: pages that are counted, parties that are mapped, versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from store_facts import NOW, RAIN, fill, later, seen, settlement

from trueup.core.facts import Source, Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketResult
from trueup.core.observations import Observation
from trueup.core.settlement import (
    PayoutUnit,
    ReportTerms,
    SettlementFee,
    SettlementPageReported,
    SettlementReported,
)
from trueup.core.units import Count, Money, Price
from trueup.ledger.coverage import Span
from trueup.ledger.entries import Evidence
from trueup.run.books.booking import book_new
from trueup.run.config import Config
from trueup.store.database import Books

DAY = date(2026, 5, 31)
OURS = ReportTerms({"P-0": PRIMARY, "P-1": Subaccount(1)})


def party(
    name: str = "P-0", *, count: int = 10, payout: str = "10.00", at: Instant | None = None
) -> SettlementReported:
    return SettlementReported(
        ticker=RAIN,
        clearing_date=DAY,
        party=name,
        subaccount=None,
        result=MarketResult.YES,
        value=Price.parse("1"),
        long=Count.of_contracts(count),
        short=Count(0),
        payout=Money.parse(payout),
        fees=(SettlementFee("4", Money(0)), SettlementFee("x; 1", Money(0))),
        report_id="",
        at=later(3602) if at is None else at,
    )


def page(
    number: int = 1, *, of: int | None = 2, session: str = "KalshiPT/key", **changes: object
) -> SettlementPageReported:
    usual = SettlementPageReported(
        session=session,
        ticker=RAIN,
        clearing_date=DAY,
        report_id=f"r-{number}",
        announced=of,
        is_last=number == of,
        result=MarketResult.YES,
        value=Price.parse("1"),
        parties=1,
        at=later(3602),
        is_resent=False,
    )
    return replace(usual, **changes)  # pyright: ignore[reportArgumentType]


def told(value: SettlementReported | SettlementPageReported, raw: bytes = b"") -> Observation:
    return Observation(value, Source.FIX, later(3603), raw)


def tell(
    books: Books, number: int, *parties: SettlementReported, of: int = 1, **changes: Any
) -> None:
    books.append_page(
        told(page(number, of=of, **changes)),
        [told(each, each.party.encode()) for each in parties],
    )


def book(books: Books) -> None:
    book_new(books, precision=Precision.DIRECT, config=Config())


def paid(books: Books) -> dict[tuple[int, str], tuple[Money, Evidence | None]]:
    return {
        (each.subaccount, each.ticker): (each.payout, each.evidence)
        for each in books.market_books()
    }


@pytest.fixture
def mapped(books: Books) -> Books:
    assert not books.set_report_terms(OURS)
    return books


def test_parties_pay_into_their_subaccounts_page_by_page(mapped: Books) -> None:
    mapped.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(mapped, 1, party(), of=2)
    tell(mapped, 2, party("P-1", count=3, payout="3.00"), of=2)
    book(mapped)

    assert paid(mapped) == {
        (0, RAIN): (Money.parse("10"), Evidence.REPORT),
        (1, RAIN): (Money.parse("3"), Evidence.REPORT),
    }
    (whole,) = mapped.report_pages()
    assert (whole.pages, whole.announced, whole.parties, whole.is_complete) == (2, 2, 2, True)


@pytest.mark.parametrize("row_first", [True, False])
def test_a_row_and_a_report_of_one_settlement_pay_once(mapped: Books, *, row_first: bool) -> None:
    mapped.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    steps = [
        lambda: mapped.append(seen(settlement()), stream=Stream.SETTLEMENTS),
        lambda: tell(mapped, 1, party()),
    ]
    for step in steps if row_first else reversed(steps):
        step()
        book(mapped)

    assert paid(mapped) == {(0, RAIN): (Money.parse("10"), Evidence.ROW)}
    assert not list(mapped.booking_breaks())


def test_a_page_that_comes_again_changes_nothing(mapped: Books) -> None:
    tell(mapped, 1, party())
    again = mapped.append_page(
        told(replace(page(1, of=1), at=later(9), is_resent=True)), [told(party(at=later(9)))]
    )

    assert [each.changed for each in again] == [False, False]
    assert mapped.report_counts().resent == 0


def test_the_same_party_by_another_session_counts_once(mapped: Books) -> None:
    tell(mapped, 1, party())
    tell(mapped, 7, party(at=later(4000)), session="KalshiRT/other", is_last=True)
    book(mapped)

    assert paid(mapped) == {(0, RAIN): (Money.parse("10"), Evidence.REPORT)}
    assert len(list(mapped.report_pages())) == 2


def test_a_party_that_is_told_otherwise_is_a_version_that_is_booked_anew(mapped: Books) -> None:
    mapped.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(mapped, 1, party())
    tell(mapped, 1, party(count=9, payout="9.00"))
    book(mapped)

    assert paid(mapped)[0, RAIN][0] == Money.parse("9")
    (revised,) = mapped.booking_breaks()
    assert revised.amount == Money.parse("-1")
    key = f"{DAY.isoformat()}/{RAIN}/P-0"
    assert [each.recorded.version for each in mapped.evidence(Stream.SETTLEMENT_REPORTS, key)] == [
        1,
        2,
    ]


def test_a_missing_page_is_waited_for_and_then_pays_whoever_is_on_the_others(books: Books) -> None:
    """Two parties of one subaccount, a page each; the second page is another market's business
    for whom it is not: its coming alone makes the first one pay.
    """
    books.set_report_terms(ReportTerms({"P-0": PRIMARY, "P-1": PRIMARY, "P-2": Subaccount(2)}))
    books.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(books, 1, party(count=6, payout="6"), of=3)
    tell(books, 2, party("P-1", count=4, payout="4"), of=3)
    book(books)
    assert paid(books) == {(0, RAIN): (Money(0), None)}
    assert [each.is_whole for each in books.reports()] == [False]

    tell(books, 3, party("P-2", count=1, payout="1"), of=3)
    book(books)

    assert paid(books) == {
        (0, RAIN): (Money.parse("10"), Evidence.REPORT),
        (2, RAIN): (Money.parse("1"), Evidence.REPORT),
    }


def test_a_page_that_never_comes_leaves_the_payout_to_the_row(mapped: Books) -> None:
    mapped.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(mapped, 1, party(count=6, payout="6"), of=2)
    book(mapped)
    mapped.append(seen(settlement()), stream=Stream.SETTLEMENTS)
    book(mapped)

    assert paid(mapped) == {(0, RAIN): (Money.parse("10"), Evidence.ROW)}
    assert not list(mapped.booking_breaks())


def test_a_page_that_another_session_has_makes_it_whole(mapped: Books) -> None:
    tell(mapped, 1, party(), of=2)
    book(mapped)
    assert paid(mapped) == {}

    other = "KalshiRT/other"
    for number in (8, 9):
        tell(mapped, number, of=2, session=other, is_last=number == 9)
    book(mapped)

    assert paid(mapped) == {(0, RAIN): (Money.parse("10"), Evidence.REPORT)}


def test_parties_whose_page_is_not_there_yet_pay_nothing(mapped: Books) -> None:
    """As they are handed over to who writes the books: the page comes after its parties."""
    mapped.append([told(party())], stream=Stream.SETTLEMENT_REPORTS)
    book(mapped)
    assert paid(mapped) == {}

    mapped.append([told(page(1, of=1))], stream=Stream.SETTLEMENT_PAGES)
    book(mapped)
    assert paid(mapped)[0, RAIN][1] is Evidence.REPORT


def test_a_position_that_one_party_does_not_say_is_unknown_not_nothing(books: Books) -> None:
    books.set_report_terms(ReportTerms({"*": PRIMARY}))
    tell(books, 1, party(), replace(party("P-1", payout="4"), long=None, short=None))

    assert [(each.net, each.paid) for each in books.reports()] == [(None, 14_000_000)]


def test_an_unknown_party_is_kept_and_booked_once_it_is_mapped(books: Books) -> None:
    books.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(books, 1, party(), party("P-9", payout="1.00"))
    book(books)
    assert [(each.party, each.paid) for each in books.strangers()] == [
        ("P-0", Money.parse("10")),
        ("P-9", Money.parse("1")),
    ]
    assert paid(books)[0, RAIN] == (Money(0), None)

    assert books.set_report_terms(ReportTerms({"P-0": PRIMARY}))
    book(books)

    assert paid(books)[0, RAIN] == (Money.parse("10"), Evidence.REPORT)
    assert [each.party for each in books.strangers()] == ["P-9"]
    assert not books.set_report_terms(ReportTerms({"P-0": PRIMARY}))


def test_a_star_takes_every_party_that_is_not_named(books: Books) -> None:
    books.set_report_terms(ReportTerms({"P-1": Subaccount(1), "*": PRIMARY}))
    tell(books, 1, party(count=4, payout="4"), party("P-1", count=1, payout="1"), of=2)
    tell(books, 2, party("P-5", count=6, payout="6"), of=2)
    book(books)

    assert {key: each[0] for key, each in paid(books).items()} == {
        (0, RAIN): Money.parse("10"),
        (1, RAIN): Money.parse("1"),
    }
    assert not list(books.strangers())


def test_payouts_in_cents_are_a_setting_of_the_reader(books: Books) -> None:
    books.set_report_terms(ReportTerms({"*": PRIMARY}))
    tell(books, 1, party(payout="1000.00"))
    book(books)
    assert [report.doubt for report in books.reports()] == [
        "the payout is a hundred times what it should be: cents taken for dollars"
    ]
    assert paid(books) == {}

    books.set_report_terms(ReportTerms({"*": PRIMARY}, PayoutUnit.CENTS))
    book(books)

    assert paid(books) == {(0, RAIN): (Money.parse("10"), Evidence.REPORT)}


def test_a_rebuild_books_the_same(mapped: Books) -> None:
    mapped.append(seen(fill(1, count=10)), stream=Stream.FILLS)
    tell(mapped, 1, party(), of=2)
    tell(mapped, 2, party("P-1", count=3, payout="3.00"), of=2)
    book(mapped)
    before = [each.bare for each in mapped.market_books()], list(mapped.report_pages())

    mapped.rebuild()
    book(mapped)

    assert ([each.bare for each in mapped.market_books()], list(mapped.report_pages())) == before


def test_what_fix_and_rest_both_told_has_two_witnesses(books: Books) -> None:
    both, by_fix = fill(1, order="told"), fill(2)
    by_rest, untold = fill(3, order="told"), fill(4, order="never told by FIX")

    def tell_by(source: Source, *fills: object) -> None:
        books.append(
            [Observation(each, source, NOW, b"") for each in fills],  # pyright: ignore[reportArgumentType]
            stream=Stream.FILLS,
        )

    for _ in range(2):
        tell_by(Source.FIX, both, by_fix)
        tell_by(Source.REST, both, by_rest, untold)
    book(books)

    assert list(books.fills_of_one_side(told_by_fix=True)) == [by_fix]
    assert list(books.fills_of_one_side(told_by_fix=False)) == [by_rest]
    key = f"{both.trade_id}/{both.order_id}"
    assert [each.recorded.source for each in books.evidence(Stream.FILLS, key)] == [
        Source.FIX,
        Source.REST,
    ]
    assert sum(1 for _ in books.fills()) == 4
    assert not list(books.revised())
    assert not list(books.booking_breaks())


def test_what_was_listened_to_is_noted_apart_from_what_listings_prove(books: Books) -> None:
    for session, since, until in (
        ("KalshiPT/key", 0, 10),
        ("KalshiRT/other", 5, 20),
        ("KalshiRT/other", 30, 40),
    ):
        books.note_heard(
            Stream.SETTLEMENT_REPORTS,
            Span(Instant(since * SECOND), Instant(until * SECOND)),
            session,
        )

    assert books.heard(Stream.SETTLEMENT_REPORTS, "KalshiPT/key") == (
        Span(Instant(0), Instant(10 * SECOND)),
    )
    assert books.heard(Stream.SETTLEMENT_REPORTS) == (
        Span(Instant(0), Instant(20 * SECOND)),
        Span(Instant(30 * SECOND), Instant(40 * SECOND)),
    )
    assert books.coverage() == []


def test_a_party_that_is_reported_under_a_later_date_counts_by_its_newest(mapped: Books) -> None:
    mapped.set_report_terms(ReportTerms({"*": PRIMARY}))
    tell(mapped, 1, party(count=6, payout="6"), party("P-1", count=4, payout="4"))
    later_day = replace(party("P-1", count=3, payout="3"), clearing_date=date(2026, 6, 1))
    tell(mapped, 2, later_day, clearing_date=date(2026, 6, 1), is_last=True)
    book(mapped)

    assert paid(mapped)[0, RAIN][0] == Money.parse("9")
    assert [report.paid for report in mapped.reports()] == [9_000_000]
