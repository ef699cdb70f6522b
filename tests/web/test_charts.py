"""Charts as options of the drawing library: what can be wrong in them without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from trueup.core.ids import Ticker
from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.orderbook import BookSnapshot
from trueup.core.units import Money
from trueup.web.charts import bars, drawdown_curve, equity_curve
from trueup.web.market_charts import depth, price_history
from trueup.web.values.earnings import CurvePoint
from trueup.web.values.reports import calibration_chart

NOW = Instant(1_790_000_000_000_000 // HOUR * HOUR)


def point(hours: int, paid_in: str, earned: str) -> CurvePoint:
    return CurvePoint(Instant(NOW + hours * HOUR), Money.parse(paid_in), Money.parse(earned))


POINTS = (point(-72, "100", "0"), point(-48, "100", "5"), point(-2, "60", "3"), point(0, "60", "4"))
CHARTS: dict[str, dict[str, Any]] = {
    "equity": equity_curve(POINTS, span=0, now=NOW),
    "drawdown": drawdown_curve(POINTS, span=0, now=NOW),
    "bars": bars(["a"], [Money.parse("-1.5")], sideways=True),
    "prices": price_history(()),
    "depth": depth(BookSnapshot(ticker=Ticker("KXTEST-1"))),
    "calibration": calibration_chart(()),
}


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_vanishes_under_the_pointer(name: str) -> None:
    """The library cannot make a colour of the theme lighter, and would draw nothing at all."""
    for series in CHARTS[name]["series"]:
        emphasis: dict[str, Any] = series.get("emphasis", {})
        if series.get("silent") or emphasis.get("disabled"):
            continue
        for part in {"lineStyle", "areaStyle", "itemStyle"} & set(series):
            assert emphasis[part]["color"] == series[part]["color"]


@pytest.mark.parametrize("name", ["equity", "drawdown", "prices"])
def test_time_is_utc_as_in_every_table(name: str) -> None:
    assert CHARTS[name]["useUTC"] is True


def names(chart: dict[str, Any]) -> Iterator[str]:
    return (series["name"] for series in chart["series"])


def test_a_withdrawal_is_told_apart_from_a_loss() -> None:
    assert list(names(CHARTS["equity"])) == ["equity at cost", "deposits less withdrawals"]
    assert [amount for _, amount in CHARTS["equity"]["series"][1]["data"]] == [
        "100.00",
        "100.00",
        "60.00",
        "60.00",
    ]


def test_a_day_without_deposits_is_drawn_as_large_as_it_can_be() -> None:
    quiet = equity_curve(POINTS[2:], span=DAY, now=NOW)
    assert list(names(quiet)) == ["equity at cost"]
