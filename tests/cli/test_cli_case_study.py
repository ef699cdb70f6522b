"""The case study in small: fewer days, everything else as told; the books must close."""

from __future__ import annotations

import pytest
from typing_user import User

from trueup.core.instant import DAY, EASTERN, MINUTE, Instant, parse_instant, to_datetime
from trueup.core.units import Money
from trueup.run.sandbox.case_study import Study, outages_of, play, strategies

SMALL = Study(days=3, density=3)


@pytest.mark.timeout(600)
def test_a_seed_gives_the_same_course_again() -> None:
    one, other = play(SMALL), play(SMALL)

    assert len(one.machine.state.tops) > 20
    assert one.machine.state.tops == other.machine.state.tops
    assert one.venue.heard.fills == other.venue.heard.fills
    assert one.venue.heard.decisions == other.venue.heard.decisions
    assert one.venue.heard.alerts == other.venue.heard.alerts


def test_the_exchange_fails_twice_for_8_to_12_minutes_while_somebody_trades() -> None:
    for seed in range(20):
        first, second = outages_of(Study(seed=seed))

        assert second.began - first.began > 30 * DAY
        for each in (first, second):
            assert 8 * MINUTE <= each.ended - each.began <= 12 * MINUTE
            assert 9 <= to_datetime(each.began).astimezone(EASTERN).hour <= 17


def test_the_strategies_keep_the_study_s_rules() -> None:
    (reversion, first), (momentum, second) = strategies()

    assert (reversion.name, momentum.name) == ("mean-reversion", "momentum")
    assert first.capital + second.capital == Money.parse("5000")
    assert reversion.parameters()["deviation"] == "3/25"
    assert first.limits.categories == {"Economics"}
    assert reversion.universe.busiest == momentum.universe.busiest == 22


@pytest.mark.timeout(600)
def test_the_study_in_small_is_told_and_its_books_close(user: User) -> None:
    told = user.json("case-study", "--days", "8", "--html", "study.html")

    assert told["markets_watched"] <= 22
    assert told["orders"] > 0
    assert told["trades"] > 0
    fetched, reconciled, proven, report = told["steps"]
    assert {each["venue"] for each in (fetched, reconciled, proven)} == {"sandbox"}
    assert reconciled["breaks"] == []
    assert reconciled["verdict"] == proven["verdict"] == "closes"
    assert report["period"]["trades"] == told["trades"]
    assert report["period"]["manual_orders"] == 0
    assert report["period"]["markets_watched"] == told["markets_watched"]
    for outage in told["outages"]:
        began, ended = (parse_instant(outage[name]) for name in ("began", "ended"))
        assert 8 * MINUTE <= ended - began <= 12 * MINUTE
        assert outage["halted_at"] is not None
        assert began <= parse_instant(outage["halted_at"]) <= ended
        assert parse_instant(outage["lifted_at"]) >= Instant(ended - MINUTE)
    assert (user.folder / "study.html").read_text().startswith("<!doctype html>")
