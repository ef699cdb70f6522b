"""Open positions, moving with the market."""

from __future__ import annotations

from nicegui import ui

from trueup.web.frame import Frame, explain_condition, frame
from trueup.web.live import Moved
from trueup.web.pages.columns import POSITION_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table
from trueup.web.values import shown
from trueup.web.values.holdings import holdings, live_cells, marked, position_rows, worth
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Words, box, facts

_COLUMNS = (
    POSITION_COLUMNS[0],
    Column(name="title", label="What it asks", phone=False, wide=True),
    *POSITION_COLUMNS[1:],
)


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
                _COLUMNS,
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

    async def _totals(self) -> dict[str, shown.Shown]:
        held = await self._site.reader.ask("holdings", holdings)
        sums = worth(held, marked(held.positions, self._site.tops()))
        return {
            "Positions": shown.number(len(held.positions)),
            "Cost": shown.dollars(sums.cost),
            "Value at the marks": shown.dollars(sums.value),
            "Unrealised": shown.dollars(sums.unrealized, signed=True),
            "Tied up by resting orders": shown.dollars(sums.collateral),
        }

    async def _refresh(self) -> None:
        self._age.show(self._site.reader.asked_at)
        for name, figure in (await self._totals()).items():
            self._sums[name].show(figure)
        await self._table.refresh()

    async def _move(self) -> None:
        """Only the cells that move with the market."""
        site = self._site
        held = await site.reader.ask("holdings", holdings)
        self._table.patch(live_cells(marked(held.positions, site.tops())))
        for name, figure in (await self._totals()).items():
            self._sums[name].show(figure)

    async def _page(self, query: Query) -> TablePage:
        site = self._site
        held = await site.reader.ask("holdings", holdings)
        rows = position_rows(
            held,
            marked(held.positions, site.tops()),
            now=site.reader.now(),
            prefix=site.options.path_prefix,
        )
        words = query.words.lower()
        found = [
            row
            for row in rows
            if words in row.cells["market"].text.lower() or words in row.cells["title"].text.lower()
        ]
        return TablePage(found[query.offset : query.offset + query.limit], len(found))
