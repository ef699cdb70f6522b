from __future__ import annotations

from dataclasses import replace

import pytest
from store_facts import (
    NOW,
    RAIN,
    SNOW,
    balance,
    book_everything,
    deposit,
    fill,
    later,
    market,
    opening,
    order,
    position,
    seen,
    settlement,
    transfer,
)

from trueup.core.errors import InvariantBroken
from trueup.core.facts import BankingStatus, Source, Stream
from trueup.core.ids import PRIMARY, SHARD_ZERO, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.observations import Quarantined
from trueup.core.orders import OrderStatus
from trueup.core.units import Money
from trueup.store.database import Books
from trueup.store.journal import Appended
from trueup.store.journal_index import TAIL_MAX


def test_page_seen_again_changes_nothing(books: Books) -> None:
    page = seen(fill(1), fill(2))

    first = books.append(page, stream=Stream.FILLS)
    second = books.append(page, stream=Stream.FILLS)

    assert first == Appended(new=2)
    assert second == Appended(seen=2)
    assert [each.trade_id for each in books.fills()] == ["trade-1", "trade-2"]


def test_values_come_back_as_they_were_told(books: Books) -> None:
    facts = [
        (Stream.FILLS, fill(1)),
        (Stream.SETTLEMENTS, settlement()),
        (Stream.ORDERS, order()),
        (Stream.POSITIONS, position(10)),
        (Stream.MARKETS, market()),
        (Stream.BALANCES, balance("94.0000")),
    ]
    for stream, fact in facts:
        books.append(seen(fact), stream=stream)

    assert list(books.fills()) == [fill(1)]
    assert list(books.settlements()) == [settlement()]
    assert list(books.orders()) == [order()]
    assert list(books.latest_positions()) == [position(10)]
    assert list(books.market_statements()) == [market()]
    assert books.market(RAIN) == market()
    assert list(books.balance_readings(PRIMARY)) == [balance("94.0000")]


def test_cash_facts_come_back_with_their_stream(books: Books) -> None:
    told = [
        (Stream.DEPOSITS, deposit("100.00")),
        (Stream.WITHDRAWALS, deposit("-20.00", number=2)),
        (Stream.TRANSFERS, transfer()),
        (Stream.SHARD_TRANSFERS, transfer(number=2)),
        (Stream.OPENING, opening()),
    ]
    for stream, fact in told:
        books.append(seen(fact), stream=stream)

    found = {(stream, each.value) for stream, each in books.cash_facts()}

    assert found == set(told)
    assert list(books.openings()) == [opening()]


def test_fact_told_otherwise_is_a_revision_and_keeps_both_versions(books: Books) -> None:
    books.append(seen(settlement()), stream=Stream.SETTLEMENTS)

    changed = settlement(result=MarketResult.NO, revenue="0.00")
    appended = books.append(seen(changed, at=60), stream=Stream.SETTLEMENTS)

    assert appended == Appended(revised=1)
    assert list(books.settlements()) == [changed]
    versions = [each for _, each in books.revised()]
    assert [(each.version, each.value) for each in versions] == [(1, settlement()), (2, changed)]


def test_fee_told_later_completes_the_fill_and_is_no_revision(books: Books) -> None:
    books.append(seen(fill(1, fee=None)), stream=Stream.FILLS)

    appended = books.append(seen(fill(1), at=60), stream=Stream.FILLS)

    assert appended == Appended(completed=1)
    assert list(books.fills()) == [fill(1)]
    assert list(books.revised()) == []


def test_fill_told_with_less_changes_nothing(books: Books) -> None:
    exact = fill(1, at=Instant(NOW + 123_456))
    books.append(seen(exact), stream=Stream.FILLS)

    cut = replace(exact, fee=None, at=NOW)
    appended = books.append(seen(cut, source=Source.HISTORICAL), stream=Stream.FILLS)

    assert NOW % SECOND == 0
    assert appended == Appended(seen=1)
    assert list(books.fills()) == [exact]


def test_source_that_goes_back_to_what_it_said_is_believed(books: Books) -> None:
    first, second = settlement(revenue="10.00"), settlement(revenue="9.99")
    books.append(seen(first), stream=Stream.SETTLEMENTS)
    books.append(seen(second, at=60), stream=Stream.SETTLEMENTS)

    appended = books.append(seen(first, at=120), stream=Stream.SETTLEMENTS)

    assert appended == Appended(revised=1)
    assert list(books.settlements()) == [first]


def test_other_source_repeating_an_old_version_changes_nothing(books: Books) -> None:
    first, second = settlement(revenue="10.00"), settlement(revenue="9.99")
    books.append(seen(first), stream=Stream.SETTLEMENTS)
    books.append(seen(second, at=60), stream=Stream.SETTLEMENTS)

    late = seen(first, at=120, source=Source.HISTORICAL)
    appended = books.append(late, stream=Stream.SETTLEMENTS)

    assert appended == Appended(seen=1)
    assert list(books.settlements()) == [second]


def test_page_that_names_a_fact_twice_keeps_both_versions_in_order(books: Books) -> None:
    page = seen(settlement(revenue="10.00"), settlement(revenue="9.99"), settlement(revenue="9.99"))

    appended = books.append(page, stream=Stream.SETTLEMENTS)

    assert appended == Appended(new=1, revised=1, seen=1)
    assert [each.revenue for each in books.settlements()] == [Money.parse("9.99")]


@pytest.mark.parametrize("stale_first", [True, False])
def test_stale_resting_report_never_revives_a_canceled_order(
    books: Books, *, stale_first: bool
) -> None:
    canceled = order(OrderStatus.CANCELED, filled=3, updated=60)
    stale = order(OrderStatus.RESTING, filled=2, updated=30)
    reports = [stale, canceled] if stale_first else [canceled, stale]
    for report in reports:
        books.append(seen(report), stream=Stream.ORDERS)

    merged = next(books.orders())

    assert merged.status is OrderStatus.CANCELED
    assert merged.fill_count == canceled.fill_count
    assert merged.remaining_count == canceled.remaining_count
    assert list(books.orders(status="resting")) == []


def test_order_keeps_its_client_id_when_a_report_lacks_it(books: Books) -> None:
    books.append(seen(order(client="bot-7")), stream=Stream.ORDERS)
    books.append(seen(order(updated=60, client="")), stream=Stream.ORDERS)

    assert books.client_order_ids() == {"order-1": "bot-7"}


def test_deposit_with_another_status_is_an_update(books: Books) -> None:
    books.append(seen(deposit(status=BankingStatus.PENDING)), stream=Stream.DEPOSITS)

    appended = books.append(seen(deposit()), stream=Stream.DEPOSITS)

    assert appended == Appended(updated=1)


def test_market_that_goes_on_after_a_pause_is_active_again(books: Books) -> None:
    for moment, status in enumerate(
        [MarketStatus.ACTIVE, MarketStatus.INACTIVE, MarketStatus.ACTIVE]
    ):
        books.append(seen(market(status), at=moment), stream=Stream.MARKETS)

    assert books.market(RAIN) == market(MarketStatus.ACTIVE)


def test_finalized_market_stays_final_after_a_lagging_read(books: Books) -> None:
    final = market(MarketStatus.FINALIZED, result=MarketResult.YES)
    books.append(seen(final, at=60), stream=Stream.MARKETS)
    books.append(seen(market(MarketStatus.DETERMINED), at=120), stream=Stream.MARKETS)

    assert books.market(RAIN) == final


def test_older_statement_that_arrives_late_replaces_nothing(books: Books) -> None:
    books.append(seen(position(20), at=60), stream=Stream.POSITIONS)
    books.append(seen(position(10), at=30), stream=Stream.POSITIONS)

    assert list(books.latest_positions()) == [position(20)]


def test_same_figure_read_later_is_another_reading(books: Books) -> None:
    """That the balance had not moved until then is news."""
    reading = balance("94.00")
    again = replace(reading, observed_at=later(60))
    books.append(seen(reading), stream=Stream.BALANCES)

    assert books.append(seen(reading), stream=Stream.BALANCES) == Appended(seen=1)
    assert books.append(seen(again, at=60), stream=Stream.BALANCES) == Appended(new=1)
    assert list(books.balance_readings(PRIMARY)) == [reading, again]


def test_balance_readings_of_one_scope_leave_out_the_others(books: Books) -> None:
    whole = balance("94.00", subaccount=None)
    shard = balance("94.00", shard=SHARD_ZERO)
    books.append(seen(whole, shard, balance("94.00")), stream=Stream.BALANCES)

    assert list(books.balance_readings(None, None)) == [whole]
    assert list(books.balance_readings(PRIMARY, SHARD_ZERO)) == [shard]
    assert len(books.balance_scopes()) == 3
    assert len(books.latest_balances()) == 3


def test_one_trade_between_two_own_orders_is_two_fills(books: Books) -> None:
    both = seen(fill(1, order="buyer"), fill(1, order="seller"))

    assert books.append(both, stream=Stream.FILLS) == Appended(new=2)


def test_settlements_of_two_subaccounts_are_two_facts(books: Books) -> None:
    rows = seen(settlement(), settlement(subaccount=1))

    assert books.append(rows, stream=Stream.SETTLEMENTS) == Appended(new=2)
    assert [each.subaccount for each in books.settlements(subaccount=Subaccount(1))] == [1]


def test_fill_whose_subaccount_is_corrected_leaves_the_wrong_book(books: Books) -> None:
    books.append(seen(fill(1), fill(2)), stream=Stream.FILLS)
    book_everything(books)

    books.append(seen(fill(1, subaccount=3), at=60), stream=Stream.FILLS)
    book_everything(books)

    assert [(each.subaccount, each.trade_id) for each in books.fills()] == [
        (3, "trade-1"),
        (0, "trade-2"),
    ]
    assert {each.subaccount: each.yes_bought.units for each in books.market_books()} == {
        0: 1000,
        3: 1000,
    }


def test_value_on_the_wrong_stream_is_refused(books: Books) -> None:
    with pytest.raises(InvariantBroken, match="does not belong on the stream"):
        books.append(seen(fill(1)), stream=Stream.SETTLEMENTS)

    assert list(books.fills()) == []


def test_unreadable_record_is_kept_raw_and_counted_once(books: Books) -> None:
    record = Quarantined(
        Stream.FILLS, "unknown side 'maybe'", Source.REST, NOW, b'{"side":"maybe"}'
    )

    first = books.append([], stream=Stream.FILLS, quarantined=[record])
    books.append([], stream=Stream.FILLS, quarantined=[record])

    assert first == Appended(quarantined=1)
    assert books.quarantined() == [record]
    books.forget_quarantined([record])
    assert books.quarantined() == []


def test_unknown_fields_are_counted_by_page(books: Books) -> None:
    for moment in (0, 60):
        books.append(seen(fill(1), at=moment), stream=Stream.FILLS, unknown_fields=["shoe_size"])

    drift = books.unknown_fields()[0]

    assert (drift.field, drift.seen) == ("shoe_size", 2)
    assert (drift.first_at, drift.last_at) == (later(0), later(60))


def test_evidence_holds_every_version_with_its_payload(books: Books) -> None:
    first, second = seen(settlement(revenue="10.00")), seen(settlement(revenue="9.99"), at=60)
    books.append(first, stream=Stream.SETTLEMENTS)
    books.append(second, stream=Stream.SETTLEMENTS)

    found = books.evidence(Stream.SETTLEMENTS, f"0/{RAIN}/0")
    told = list(books.payloads([RAIN, SNOW]))

    assert [each.raw for each in found] == [first[0].raw, second[0].raw]
    assert [raw for _, _, raw in told] == [first[0].raw, second[0].raw]


def test_long_journal_is_indexed_in_bulk_and_knows_every_record(books: Books) -> None:
    size = 1500
    pages = [
        seen(*(fill(size * page + row) for row in range(size)))
        for page in range(TAIL_MAX // size + 2)
    ]
    for page in pages:
        assert books.append(page, stream=Stream.FILLS) == Appended(new=size)

    again = [books.append(pages[place], stream=Stream.FILLS) for place in (0, -1)]
    changed = seen(fill(2, price="0.61"), fill(size * len(pages) - 2, price="0.61"), at=9)
    revised = books.append(changed, stream=Stream.FILLS)

    assert again == [Appended(seen=size)] * 2
    assert revised == Appended(revised=2)
    assert len(books.evidence(Stream.FILLS, "trade-2/order-2")) == 2
    assert len(list(books.revised())) == 4
    assert books.record_counts()[Stream.FILLS] == size * len(pages)
