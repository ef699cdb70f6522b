"""What the world outside means for a market: headlines, rate probabilities, another venue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from engine_floor import HOT, NOON
from hypothesis import given
from hypothesis import strategies as st

from trueup.core.errors import CallerError
from trueup.core.ids import SeriesTicker
from trueup.core.instant import SECOND, Instant
from trueup.core.units import Ratio
from trueup.engine.fedwatch import (
    Distribution,
    above,
    decision_anchors,
    distribution,
    from_futures,
    level_anchors,
)
from trueup.engine.headlines import Classified, Topic, classify, is_about, words_of
from trueup.engine.other_venue import Offer, OtherMarket, Pair, quote_of
from trueup.engine.signals import Direction, VenueQuote

# -- headlines ---------------------------------------------------------------------------------

CPI = Topic(
    tickers=(HOT,),
    about=("CPI", "consumer prices", "inflation"),
    positive=("hotter", "accelerates", "rises", "more than expected", "higher"),
    negative=("cools", "slows", "falls", "less than expected", "lower"),
)


@pytest.mark.parametrize(
    ("headline", "direction", "confidence"),
    [
        ("Inflation rises", Direction.POSITIVE, Ratio(1, 2)),
        ("Inflation accelerates, prices higher", Direction.POSITIVE, Ratio(3, 4)),
        ("CPI rises more than expected", Direction.POSITIVE, Ratio(15, 16)),
        ("Inflation cools: prices lower", Direction.NEGATIVE, Ratio(3, 4)),
        ("Inflation did not cool", None, None),
        ("Inflation is not higher", Direction.NEGATIVE, Ratio(1, 2)),
        ("Inflation rises, core falls", None, None),
        (
            "INFLATION RISES, CORE FALLS, RENTS HIGHER",
            Direction.POSITIVE,
            Ratio(1, 3) * Ratio(7, 8),
        ),
        ("Inflation report today", None, None),
        ("Inflation: Enterprises reassess", None, None),
        ("", None, None),
    ],
)
def test_words_speak_for_yes_or_against(
    headline: str, direction: Direction | None, confidence: Ratio | None
) -> None:
    """Two words that agree are worth 3/4, and only whole words count ("Enterprises" holds "rises")."""
    found = classify(words_of(headline), CPI)

    expected = (
        None if direction is None or confidence is None else Classified(direction, confidence)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("headline", "is_on_topic"),
    [
        ("Consumer prices jump", True),
        ("Consumer confidence and prices", False),
        ("cpi: 3.5%", True),
        ("CPIX files for bankruptcy", False),
    ],
)
def test_a_story_is_about_a_topic_by_whole_phrases(headline: str, is_on_topic: bool) -> None:
    assert is_about(words_of(headline), CPI) is is_on_topic


@given(st.text())
def test_confidence_is_below_one_whatever_is_written(text: str) -> None:
    found = classify(words_of(f"{text} rises {text} cools {text} higher"), CPI)

    assert found is None or 0 < found.confidence < 1


# -- Fed funds ---------------------------------------------------------------------------------

SEPTEMBER, OCTOBER = date(2025, 9, 17), date(2025, 10, 29)


def test_a_cut_is_read_off_the_futures_by_hand() -> None:
    """August has no meeting and says 4.33 %; September averages 4.255 % over 30 days, 17 of them
    before the decision counts: the end is (30 × 4.255 − 17 × 4.33) / 13 = 4.15692 %, so the
    change is −0.17308 %, or −0.6923 quarter points: a cut with 69.23 %.
    """
    prices = {(2025, 8): Ratio("95.67"), (2025, 9): Ratio("95.745")}

    (found,) = from_futures(prices, [SEPTEMBER], effective=Ratio("4.33"), upper_now=450)

    assert found.uppers == {425: Ratio(9, 13), 450: Ratio(4, 13)}


def test_a_month_without_a_meeting_fixes_the_end() -> None:
    """October meets on the 29th of 31 days and says little; November, without a meeting, is what
    counts: 4.08 % to 3.83 % is one whole cut.
    """
    prices = {
        (2025, 8): Ratio("95.67"),
        (2025, 9): 100 - (Ratio("4.33") * 17 + Ratio("4.08") * 13) / 30,
        (2025, 10): 100 - (Ratio("4.08") * 29 + Ratio("3.83") * 2) / 31,
        (2025, 11): Ratio("96.17"),
    }

    first, second = from_futures(
        prices, [OCTOBER, SEPTEMBER], effective=Ratio("4.33"), upper_now=450
    )

    assert first.uppers == {425: 1}
    assert second.uppers == {400: 1}


def test_meetings_follow_one_another() -> None:
    """Half a cut and then half a cut: a quarter, a half, a quarter."""
    half = Ratio("0.125")
    effective = Ratio("4.33")
    prices = {
        (2025, 8): 100 - effective,
        (2025, 9): 100 - (effective * 17 + (effective - half) * 13) / 30,
        (2025, 11): 100 - (effective - 2 * half),
        (2025, 10): 100 - ((effective - half) * 29 + (effective - 2 * half) * 2) / 31,
    }

    _, second = from_futures(prices, [SEPTEMBER, OCTOBER], effective=effective, upper_now=450)

    assert second.uppers == {400: Ratio(1, 4), 425: Ratio(1, 2), 450: Ratio(1, 4)}


def test_futures_stop_where_prices_do_and_refuse_nonsense() -> None:
    prices = {(2025, 9): Ratio("95.745")}

    found = from_futures(prices, [SEPTEMBER, OCTOBER], effective=Ratio("4.33"), upper_now=450)

    assert [each.meeting for each in found] == [SEPTEMBER]
    with pytest.raises(CallerError, match="no price of a Fed funds future"):
        from_futures({(2025, 9): Ratio("4.25")}, [SEPTEMBER], effective=Ratio(4), upper_now=450)
    with pytest.raises(CallerError, match="two meetings in one month"):
        from_futures(prices, [SEPTEMBER, SEPTEMBER], effective=Ratio(4), upper_now=450)


DECEMBER = distribution(
    date(2026, 12, 9), {350: Ratio("0.03"), 375: Ratio("0.67"), 400: Ratio("0.30")}
)


def test_rate_markets_are_above_a_strike() -> None:
    anchors = level_anchors(DECEMBER, series=SeriesTicker("KXFED"), source="FedWatch", at=NOON)

    assert {each.ticker: each.probability for each in anchors} == {
        "KXFED-26DEC-T3.25": 1,
        "KXFED-26DEC-T3.50": Ratio("0.97"),
        "KXFED-26DEC-T3.75": Ratio("0.30"),
        "KXFED-26DEC-T4.00": 0,
    }
    assert above(DECEMBER, 360) == Ratio("0.97")


def test_decision_markets_are_moves_from_the_range_before() -> None:
    anchors = decision_anchors(
        DECEMBER, 400, series=SeriesTicker("KXFEDDECISION"), source="FedWatch", at=NOON
    )

    assert {each.ticker: each.probability for each in anchors} == {
        "KXFEDDECISION-26DEC-C26": Ratio("0.03"),
        "KXFEDDECISION-26DEC-C25": Ratio("0.67"),
        "KXFEDDECISION-26DEC-H0": Ratio("0.30"),
        "KXFEDDECISION-26DEC-H25": 0,
        "KXFEDDECISION-26DEC-H26": 0,
    }
    assert sum(each.probability for each in anchors) == 1


@pytest.mark.parametrize(
    "uppers",
    [
        {375: Ratio("0.5"), 400: Ratio("0.4")},
        {375: Ratio("1.2"), 400: Ratio("-0.2")},
        {380: Ratio(1)},
        {},
    ],
)
def test_probabilities_that_make_no_sense_are_refused(uppers: dict[int, Ratio]) -> None:
    with pytest.raises(CallerError, match="make no sense"):
        distribution(date(2026, 12, 9), uppers)


def test_rounded_probabilities_add_up_to_exactly_one() -> None:
    thirds = {350: Ratio("0.333"), 375: Ratio("0.333"), 400: Ratio("0.333")}

    found = distribution(date(2026, 12, 9), thirds)

    assert found == Distribution(
        meeting=date(2026, 12, 9), uppers=dict.fromkeys((350, 375, 400), Ratio(1, 3))
    )


# -- another venue -----------------------------------------------------------------------------

PAIR = Pair(
    ticker=HOT,
    venue="polymarket",
    market_id="7",
    yes_is="Yes",
    source="the same release",
    time="the same minute",
    rules="the same words",
    checked_by="ada",
    checked_on="2026-10-01",
)
THERE = OtherMarket(
    market_id="7",
    question="Will it?",
    is_open=True,
    offers={
        "Yes": Offer(ask=Ratio("0.55"), size=Ratio(40), at=NOON),
        "No": Offer(ask=Ratio("0.47"), size=Ratio("12.5"), at=NOON),
    },
    fee_rate=Ratio("0.04"),
)


def test_a_quote_is_turned_into_the_terms_of_the_market_here() -> None:
    straight = quote_of(PAIR, THERE, now=NOON, age_max=10 * SECOND)
    turned = quote_of(replace(PAIR, yes_is="No"), THERE, now=NOON, age_max=10 * SECOND)

    assert isinstance(straight, VenueQuote)
    assert isinstance(turned, VenueQuote)
    assert (straight.yes_ask, straight.yes_size) == (Ratio("0.55"), 40)
    assert (straight.no_ask, straight.no_size) == (Ratio("0.47"), Ratio("12.5"))
    assert (turned.yes_ask, turned.no_ask) == (Ratio("0.47"), Ratio("0.55"))
    assert straight.fee_per_share == Ratio("0.04") * Ratio("0.47") * Ratio("0.53")


@pytest.mark.parametrize(
    ("pair", "market", "words"),
    [
        (PAIR, replace(THERE, is_open=False), "closed"),
        (replace(PAIR, yes_is="Up"), THERE, "'Up' is not one of two"),
        (PAIR, replace(THERE, offers={"Yes": THERE.offers["Yes"]}), "not one of two"),
        (
            PAIR,
            replace(
                THERE,
                offers={n: replace(each, ask=None) for n, each in THERE.offers.items()},
            ),
            "a leg is missing",
        ),
        (
            PAIR,
            replace(
                THERE,
                offers={
                    n: replace(each, at=Instant(NOON - 11 * SECOND))
                    for n, each in THERE.offers.items()
                },
            ),
            "11 s from now",
        ),
        (
            PAIR,
            replace(
                THERE, offers={n: replace(each, ask=Ratio(1)) for n, each in THERE.offers.items()}
            ),
            "outside 0 and 1",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(
    pair: Pair, market: OtherMarket, words: str
) -> None:
    found = quote_of(pair, market, now=NOON, age_max=10 * SECOND)

    assert isinstance(found, str)
    assert words in found
    assert found.startswith(HOT)
