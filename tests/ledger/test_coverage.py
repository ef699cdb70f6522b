from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from trade_script import at

from trueup.core.facts import Stream
from trueup.core.ids import PRIMARY, Subaccount
from trueup.core.instant import Instant
from trueup.ledger.breaks import BreakKind, Severity
from trueup.ledger.coverage import (
    OVERLAP,
    Coverage,
    Fetch,
    Part,
    Span,
    Tier,
    TierBorders,
    Unreachable,
    Wanted,
    certify,
    coverage_breaks,
    merge,
    plan,
    without,
)

ONE = Subaccount(1)
BORDERS = TierBorders(
    trades_created_at=at("10:00"), orders_updated_at=at("11:00"), market_settled_at=at("09:00")
)


def span(since: str, until: str) -> Span:
    return Span(at(since), at(until))


def wanted(*streams: Stream, since: str = "06:00") -> Wanted:
    return Wanted(since=at(since), streams=streams, subaccounts=(PRIMARY,))


def test_touching_and_overlapping_spans_become_one() -> None:
    spans = [span("03:00", "04:00"), span("01:00", "02:00"), span("02:00", "03:00")]

    assert merge([*spans, span("07:00", "08:00"), span("07:30", "07:40")]) == (
        span("01:00", "04:00"),
        span("07:00", "08:00"),
    )


def test_what_is_not_covered_is_left() -> None:
    covered = [span("01:00", "02:00"), span("03:00", "05:00")]

    assert without(span("00:00", "04:00"), covered) == (
        span("00:00", "01:00"),
        span("02:00", "03:00"),
    )


SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(
        lambda ends: Span(Instant(min(ends)), Instant(max(ends)))
    )
)


@given(SPANS)
def test_whole_is_what_is_covered_and_what_is_left(spans: list[Span]) -> None:
    whole = Span(Instant(0), Instant(50))

    left = without(whole, spans)

    for moment in range(50):
        inside = any(each.since <= moment < each.until for each in spans)
        outside = any(each.since <= moment < each.until for each in left)
        assert inside != outside
    assert merge([*spans, *left]) == (whole,)


def test_nothing_covered_fetches_the_live_tier_first_and_then_the_older_one() -> None:
    found = plan(Coverage(), BORDERS, now=at("12:00"), wanted=wanted(Stream.FILLS))

    live, historical = found.fetches
    assert live.part == Part(Stream.FILLS, PRIMARY, Tier.LIVE)
    assert live.span == Span(Instant(at("10:00") - OVERLAP), at("12:00"))
    assert historical == Fetch(
        part=Part(Stream.FILLS, PRIMARY, Tier.HISTORICAL), span=span("06:00", "10:00")
    )


def test_what_is_covered_is_not_fetched_again_but_for_an_overlap() -> None:
    coverage = Coverage().adding(
        Part(Stream.FILLS, PRIMARY, Tier.HISTORICAL), span("06:00", "10:00")
    )
    coverage = coverage.adding(Part(Stream.FILLS, None, Tier.LIVE), span("10:00", "11:50"))

    found = plan(coverage, BORDERS, now=at("12:00"), wanted=wanted(Stream.FILLS))

    assert [each.span for each in found.fetches] == [
        Span(Instant(at("11:50") - OVERLAP), at("12:00"))
    ]


def test_settlements_that_left_the_live_listing_cannot_be_fetched() -> None:
    found = plan(Coverage(), BORDERS, now=at("12:00"), wanted=wanted(Stream.SETTLEMENTS))

    assert [each.part.tier for each in found.fetches] == [Tier.LIVE]
    assert found.unreachable == (
        Unreachable(stream=Stream.SETTLEMENTS, subaccount=PRIMARY, span=span("06:00", "09:00")),
    )


def test_settlements_seen_in_time_are_not_missed() -> None:
    coverage = Coverage().adding(
        Part(Stream.SETTLEMENTS, PRIMARY, Tier.LIVE), span("05:00", "11:00")
    )

    found = plan(coverage, BORDERS, now=at("12:00"), wanted=wanted(Stream.SETTLEMENTS))

    assert found.unreachable == ()


def test_deposits_have_one_listing_for_all_time() -> None:
    found = plan(Coverage(), BORDERS, now=at("12:00"), wanted=wanted(Stream.DEPOSITS))

    assert [(each.part.tier, each.span) for each in found.fetches] == [
        (Tier.LIVE, span("06:00", "12:00"))
    ]


def test_coverage_of_all_subaccounts_counts_for_each() -> None:
    coverage = Coverage().adding(Part(Stream.FILLS, None, Tier.LIVE), span("10:00", "12:00"))
    coverage = coverage.adding(Part(Stream.FILLS, ONE, Tier.LIVE), span("12:00", "13:00"))

    assert coverage.of(Stream.FILLS, ONE) == (span("10:00", "13:00"),)
    assert coverage.of(Stream.FILLS, PRIMARY) == (span("10:00", "12:00"),)
    assert coverage.covers(Stream.FILLS, PRIMARY, at("11:00"))
    assert not coverage.covers(Stream.FILLS, PRIMARY, at("12:30"))


def test_complete_coverage_is_certified_without_a_break() -> None:
    coverage = Coverage().adding(Part(Stream.FILLS, None, Tier.LIVE), span("06:00", "11:55"))

    certificate = certify(coverage, now=at("12:00"), wanted=wanted(Stream.FILLS))

    assert certificate.complete
    assert coverage_breaks(certificate) == []
    assert certificate.words() == (
        "fills of subaccount 0 complete: 2026-06-01T06:00:00Z … 2026-06-01T11:55:00Z",
    )


def test_gap_is_named_and_a_break() -> None:
    coverage = Coverage().adding(Part(Stream.FILLS, None, Tier.LIVE), span("08:00", "12:00"))

    certificate = certify(coverage, now=at("12:00"), wanted=wanted(Stream.FILLS))

    (found,) = coverage_breaks(certificate)
    assert (found.kind, found.severity) == (BreakKind.COVERAGE_GAP, Severity.AMBER)
    assert "not covered: 2026-06-01T06:00:00Z … 2026-06-01T08:00:00Z" in certificate.words()[0]


def test_what_rolled_off_and_what_results_served_is_said() -> None:
    wish = wanted(Stream.SETTLEMENTS)
    found = plan(Coverage(), BORDERS, now=at("12:00"), wanted=wish)

    certificate = certify(
        Coverage(),
        now=at("12:00"),
        wanted=wish,
        unreachable=found.unreachable,
        served_by_result=12,
    )

    words = " ".join(certificate.words())
    assert "rolled off before they were seen" in words
    assert "12 markets served by results instead of rows" in words
    assert "rolled off" in coverage_breaks(certificate)[0].remedy


def test_word_of_somebody_is_shown_as_that_and_not_as_fetched() -> None:
    stated = Part(Stream.FILLS, None, Tier.STATED)
    fetched = Part(Stream.FILLS, None, Tier.LIVE)
    coverage = Coverage().adding(stated, Span(at("06:00"), at("09:00")))
    both = coverage.adding(fetched, Span(at("08:00"), at("12:00")))

    (alone,) = certify(coverage, now=at("12:00"), wanted=wanted(Stream.FILLS)).lines
    (mixed,) = certify(both, now=at("12:00"), wanted=wanted(Stream.FILLS)).lines

    assert "fills of subaccount 0 stated complete by you, not fetched: " in alone.words()
    assert alone.fetched == ()
    assert mixed.words() == (
        "fills of subaccount 0 complete: 2026-06-01T08:00:00Z … 2026-06-01T12:00:00Z; "
        "stated complete by you, not fetched: 2026-06-01T06:00:00Z … 2026-06-01T08:00:00Z"
    )
    assert mixed.missing == ()
