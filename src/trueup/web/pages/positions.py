"""Open positions, moving with the market."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from trueup.core.catalog import Quote
from trueup.core.ids import Ticker
from trueup.web.frame import Frame, explain_condition, frame
from trueup.web.live import Moved
from trueup.web.pages.columns import POSITION_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of
from trueup.web.values.holdings import (
    Holdings,
    holdings,
    live_cells,
    marked,
    position_rows,
    total_figures,
)
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import Shown
from trueup.web.widgets import Age, Words, box, facts

COLUMNS = (
    POSITION_COLUMNS[0],
    Column(name="title", label="What it asks", phone=False, wide=True),
    *POSITION_COLUMNS[1:],
)


async def positions_page(site: Site, query: Query, *, prefix: str = "") -> TablePage:
    """A page of the open positions whose market or question has the words of the query."""
    held = await site.reader.ask("holdings", holdings)
    rows = position_rows(
        held, marked(held.positions, site.tops()), now=site.reader.now(), prefix=prefix
    )
    words = query.words.lower()
    found = [
        row
        for row in rows
        if words in row.cells["market"].text.lower() or words in row.cells["title"].text.lower()
    ]
    return page_of(found, query)


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/positions")
    async def positions() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Positions", "/positions") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            await _Positions(framed).build()


class _Positions:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed

    async def build(self) -> None:
        with self._frame.title:
            self._age = Age(None, prefix="exchange asked ")
        with box("panel grid"):
            self._sums = facts(await self._totals())
        with box("panel"):
            self._table = Table(
                "Open positions",
                COLUMNS,
                self._page,
                query=Query(sort="cost", limit=200),
                empty="No open positions.",
                filter_label="Filter by market",
                export=self._site.url("/export/positions.csv"),
            )
            Words(
                "The mark is what one contract could be sold for now: the best bid for it. Value and "
                "unrealised P&L are at the mark, before fees.",
                "soft",
                tag="p",
            )
        await self._refresh()
        self._frame.follow(self._refresh)
        self._frame.follow(self._move, moved=frozenset({Moved.TOPS}))

    async def _totals(self) -> dict[str, Shown]:
        held = await self._site.reader.ask("holdings", holdings)
        return total_figures(held, marked(held.positions, self._site.tops()))

    async def _refresh(self) -> None:
        self._age.show(self._site.reader.asked_at)
        self._show(await self._totals())
        await self._table.refresh()

    async def _move(self) -> None:
        """Only what moves with the market; worked out once for all tabs."""
        site = self._site
        held = await site.reader.ask("holdings", holdings)
        cells, totals = site.hub.once("positions", held, lambda: _moving(held, site.tops()))
        self._table.patch(cells)
        self._show(totals)

    def _show(self, totals: Mapping[str, Shown]) -> None:
        for name, figure in totals.items():
            self._sums[name].show(figure)

    async def _page(self, query: Query) -> TablePage:
        return await positions_page(self._site, query, prefix=self._site.options.path_prefix)


def _moving(
    held: Holdings, tops: Mapping[Ticker, Quote]
) -> tuple[dict[str, dict[str, Shown]], dict[str, Shown]]:
    positions = marked(held.positions, tops)
    return live_cells(positions), total_figures(held, positions)
