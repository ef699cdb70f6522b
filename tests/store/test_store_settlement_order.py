"""A settlement is booked the same in whatever order its witnesses come, and whoever restarts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from random import Random

import pytest
from conftest_names import ACCOUNT, MODE, VENUE
from hypothesis import given, settings
from hypothesis import strategies as st
from store_facts import RAIN, fill, later, market, settlement

from trueup.core.facts import Source, Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Observation
from trueup.core.settlement import ReportTerms, SettlementPageReported, SettlementReported
from trueup.core.units import Count, Money, Price
from trueup.ledger.entries import Entry, Evidence
from trueup.run.books.booking import book_new
from trueup.run.config import Config
from trueup.store.database import Books, open_books

DAY, NEXT_DAY = date(2026, 5, 31), date(2026, 6, 1)
PT, RT = "KalshiPT/key", "KalshiRT/other"
Telling = Callable[[Books], object]


def a_page(number: int, *, session: str = PT, is_corrected: bool = False) -> Telling:
    """Page 1 or 2 of 2: one of the two parties of the account, paid 6 or 4 contracts."""
    result = MarketResult.NO if is_corrected else MarketResult.YES
    day, contracts = (NEXT_DAY if is_corrected else DAY), {1: 6, 2: 4}[number]
    seen_at = later(9_000 if is_corrected else 3_603)
    value = Price.parse("0" if is_corrected else "1")
    page = SettlementPageReported(
        session=session,
        ticker=RAIN,
        clearing_date=day,
        report_id=f"{session} {day} {number}",
        announced=2,
        is_last=number == 2,
        result=result,
        value=value,
        parties=1,
        at=seen_at,
        is_resent=False,
    )
    party = SettlementReported(
        ticker=RAIN,
        clearing_date=day,
        party=f"P-{number}",
        subaccount=None,
        result=result,
        value=value,
        long=Count.of_contracts(contracts),
        short=None,
        payout=Money(0) if is_corrected else Money.of_cents(100 * contracts),
        fees=(),
        report_id="",
        at=seen_at,
    )

    def tell(books: Books) -> None:
        books.append_page(
            Observation(page, Source.FIX, seen_at, b""),
            [Observation(party, Source.FIX, seen_at, b"")],
        )

    return tell


def by_rest(value: object, stream: Stream, seconds: int) -> Telling:
    seen = Observation(value, Source.REST, later(seconds), b"")  # pyright: ignore[reportArgumentType]
    return lambda books: books.append([seen], stream=stream)


FILLS = (by_rest(fill(1, count=10), Stream.FILLS, 5),)
FIRST, SECOND = a_page(1), a_page(2)
AGAIN = tuple(a_page(number, session=RT) for number in (1, 2))
ROW = by_rest(settlement(), Stream.SETTLEMENTS, 3_700)
CORRECTED = tuple(a_page(number, is_corrected=True) for number in (1, 2))
FINAL = market(MarketStatus.FINALIZED, result=MarketResult.YES)
RESULT = by_rest(FINAL, Stream.MARKETS, 3_650)

CASES: dict[str, tuple[tuple[Telling, ...], Evidence | None, str]] = {
    "report": ((FIRST, SECOND), Evidence.REPORT, "10"),
    "report on two sessions": ((FIRST, SECOND, *AGAIN), Evidence.REPORT, "10"),
    "a page lost": ((FIRST,), None, "0"),
    "a page lost on one session": ((FIRST, *AGAIN), Evidence.REPORT, "10"),
    "a page lost, the other one lost elsewhere": ((FIRST, AGAIN[1]), None, "0"),
    "a page lost, the market final": ((FIRST, RESULT), Evidence.MARKET_RESULT, "10"),
    "a page lost, a row": ((SECOND, ROW), Evidence.ROW, "10"),
    "report and row": ((FIRST, SECOND, ROW, RESULT), Evidence.ROW, "10"),
    "corrected": ((FIRST, SECOND, *CORRECTED), Evidence.REPORT, "0"),
    "corrected in part": ((FIRST, SECOND, CORRECTED[0]), None, "0"),
    "corrected, a row": ((FIRST, SECOND, *CORRECTED, ROW), Evidence.ROW, "10"),
}


@pytest.fixture(scope="module")
def new_books(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Path]:
    folder, numbers = tmp_path_factory.mktemp("orders"), count()
    return lambda: Path(shutil.copy(sqlite_template, folder / f"{next(numbers)}.db"))


def booked(path: Path, told: list[Telling], *, restarts: set[int]) -> list[Entry]:
    """Tell everything in this order; book, and start again, after some of it and at the end."""
    books = _opened(path)
    try:
        books.set_report_terms(ReportTerms({"*": PRIMARY}))
        for number, telling in enumerate(told, 1):
            telling(books)
            if number in restarts or number == len(told):
                book_new(books, precision=Precision.DIRECT, config=Config())
                books.close()
                books = _opened(path)
        return list(books.entries())
    finally:
        books.close()


def _opened(path: Path) -> Books:
    return open_books(path, venue=VENUE, mode=MODE, account=ACCOUNT)


@settings(max_examples=25, deadline=None)
@given(
    case=st.sampled_from(sorted(CASES)),
    chance=st.randoms(use_true_random=False),
    restarts=st.sets(st.integers(1, 7)),
)
def test_the_order_of_arrival_and_restarts_change_no_posting(
    new_books: Callable[[], Path], case: str, chance: Random, restarts: set[int]
) -> None:
    told, evidence, payout = CASES[case]
    straight = [*FILLS, *told]
    shuffled = [*straight]
    chance.shuffle(shuffled)

    path = new_books()
    entries = booked(path, shuffled, restarts=restarts)

    assert entries == booked(new_books(), straight, restarts=set())
    with _opened(path) as books:
        (book,) = books.market_books()
        assert (book.evidence, book.payout) == (evidence, Money.parse(payout))
        cash = sum((entry.cash() for entry in entries), Money(0))
        assert cash == book.payout - Money.parse("6.17")
