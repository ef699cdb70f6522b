"""Tables for a person: as wide as there is room for, and never with a figure cut.

A figure without its last digits is another figure, and a row without its market is nobody's.
Where a table does not fit, its titles are broken at their words and its columns move
together; where not even that fits, each row becomes lines of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_GAP: Final = 3
_TIGHT_GAP: Final = 1
_EDGES: Final = 2
_TEXT_MIN: Final = 24
"""So much of a text stays on a line, a market's ticker for example; longer texts are folded."""


def laid_out(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    figures: Collection[str],
    width: int,
    title: str = "",
) -> RenderableType:
    """Rows of cells under their titles, for a screen of so many characters.

    `figures` names the columns that hold figures: they stand right, each whole on one line.
    """
    is_figure = [column in figures for column in columns]
    broken = [column.replace(" ", "\n") for column in columns]
    for titles, gap in ((columns, _GAP), (broken, _TIGHT_GAP)):
        least = [
            _least(each, cells, is_figure=figure)
            for each, cells, figure in zip(titles, zip(*rows, strict=True), is_figure, strict=True)
        ]
        if sum(least) + gap * (len(least) - 1) + _EDGES <= width:
            return _table(titles, rows, is_figure, title=title, is_tight=gap == _TIGHT_GAP)
    return Group(*_one_by_one(columns, rows, title))


def _least(title: str, cells: Sequence[str], *, is_figure: bool) -> int:
    """How wide a column has to be."""
    longest = max(_longest(cell) for cell in cells)
    return max(_longest(title), longest if is_figure else min(longest, _TEXT_MIN))


def _longest(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    is_figure: Sequence[bool],
    *,
    title: str,
    is_tight: bool,
) -> Table:
    table = Table(
        title=title or None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        padding=(0, 0 if is_tight else 1),
    )
    for each, figure in zip(titles, is_figure, strict=True):
        table.add_column(
            each, justify="right" if figure else "left", no_wrap=figure, overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _one_by_one(
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str
) -> Iterator[Text]:
    """Each row as lines, a title and its cell on each."""
    names = max(map(cell_len, columns)) + 2
    yield Text(title)
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            first, *others = cell.split("\n")
            yield Text(f"{column:<{names}}").append(first)
            yield from (Text(" " * names + other) for other in others)
        yield Text()
