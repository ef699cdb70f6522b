"""How trading went, as the page shows it: the report's tables, and whether prices were right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from trueup.core.instant import DAY, HOUR, Instant
from trueup.core.units import Ratio
from trueup.ledger.calibration import Bucket, calibration
from trueup.run.books.account import Account
from trueup.run.bot.places import decisions_path
from trueup.run.reports.pictures import Table
from trueup.run.reports.tables import notes, tables
from trueup.run.reports.weekly import report_of
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Trading:
    """The report of a period, and the calibration of all trades."""

    tables: Sequence[Table]
    notes: Sequence[str]
    buckets: Sequence[Bucket]


def trading(account: Account, *, days: int) -> Trading:
    """Ask the books; walks over the whole history."""
    # The books count by whole hours; the present one belongs to the period.
    end = Instant(-(-account.now() // HOUR) * HOUR)
    decisions = decisions_path(account.desk.settings)
    found = report_of(account, decisions, since=Instant(max(0, end - days * DAY)), until=end)
    return Trading(
        tables=tables(found),
        notes=notes(found),
        buckets=calibration(account.books.trades()),
    )


def text_rows(lines: Sequence[Sequence[str]]) -> list[TableRow]:
    """Lines of a text table as rows, their columns named by number."""
    return [
        TableRow(
            key=line[0],
            cells={str(place): shown.words(_told(text)) for place, text in enumerate(line)},
        )
        for line in lines
    ]


def _told(text: str) -> str:
    """A figure of a text table with the minus sign of the page."""
    return f"{shown.MINUS}{text[1:]}" if text[:1] == "-" and text[1:2].isdigit() else text


def bucket_rows(buckets: Sequence[Bucket]) -> list[TableRow]:
    """A row for each bucket of prices."""
    return [_bucket_row(each) for each in buckets]


def _bucket_row(bucket: Bucket) -> TableRow:
    edge = bucket.edge
    tone = Tone.PLAIN if not edge else Tone.GAIN if edge > 0 else Tone.LOSS
    sign = "+" if edge > 0 else ""
    return TableRow(
        key=str(bucket.low),
        cells={
            "price": Shown(f"{bucket.low} to {bucket.high}"),
            "positions": shown.number(bucket.positions),
            "contracts": shown.count(bucket.contracts),
            "paid": shown.average(bucket.paid),
            "returned": shown.average(bucket.returned),
            "edge": Shown(f"{sign}{shown.average(edge).text}", tone, f"exactly {edge}"),
        },
    )


def calibration_points(buckets: Sequence[Bucket]) -> list[tuple[str, str]]:
    """What was paid and what came back, dollars per contract, for a chart."""
    return [(_decimal(each.paid), _decimal(each.returned)) for each in buckets]


def _decimal(value: Ratio) -> str:
    return shown.average(value).text.replace(shown.MINUS, "-")


_TOOLTIP: Final[dict[str, Any]] = {
    "trigger": "item",
    "backgroundColor": "var(--panel)",
    "borderColor": "var(--line)",
    "textStyle": {"color": "var(--text)", "fontSize": 12},
    "confine": True,
}


def calibration_chart(buckets: Sequence[Bucket]) -> dict[str, Any]:
    """Paid across, returned upwards; on the dashed line prices were right."""
    font = {"fontFamily": "inherit", "fontSize": 11, "color": "var(--soft)"}
    axis: dict[str, Any] = {
        "type": "value",
        "min": 0,
        "max": 1,
        "axisLabel": {**font, ":formatter": "(v) => '$' + v.toFixed(2)"},
        "nameTextStyle": font,
        "splitLine": {"lineStyle": {"color": "var(--line)", "type": "dashed"}},
    }
    return {
        "animation": False,
        "grid": {"left": 8, "right": 14, "top": 34, "bottom": 28, "containLabel": True},
        "tooltip": {
            **_TOOLTIP,
            ":formatter": "(each) => `paid $${each.data[0]}, returned $${each.data[1]}`",
        },
        "xAxis": {**axis, "name": "paid a contract", "nameLocation": "middle", "nameGap": 26},
        "yAxis": {**axis, "name": "returned", "nameTextStyle": {**font, "align": "left"}},
        "series": [
            {
                "type": "line",
                "silent": True,
                "symbol": "none",
                "data": [[0, 0], [1, 1]],
                "lineStyle": {"color": "var(--soft)", "type": "dashed", "width": 1},
            },
            {
                "name": "paid, returned",
                "type": "line",
                "symbolSize": 8,
                "data": [list(point) for point in calibration_points(buckets)],
                "lineStyle": {"color": "var(--accent)", "width": 1.6},
                "itemStyle": {"color": "var(--accent)"},
                "emphasis": {"disabled": True},
            },
        ],
    }
