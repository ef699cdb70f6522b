"""What differs between FIX, REST and the books, and the cause that is named for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from fix_reports import page, report, whole
from trade_script import TICKER, at, book, facts, market

from trueup.core.facts import Filled, Settled, Stream
from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.observations import Recorded
from trueup.core.settlement import SettlementPageReported
from trueup.core.units import Money
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.ledger.coverage import Coverage, Part, Span, Tier
from trueup.ledger.entries import MarketBook
from trueup.ledger.report_check import FixEvidence, check_reports
from trueup.ledger.report_pages import ReportPages, Stranger
from trueup.ledger.witnesses import join_reports

BOUGHT = "12:00 buy yes 10 @ .60 fee .17\n"
ROW = "13:00 row yes revenue 10.00 yes 10 fees .17"
DAY = Span(at("00:00"), at("23:59"))


def known(*streams: Stream, until: str = "23:59") -> Coverage:
    """REST was read to its end for these streams."""
    coverage = Coverage()
    for stream in streams or (Stream.FILLS, Stream.SETTLEMENTS):
        coverage = coverage.adding(Part(stream, None, Tier.LIVE), Span(at("00:00"), at(until)))
    return coverage


def judged(
    script: str,
    *reports: Recorded,
    now: str = "18:00",
    others: Iterable[MarketBook] = (),
    evidence: FixEvidence | None = None,
    result: str = "yes",
) -> list[Break]:
    """The breaks of one market: its facts, what FIX reported, and when it is looked at.

    Where no page is named all of them came.
    """
    if not any(isinstance(each.value, SettlementPageReported) for each in reports):
        reports = tuple(whole(reports))
    told = [*facts(script), *reports]
    rows = [each.value for each in told if isinstance(each.value, Settled)]
    fills = [each.value for each in told if isinstance(each.value, Filled)]
    given = evidence or FixEvidence(coverage=known(), heard=(DAY,), heard_fills=(DAY,))
    joined = join_reports(reports)

    def fills_of(ticker: Ticker) -> list[Filled]:
        assert ticker == TICKER
        return fills

    return list(
        check_reports(
            replace(given, reports=[] if joined is None else [joined], fills_of=fills_of),
            [book(told), *others],
            rows,
            {TICKER: market(result)},
            now=at(now),
        )
    )


def test_nothing_is_said_where_the_three_agree() -> None:
    assert judged(BOUGHT + ROW, report("13:00:02", "10", "10.00")) == []


def test_a_missed_execution_report_is_named_where_rest_agrees_with_fix() -> None:
    script = BOUGHT + "13:00 row yes revenue 15.00 yes 15 fees .17"

    (position, *_) = judged(script, report("13:00:02", "15", "15.00"))

    assert (position.kind, position.severity) == (BreakKind.POSITION_DIFFERS, Severity.RED)
    assert "a missed execution report, REST's row agrees with FIX: 5.00 are missing" in (
        position.summary
    )


def test_a_late_trade_near_expiration_is_named() -> None:
    script = BOUGHT + "12:58 buy yes 5 @ .97\n13:00 row yes revenue 10.00 yes 10 fees .17"

    (position, *_) = judged(script, report("13:00:02", "10", "10.00"))

    assert "a late trade near expiration, fill trade 2" in position.summary


def test_wrong_tracking_is_named() -> None:
    (turned, *_) = judged(BOUGHT, report("13:00:02", "-10", "0"))
    other = replace(
        (elsewhere := book([*facts("12:00 buy yes 7 @ .50"), *facts(ROW)])),
        bare=elsewhere.bare._replace(subaccount=Subaccount(3)),
    )
    (mapped, *_) = judged(BOUGHT + ROW, report("13:00:02", "7", "7.00"), others=[other])

    assert "wrong tracking, YES and NO are taken for each other" in turned.summary
    assert "wrong tracking, subaccount 3 held exactly this" in mapped.summary


def test_a_position_whose_fills_were_not_asked_for_yet_is_only_late() -> None:
    evidence = FixEvidence(coverage=known(until="12:30"), heard=(DAY,))

    found = judged(BOUGHT, report("13:00:02", "15", "15.00"), evidence=evidence)

    assert {each.kind for each in found} >= {BreakKind.TIMING}
    assert BreakKind.POSITION_DIFFERS not in {each.kind for each in found}


def test_a_payout_that_differs_says_by_how_much_and_why() -> None:
    (payout,) = judged(
        BOUGHT + "13:00 row yes revenue 9.00 yes 10 fees .17", report("13:00:02", "10", "10.00")
    )

    assert (payout.kind, payout.amount) == (BreakKind.PAYOUT_DIFFERS, Money.parse("1.00"))
    assert "FIX says that 10.00 was paid, REST's row says 9.00" in payout.summary


def test_cents_that_were_taken_for_dollars_are_told() -> None:
    (payout,) = judged(BOUGHT + ROW, report("13:00:02", "10", "1000.00"))

    assert payout.kind is BreakKind.PAYOUT_DIFFERS
    assert "cents taken for dollars" in payout.summary
    assert 'fix_payouts = "cents"' in payout.remedy


def test_other_results_are_told() -> None:
    found = judged(BOUGHT + ROW, report("13:00:02", "10", "0", result="no", value="0"))

    assert "FIX says no, the settlement row says yes" in {each.summary for each in found}


def test_a_value_that_is_not_the_markets_is_told() -> None:
    told = report("13:00:02", "10", "3.00", result="scalar", value=".30")
    stated = market("scalar", value=".31")
    joined = join_reports(whole([told]))
    assert joined is not None
    found = check_reports(
        FixEvidence(reports=[joined], coverage=known()),
        [book([*facts(BOUGHT), told])],
        [],
        {TICKER: stated},
        now=at("13:30"),
    )

    assert "FIX says that YES paid 0.30, the market says 0.31" in {each.summary for each in found}


@pytest.mark.parametrize(
    ("now", "coverage", "kind"),
    [
        ("13:30", known(), BreakKind.TIMING),
        ("18:00", known(), BreakKind.ONE_SIDED),
    ],
)
def test_a_settlement_that_only_fix_told_is_late_first_and_missing_then(
    now: str, coverage: Coverage, kind: BreakKind
) -> None:
    evidence = FixEvidence(coverage=coverage, heard=(DAY,))

    (alone,) = judged(BOUGHT, report("13:00:02", "10", "10.00"), now=now, evidence=evidence)

    assert alone.kind is kind
    assert "FIX says that 10.00 was paid, REST" in alone.summary


@pytest.mark.parametrize("row", ["", ROW])
def test_what_a_report_with_missing_pages_does_not_tell_is_no_difference(row: str) -> None:
    """Its other parties may be on the missing page: only the page itself is missed."""
    evidence = FixEvidence(coverage=known(Stream.FILLS), heard=(DAY,))
    part = report("13:00:02", "6", "6.00")

    assert judged(BOUGHT + row, part, page(1, of=2), evidence=evidence) == []


def test_a_settlement_that_only_fix_told_says_what_it_was_booked_from() -> None:
    part = report("13:00:02", "6", "6.00")

    (by_report,) = judged(BOUGHT, report("13:00:02", "10", "10.00"))
    (nowhere,) = judged(BOUGHT, part, page(1, of=2), result="")

    assert by_report.summary.endswith("it is booked from the settlement report")
    assert nowhere.summary.endswith("nothing is booked")
    assert (by_report.amount, nowhere.amount) == (Money(0), Money.parse("6"))


def test_a_report_that_says_neither_position_nor_payout_is_not_taken_for_nothing() -> None:
    silent = report("13:00:02", "10", None)
    silent = replace(silent, value=replace(silent.value, long=None, short=None))  # pyright: ignore[reportArgumentType, reportCallIssue]

    (alone,) = judged(BOUGHT, silent)

    assert alone.kind is BreakKind.ONE_SIDED
    assert "FIX says that something was paid" in alone.summary


def test_where_the_row_rolled_off_the_markets_own_word_is_witness_enough() -> None:
    evidence = FixEvidence(coverage=known(Stream.FILLS), heard=(DAY,))

    assert judged(BOUGHT, report("13:00:02", "10", "10.00"), evidence=evidence) == []


@pytest.mark.parametrize(
    ("now", "kind"), [("13:30", BreakKind.TIMING), ("18:00", BreakKind.ONE_SIDED)]
)
def test_a_settlement_that_fix_never_told_is_late_first_and_missing_then(
    now: str, kind: BreakKind
) -> None:
    (alone,) = judged(BOUGHT + ROW, now=now)

    assert alone.kind is kind
    assert "REST says that 10.00 was paid" in alone.summary


def test_a_listener_that_left_at_once_had_no_chance_to_hear() -> None:
    left = FixEvidence(coverage=known(), heard=(Span(at("00:00"), at("13:10")),))

    assert [each.kind for each in judged(BOUGHT + ROW, evidence=left, now="13:20")] == [
        BreakKind.TIMING
    ]
    assert judged(BOUGHT + ROW, evidence=left, now="18:00") == []


def test_nothing_is_missed_while_nobody_listened_and_of_a_position_of_nothing() -> None:
    deaf = FixEvidence(coverage=known(), heard=(Span(at("14:00"), at("23:59")),))
    flat = BOUGHT + "12:30 buy no 10 @ .40\n13:00 row yes revenue 0 yes 10 no 10 fees .17"

    assert judged(BOUGHT + ROW, evidence=deaf) == []
    assert judged(flat) == []


def pages(**changes: object) -> ReportPages:
    usual = ReportPages(
        session="KalshiPT/key",
        ticker=TICKER,
        clearing_date="2026-06-01",
        pages=2,
        announced=3,
        last_pages=1,
        parties=2,
        agree=True,
        first_at=at("13:00"),
        last_at=at("13:00"),
    )
    return replace(usual, **changes)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("changes", "now", "kinds"),
    [
        ({}, "13:30", [BreakKind.TIMING]),
        ({}, "18:00", [BreakKind.INCOMPLETE_REPORT]),
        ({"pages": 3}, "18:00", []),
        ({"pages": 3, "last_pages": 0}, "18:00", [BreakKind.INCOMPLETE_REPORT]),
        ({"pages": 4}, "13:30", [BreakKind.INCOMPLETE_REPORT]),
        ({"pages": 3, "agree": False}, "13:30", [BreakKind.INCOMPLETE_REPORT]),
        ({"announced": None}, "18:00", []),
    ],
)
def test_a_settlement_is_whole_only_with_its_last_page_and_as_many_as_announced(
    changes: dict[str, object], now: str, kinds: list[BreakKind]
) -> None:
    evidence = FixEvidence(pages=[pages(**changes)])

    assert [each.kind for each in judged("", evidence=evidence, now=now)] == kinds


def test_what_another_session_told_whole_is_not_missing() -> None:
    whole = pages(session="KalshiRT/key", pages=3)

    assert judged("", evidence=FixEvidence(pages=[pages(), whole])) == []


def test_an_unknown_party_is_named_with_the_line_that_maps_it() -> None:
    many = [
        Stranger(
            party=f"P-{number}", reports=2, paid=Money.parse("3"), since=at("13:00"), ticker=TICKER
        )
        for number in range(25)
    ]

    found = judged("", evidence=FixEvidence(strangers=many))

    assert len(found) == 21
    assert {each.kind for each in found} == {BreakKind.UNKNOWN_PARTY}
    assert '"P-0" = 0' in found[0].remedy
    assert "5 more parties" in found[-1].summary
    assert sum((each.amount for each in found), Money(0)) == Money.parse("75")


def test_what_an_unknown_party_was_paid_is_not_said_where_a_report_does_not_say_it() -> None:
    silent = Stranger(party="P-1", reports=2, paid=None, since=at("13:00"), ticker=TICKER)

    [found] = judged("", evidence=FixEvidence(strangers=[silent]))

    assert "2 reports, not all say what was paid" in found.evidence[0]


@pytest.mark.parametrize(
    ("after", "kind"), [(HOUR // 2, BreakKind.TIMING), (2 * HOUR, BreakKind.ONE_SIDED)]
)
def test_a_fill_of_one_side_is_late_first_and_missing_then(after: int, kind: BreakKind) -> None:
    (fill,) = [each.value for each in facts(BOUGHT) if isinstance(each.value, Filled)]
    now = Instant(fill.at + after)
    whole = Coverage().adding(
        Part(Stream.FILLS, None, Tier.LIVE), Span(at("00:00"), Instant(now + SECOND))
    )
    for evidence, says in (
        (FixEvidence(coverage=whole, only_by_fix=lambda: [fill]), "FIX told a fill that REST"),
        (
            FixEvidence(heard_fills=(DAY,), never_by_fix=lambda: [fill]),
            "REST lists a fill that FIX",
        ),
    ):
        (alone,) = check_reports(evidence, [], [], {}, now=now)
        assert alone.kind is kind
        assert says in alone.summary
