"""The charts of one market: its price history, and the depth of its book."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from trueup.core.orderbook import BookSnapshot, Level
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.run.markets.watch import Stick
from trueup.web.charts import FONT, NO_LINE, SPLIT, TOOLTIP, Options, time_axis

_NOTHING: Final = "-"
"""What the drawing library takes for a gap."""
_PRICE_AXIS: Final[Options] = {
    "type": "value",
    "scale": True,
    # The ends are wherever the prices are, mostly beside a round one: only round ones are named.
    "axisLabel": {
        **FONT,
        "showMinLabel": False,
        "showMaxLabel": False,
        ":formatter": "(v) => '$' + v.toFixed(2)",
    },
    "splitLine": SPLIT,
}
_LOWEST: Final = "(v) => Math.max(0, Math.floor(v.min * 50 - 1) / 50)"
_HIGHEST: Final = "(v) => Math.min(1, Math.ceil(v.max * 50 + 1) / 50)"
_CENT: Final = 100
"""A cent in the units of a price."""


def price_history(sticks: Sequence[Stick]) -> Options:
    """Candlesticks of the trades, with bid and ask around them and the volume below."""
    names = ("bid", "ask")
    lines = (
        _line(name, f"var(--{tone})", [[each.end_at // 1000, _text(price)] for each, price in told])
        for name, tone, told in (
            (names[0], "gain", [(each, each.bid) for each in sticks]),
            (names[1], "loss", [(each, each.ask) for each in sticks]),
        )
    )
    # Both panes show the same time, whatever happened in it.
    time = time_axis()
    if sticks:
        time |= {"min": sticks[0].end_at // 1000, "max": sticks[-1].end_at // 1000}
    return {
        "animation": False,
        "useUTC": True,
        "grid": [
            {"left": 48, "right": 14, "top": 28, "height": 190},
            {"left": 48, "right": 14, "top": 238, "height": 50},
        ],
        "legend": {
            "top": 0,
            "right": 10,
            "itemWidth": 16,
            "itemHeight": 8,
            "textStyle": {"color": "var(--soft)", "fontSize": 11},
            "data": ["trades", *names],
        },
        "tooltip": {**TOOLTIP, "axisPointer": {"lineStyle": {"color": "var(--soft)"}}},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "xAxis": [
            {**time, "axisLabel": NO_LINE},
            {**time, "gridIndex": 1},
        ],
        "yAxis": [
            {**_PRICE_AXIS, ":min": _LOWEST, ":max": _HIGHEST},
            {
                "type": "value",
                "gridIndex": 1,
                "splitNumber": 2,
                "axisLabel": {**FONT, "hideOverlap": True},
                "splitLine": NO_LINE,
            },
        ],
        "series": [_candles(sticks), *lines, _volume(sticks)],
    }


def _candles(sticks: Sequence[Stick]) -> Options:
    return {
        "name": "trades",
        "type": "candlestick",
        "barMaxWidth": 9,
        "itemStyle": {
            "color": "var(--gain)",
            "color0": "var(--loss)",
            "borderColor": "var(--gain)",
            "borderColor0": "var(--loss)",
        },
        "emphasis": {"disabled": True},
        "data": [
            [
                each.end_at // 1000,
                *(_text(price) for price in (each.open, each.close, each.low, each.high)),
            ]
            for each in sticks
            if each.close is not None
        ],
        "tooltip": {":valueFormatter": "(v) => (v ? '$' + v : '')"},
    }


def _line(name: str, color: str, points: list[list[Any]]) -> Options:
    return {
        "name": name,
        "type": "line",
        "step": "end",
        "showSymbol": False,
        "symbol": "circle",
        "lineStyle": {"color": color, "width": 1.2, "opacity": 0.75},
        "itemStyle": {"color": color},
        "emphasis": {"disabled": True},
        "data": points,
        "tooltip": {":valueFormatter": "(v) => v === '-' || v == null ? '–' : '$' + v"},
    }


def _volume(sticks: Sequence[Stick]) -> Options:
    return {
        "name": "volume",
        "type": "bar",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "barMaxWidth": 9,
        "itemStyle": {"color": "var(--accent)", "opacity": 0.7},
        "emphasis": {"disabled": True},
        "data": [[each.end_at // 1000, str(each.volume)] for each in sticks],
    }


def depth(book: BookSnapshot) -> Options:
    """How much can be sold (bids) and bought (asks) down, or up, to each YES price."""
    prices = [level.price.units for level in (*book.bids, *book.asks)]
    low = max(0, min(prices, default=0) - 2 * _CENT)
    high = min(Price.of_cents(100).units, max(prices, default=100 * _CENT) + 2 * _CENT)
    bids = _reaching(cumulative(book.bids), Price(low))
    asks = _reaching(cumulative(book.asks), Price(high))
    return {
        "animation": False,
        "grid": {"left": 8, "right": 14, "top": 28, "bottom": 4, "containLabel": True},
        "tooltip": {
            **TOOLTIP,
            "axisPointer": {"type": "line", "lineStyle": {"color": "var(--soft)"}},
            ":formatter": _DEPTH_WORDS,
        },
        "xAxis": {
            "type": "value",
            "min": str(Price(low)),
            "max": str(Price(high)),
            "axisLabel": {**FONT, "hideOverlap": True, ":formatter": "(v) => '$' + v.toFixed(2)"},
            "axisLine": {"lineStyle": {"color": "var(--line)"}},
            "splitLine": NO_LINE,
        },
        "yAxis": {
            "type": "value",
            "name": "contracts",
            "nameTextStyle": {**FONT, "align": "left"},
            "axisLabel": FONT,
            "splitLine": SPLIT,
        },
        "series": [
            # The curves run outwards from the best price: a step stands until the next level.
            _side("bids", "var(--gain)", list(reversed(bids)), step="start"),
            _side("asks", "var(--loss)", asks, step="end"),
        ],
    }


_DEPTH_WORDS: Final = (
    "(told) => told.map((each) => `${each.seriesName}: "
    "${Number(each.data[1]).toLocaleString('en-US')} contracts to $${each.data[0]}`).join('<br>')"
)


def _side(name: str, color: str, points: list[tuple[Price, Count]], *, step: str) -> Options:
    return {
        "name": name,
        "type": "line",
        "step": step,
        "showSymbol": False,
        "symbol": "circle",
        "lineStyle": {"color": color, "width": 1.5},
        "itemStyle": {"color": color},
        "areaStyle": {"color": color, "opacity": 0.14},
        "emphasis": {"disabled": True},
        "data": [[str(price), str(count)] for price, count in points],
    }


def cumulative(levels: Iterable[Level]) -> list[tuple[Price, Count]]:
    """Each level with everything that is as good or better, in the given order: best first."""
    total, found = ZERO_COUNT, list[tuple[Price, Count]]()
    for level in levels:
        total += level.count
        found.append((level.price, total))
    return found


def _reaching(points: list[tuple[Price, Count]], edge: Price) -> list[tuple[Price, Count]]:
    """The same up to the edge of the chart: beyond the last level there is no more."""
    return [*points, (edge, points[-1][1])] if points and points[-1][0] != edge else points


def _text(price: Price | None) -> str:
    return _NOTHING if price is None else str(price)
