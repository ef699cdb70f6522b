"""The recorded production account: its books close, and what is missing is named."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import pytest
from recorded_account import RecordedAccount

from trueup.core.catalog import Catalog, Event, Market, Series
from trueup.core.facts import Filled
from trueup.core.fees import Precision
from trueup.core.ids import PRIMARY, SHARD_ZERO, EventTicker, SeriesTicker, Ticker
from trueup.core.instant import SECOND, Instant, format_instant, parse_instant
from trueup.core.observations import Recorded
from trueup.core.orders import Side
from trueup.core.statements import PositionStated
from trueup.core.units import Count, Money, Ratio
from trueup.ledger.adopt import adopt
from trueup.ledger.booking import book_market
from trueup.ledger.breaks import BreakKind
from trueup.ledger.entries import EntryKind, MarketBook
from trueup.ledger.explain import explain, unpaid_positions
from trueup.ledger.fee_check import check_fees
from trueup.ledger.foreign import Column, ForeignTrade, Outcome, Reason, TickerEvidence
from trueup.ledger.movements import CashMovement, movement_of
from trueup.ledger.position_check import check_positions
from trueup.ledger.proof import Interval, Proven, prove
from trueup.ledger.status_words import StatusWords

pytestmark = pytest.mark.recorded

D = Money.parse


def booked(account: RecordedAccount, ticker: Ticker, recorded: Iterable[Recorded]) -> MarketBook:
    return book_market(
        PRIMARY,
        SHARD_ZERO,
        ticker,
        recorded=recorded,
        market=account.markets.get(ticker),
        precision=Precision.NON_DIRECT,
    )


@pytest.fixture(scope="module")
def books(recorded_account: RecordedAccount) -> dict[Ticker, MarketBook]:
    return {
        ticker: booked(recorded_account, ticker, recorded_account.of(ticker))
        for ticker in recorded_account.tickers()
    }


def movements(books: Iterable[MarketBook]) -> list[CashMovement]:
    found = [movement_of(entry) for book in books for entry in book.entries]
    return sorted(found, key=lambda each: (each.at, each.key))


@pytest.fixture(scope="module")
def intervals(recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]) -> list[Interval]:
    suspects = unpaid_positions(books.values(), recorded_account.markets)
    return list(explain(prove(recorded_account.readings, movements(books.values())), suspects))


def holds_money(interval: Interval) -> bool:
    """A fill, a settlement that paid, or a move of the balance."""
    return bool(interval.claimed_low) or any(
        movement.kind is EntryKind.FILL or movement.amount for movement in interval.movements
    )


def test_cash_minus_fee_is_a_whole_cent_on_every_fill(books: dict[Ticker, MarketBook]) -> None:
    fills = [
        entry for book in books.values() for entry in book.entries if entry.kind is EntryKind.FILL
    ]

    assert len(fills) == 316
    assert all(entry.cash().is_multiple_of(Money.of_cents(1)) for entry in fills)
    assert not any(book.breaks for book in books.values())


def test_all_intervals_but_three_are_proven(intervals: list[Interval]) -> None:
    verdicts = Counter(each.verdict for each in intervals)

    assert len(intervals) == 1277
    assert verdicts == {Proven.PROVEN: 1274, Proven.UNPROVEN: 3}


def test_every_interval_that_holds_something_lists_the_facts_that_explain_it(
    intervals: list[Interval],
) -> None:
    """54 hold a fill, a payout or a move; 19 more hold only settlements that paid nothing."""
    holding = [each for each in intervals if each.moved]

    assert (len(holding), len([each for each in holding if holds_money(each)])) == (73, 54)
    for each in holding:
        explained = sum((movement.amount for movement in each.movements), D("0"))
        assert len(each.movements) == each.count
        assert explained == each.explained
        assert each.claimed_low == each.claimed_high == each.explained + each.difference


def test_what_is_missing_is_named(intervals: list[Interval]) -> None:
    first, second, third = (each for each in intervals if each.verdict is Proven.UNPROVEN)

    assert [
        (format_instant(each.before.at), format_instant(each.until), str(each.difference))
        for each in (first, second, third)
        if each.before is not None
    ] == [
        ("2026-05-08T20:25:47Z", "2026-05-10T17:36:32Z", "-7.41"),
        ("2026-05-10T17:43:30Z", "2026-05-10T17:46:18Z", "3.00"),
        ("2026-05-10T17:46:18Z", "2026-05-10T23:21:54Z", "1.81"),
    ]
    assert "no fill or settlement is known for the amount: -7.41" in first.explanations
    assert second.suspected is BreakKind.MISSING_SETTLEMENT
    assert second.ticker == "KXBTC15M-26MAY101345-45"
    assert "a result of no would explain +3.00" in second.explanations[0]
    assert "KXBTC15M-26MAY101845-45, market determined yes" in third.explanations[0]
    assert "for what is left: -1.19" in third.explanations[1]


def test_read_by_our_own_clock_the_timing_shifts_come_in_pairs(
    recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> None:
    """Eleven intervals disagree then; eight of them are four pairs of a second or two."""
    readings = [replace(each, at=each.observed_at) for each in recorded_account.readings]

    found = list(prove(readings, movements(books.values())))

    assert Counter(each.verdict for each in found) == {
        Proven.PROVEN: 1266,
        Proven.TIMING: 8,
        Proven.UNPROVEN: 3,
    }
    timing = [index for index, each in enumerate(found) if each.verdict is Proven.TIMING]
    assert [after - before for before, after in zip(timing[::2], timing[1::2], strict=True)] == [
        1,
        1,
        1,
        1,
    ]


def test_times_in_whole_seconds_prove_as_much(
    recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> None:
    coarse = [
        replace(each, at=Instant(each.at // SECOND * SECOND)) for each in movements(books.values())
    ]

    found = list(prove(recorded_account.readings, sorted(coarse, key=lambda each: each.at)))

    assert Counter(each.verdict for each in found)[Proven.UNPROVEN] == 3
    # A fill and the reading of its second then stand in different intervals: 65 instead of 54.
    assert len([each for each in found if holds_money(each)]) == 65


def test_without_any_one_moving_fact_its_interval_fails(
    recorded_account: RecordedAccount,
    books: dict[Ticker, MarketBook],
    intervals: list[Interval],
) -> None:
    """Nothing may mask a missing fact: no timing, no neighbour, no later interval."""
    whole = movements(books.values())
    begin, end = recorded_account.readings[0].at, recorded_account.readings[-1].at
    moving = [each for each in whole if each.amount and begin < each.at <= end]
    assert len(moving) > 250
    for missing in moving:
        rest = [each for each in whole if each is not missing]
        found = list(prove(recorded_account.readings, rest))
        place = next(
            index
            for index, each in enumerate(intervals)
            if any(movement == missing for movement in each.movements)
        )
        assert found[place].verdict is Proven.UNPROVEN, missing
        assert found[place].difference == intervals[place].difference + missing.amount


def test_without_a_fill_the_rebooked_market_fails_too(
    recorded_account: RecordedAccount,
    books: dict[Ticker, MarketBook],
    intervals: list[Interval],
) -> None:
    """A missing fill also changes what later fills of its market mean."""
    begin, end = recorded_account.readings[0].at, recorded_account.readings[-1].at
    proven = [each for each in intervals if each.verdict is Proven.PROVEN and each.moved]
    for missing in recorded_account.fills:
        filled = missing.value
        assert isinstance(filled, Filled)
        if not begin < filled.at <= end:
            continue
        before = [each for each in proven if each.since and each.since < filled.at <= each.until]
        if not before:
            continue
        ticker = filled.ticker
        rest = [each for each in recorded_account.of(ticker) if each is not missing]
        changed = {**books, ticker: booked(recorded_account, ticker, rest)}
        found = prove(recorded_account.readings, movements(changed.values()))
        (same,) = (each for each in found if each.after is before[-1].after)
        assert same.verdict is Proven.UNPROVEN or not _moved_cash(books[ticker], missing), missing


def _moved_cash(book: MarketBook, recorded: Recorded) -> bool:
    return any(entry.key == recorded.key and entry.cash() for entry in book.entries)


def test_every_recorded_position_equals_the_books_as_of_its_time(
    recorded_account: RecordedAccount,
) -> None:
    lines = (recorded_account.folder / "positions_rest_2026-05.jsonl").read_text().splitlines()
    checked = 0
    for line in lines:
        item: dict[str, str] = json.loads(line)
        ticker, updated_at = Ticker(item["ticker"]), parse_instant(item["last_updated_ts"])
        known = [
            each
            for each in recorded_account.of(ticker)
            if isinstance(each.value, Filled) and each.value.at <= updated_at + 1000
        ]
        stated = PositionStated(
            ticker=ticker,
            net=Count.parse(item["position_fp"]),
            exposure=D(item["market_exposure_dollars"]),
            realized=D(item["realized_pnl_dollars"]),
            fees_paid=D(item["fees_paid_dollars"]),
            total_traded=D(item["total_traded_dollars"]),
            updated_at=updated_at,
            subaccount=PRIMARY,
            shard=SHARD_ZERO,
        )
        book = book_market(PRIMARY, SHARD_ZERO, ticker, recorded=known)
        assert list(check_positions([book], [stated])) == []
        checked += bool(known)
    assert checked > 50


def test_charged_fees_are_the_published_ones(
    recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> None:
    series = Series(
        ticker=SeriesTicker("KXBTC15M"),
        title="",
        category="Crypto",
        tags=(),
        fee_type="quadratic",
        fee_multiplier=Ratio(1),
    )
    events = {EventTicker(ticker.rpartition("-")[0]) for ticker in books}
    catalog = Catalog(
        series=[series],
        events=[
            Event(
                ticker=event,
                series_ticker=series.ticker,
                title="",
                mutually_exclusive=False,
                fee_type_override=None,
                fee_multiplier_override=None,
            )
            for event in events
        ],
        markets=[
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
            for ticker in books
        ],
    )
    fills = [each.value for each in recorded_account.fills if isinstance(each.value, Filled)]

    checked = check_fees(
        sorted(fills, key=lambda each: each.order_id), catalog, Precision.NON_DIRECT
    )

    assert (checked.orders, checked.unknown) == (305, 0)
    assert checked.exact >= 303
    assert len(checked.breaks) == checked.orders - checked.exact


def _bot_trades(account: RecordedAccount, name: str) -> list[ForeignTrade]:
    """A bot's own table: its outcome word is the status, its result the settled price."""
    with (account.folder / f"bot_trades_{name}.csv").open() as lines:
        return [
            ForeignTrade(
                row_id=f"{name}{number}",
                ticker=Ticker(row["market"]),
                status=row["outcome"],
                settled_price={"yes": Ratio(100), "no": Ratio(0)}.get(row["result"]),
                profit_loss=Ratio(row["net_pnl_dollars"]),
                side=Side(row["side"]),
                quantity=Ratio(row["qty"]),
                entry_price=Ratio(row["entry_fill_cents_used"]) / 100,
                exit_price=Ratio(row["exit_fill_cents_used"]) / 100
                if row["exit_fill_cents_used"]
                else None,
                fees=Ratio(row["total_fees_dollars"]),
            )
            for number, row in enumerate(csv.DictReader(lines), start=1)
        ]


BOT_WORDS = StatusWords(
    settled=frozenset({"win", "loss"}), closed=frozenset({"exited_before_settlement"})
)


@pytest.mark.parametrize(
    ("name", "rows", "settled"), [("a", 470, 136), ("b", 634, 510), ("c", 9, 9)]
)
def test_bots_rows_are_checked_by_results_and_never_called_fine(
    recorded_account: RecordedAccount,
    books: dict[Ticker, MarketBook],
    name: str,
    rows: int,
    settled: int,
) -> None:
    trades = _bot_trades(recorded_account, name)

    report = adopt(trades, _each(_evidence(recorded_account, books)), words=BOT_WORDS)

    assert len(report.lines) == rows
    assert report.of(Outcome.MATCHED) == ()
    unverified = report.of(Outcome.NOT_VERIFIABLE)
    outcomes = [line for line in unverified if any("outcome: agrees" in c for c in line.checks)]
    not_final = [line for line in unverified if line.reason is Reason.NOT_FINAL]
    assert len(outcomes) + len(not_final) == settled
    assert all("outside coverage" in line.caveats[-1] for line in outcomes)
    assert report.patches == ()
    wrong = [line for line in unverified if any("own figures give" in c for c in line.caveats)]
    # One row cut 2.5 contracts to 2; nine lost what their partial exits left over.
    assert len(wrong) == (10 if name == "a" else 0), [line.caveats for line in wrong]


def test_bots_row_with_the_wrong_result_is_found(
    recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> None:
    trades = [
        replace(trade, settled_price=100 - trade.settled_price)
        for trade in _bot_trades(recorded_account, "c")
        if trade.settled_price is not None
    ]

    report = adopt(trades, _each(_evidence(recorded_account, books)), words=BOT_WORDS)

    assert len(report.patches) == len(trades)
    columns = {change.column for line in report.patches for change in line.changes}
    assert columns == {Column.SETTLED_PRICE}


def _each(evidence: dict[Ticker, TickerEvidence]) -> dict[Ticker, list[TickerEvidence]]:
    return {ticker: [known] for ticker, known in evidence.items()}


def _evidence(
    account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> dict[Ticker, TickerEvidence]:
    return {
        ticker: TickerEvidence(
            ticker=ticker,
            books=(books[ticker],) if ticker in books else (),
            fills=tuple(each.value for each in account.of(ticker) if isinstance(each.value, Filled))
            if ticker in books
            else (),
            market=market,
        )
        for ticker, market in account.markets.items()
    }


def test_a_bots_open_row_is_patched_from_the_fills(
    recorded_account: RecordedAccount, books: dict[Ticker, MarketBook]
) -> None:
    """The seed's case on real fills: one row per market, without quantity or price."""
    evidence = {
        ticker: replace(known, covered=True)
        for ticker, known in _evidence(recorded_account, books).items()
        if ticker in books
    }
    trade = partial(ForeignTrade, status="open")
    trades = [trade(row_id=ticker, ticker=ticker) for ticker in evidence]

    report = adopt(trades, _each(evidence))

    patched = {line.trade.ticker: line.profit_loss for line in report.patches}
    assert len(patched) == 60
    for ticker, profit in patched.items():
        assert profit == books[ticker].realized - books[ticker].fees
