"""A record that an older version could not read becomes a fact once this one can."""

from __future__ import annotations

import json

from script_exchange import NOW, RAIN, SmallExchange, book, later, new_books, reconciled

from trueup.core.facts import Source, Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.observations import Quarantined
from trueup.ledger.breaks import BreakKind
from trueup.run.books.rereading import reread_quarantined
from trueup.run.books.sync import UNATTRIBUTED
from trueup.store.break_register import BreakStatus
from trueup.store.database import Books

OLD_REASON = "result: 'scalar' is unknown"


def fill_row(number: int, **fields: object) -> bytes:
    row: dict[str, object] = {
        "trade_id": f"trade-{number}",
        "order_id": f"order-{number}",
        "ticker": RAIN,
        "outcome_side": "yes",
        "book_side": "bid",
        "count_fp": "10.00",
        "yes_price_dollars": "0.6000",
        "no_price_dollars": "0.4000",
        "fee_cost": "0.170000",
        "is_taker": True,
        "created_time": "2026-05-28T20:26:40Z",
    }
    return json.dumps(row | fields).encode()


SETTLEMENT_ROW = json.dumps(
    {
        "ticker": RAIN,
        "event_ticker": "KXRAIN-26MAY31",
        "market_result": "scalar",
        "yes_count_fp": "10.00",
        "no_count_fp": "0.00",
        "yes_total_cost_dollars": "6.000000",
        "no_total_cost_dollars": "0.000000",
        "revenue": 450,
        "value": 45,
        "fee_cost": "0.170000",
        "settled_time": "2026-05-29T00:00:00Z",
    }
).encode()

MARKET_ROW = json.dumps(
    {"ticker": RAIN, "event_ticker": "KXRAIN-26MAY31", "status": "finalized", "result": "yes"}
).encode()


def unreadable(
    stream: Stream,
    raw: bytes,
    *,
    reason: str = OLD_REASON,
    source: Source = Source.REST,
    subaccount: int | None = None,
) -> Quarantined:
    whose = None if subaccount is None else Subaccount(subaccount)
    return Quarantined(stream, reason, source, NOW, raw, whose)


def keep(books: Books, *records: Quarantined) -> None:
    for record in records:
        books.append([], stream=record.stream, quarantined=[record])


def test_record_that_can_be_read_now_is_booked_and_its_break_closes() -> None:
    books = new_books()
    keep(books, unreadable(Stream.FILLS, fill_row(1)))
    before = reconciled(books, now=later(60))

    assert reread_quarantined(books) == 1
    book(books)
    reconciled(books, now=later(120))

    kinds = {each.found.kind for each in before.breaks}
    assert BreakKind.QUARANTINED in kinds
    assert [str(each.trade_id) for each in books.fills()] == ["trade-1"]
    assert books.quarantined() == []
    (aged,) = [each for each in books.breaks() if each.found.kind is BreakKind.QUARANTINED]
    assert aged.status is BreakStatus.CLOSED


def test_settlement_is_booked_for_the_subaccount_that_was_asked_for_it() -> None:
    books = new_books()
    keep(books, unreadable(Stream.SETTLEMENTS, SETTLEMENT_ROW, subaccount=3))

    assert reread_quarantined(books) == 1

    assert [each.subaccount for each in books.settlements()] == [3]


def test_settlement_of_nobody_knows_whom_waits_when_there_are_several_subaccounts() -> None:
    """Books of before the column `subaccount`: the row could be anybody's."""
    books = new_books()
    keep(
        books,
        unreadable(Stream.SETTLEMENTS, SETTLEMENT_ROW),
        unreadable(Stream.FILLS, fill_row(1, subaccount_number=2)),
    )

    assert reread_quarantined(books) == 1

    assert list(books.settlements()) == []
    assert [each.stream for each in books.quarantined()] == [Stream.SETTLEMENTS]


def test_what_still_cannot_be_read_stays_and_is_counted_once() -> None:
    books = new_books()
    keep(books, unreadable(Stream.FILLS, fill_row(1, outcome_side="maybe")))

    assert reread_quarantined(books) == 0

    assert len(books.quarantined()) == 1
    assert list(books.fills()) == []


def test_row_that_no_subaccount_gave_is_never_attributed_by_reading_it_again() -> None:
    books = new_books()
    keep(books, unreadable(Stream.SETTLEMENTS, SETTLEMENT_ROW, reason=UNATTRIBUTED))

    assert reread_quarantined(books) == 0

    assert list(books.settlements()) == []


def test_what_was_told_again_meanwhile_only_leaves_the_quarantine() -> None:
    """The exchange corrected itself: the older words are no revision of the newer."""
    books = new_books()
    exchange = SmallExchange(books=books)
    keep(books, unreadable(Stream.FILLS, fill_row(1, fee_cost="0.990000")))
    exchange.clock.sleep(1_000_000)
    newer = Quarantined(Stream.FILLS, OLD_REASON, Source.REST, exchange.clock.now(), fill_row(1))
    keep(books, newer)
    reread_quarantined(books)
    keep(books, unreadable(Stream.FILLS, fill_row(1, fee_cost="0.990000")))

    assert reread_quarantined(books) == 1

    assert [str(each.fee) for each in books.fills()] == ["0.17"]
    assert books.quarantined() == []


def test_recorded_line_keeps_what_its_recorder_noted() -> None:
    books = new_books()
    row = json.loads(SETTLEMENT_ROW) | {
        "subaccount_number": 5,
        "observed_at": "2026-05-30T00:00:00Z",
    }
    keep(
        books,
        unreadable(Stream.SETTLEMENTS, json.dumps(row).encode(), source=Source.RECORDING),
        unreadable(Stream.MARKETS, MARKET_ROW, source=Source.RECORDING),
    )

    assert reread_quarantined(books) == 2

    assert [each.subaccount for each in books.settlements()] == [5]
    assert books.market(Ticker(RAIN)) is not None
