"""Facts that the exchange tells twice: with less, with another place, or otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_facts import (
    NOW,
    RAIN,
    book_everything,
    deposit,
    fill,
    later,
    market,
    order,
    seen,
    settlement,
    transfer,
)

from trueup.core.catalog import Market
from trueup.core.facts import Filled, Settled, Source, Stream
from trueup.core.ids import PRIMARY, EventTicker, Shard, Subaccount
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.orders import OrderStatus
from trueup.core.units import Money
from trueup.ledger.entries import Evidence
from trueup.store.database import Books
from trueup.store.journal import Appended

D = Money.parse
FAR = Shard(2)


def on_far_shard(number: int = 1) -> Filled:
    return replace(fill(number), shard=FAR)


def without_shard(row: Settled) -> Settled:
    return replace(row, shard_named=False)


def cash_by_shard(books: Books) -> dict[int, Money]:
    sums: dict[int, Money] = {}
    for moved in books.cash_movements():
        sums[moved.shard] = sums.get(moved.shard, Money(0)) + moved.amount
    return sums


def test_row_without_a_shard_is_paid_once_where_its_fills_are(books: Books) -> None:
    books.append(seen(on_far_shard()), stream=Stream.FILLS)
    books.append(seen(without_shard(settlement())), stream=Stream.SETTLEMENTS)
    final = market(MarketStatus.FINALIZED, result=MarketResult.YES)
    books.append(seen(replace(final, settled_at=later(3600))), stream=Stream.MARKETS)

    book_everything(books)

    assert cash_by_shard(books) == {FAR: D("3.83")}
    (booked,) = books.market_books()
    assert (booked.evidence, booked.shard, booked.payout) == (Evidence.ROW, FAR, D("10.00"))


def test_market_that_moved_to_another_shard_has_one_book(books: Books) -> None:
    moved = replace(settlement(count=15, revenue="15.00"), shard=FAR)
    books.append(
        seen(fill(1), replace(fill(2, count=5, fee="0.09"), shard=FAR)), stream=Stream.FILLS
    )
    books.append(seen(moved), stream=Stream.SETTLEMENTS)

    book_everything(books)

    assert len(list(books.market_books())) == 1
    assert cash_by_shard(books) == {0: D("-6.17"), FAR: D("11.91")}


def test_copy_of_a_fill_that_names_no_place_changes_nothing(books: Books) -> None:
    whole = replace(fill(1, subaccount=3), shard=FAR)
    poor = replace(fill(1, fee=None), shard_named=False)
    books.append(seen(whole), stream=Stream.FILLS)

    appended = books.append(seen(poor, source=Source.HISTORICAL, at=60), stream=Stream.FILLS)

    assert appended == Appended(seen=1)
    assert list(books.fills()) == [whole]


def test_place_that_becomes_known_completes_a_fill_and_moves_it(books: Books) -> None:
    whole = replace(fill(1, subaccount=3), shard=FAR)
    poor = replace(fill(1), shard_named=False)
    books.append(seen(poor, source=Source.HISTORICAL), stream=Stream.FILLS)
    book_everything(books)

    first = books.append(seen(whole, at=60), stream=Stream.FILLS)
    again = books.append(seen(poor, source=Source.HISTORICAL, at=90), stream=Stream.FILLS)
    book_everything(books)

    assert (first, again) == (Appended(completed=1), Appended(seen=1))
    assert [(each.subaccount, each.shard, each.cash()) for each in books.entries()] == [
        (3, FAR, D("-6.17"))
    ]


def test_poorer_copy_of_a_revised_fill_keeps_its_place(books: Books) -> None:
    books.append(seen(replace(fill(1, subaccount=3), shard=FAR)), stream=Stream.FILLS)
    told = replace(fill(1, fee="0.20"), shard_named=False)

    appended = books.append(seen(told, at=60), stream=Stream.FILLS)

    assert appended == Appended(revised=1)
    (now,) = books.fills()
    assert (now.subaccount, now.shard, now.fee) == (3, FAR, D("0.20"))


@pytest.mark.parametrize("poor_first", [True, False])
def test_order_keeps_its_place_when_a_report_lacks_it(books: Books, *, poor_first: bool) -> None:
    whole = replace(order(updated=30), subaccount=Subaccount(3), shard=FAR)
    poor = order(OrderStatus.CANCELED, updated=60)
    for report in (poor, whole) if poor_first else (whole, poor):
        books.append(seen(report), stream=Stream.ORDERS)

    (merged,) = books.orders()

    assert (merged.subaccount, merged.shard) == (3, FAR)
    assert merged.status is OrderStatus.CANCELED


def test_page_with_two_rows_of_one_market_can_be_fetched_again(books: Books) -> None:
    books.append(seen(fill()), stream=Stream.FILLS)
    old, new = settlement(), settlement(revenue="4.00", at=later(7200))
    told: list[Appended] = []
    cash: list[Money] = []
    for sync in range(3):
        page = seen(new, old, at=10_000 + sync * 600)
        told.append(books.append(page, stream=Stream.SETTLEMENTS))
        book_everything(books)
        cash.append(books.totals().cash)

    assert told == [Appended(new=1, revised=1), Appended(seen=2), Appended(seen=2)]
    assert cash == [D("-2.17")] * 3
    assert list(books.settlements()) == [new]


def test_two_rows_of_one_market_on_two_pages_settle_on_the_newest(books: Books) -> None:
    old, new = settlement(), settlement(revenue="4.00", at=later(7200))
    told: list[Appended] = []
    for sync in range(3):
        for page, row in enumerate((new, old)):
            told.append(
                books.append(seen(row, at=10_000 + sync * 600 + page), stream=Stream.SETTLEMENTS)
            )

    assert told[-3:] == [Appended(seen=1)] * 3
    assert list(books.settlements()) == [new]


def test_deposit_and_withdrawal_of_one_id_are_two_facts(books: Books) -> None:
    books.append(seen(deposit(amount="100.00")), stream=Stream.DEPOSITS)
    books.append(seen(deposit(amount="-30.00")), stream=Stream.WITHDRAWALS)

    book_everything(books)

    assert books.totals().cash == D("70.00")
    assert {(each.stream, each.cash()) for each in books.entries()} == {
        (Stream.DEPOSITS, D("100.00")),
        (Stream.WITHDRAWALS, D("-30.00")),
    }


def test_transfers_of_one_id_are_two_facts(books: Books) -> None:
    between = transfer("5.00")
    across = replace(
        between, from_subaccount=PRIMARY, to_subaccount=PRIMARY, to_shard=FAR, amount=D("7.00")
    )
    books.append(seen(between), stream=Stream.TRANSFERS)
    books.append(seen(across), stream=Stream.SHARD_TRANSFERS)

    book_everything(books)

    assert cash_by_shard(books) == {0: D("-7.00"), FAR: D("7.00")}


def test_corrected_result_of_a_market_without_row_is_taken_back(books: Books) -> None:
    books.append(seen(fill()), stream=Stream.FILLS)
    won = replace(market(MarketStatus.FINALIZED, result=MarketResult.YES), settled_at=later(3600))
    lost = replace(won, result=MarketResult.NO, settlement_value=None)
    books.append(seen(won, at=3700), stream=Stream.MARKETS)
    book_everything(books)
    books.append(seen(lost, at=8000), stream=Stream.MARKETS)

    book_everything(books)

    assert [(each.kind, each.at, each.cash()) for each in books.entries()][1:] == [
        ("settlement", later(3600), D("10.00")),
        ("reversal", later(8000), D("-10.00")),
        ("settlement", later(8000), D("0.00")),
    ]
    assert [(each.kind, each.amount) for each in books.booking_breaks()] == [
        ("revised_settlement", D("-10.00"))
    ]


def test_final_market_is_asked_again_until_it_says_when_it_paid(books: Books) -> None:
    books.append(seen(fill()), stream=Stream.FILLS)
    described = Market(
        ticker=RAIN,
        event_ticker=EventTicker("KXRAIN-26MAY31"),
        title="",
        open_at=None,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=Shard(0),
    )
    books.cache.save_markets([described], fetched_at=NOW)
    final = replace(market(MarketStatus.FINALIZED, result=MarketResult.YES), settled_at=None)
    books.append(seen(final), stream=Stream.MARKETS)
    book_everything(books)
    before = books.cache.unsettled_tickers()

    books.append(seen(replace(final, settled_at=later(3600)), at=60), stream=Stream.MARKETS)
    book_everything(books)

    assert before == {RAIN}
    assert books.cache.unsettled_tickers() == set()
    assert books.totals().cash == D("3.83")


def test_rebuild_finds_moved_facts_where_they_were(books: Books) -> None:
    poor = replace(fill(1), shard_named=False)
    books.append(seen(poor, source=Source.HISTORICAL), stream=Stream.FILLS)
    whole = replace(fill(1, subaccount=3), shard=FAR)
    books.append(seen(whole, at=60), stream=Stream.FILLS)
    books.append(seen(replace(fill(2), shard_named=False)), stream=Stream.FILLS)
    book_everything(books)
    before = (list(books.fills()), list(books.entries()), list(books.market_books()))

    books.rebuild()
    book_everything(books)

    assert (list(books.fills()), list(books.entries()), list(books.market_books())) == before
