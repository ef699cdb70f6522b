"""Orders and fills: filterable, page by page, with what made each one."""

from __future__ import annotations

from functools import partial

from nicegui import ui
from nicegui.element import Element

from trueup.run.books.account import Account
from trueup.store.listing import Leaf
from trueup.web.dialogs import ask
from trueup.web.frame import Frame, explain_condition, frame
from trueup.web.pages.columns import FILL_COLUMNS, ORDER_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Query, Table
from trueup.web.values.activity import fill_row, order_row
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Words, attribute, box, button, panel

_STATUSES = {"resting": "Resting", "executed": "Executed", "canceled": "Canceled", "": "All"}


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/orders")
    async def orders() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Orders & fills", "/orders") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            await _Orders(framed).build()


def orders_page(query: Query, *, prefix: str, may_cancel: bool, account: Account) -> TablePage:
    """A page of orders."""
    listed = account.books.list_orders(leaf_of(query, status=query.picked))
    rows = [order_row(each, prefix=prefix, may_cancel=may_cancel) for each in listed.rows]
    return TablePage(rows, listed.total, listed.more)


def fills_page(query: Query, *, prefix: str, account: Account) -> TablePage:
    """A page of fills."""
    listed = account.books.list_fills(leaf_of(query))
    return TablePage(
        [fill_row(each, prefix=prefix) for each in listed.rows], listed.total, listed.more
    )


def leaf_of(query: Query, *, status: str = "") -> Leaf:
    """What the database is asked for a page of a table."""
    return Leaf(
        sort=query.sort,
        descending=query.descending,
        words=query.words,
        status=status,
        limit=query.limit,
        offset=query.offset,
    )


class _Orders:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._picks: dict[str, Element] = {}

    async def build(self) -> None:
        site = self._site
        with self._frame.title:
            self._age = Age(None, prefix="exchange asked ")
        with box("panel grid"):
            with box("head"):
                Words("Orders", tag="h2")
                with box("picks", role="group", aria_label="Which orders"):
                    for status, name in _STATUSES.items():
                        pick = button(name, partial(self._pick, status), "")
                        attribute(pick, "aria-pressed", str(status == "").lower())
                        self._picks[status] = pick
                if not site.options.read_only:
                    button("Cancel all …", self._ask_cancel_all, "small")
            self._orders = Table(
                "Orders",
                ORDER_COLUMNS,
                self._order_page,
                query=Query(sort="at", limit=25),
                empty="No orders.",
                filter_label="Filter by market, order id or client id",
                export=site.url("/export/orders.csv"),
                actions={} if site.options.read_only else {"cancel": "Cancel"},
                acted=self._act,
            )
        with panel("Fills"):
            self._fills = Table(
                "Fills",
                FILL_COLUMNS,
                self._fill_page,
                query=Query(sort="at", limit=25),
                empty="No fills.",
                filter_label="Filter by market, order id or trade id",
                export=site.url("/export/fills.csv"),
            )
        await self._refresh()
        self._frame.follow(self._refresh)

    async def _refresh(self) -> None:
        self._age.show(self._site.reader.asked_at)
        await self._orders.refresh()
        await self._fills.refresh()

    async def _pick(self, status: str) -> None:
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == status).lower())
        await self._orders.pick(status)

    async def _order_page(self, query: Query) -> TablePage:
        options = self._site.options
        prefix, may_cancel = options.path_prefix, not options.read_only
        return await self._site.reader.page(
            lambda account: orders_page(
                query, prefix=prefix, may_cancel=may_cancel, account=account
            )
        )

    async def _act(self, action: str, order_id: str) -> None:
        """Ask before a single order is cancelled."""
        del action
        leaf = Leaf(words=order_id, limit=1)
        listed = await self._site.reader.page(lambda account: account.books.list_orders(leaf))
        if not listed.rows:
            return
        order = listed.rows[0]

        async def do(words: str) -> str:
            del words
            done = await self._site.actions.cancel(order.order_id, order.client_order_id or "")
            return done.words

        with self._frame.main:
            ask(
                "Cancel this order?",
                f"{order.remaining_count} contracts of {order.ticker} at {order.price} (YES price). "
                f"Order {order.order_id}.",
                verb="Cancel the order",
                do=do,
                danger=True,
            )

    def _ask_cancel_all(self) -> None:
        async def do(words: str) -> str:
            del words
            return (await self._site.actions.cancel_all(None)).words

        ask(
            "Cancel every resting order?",
            "All of them, of every program and of every subaccount, then the exchange is read until "
            "nothing rests. A bot that runs may place new ones: to stop it as well, use the kill "
            "switch.",
            verb="Cancel all",
            do=do,
            typed="CANCEL ALL",
            danger=True,
        )

    async def _fill_page(self, query: Query) -> TablePage:
        prefix = self._site.options.path_prefix
        return await self._site.reader.page(
            lambda account: fills_page(query, prefix=prefix, account=account)
        )
