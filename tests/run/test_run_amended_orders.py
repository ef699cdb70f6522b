from __future__ import annotations

from dataclasses import replace

from small_books import balance, book, cover, later, open_small, order, put

from trueup.core.facts import Banked, BankingStatus, Stream
from trueup.core.fees import Precision
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.ledger.proof import Proven
from trueup.run.books.proving import PROVEN_STREAMS, prove_cash
from trueup.store.database import Books


def deposited() -> Books:
    books = open_small()
    moment = later(-10)
    paid_in = Banked(
        banking_id="d",
        amount=Money.parse("100"),
        fee=ZERO_MONEY,
        status=BankingStatus.APPLIED,
        method="ach",
        created_at=moment,
        at=moment,
    )
    put(books, Stream.DEPOSITS, paid_in)
    return books


def verdicts(books: Books) -> set[Proven]:
    book(books)
    for stream in PROVEN_STREAMS:
        cover(books, stream)
    proof = prove_cash(books, precision=Precision.DIRECT, now=later(10**6))
    return {interval.verdict for interval in proof.intervals()}


def test_decreased_order_ties_up_what_is_left_of_it() -> None:
    books = deposited()
    decreased = replace(order("o", updated=20), remaining_count=Count.of_contracts(4))
    put(books, Stream.ORDERS, decreased)
    put(books, Stream.BALANCES, balance("97.60", 100))

    assert verdicts(books) == {Proven.PROVEN}


def test_amended_order_ties_up_each_price_in_its_time() -> None:
    books = deposited()
    put(books, Stream.ORDERS, order("o"))
    put(books, Stream.ORDERS, replace(order("o", updated=200), price=Price.parse(".70")))
    put(books, Stream.BALANCES, balance("94", 100), balance("93", 300))

    assert verdicts(books) == {Proven.PROVEN}
