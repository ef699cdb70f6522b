"""CSV of the tables below ``/export``: the same rows in the same order, all pages of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from trueup.core.errors import CallerError
from trueup.run.books.account import Account
from trueup.store.listing import PAGE_ROWS_MAX
from trueup.web.pages import positions
from trueup.web.pages.columns import (
    FILL_COLUMNS,
    MARKET_COLUMNS,
    ORDER_COLUMNS,
    SETTLEMENT_COLUMNS,
)
from trueup.web.pages.markets import scanned_page
from trueup.web.pages.orders import fills_page, orders_page
from trueup.web.pages.settlements import settlements_page
from trueup.web.site import Site
from trueup.web.tables import Column, Query
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import MINUS, UNKNOWN

ROWS_MAX: Final = 200_000
"""So many rows an export has at most; `trueup export csv` writes any number."""


@dataclass(frozen=True, slots=True)
class _Export:
    columns: Sequence[Column]
    page: Callable[[Account, Query], TablePage]


def _fills(account: Account, query: Query) -> TablePage:
    return fills_page(query, prefix="", account=account)


def _orders(account: Account, query: Query) -> TablePage:
    return orders_page(query, prefix="", may_cancel=False, account=account)


def _settlements(account: Account, query: Query) -> TablePage:
    return settlements_page(query, prefix="", account=account)


_EXPORTS: Final[Mapping[str, _Export]] = {
    "fills": _Export(FILL_COLUMNS, _fills),
    "orders": _Export(ORDER_COLUMNS, _orders),
    "settlements": _Export(SETTLEMENT_COLUMNS, _settlements),
}


def add_exports(application: FastAPI, site: Site) -> None:
    """Add the route."""

    @application.get("/export/{name}.csv", include_in_schema=False)
    async def export(  # pyright: ignore[reportUnusedFunction]
        name: str, *, sort: str = "at", descending: int = 1, words: str = "", picked: str = ""
    ) -> Response:
        query = Query(
            sort=sort,
            descending=bool(descending),
            words=words[:100],
            picked=picked,
            limit=PAGE_ROWS_MAX,
        )
        answer = Response(await _written(site, name, query), media_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{site.venue}.csv"'
        return answer


async def _written(site: Site, name: str, query: Query) -> str:
    if name == "positions":
        held = await positions.positions_page(site, replace(query, limit=ROWS_MAX))
        return write_csv(positions.COLUMNS, [held])
    if name == "markets":
        return write_csv(MARKET_COLUMNS, [await scanned_page(site, replace(query, limit=ROWS_MAX))])
    export = _EXPORTS.get(name)
    if export is None:
        known = ", ".join(("positions", "markets", *_EXPORTS))
        raise CallerError(f"there is no export {name!r}", remedy=f"Use {known}.")
    pages: list[TablePage] = []
    while not pages or (
        len(pages[-1].rows) == PAGE_ROWS_MAX and len(pages) * PAGE_ROWS_MAX < ROWS_MAX
    ):
        wanted = replace(query, offset=len(pages) * PAGE_ROWS_MAX)

        def question(account: Account, wanted: Query = wanted) -> TablePage:
            return export.page(account, wanted)

        page = await site.reader.page(question)
        if page.more and query.sort != "at":
            # Another sort would leave out what is not among the newest.
            query, pages = replace(query, sort="at", descending=True), []
            continue
        pages.append(page)
    return write_csv(export.columns, pages)


def write_csv(columns: Sequence[Column], pages: Sequence[TablePage]) -> str:
    """The rows as a program reads them: plain exact numbers, whole times, empty where something is
    not known.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.label for column in columns])
    for page in pages:
        for row in page.rows:
            cells = (row.cells[column.name] for column in columns)
            writer.writerow([field(each.exact or each.text) for each in cells])
    return text.getvalue()


def field(text: str) -> str:
    """One field; what a spreadsheet would take for a formula is kept as text."""
    if text == UNKNOWN:
        return ""
    ascii_text = text.replace(MINUS, "-")
    bare = ascii_text.replace(",", "").removeprefix("+")
    if bare.removeprefix("-").replace(".", "", 1).isdecimal():
        return bare
    return f"'{ascii_text}" if ascii_text[:1] in {"=", "+", "-", "@", "\t", "\r"} else ascii_text
