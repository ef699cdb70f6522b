"""Tables that the server sorts, filters and pages, and that move cell by cell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from nicegui.element import Element

from trueup.core.errors import TrueupError
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import Shown, sentences
from trueup.web.widgets import hear, panel

ROWS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name in the rows, its heading, and how it behaves."""

    name: str
    label: str
    figure: bool = False
    sorts: bool = False
    phone: bool = True
    """Whether it is also shown on a phone."""
    wide: bool = False
    """Whether its words may take several lines."""
    calm: bool = False
    """Whether it moves with the clock alone, so that a change is nothing to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a person wants to see of a table."""

    sort: str
    descending: bool = True
    words: str = ""
    offset: int = 0
    limit: int = ROWS
    picked: str = ""
    """One of the table's picks, such as an order status."""

    def parameters(self) -> str:
        """The same for the address of an export."""
        given = {"sort": self.sort, "descending": int(self.descending), "words": self.words}
        return urlencode({**given, "picked": self.picked})


_UNSORTED: Final = Query(sort="")


def page_of(rows: Sequence[TableRow], query: Query) -> TablePage:
    """One page of rows that are all known."""
    return TablePage(rows[query.offset : query.offset + query.limit], len(rows))


Load = Callable[[Query], Awaitable[TablePage | None]]
"""What brings a page of rows; `None` while they are not known yet, which is not the same as none."""


class Table(Element, component="components/ledger_table.js"):
    """A table on the page.  Call `refresh` once to fill it, and whenever the books change."""

    def __init__(
        self,
        caption: str,
        columns: Sequence[Column],
        load: Load,
        *,
        query: Query,
        empty: str,
        filter_label: str = "",
        export: str = "",
        actions: Mapping[str, str] | None = None,
        acted: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__()
        self._load = load
        self._export = export
        self._shown: dict[str, Mapping[str, Shown]] = {}
        self._shape: object = None
        """What `patch` cannot change about the rows that are shown."""
        self.query = query
        self._acted = acted
        given: dict[str, object] = {
            "caption": caption,
            "columns": [_column(each) for each in columns],
            "rows": [],
            "total": 0,
            "more": False,
            "empty": empty,
            "filterable": bool(filter_label),
            "filter-label": filter_label,
            "paged": True,
            "loading": True,
            "actions": [{"name": name, "label": label} for name, label in (actions or {}).items()],
        }
        self._props.update(given)
        for event, heard in (("sort", self._sort), ("filter", self._filter), ("turn", self._turn)):
            hear(self, event, heard)
        if acted is not None:
            hear(self, "act", self._act)

    async def refresh(self) -> None:
        """Read the page of rows again."""
        query = self.query
        try:
            page = await self._load(query)
        except TrueupError as error:
            self._props["empty"] = sentences(error, error.remedy)
            page = TablePage((), 0)
        if page is None or query != self.query:
            return  # it is still being read, or somebody has turned the page meanwhile
        if query.offset and query.offset >= page.total:
            self.query = replace(query, offset=0)
            await self.refresh()
            return
        self.fill(page)

    def fill(self, page: TablePage) -> None:
        """Show these rows; only what differs from before is sent where the rows are the same ones."""
        query = self.query
        shown = {row.key: row.cells for row in page.rows}
        shape = (
            query,
            page.total,
            page.more,
            [(r.key, r.href, r.tone, r.actions) for r in page.rows],
        )
        if shape == self._shape:
            self.patch(shown)
            return
        self._shown, self._shape = shown, shape
        with self._props.suspend_updates():
            self._props.update(
                {
                    "rows": [_row(row) for row in page.rows],
                    "total": page.total,
                    "more": page.more,
                    "offset": query.offset,
                    "limit": query.limit,
                    "sort": query.sort,
                    "descending": query.descending,
                    "loading": False,
                    "exporting": f"{self._export}?{query.parameters()}" if self._export else "",
                }
            )
        self.update()

    def patch(self, cells: Mapping[str, Mapping[str, Shown]]) -> None:
        """Show other figures in some cells of rows that are there."""
        changes: dict[str, dict[str, list[str]]] = {}
        for key, given in cells.items():
            known = self._shown.get(key)
            if known is None:
                continue
            moved = {name: _cell(each) for name, each in given.items() if known.get(name) != each}
            if moved:
                changes[key] = moved
                self._shown[key] = {**known, **given}
        if changes:
            self.run_method("patch", changes)

    async def pick(self, picked: str) -> None:
        """Show only rows of one kind."""
        self.query = replace(self.query, picked=picked, offset=0)
        await self.refresh()

    async def _sort(self, name: Any) -> None:  # noqa: ANN401  # whatever the browser sent
        descending = not self.query.descending if self.query.sort == name else True
        self.query = replace(self.query, sort=str(name), descending=descending, offset=0)
        await self.refresh()

    async def _filter(self, words: Any) -> None:  # noqa: ANN401
        self.query = replace(self.query, words=str(words)[:100], offset=0)
        await self.refresh()

    async def _turn(self, offset: Any) -> None:  # noqa: ANN401
        self.query = replace(self.query, offset=max(0, int(offset)))
        await self.refresh()

    async def _act(self, given: Any) -> None:  # noqa: ANN401
        if self._acted is not None:
            await self._acted(str(given["name"]), str(given["key"]))


def titled_table(
    caption: str,
    columns: Sequence[Column],
    load: Load,
    *,
    empty: str,
    query: Query = _UNSORTED,
    classes: str = "panel grid",
    actions: Mapping[str, str] | None = None,
    acted: Callable[[str, str], Awaitable[None]] | None = None,
) -> Table:
    """A table in a panel of its own under its caption."""
    with panel(caption, classes=classes):
        return Table(caption, columns, load, query=query, empty=empty, actions=actions, acted=acted)


def _column(column: Column) -> dict[str, object]:
    return {
        "name": column.name,
        "label": column.label,
        "figure": column.figure,
        "sorts": column.sorts,
        "phone": column.phone,
        "wide": column.wide,
        "calm": column.calm,
    }


def _row(row: TableRow) -> dict[str, object]:
    told: dict[str, object] = {
        "key": row.key,
        "cells": {name: _cell(each) for name, each in row.cells.items()},
    }
    if row.href:
        told["href"] = row.href
    if row.tone:
        told["tone"] = row.tone
    if row.actions is not None:
        told["actions"] = list(row.actions)
    return told


def _cell(shown: Shown) -> list[str]:
    return [shown.text, shown.tone.value, shown.title, shown.href]
