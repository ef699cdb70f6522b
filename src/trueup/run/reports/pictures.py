"""An equity curve as a picture: braille in a terminal, and a page of its own with an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from trueup.core.instant import Instant, format_instant
from trueup.core.units import Money
from trueup.ledger.performance import Point

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille cell, four rows of two."""
_BRAILLE: Final = 0x2800


def braille(
    points: Sequence[Point], until: Instant, *, width: int = 72, height: int = 8
) -> list[str]:
    """The curve in lines of text, the highest and the lowest value beside it."""
    columns, rows = width * 2, height * 4
    levels = _levels(points, until, columns)
    if not levels:
        return []
    low, high = min(levels), max(levels)
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for column, level in enumerate(levels):
        row = _row(level, low, high, rows)
        # A step is drawn as a line from where it came.
        for each in range(min(row, row if before is None else before), max(row, before or row) + 1):
            cells[each // 4][column // 2] |= _DOTS[each % 4][column % 2]
        before = row
    labels = {0: Money(high).dollars(), height - 1: Money(low).dollars()}
    margin = max(len(each) for each in labels.values())
    return [
        f"{labels.get(number, ''):>{margin}} ┤" + "".join(chr(_BRAILLE + bits) for bits in line)
        for number, line in enumerate(cells)
    ]


def _levels(points: Sequence[Point], until: Instant, columns: int) -> list[int]:
    """The equity at as many moments; a value holds until the next one is known."""
    if not points or until <= points[0].at:
        return []
    begin, length = points[0].at, until - points[0].at
    levels: list[int] = []
    place = 0
    for column in range(columns):
        at = begin + length * (column + 1) // columns
        while place + 1 < len(points) and points[place + 1].at <= at:
            place += 1
        levels.append(points[place].equity.units)
    return levels


def _row(level: int, low: int, high: int, rows: int) -> int:
    """From the top: the highest value in row 0."""
    return (rows - 1) // 2 if high == low else (high - level) * (rows - 1) // (high - low)


# -- a page ------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _TOP = 900, 300, 90, 20

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child { text-align: left; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
svg { width: 100%; height: auto; }
.line { fill: none; stroke: #2a6; stroke-width: 2; }
.axis { stroke: #8886; }
text { fill: currentColor; font-size: 12px; }
"""


def svg(points: Sequence[Point], until: Instant, *, title: str) -> str:
    """The curve as steps in an SVG that says what it shows."""
    if not points or until <= points[0].at:
        return ""
    low = min(each.equity.units for each in points)
    high = max(each.equity.units for each in points)
    begin, length = points[0].at, until - points[0].at

    def x(at: Instant) -> int:
        return _LEFT + (_WIDTH - _LEFT) * (at - begin) // length

    def y(units: int) -> int:
        return _TOP + _row(units, low, high, _HEIGHT - 2 * _TOP)

    steps = [f"M{x(points[0].at)} {y(points[0].equity.units)}"]
    steps += [f"H{x(each.at)}V{y(each.equity.units)}" for each in points[1:]]
    steps.append(f"H{x(until)}")
    words = (
        f"{title}: from {points[0].equity.dollars()} to {points[-1].equity.dollars()} dollars, "
        f"highest {Money(high).dollars()}, lowest {Money(low).dollars()}"
    )
    bottom = _HEIGHT - 4
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(words)}">'
        f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{_HEIGHT - _TOP}"/>'
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH}" y1="{_HEIGHT - _TOP}" y2="{_HEIGHT - _TOP}"/>'
        f'<text x="4" y="{_TOP + 4}">{Money(high).dollars()}</text>'
        f'<text x="4" y="{_HEIGHT - _TOP}">{Money(low).dollars()}</text>'
        f'<text x="{_LEFT}" y="{bottom}">{format_instant(begin)[:10]}</text>'
        f'<text x="{_WIDTH}" y="{bottom}" text-anchor="end">{format_instant(until)[:10]}</text>'
        f'<path class="line" d="{"".join(steps)}"/></svg>'
    )


Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Caption, headings, lines."""


def page(title: str, picture: str, tables: Sequence[Table], notes: Sequence[str]) -> str:
    """A page that needs nothing beside it: no script, no font, no address."""
    body = [f"<h1>{escape(title)}</h1>", f"<figure>{picture}</figure>"]
    for caption, headings, lines in tables:
        head = "".join(f"<th scope=col>{escape(each)}</th>" for each in headings)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in lines
        )
        body.append(
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )
    body += [f"<p>{escape(each)}</p>" for each in notes]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        + "".join(body)
        + "</body></html>\n"
    )
