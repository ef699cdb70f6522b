"""Rows of a table: what a page shows and an export writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.web.values.shown import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row: a key that stays the same, and a shown figure for each column."""

    key: str
    cells: Mapping[str, Shown]
    href: str = ""
    tone: str = ""
    actions: tuple[str, ...] | None = None
    """Which of the table's actions it offers; `None`: all."""


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of one page, and how many there are on all; with `more` at least so many.

    With `more` and a sort that is not by time, these are the first of the newest `total`.
    """

    rows: Sequence[TableRow]
    total: int
    more: bool = False
