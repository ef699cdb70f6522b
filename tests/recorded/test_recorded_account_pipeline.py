"""The recorded production account through the real pipeline: import, book, prove, reconcile.

316 fills, 1,278 balance readings, the results of 2,760 markets, 62 position states of
one account in May 2026.  It never had a resting order at a reading, and its balance
moved in whole cents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from trueup.core.catalog import Catalog, Market
from trueup.core.facts import Source, Stream
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, Ticker
from trueup.core.instant import SECOND, Instant, format_instant, parse_instant
from trueup.core.observations import Recorded
from trueup.core.statements import PositionStated
from trueup.core.units import Money
from trueup.ledger.booking import book_market
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.entries import EntryKind
from trueup.ledger.fee_check import check_fees
from trueup.ledger.movements import CashMovement
from trueup.ledger.position_check import check_positions
from trueup.ledger.proof import Interval, Proven, prove
from trueup.run.books.booking import Booked, book_new
from trueup.run.books.proving import PROVEN_STREAMS, Proof, prove_cash, reconcile_books
from trueup.run.books.recording import ImportReport, check_recording, import_recording
from trueup.run.config import Config
from trueup.store.database import Books, open_books
from trueup.store.journal import Appended

pytestmark = pytest.mark.recorded

D = Money.parse
CENT = Money.of_cents(1)
NOW = parse_instant("2026-06-01T00:00:00Z")
PRECISION = Precision.NON_DIRECT

UNRECORDED = (Ticker("KXBTC15M-26MAY072300-00"), Ticker("KXBTC15M-26MAY101345-45"))
"""Traded markets of which nobody recorded a result."""

UNPAID = Ticker("KXBTC15M-26MAY101845-45")
"""Held to its end; recorded as determined, its settlement was not recorded."""

STATED_BEFORE_THE_END = frozenset(
    Ticker(f"KXBTC15M-26MAY{end}")
    for end in ("072130-30", "072145-45", "080230-30", "081030-30", "081115-15", "081345-45")
)
"""Held to their end and paid; the last state of the position that was recorded is older."""

_WITHOUT = "market determined yes without a settlement"


@pytest.fixture(scope="module")
def imported(
    recording: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Books, ImportReport, Booked]]:
    place = tmp_path_factory.mktemp("books") / "recorded.db"
    with open_books(place, venue="prod", mode="live", account="recorded", create=True) as books:
        report = import_recording(books, check_recording(recording), now=NOW)
        yield books, report, book_new(books, precision=PRECISION, config=Config())


@pytest.fixture(scope="module")
def books(imported: tuple[Books, ImportReport, Booked]) -> Books:
    return imported[0]


@pytest.fixture(scope="module")
def proof(books: Books) -> Proof:
    return prove_cash(books, precision=PRECISION, now=NOW)


@pytest.fixture(scope="module")
def intervals(proof: Proof) -> list[Interval]:
    return list(proof.intervals())


@pytest.fixture(scope="module")
def movements(books: Books) -> list[CashMovement]:
    return list(books.cash_movements(PRIMARY))


def holds_money(interval: Interval) -> bool:
    """A fill, a settlement that paid, or a move of the balance."""
    return bool(interval.claimed_low) or any(
        movement.kind is EntryKind.FILL or movement.amount for movement in interval.movements
    )


def test_everything_is_read_and_marked_as_a_recording(
    imported: tuple[Books, ImportReport, Booked],
) -> None:
    books, report, booked = imported

    assert report.brought == {
        Stream.MARKETS: Appended(new=2760),
        Stream.FILLS: Appended(new=316),
        Stream.POSITIONS: Appended(new=30, updated=32),
        # Five readings came twice within a fifth of a second, with one time and one figure.
        Stream.BALANCES: Appended(new=1278),
    }
    assert report.described == {"series": 1, "events": 2762, "markets": 2760}
    assert booked == Booked(markets=68, cash_facts=0)
    assert books.quarantined() == []
    assert books.unknown_fields() == []
    fill = next(books.fills())
    (evidence,) = books.evidence(Stream.FILLS, f"{fill.trade_id}/{fill.order_id}")
    assert evidence.recorded.source is Source.RECORDING
    assert b'"fill_id"' in evidence.raw


def test_importing_it_again_changes_nothing(
    imported: tuple[Books, ImportReport, Booked], recording: Path
) -> None:
    books, _, _ = imported
    before = list(books.entries())

    again = import_recording(books, check_recording(recording), now=NOW)

    assert again.total == Appended(seen=2760 + 316 + 62 + 1278)
    assert books.count_unbooked() == 0
    assert list(books.entries()) == before


def test_cash_minus_fee_is_a_whole_cent_on_every_fill(movements: list[CashMovement]) -> None:
    fills = [each for each in movements if each.kind is EntryKind.FILL]

    assert len(fills) == 316
    assert all(each.amount.is_multiple_of(CENT) for each in fills)


def test_all_intervals_but_three_are_proven(intervals: list[Interval]) -> None:
    """1,278 readings have 1,277 intervals."""
    assert len(intervals) == 1277
    assert Counter(each.verdict for each in intervals) == {Proven.PROVEN: 1274, Proven.UNPROVEN: 3}


def test_every_interval_that_holds_something_lists_the_facts_that_explain_it(
    intervals: list[Interval],
) -> None:
    """54 hold a fill, a payout or a move; 19 more only settlements that paid nothing.

    (By the fills' times in whole seconds it is 65 that hold a fill, a payout or a
    move: the fill and the move it makes then often lie on two sides of a reading.)
    """
    holding = [each for each in intervals if each.moved]

    assert (len(holding), len([each for each in holding if holds_money(each)])) == (73, 54)
    for each in holding:
        assert len(each.movements) == each.count
        assert sum((one.amount for one in each.movements), D("0")) == each.explained
        assert all(one.ticker is not None and one.key for one in each.movements)
        if each.verdict is Proven.PROVEN:
            assert each.explained == _claimed(each)
        else:
            assert each.explanations
            assert each.explained + each.difference == _claimed(each)


def _claimed(interval: Interval) -> Money:
    """What the balance moved by, which is exact to the cent for this member."""
    assert interval.claimed_low == interval.claimed_high
    return interval.claimed_low


def test_times_in_whole_seconds_prove_as_much(books: Books, movements: list[CashMovement]) -> None:
    coarse = [replace(each, at=Instant(each.at // SECOND * SECOND)) for each in movements]

    found = list(
        prove(books.balance_readings(PRIMARY), sorted(coarse, key=_at), precision=PRECISION.step)
    )

    assert Counter(each.verdict for each in found) == {Proven.PROVEN: 1274, Proven.UNPROVEN: 3}
    assert len([each for each in found if holds_money(each)]) == 65


def _at(movement: CashMovement) -> Instant:
    return movement.at


def test_what_is_missing_is_named(intervals: list[Interval]) -> None:
    first, second, third = (each for each in intervals if each.verdict is Proven.UNPROVEN)

    assert [_where(each) for each in (first, second, third)] == [
        ("2026-05-08T20:25:47Z", "2026-05-10T17:36:32Z", "-7.41"),
        ("2026-05-10T17:43:30Z", "2026-05-10T17:46:18Z", "3.00"),
        ("2026-05-10T17:46:18Z", "2026-05-10T23:21:54Z", "1.81"),
    ]
    # The recorder was off for two days: fills of that time were never written down.
    assert first.explanations == (
        "no fill or settlement is known for the amount: -7.41",
        "the readings lie 1 d apart",
        "113 known movements add up to -10.75",
    )
    assert (second.suspected, second.ticker) == (BreakKind.MISSING_SETTLEMENT, UNRECORDED[1])
    assert second.explanations == (
        f"position -3.00 NO in {UNRECORDED[1]}, no result known: a result of no would explain +3.00",
    )
    # A settlement that was not recorded, and fills that were not: 3.00 − 1.19.
    assert third.explanations == (
        f"position +3.00 YES in {UNPAID}, {_WITHOUT} would explain +3.00",
        "no fill or settlement is known for what is left: -1.19",
        "111 known movements add up to -1.39",
    )


def _where(interval: Interval) -> tuple[str, str, str]:
    assert interval.since is not None
    return (
        format_instant(interval.since),
        format_instant(interval.until),
        str(interval.difference),
    )


def test_without_any_one_moving_fact_its_interval_fails(
    books: Books, movements: list[CashMovement], intervals: list[Interval]
) -> None:
    """Nothing may mask a missing fact: no timing, no neighbour, no later interval."""
    readings = list(books.balance_readings(PRIMARY))
    begin, end = readings[0].at, readings[-1].at
    moving = [each for each in movements if each.amount and begin < each.at <= end]

    assert Counter(each.kind for each in moving) == {
        EntryKind.FILL: 306,
        EntryKind.SETTLEMENT: 9,
    }
    for missing in moving:
        rest = [each for each in movements if each is not missing]
        place = next(i for i, each in enumerate(intervals) if missing in each.movements)
        # The proof of an interval does not look further than its neighbours.
        first = max(0, place - 3)
        near = readings[first : place + 6]
        found = list(prove(near, rest, precision=PRECISION.step))[place - first]
        assert found.after == intervals[place].after
        assert found.verdict is Proven.UNPROVEN, missing
        assert found.difference == intervals[place].difference + missing.amount


def test_fees_follow_from_the_published_rules_on_every_order(books: Books) -> None:
    """The rules of May 2026: trade fees to $0.0001, whole-cent balances, a rebate per order."""
    fees = check_fees(books.fills_by_order(), books.cache.catalog(), PRECISION)
    assert (fees.orders, fees.exact, fees.unknown) == (305, 298, 7)

    # The seven belong to the two markets that nobody recorded, but their series is known.
    fees = check_fees(books.fills_by_order(), _with_unrecorded(books.cache.catalog()), PRECISION)

    assert (fees.orders, fees.exact, fees.unknown, fees.breaks) == (305, 305, 0, ())


def _with_unrecorded(catalog: Catalog) -> Catalog:
    missing = [
        Market(
            ticker=ticker,
            event_ticker=EventTicker(ticker.rpartition("-")[0]),
            title="",
            open_at=None,
            close_at=None,
            expected_expiration_at=None,
            fee_waiver_until=None,
            shard=SHARD_ZERO,
        )
        for ticker in UNRECORDED
    ]
    return Catalog(
        series=catalog.series.values(),
        events=catalog.events.values(),
        markets=[*catalog.markets.values(), *missing],
        observed_at=catalog.observed_at,
    )


def test_every_position_statement_equals_the_books_as_of_its_time(books: Books) -> None:
    stated = [
        each.recorded.value
        for ticker in sorted({position.ticker for position in books.latest_positions()})
        for each in books.evidence(Stream.POSITIONS, f"{PRIMARY}/{ticker}")
    ]

    assert len(stated) == 62
    for statement in stated:
        assert isinstance(statement, PositionStated)
        book = book_market(
            PRIMARY,
            SHARD_ZERO,
            statement.ticker,
            recorded=_known_at(books, statement),
            precision=PRECISION,
        )
        assert list(check_positions([book], [statement])) == []


def _known_at(books: Books, statement: PositionStated) -> list[Recorded]:
    """The fills up to a statement; its time is cut to less than a millisecond."""
    until = Instant(statement.updated_at + SECOND // 1000)
    return [
        Recorded(number, f"{fill.trade_id}/{fill.order_id}", 1, fill, Source.RECORDING, NOW)
        for number, fill in enumerate(books.fills(ticker=statement.ticker), start=1)
        if fill.at <= until
    ]


def test_reconciliation_names_what_is_missing(books: Books) -> None:
    found = reconcile_books(books, precision=PRECISION, now=NOW)

    told = [each.found for each in found.breaks]
    serious = {
        (each.kind, each.severity, each.ticker)
        for each in told
        if each.kind is not BreakKind.COVERAGE_GAP and each.severity is not Severity.GREEN
    }
    stale = {each for each in serious if each[2] in STATED_BEFORE_THE_END}
    assert serious - stale == {
        (BreakKind.UNATTRIBUTED_CASH, Severity.RED, None),
        (BreakKind.MISSING_SETTLEMENT, Severity.RED, UNRECORDED[1]),
        (BreakKind.MISSING_SETTLEMENT, Severity.AMBER, UNRECORDED[1]),
        (BreakKind.UNATTRIBUTED_CASH, Severity.AMBER, None),
        (BreakKind.MISSING_SETTLEMENT, Severity.AMBER, UNPAID),
        (BreakKind.POSITION_DIFFERS, Severity.RED, UNPAID),
    }
    # Stated before the market paid, and never again: said to be older than the books.
    assert stale == {
        (BreakKind.POSITION_DIFFERS, Severity.AMBER, ticker) for ticker in STATED_BEFORE_THE_END
    }
    # A recording proves nothing complete, and 22 positions were paid by a market's result.
    assert Counter(each.kind for each in told if each.severity is Severity.GREEN) == {
        BreakKind.MISSING_SETTLEMENT: 22
    }
    assert Counter(each.kind for each in told)[BreakKind.COVERAGE_GAP] == len(PROVEN_STREAMS)
    assert not found.verdict.closes


@pytest.mark.postgres
def test_on_postgresql_the_same_comes_out(
    books: Books, intervals: list[Interval], recording: Path, postgres_url: str
) -> None:
    with open_books(
        postgres_url, venue="prod", mode="live", account="recorded", create=True
    ) as others:
        import_recording(others, check_recording(recording), now=NOW)
        book_new(others, precision=PRECISION, config=Config())

        assert list(others.entries()) == list(books.entries())
        assert list(others.market_books()) == list(books.market_books())
        assert list(prove_cash(others, precision=PRECISION, now=NOW).intervals()) == intervals
