"""`report`, as its user reads it."""

from __future__ import annotations

from typing_user import User

from trueup.core.units import Ratio


def test_a_report_has_the_figures_and_the_picture(settled: User) -> None:
    said = settled.type("report", "--days", "30", "--html", "report.html")
    payload = settled.json("report", "--days", "30")

    assert said.code == 0
    for words in ("Win rate", "Reward to risk", "Time-weighted return", "Deepest fall", "┤"):
        assert words in said.out
    period = payload["period"]
    assert period["trades"] == period["winners"] + period["losers"]
    assert Ratio(period["win_rate"]) == round(Ratio(period["winners"], period["trades"]), 6)
    assert payload["earlier"]["until"] == period["since"]
    assert (settled.folder / "report.html").read_text().startswith("<!doctype html>")


def test_weekly_is_the_default_and_contradictions_are_told(settled: User) -> None:
    weekly, plain = settled.json("report", "--weekly"), settled.json("report")

    assert weekly["period"] == plain["period"]
    assert settled.type("report", "--weekly", "--days", "3").code == 2
    assert settled.type("report", "--html", "/nowhere/report.html").code == 2
