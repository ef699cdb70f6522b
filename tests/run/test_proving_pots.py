"""Pots of cash: each judged, each amount once, and none hidden by an opening balance."""

from __future__ import annotations

from dataclasses import replace

import pytest
from script_exchange import (
    D,
    balance,
    book,
    cover,
    deposit,
    fill,
    judged,
    later,
    market,
    new_books,
    opening,
    put,
    reconciled,
    to_other_shard,
)

from trueup.core.catalog import Event, Market
from trueup.core.facts import Source, Stream, TransferStatus
from trueup.core.fees import Precision
from trueup.core.ids import SHARD_ZERO, EventTicker, SeriesTicker, Ticker
from trueup.core.observations import Observation
from trueup.core.orders import Side
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.proof import Proven
from trueup.ledger.reconcile import Closing
from trueup.run import views
from trueup.run.books.listings import BEGINNING
from trueup.run.books.proving import Reconciliation, prove_cash


def told(found: Reconciliation) -> list[tuple[BreakKind, Severity, str]]:
    return [(each.found.kind, each.found.severity, str(each.found.amount)) for each in found.breaks]


RED_CASH = (BreakKind.UNATTRIBUTED_CASH, Severity.RED)
GAP = (BreakKind.COVERAGE_GAP, Severity.AMBER, "0.00")


def test_opening_between_two_readings_hides_no_missing_money() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.BALANCES, balance("100", later(10)), balance("60", later(500)))
    cover(books)
    before = reconciled(books)
    put(books, Stream.OPENING, opening("60", at=later(400)))

    found = reconciled(books)

    assert told(before) == [(*RED_CASH, "-40.00")]
    assert (*RED_CASH, "-40.00") in told(found)
    assert found.verdict.closing is Closing.RED
    assert found.verdict.unexplained == D("-40")


def test_opening_after_known_facts_moves_no_cash_and_is_compared_with_them() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.BALANCES, balance("100", later(10)), balance("100", later(500)))
    put(books, Stream.OPENING, opening("60", at=later(400)))
    cover(books)

    found = reconciled(books)

    assert told(found) == [(*RED_CASH, "-40.00")]
    assert books.totals().cash == D("100")
    assert sum(each.cash().units for each in books.entries()) == D("100").units
    (row,) = views.balances(books, now=later(600))
    assert (row["books"], row["difference"]) == (D("100"), D("0"))


def test_opening_that_differs_where_the_time_before_is_not_known_is_amber() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10_000)))
    put(books, Stream.BALANCES, balance("60", later(10)), balance("60", later(500)))
    put(books, Stream.OPENING, opening("60", at=later(0)))
    cover(books, since=later(-5))

    found = reconciled(books)

    assert told(found) == [(BreakKind.UNATTRIBUTED_CASH, Severity.AMBER, "-40.00")]
    assert found.verdict.closing is Closing.AMBER


def test_opening_that_is_the_first_fact_is_booked_as_stated_and_sets_the_level() -> None:
    books = new_books()
    put(books, Stream.OPENING, opening("60", at=later(0)))
    put(books, Stream.DEPOSITS, deposit("5", at=later(100)))
    put(books, Stream.BALANCES, balance("60", later(10)), balance("65", later(500)))
    cover(books, since=later(-5))

    right = reconciled(books)
    put(books, Stream.OPENING, opening("59", at=later(0)))
    wrong = judged(books)

    assert right.verdict.closing is Closing.CLOSES
    assert [each.since for each in right.proof.intervals()] == [None, later(10)]
    assert books.totals().cash == D("64")
    assert [str(each.difference) for each in wrong.intervals()] == ["1.00", "0.00"]


def test_facts_that_come_late_take_the_cash_of_an_opening_back() -> None:
    books = new_books()
    put(books, Stream.OPENING, opening("60", at=later(0)))
    book(books)
    first = books.totals().cash
    put(books, Stream.DEPOSITS, deposit("60", at=later(-100)))
    book(books)

    assert (first, books.totals().cash) == (D("60"), D("60"))


def test_readings_before_an_opening_are_judged_by_their_changes_only() -> None:
    books = new_books()
    put(books, Stream.OPENING, opening("60", at=later(400)))
    put(books, Stream.BALANCES, balance("60", later(10)), balance("60", later(500)))
    cover(books)

    intervals = list(judged(books).intervals())

    assert [(each.since, each.verdict) for each in intervals] == [
        (later(10), Proven.PROVEN),
        (None, Proven.PROVEN),
    ]


def test_total_beside_an_opening_has_a_level_where_its_other_shards_are_known_whole() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.OPENING, opening("100", at=later(0)))
    put(books, Stream.SHARD_TRANSFERS, to_other_shard("30", at=later(5)))
    for shard, amount in ((None, "100"), (0, "70"), (1, "30")):
        put(books, Stream.BALANCES, balance(amount, later(10), shard=shard))
    cover(books)

    found = reconciled(books)

    assert found.verdict.closing is Closing.CLOSES
    assert len([scope for scope in found.proof.scopes if scope.intervals]) == 3


def test_money_that_total_and_shard_both_miss_is_counted_once() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    for at, amount in ((later(10), "100"), (later(500), "95")):
        put(books, Stream.BALANCES, balance(amount, at), balance(amount, at, shard=0))
    cover(books)

    found = reconciled(books)

    assert told(found) == [(*RED_CASH, "-5.00")]
    assert found.verdict.unexplained_gross == D("5")
    assert found.verdict.intervals == 2
    assert len(found.proof.scopes) == 2


@pytest.mark.parametrize(("shard_after", "unexplained"), [("100", ["-5.00"]), ("95", ["-5.00"])])
def test_total_counts_only_for_what_its_shards_leave(
    shard_after: str, unexplained: list[str]
) -> None:
    """The shard was last read before the money went, or shows it as well: named once either way."""
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.BALANCES, balance("100", later(10)), balance("100", later(10), shard=0))
    put(
        books,
        Stream.BALANCES,
        balance("95", later(500)),
        balance(shard_after, later(500 if shard_after == "95" else 400), shard=0),
    )
    cover(books)

    found = judged(books)

    assert [str(e.difference) for e in found.intervals() if e.difference] == unexplained


def test_subaccount_with_fills_whose_cash_was_never_read_is_amber() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(
        books,
        Stream.FILLS,
        fill(1, at=later(1), subaccount=3),
        fill(2, at=later(2), subaccount=3, side=Side.NO),
    )
    put(books, Stream.MARKETS, market())
    put(books, Stream.BALANCES, balance("100", later(10)), balance("100", later(20)))
    cover(books)

    found = reconciled(books)

    assert told(found) == [GAP]
    assert found.breaks[0].found.subaccount == 3
    assert "never read" in found.breaks[0].found.summary
    assert found.verdict.closing is Closing.AMBER
    assert found.proof.verdict.closing is Closing.AMBER


def test_pot_that_was_read_once_is_amber_until_it_is_read_again() -> None:
    books = new_books()
    put(books, Stream.OPENING, opening("100", at=later(0)))
    put(books, Stream.BALANCES, balance("100", later(10)), balance("100", later(20)))
    put(books, Stream.BALANCES, balance("37.11", later(20), subaccount=1))
    cover(books, since=later(-5), subaccounts=(0, 1))

    once = reconciled(books)
    put(books, Stream.BALANCES, balance("37.11", later(30), subaccount=1))
    twice = reconciled(books)

    assert told(once) == [GAP]
    assert "read once" in once.breaks[0].found.summary
    assert twice.verdict.closing is Closing.CLOSES


@pytest.mark.parametrize("arrived", [True, False])
def test_transfer_seen_on_its_way_closes_whether_a_reading_between_shows_it_or_not(
    arrived: bool,
) -> None:
    """The exchange never says when it arrived: only when it was made, and what it is now."""
    books = new_books()
    made = to_other_shard("25", at=later(90))
    for transfer, seen_at in (
        (replace(made, status=TransferStatus.PENDING), later(100)),
        (made, later(1000)),
    ):
        seen = Observation(transfer, Source.REST, seen_at, b"{}")
        books.append([seen], stream=Stream.SHARD_TRANSFERS)
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    there = "25" if arrived else "0"
    put(
        books,
        Stream.BALANCES,
        *(balance("100", later(10), shard=0), balance("0", later(10), shard=1)),
        *(balance("75", later(110), shard=0), balance(there, later(110), shard=1)),
        *(balance("75", later(1010), shard=0), balance("25", later(1010), shard=1)),
    )
    cover(books)
    book(books)

    found = reconciled(books, now=later(1020))

    assert told(found) == []
    assert found.verdict.closing is Closing.CLOSES
    assert len(list(books.transfer_entries())) == 2


@pytest.mark.parametrize("at_once", [True, False])
def test_withdrawal_may_leave_when_it_is_asked_for_or_when_it_is_final(at_once: bool) -> None:
    books = new_books()
    withdrawal = replace(
        deposit("-40", at=later(2000)), banking_id="w", created_at=later(100), at=later(2000)
    )
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.WITHDRAWALS, withdrawal)
    between = "60" if at_once else "100"
    put(
        books,
        Stream.BALANCES,
        *(balance("100", later(10)), balance(between, later(500)), balance(between, later(1500))),
        balance("60", later(2500)),
    )
    cover(books)
    book(books)

    found = reconciled(books)

    assert told(found) == []
    assert found.verdict.closing is Closing.CLOSES


def test_withdrawal_that_is_final_and_still_there_is_missing_money() -> None:
    books = new_books()
    withdrawal = replace(
        deposit("-40", at=later(2000)), banking_id="w", created_at=later(100), at=later(2000)
    )
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.WITHDRAWALS, withdrawal)
    put(books, Stream.BALANCES, balance("100", later(10)), balance("100", later(2500)))
    cover(books)
    book(books)

    assert told(reconciled(books)) == [
        (BreakKind.UNATTRIBUTED_CASH, Severity.AMBER, "40.00"),
    ]


def test_transfer_that_never_shows_in_the_balance_is_missing_money() -> None:
    books = new_books()
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.SHARD_TRANSFERS, to_other_shard("25", at=later(90)))
    put(
        books,
        Stream.BALANCES,
        *(balance("100", later(10), shard=0), balance("0", later(10), shard=1)),
        *(balance("75", later(9000), shard=0), balance("0", later(9000), shard=1)),
        *(balance("75", later(9900), shard=0), balance("0", later(9900), shard=1)),
    )
    cover(books)
    book(books)

    assert told(reconciled(books)) == [(*RED_CASH, "-25.00")]


def test_collateral_returned_by_an_exclusive_event_is_explained_when_it_is_said_to_be_on() -> None:
    """Ten NO at 0.40 in two markets of one event: one of them pays $10 for certain."""
    books = new_books()
    first = fill(1, at=later(100), side=Side.NO)
    second = replace(fill(2, at=later(200), side=Side.NO), ticker=Ticker("KXRAIN-26MAY31-B2"))
    put(books, Stream.DEPOSITS, deposit("100", at=later(-10)))
    put(books, Stream.FILLS, first, second)
    put(books, Stream.BALANCES, balance("100", later(10)), balance("101.66", later(500)))
    event = EventTicker("KXRAIN-26MAY31")
    books.cache.save_events(
        [
            Event(
                ticker=event,
                series_ticker=SeriesTicker("KXRAIN"),
                title="",
                mutually_exclusive=True,
                fee_type_override=None,
                fee_multiplier_override=None,
            )
        ],
        fetched_at=later(0),
    )
    described = Market(
        ticker=first.ticker,
        event_ticker=event,
        title="",
        open_at=None,
        close_at=None,
        expected_expiration_at=None,
        fee_waiver_until=None,
        shard=SHARD_ZERO,
    )
    markets = [described, replace(described, ticker=second.ticker)]
    books.cache.save_markets(markets, fetched_at=later(0))
    cover(books)
    book(books)
    now = later(1000)

    off = prove_cash(books, precision=Precision.DIRECT, now=now)
    on = prove_cash(books, precision=Precision.DIRECT, now=now, collateral_return_since=BEGINNING)

    assert [str(each.difference) for each in off.intervals()] == ["0.00", "10.00"]
    assert [each.verdict for each in on.intervals()] == [Proven.PROVEN, Proven.PROVEN]
