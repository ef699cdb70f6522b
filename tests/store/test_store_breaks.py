from __future__ import annotations

from dataclasses import replace

import pytest
from store_facts import NOW, RAIN, fill, later, seen

from trueup.core.errors import BooksError
from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO
from trueup.core.units import Money
from trueup.ledger.booking import book_market
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.store.break_register import BreakStatus
from trueup.store.database import Books

PAYOUT = Break(
    identity="payout_differs:0:KXRAIN",
    kind=BreakKind.PAYOUT_DIFFERS,
    severity=Severity.RED,
    subaccount=PRIMARY,
    shard=SHARD_ZERO,
    ticker=RAIN,
    amount=Money.parse("-0.01"),
    occurred_at=NOW,
    summary="one cent less than expected",
    evidence=("row says 4.99", "books say 5.00"),
    remedy="Ask the exchange.",
)
CASH = replace(PAYOUT, identity="cash:0", kind=BreakKind.UNATTRIBUTED_CASH, ticker=None)


def decide(books: Books, status: BreakStatus, reason: str = "known rounding") -> None:
    books.decide_break(PAYOUT.identity, status, reason=reason, who="me", now=later(10))


def statuses(books: Books) -> dict[str, BreakStatus]:
    return {each.found.identity: each.status for each in books.breaks()}


def test_break_keeps_its_age_from_run_to_run(books: Books) -> None:
    books.record_breaks([PAYOUT], now=NOW)
    [aged] = books.record_breaks([PAYOUT], now=later(3600))

    assert aged.found == PAYOUT
    assert (aged.first_seen, aged.last_seen) == (NOW, later(3600))
    assert aged.status is BreakStatus.OPEN


def test_break_that_is_not_found_any_more_closes_by_itself(books: Books) -> None:
    books.record_breaks([PAYOUT, CASH], now=NOW)
    books.record_breaks([CASH], now=later(60))

    assert statuses(books) == {
        PAYOUT.identity: BreakStatus.CLOSED,
        CASH.identity: BreakStatus.OPEN,
    }


def test_break_that_comes_back_is_open_and_young(books: Books) -> None:
    for moment, found in ((0, [PAYOUT]), (60, []), (120, [PAYOUT])):
        books.record_breaks(found, now=later(moment))

    [aged] = books.breaks()

    assert (aged.status, aged.first_seen) == (BreakStatus.OPEN, later(120))


@pytest.mark.parametrize("status", [BreakStatus.ACKNOWLEDGED, BreakStatus.CLOSED])
def test_decision_stands_while_the_break_is_the_same(books: Books, status: BreakStatus) -> None:
    books.record_breaks([PAYOUT], now=NOW)
    decide(books, status)

    [same] = books.record_breaks([PAYOUT], now=later(60))
    [other] = books.record_breaks([replace(PAYOUT, amount=Money.parse("-3.00"))], now=later(120))

    assert (same.status, same.reason, same.decided_by) == (status, "known rounding", "me")
    assert (other.status, other.reason, other.first_seen) == (BreakStatus.OPEN, "", NOW)


def test_decision_may_name_the_beginning_of_a_break_but_only_one(books: Books) -> None:
    books.record_breaks([PAYOUT, CASH], now=NOW)

    decided = books.decide_break(
        "payout", BreakStatus.CLOSED, reason="paid back", who="me", now=NOW
    )

    assert decided.found == PAYOUT
    for wrong in ("", "nothing"):
        with pytest.raises(BooksError, match="breaks are called"):
            books.decide_break(wrong, BreakStatus.CLOSED, reason="x", who="me", now=NOW)


def test_decision_without_a_reason_is_refused(books: Books) -> None:
    books.record_breaks([PAYOUT], now=NOW)

    with pytest.raises(BooksError, match="needs a reason"):
        decide(books, BreakStatus.CLOSED, reason="  ")


def test_breaks_noticed_by_booking_are_kept_with_the_book(books: Books) -> None:
    books.append(seen(fill(1, fee=None)), stream=Stream.FILLS)
    [unbooked] = books.unbooked(1)
    book = book_market(PRIMARY, SHARD_ZERO, RAIN, recorded=unbooked.facts)
    books.write_market_books([book])

    assert tuple(books.booking_breaks()) == book.breaks
    assert book.breaks
