"""Markets that have paid out."""

from __future__ import annotations

from nicegui import ui

from trueup.run.books.account import Account
from trueup.web.frame import explain_condition, frame
from trueup.web.pages.clearing_day import ClearingDays
from trueup.web.pages.columns import SETTLEMENT_COLUMNS
from trueup.web.pages.orders import leaf_of
from trueup.web.site import Site
from trueup.web.tables import Query, Table
from trueup.web.values.activity import settlement_row
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Words, box


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/settlements")
    async def settlements() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Settlements", "/settlements") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            with framed.title:
                age = Age(None, prefix="exchange asked ")
            with box("panel grid"):
                table = Table(
                    "Settlements",
                    SETTLEMENT_COLUMNS,
                    lambda query: _page(site, query),
                    query=Query(sort="at"),
                    empty="No market has paid out yet.",
                    filter_label="Filter by market",
                    export=site.url("/export/settlements.csv"),
                )
                Words(
                    "A market pays the net position. Where the settlement row has rolled off the "
                    "exchange's listing, the market's result stands for it, and says so.",
                    "soft",
                    tag="p",
                )

            days = ClearingDays(framed)

            async def refresh() -> None:
                age.show(site.reader.asked_at)
                await table.refresh()

            await refresh()
            await days.refresh()
            framed.follow(refresh)


def settlements_page(query: Query, *, prefix: str, account: Account) -> TablePage:
    """A page of settled markets."""
    listed = account.books.list_settled(leaf_of(query))
    return TablePage(
        [settlement_row(each, prefix=prefix) for each in listed.rows], listed.total, listed.more
    )


async def _page(site: Site, query: Query) -> TablePage:
    prefix = site.options.path_prefix
    return await site.reader.page(
        lambda account: settlements_page(query, prefix=prefix, account=account)
    )
