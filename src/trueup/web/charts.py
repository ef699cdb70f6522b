"""Charts: options for the drawing library, in the colours of the page's theme.

They are drawn as SVG, so that colours follow the theme by themselves.  Amounts are handed
over as decimal text; only the browser turns them into lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from nicegui import ui
from nicegui.events import EChartPointClickEventArguments

from trueup.core.instant import DAY, Instant
from trueup.core.units import Money
from trueup.web.values.earnings import CurvePoint
from trueup.web.values.shown import MINUS, rounded_to_cents

Options = dict[str, Any]

RANGES: Final[Mapping[str, int]] = {"1D": DAY, "1W": 7 * DAY, "1M": 30 * DAY, "All": 0}
"""What a curve can be narrowed to."""

DOLLARS: Final = f"(v) => (v < 0 ? '{MINUS}$' : '$') + Math.abs(v).toLocaleString('en-US')"
"""Round dollars of an axis."""
_TO_THE_CENT: Final = (
    f"(v) => (v < 0 ? '{MINUS}$' : '$') + Math.abs(v)"
    ".toLocaleString('en-US', {minimumFractionDigits: 2, maximumFractionDigits: 2})"
)
FONT: Final = {"fontFamily": "inherit", "fontSize": 11, "color": "var(--soft)"}
NO_LINE: Final = {"show": False}
SPLIT: Final = {"lineStyle": {"color": "var(--line)", "type": "dashed"}}
TOOLTIP: Final[Options] = {
    "trigger": "axis",
    "backgroundColor": "var(--panel)",
    "borderColor": "var(--line)",
    "textStyle": {"color": "var(--text)", "fontSize": 12},
    "confine": True,
    "extraCssText": "box-shadow: 0 6px 18px rgb(0 0 0 / 25%)",
}


class Chart:
    """A chart on the page."""

    def __init__(
        self,
        options: Options,
        classes: str = "chart",
        *,
        words: str,
        clicked: Callable[[str], None] | None = None,
    ) -> None:
        self._element = ui.echart(options, renderer="svg").classes(classes)
        self._element.props["role"] = "img"
        self._element.props["aria-label"] = words
        self._shown = options
        if clicked is not None:

            def told(arguments: EChartPointClickEventArguments) -> None:
                clicked(_name_of(arguments))

            self._element.on_point_click(told)

    def show(self, options: Options) -> None:
        """Draw something else; nothing happens when it is the same."""
        if options == self._shown:
            return
        self._shown = options
        given = cast("Options", self._element.props["options"])
        given.clear()
        given.update(options)
        self._element.update()


def equity_curve(points: Sequence[CurvePoint], *, span: int, now: Instant) -> Options:
    """Equity at cost over time; a step for each hour in which something happened."""
    shown = within(points, span=span, now=now)
    series = [_curve("equity at cost", "accent", [(each.at, each.equity) for each in shown])]
    if len({each.paid_in for each in shown}) > 1:
        series.append(_paid_in(shown))
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 8, "right": 12, "top": 12, "bottom": 4, "containLabel": True},
        "tooltip": {**TOOLTIP, "axisPointer": {"lineStyle": {"color": "var(--soft)"}}},
        "xAxis": time_axis(),
        "yAxis": {
            "type": "value",
            "scale": True,
            "axisLabel": {**FONT, ":formatter": DOLLARS},
            "splitLine": SPLIT,
        },
        "series": series,
    }


def _curve(
    name: str, color: str, points: Sequence[tuple[Instant, Money]], *, width: int = 2
) -> Options:
    line = {"color": f"var(--{color})", "width": width}
    area = {"color": f"var(--{color})", "opacity": 0.1}
    point = {"color": f"var(--{color})"}
    return {
        "name": name,
        "type": "line",
        "step": "end",
        # Points are there to be clicked, and seen only under the pointer: a click on
        # the line between them would not say when.
        "showSymbol": True,
        "showAllSymbol": True,
        "symbol": "circle",
        "symbolSize": 14,
        "lineStyle": line,
        "itemStyle": {**point, "opacity": 0},
        "areaStyle": area,
        # The library would make these colours lighter under the pointer, cannot read them, and
        # would draw nothing.
        "emphasis": {
            "lineStyle": line,
            "areaStyle": area,
            "itemStyle": {**point, "opacity": 0.6},
        },
        "data": [[at // 1000, cents(amount)] for at, amount in points],
        "tooltip": {":valueFormatter": _TO_THE_CENT},
    }


def _paid_in(points: Sequence[CurvePoint]) -> Options:
    """Deposits and withdrawals move equity, too: beside it they are told apart."""
    return {
        "name": "deposits less withdrawals",
        "type": "line",
        "step": "end",
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": "var(--soft)", "width": 1, "type": "dashed"},
        "itemStyle": {"color": "var(--soft)"},
        "emphasis": {"disabled": True},
        "data": [[each.at // 1000, cents(each.paid_in)] for each in points],
        "tooltip": {":valueFormatter": _TO_THE_CENT},
    }


def drawdown_curve(points: Sequence[CurvePoint], *, span: int, now: Instant) -> Options:
    """How far below the highest point, over time."""
    highest, depths = 0, list[CurvePoint]()
    for point in points:
        highest = max(highest, point.earned.units)
        depths.append(CurvePoint(point.at, Money(0), Money(point.earned.units - highest)))
    shown = within(depths, span=span, now=now)
    options = equity_curve((), span=span, now=now)
    options["yAxis"] = {**options["yAxis"], "max": 0, "splitNumber": 2}
    depth = [(each.at, each.earned) for each in shown]
    options["series"] = [_curve("drawdown", "loss", depth, width=1)]
    return options


def within(points: Sequence[CurvePoint], *, span: int, now: Instant) -> list[CurvePoint]:
    """The points of the last `span`, beginning with what stood at its start; 0 is all."""
    if not span or not points:
        return list(points)
    start = Instant(now - span)
    before = [each for each in points if each.at < start]
    inside = [each for each in points if each.at >= start]
    if before:
        inside.insert(0, CurvePoint(start, before[-1].paid_in, before[-1].earned))
    return inside


def bars(names: Sequence[str], amounts: Sequence[Money], *, sideways: bool) -> Options:
    """A bar for each name: gains to one side, losses to the other, with the amount beside it."""
    data = [
        {
            "value": cents(amount),
            "itemStyle": {"color": "var(--gain)" if amount.units >= 0 else "var(--loss)"},
            "label": {"position": _outside(amount, sideways=sideways)},
        }
        for amount in amounts
    ]
    names_axis: Options = {
        "type": "category",
        "data": list(names),
        "axisLabel": {**FONT, "interval": 0 if sideways else "auto", "hideOverlap": True},
        "axisTick": NO_LINE,
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "inverse": sideways,
    }
    room = ["16%", "16%"] if sideways else [0, 0]
    amounts_axis: Options = {
        "type": "value",
        "axisLabel": {**FONT, "hideOverlap": True, ":formatter": DOLLARS},
        "splitLine": SPLIT,
        "boundaryGap": room,
        # Lying amounts need the width: where the library has to drop some, the rest look uneven.
        "splitNumber": 3 if sideways else 5,
    }
    label = {
        "show": sideways,
        "color": "var(--text)",
        "fontSize": 11,
        "fontFamily": "inherit",
        ":formatter": f"(each) => ({_TO_THE_CENT})(Number(each.value))",
    }
    return {
        "animation": False,
        "grid": {
            "left": 4,
            "right": 12,
            "top": 8,
            "bottom": 2,
            "containLabel": True,
        },
        "tooltip": {
            **TOOLTIP,
            "axisPointer": {"type": "shadow"},
            ":valueFormatter": _TO_THE_CENT,
        },
        "xAxis": amounts_axis if sideways else names_axis,
        "yAxis": names_axis if sideways else amounts_axis,
        "series": [
            {
                "type": "bar",
                "barMaxWidth": 16,
                "data": data,
                "label": label,
                "emphasis": {"disabled": True},
            }
        ],
    }


def cents(amount: Money) -> str:
    """An amount for a chart, rounded to the cent."""
    return rounded_to_cents(amount).replace(",", "").replace(MINUS, "-")


def _outside(amount: Money, *, sideways: bool) -> str:
    if sideways:
        return "right" if amount.units >= 0 else "left"
    return "top" if amount.units >= 0 else "bottom"


def time_axis() -> Options:
    """An axis of moments; the chart says `useUTC`, as every table does."""
    return {
        "type": "time",
        "axisLabel": {**FONT, "hideOverlap": True},
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "axisTick": NO_LINE,
        "splitLine": NO_LINE,
    }


def _name_of(arguments: EChartPointClickEventArguments) -> str:
    """What was clicked: a category's name, or the time of a point in milliseconds."""
    given: object = arguments.data
    point = cast("list[object]", given) if isinstance(given, list) else []
    return str(point[0]) if point else str(arguments.name)
