"""One market: what it is, where it trades, who wants what, and what is held of it here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from nicegui import ui
from nicegui.element import Element

from trueup.core.ids import Ticker
from trueup.core.instant import MINUTE, SECOND
from trueup.core.orderbook import BookSnapshot
from trueup.run.markets.watch import SPANS, HistoryLook, MarketLook, MarketSeen
from trueup.store.listing import Leaf
from trueup.web.charts import Chart
from trueup.web.exchange import Sight
from trueup.web.frame import Frame, frame
from trueup.web.live import Moved
from trueup.web.market_charts import depth, price_history
from trueup.web.pages.columns import ORDERS_HERE_COLUMNS, POSITION_COLUMNS
from trueup.web.reading import STALE_AFTER, BooksState
from trueup.web.site import Site
from trueup.web.tables import Column, Load, Query, Table, page_of, titled_table
from trueup.web.values.activity import order_row
from trueup.web.values.holdings import holdings, marked, position_rows
from trueup.web.values.market import fresher, market_facts, thought_rows, trade_rows
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Words, attribute, box, button, facts, link, panel

EVERY: Final = 4 * SECOND
"""So often the market, its book and its trades are looked at."""
_HISTORY_EVERY: Final = MINUTE // 2
_TICKER_MAX: Final = 120
_THOUGHTS: Final = 20
_TRADE_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="side", label="Taker bought"),
    Column(name="price", label="YES price", figure=True),
    Column(name="count", label="Quantity", figure=True),
)
_THOUGHT_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="kind", label="What became of it"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="words", label="Why", wide=True),
)


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/market/{ticker}")
    async def market(ticker: str) -> None:  # pyright: ignore[reportUnusedFunction]
        ticker = ticker[:_TICKER_MAX]
        with frame(site, ticker, "/markets") as framed:
            await _Market(framed, Ticker(ticker)).build()


class _Market:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame, ticker: Ticker) -> None:
        self._frame = framed
        self._site = framed.site
        self._ticker = ticker
        self._name = f"market {ticker}"
        self._look = MarketLook(ticker)
        self._span = "1D"
        self._picks: dict[str, Element] = {}
        self._leave_history: Callable[[], None] | None = None
        self._rules_shown: tuple[str, ...] = ()
        self._tables: list[Table] = []

    async def build(self) -> None:
        site, client = self._site, ui.context.client
        client.on_delete(  # pyright: ignore[reportUnknownMemberType]
            site.exchange.follow(self._name, self._look, every=EVERY)
        )
        client.on_delete(self._stop_history)  # pyright: ignore[reportUnknownMemberType]
        self._follow_history()
        with self._frame.title:
            self._title = Words("", "note")
            self._age = Age(None, stale_after=STALE_AFTER, prefix="seen ")
        with box("notice", role="status") as self._trouble:
            self._words = Words("")
        self._trouble.set_visibility(False)
        with box("panel grid"):
            self._facts = facts(market_facts(None, (), site.reader.now()))
        with box("grid two"):
            with box("panel"):
                self._history()
            with panel("Depth", classes="panel"):
                self._depth = Chart(
                    depth(BookSnapshot(ticker=self._ticker)),
                    words="Contracts that can be sold and bought up to each price",
                )
                self._depth_words = Words("", "soft", tag="p")
        self._mine()
        await site.exchange.soon(self._name)
        await self._refresh()
        await self._refresh_mine()
        self._frame.follow(self._refresh, moved=frozenset({Moved.MARKETS}))
        self._frame.follow(self._move, moved=frozenset({Moved.TOPS}))
        self._frame.follow(self._refresh_mine, moved=frozenset({Moved.BOOKS, Moved.DECISIONS}))
        client.on_connect(self._refresh)  # pyright: ignore[reportUnknownMemberType]

    def _history(self) -> None:
        with box("head"):
            Words("Price of YES", tag="h2")
            self._history_age = Age(None, prefix="read ")
            with box("picks", role="group", aria_label="Time range"):
                for name in SPANS:
                    pick = button(name, partial(self._narrow, name), "")
                    attribute(pick, "aria-pressed", str(name == self._span).lower())
                    self._picks[name] = pick
        self._prices = Chart(
            price_history(()), "chart tall", words="Trades, bid and ask over time, and the volume"
        )
        self._prices_words = Words("", "soft", tag="p")

    def _mine(self) -> None:
        with box("grid two"):
            with box():
                self._add("Your position", POSITION_COLUMNS, self._position_page, "No position.")
                self._add(
                    "Your resting orders",
                    ORDERS_HERE_COLUMNS,
                    self._order_page,
                    "No resting order.",
                )
                self._add(
                    "What the bot decided here",
                    _THOUGHT_COLUMNS,
                    self._thought_page,
                    "The newest lines of the decision log say nothing of this market.",
                )
            self._trades = titled_table(
                "Newest trades",
                _TRADE_COLUMNS,
                self._trade_page,
                query=Query(sort="", limit=20),
                empty="Nobody has traded, or the trades could not be read.",
                classes="panel",
            )
        with box("panel grid") as self._rules:
            Words("Rules", tag="h2")
            self._rules_words = Words("–", "rules", tag="p")
            with box(tag="p"):
                link("All markets", self._site.url("/markets"))

    def _add(
        self,
        caption: str,
        columns: tuple[Column, ...],
        page: Load,
        empty: str,
    ) -> None:
        query = Query(sort="at", limit=10)
        self._tables.append(titled_table(caption, columns, page, query=query, empty=empty))

    # -- the exchange --------------------------------------------------------------------------

    def _sight(self) -> Sight[MarketSeen]:
        return self._site.exchange.sight(self._name, self._look)

    async def _refresh(self) -> None:
        sight = self._sight()
        seen = sight.value
        self._age.show(sight.at)
        self._words.say(f"This market cannot be read: {sight.trouble}")
        self._trouble.set_visibility(bool(sight.trouble))
        self._show_facts(seen)
        if seen is not None:
            self._show(seen)
        self._show_history()
        await self._trades.refresh()

    async def _move(self) -> None:
        """Only what moves with the bot's feed."""
        if self._ticker in self._site.bot.tops:
            self._show_facts(self._sight().value)

    def _show_facts(self, seen: MarketSeen | None) -> None:
        bot = self._site.bot
        figures = market_facts(seen, bot.fair, self._site.reader.now())
        if seen is not None and self._ticker in bot.tops:
            figures |= fresher(seen.top, bot.shown_tops.get(self._ticker))
        for name, figure in figures.items():
            self._facts[name].show(figure)

    def _show(self, seen: MarketSeen) -> None:
        title = seen.listing.market.title or seen.listing.event.title
        self._title.say(f"{title} – {seen.yes}" if seen.yes and seen.yes not in title else title)
        self._rules_words.say("\n\n".join(seen.rules) or "The exchange tells none.")
        if seen.book is None:
            self._depth_words.say("The exchange shows books only to its members: set a key.")
        else:
            self._depth.show(depth(seen.book))
            is_empty = not seen.book.bids and not seen.book.asks
            self._depth_words.say("Nobody offers anything now." if is_empty else "")

    async def _trade_page(self, query: Query) -> TablePage:
        seen = self._sight().value
        rows = [] if seen is None else trade_rows(seen.trades)
        return page_of(rows, query)

    # -- the price history ---------------------------------------------------------------------

    def _history_look(self) -> tuple[str, HistoryLook]:
        return f"history {self._span} {self._ticker}", HistoryLook(self._ticker, SPANS[self._span])

    def _follow_history(self) -> None:
        name, look = self._history_look()
        self._leave_history = self._site.exchange.follow(name, look, every=_HISTORY_EVERY)

    def _stop_history(self) -> None:
        if self._leave_history is not None:
            self._leave_history()
            self._leave_history = None

    async def _narrow(self, name: str) -> None:
        if name == self._span:
            return
        self._stop_history()
        self._span = name
        self._follow_history()
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == name).lower())
        await self._site.exchange.soon(self._history_look()[0])
        self._show_history()

    def _show_history(self) -> None:
        sight = self._site.exchange.sight(*self._history_look())
        self._history_age.show(sight.at)
        self._prices.show(price_history(sight.value or ()))
        words = f"The price history cannot be read: {sight.trouble}" if sight.trouble else ""
        if not words and sight.value is not None and not any(each.close for each in sight.value):
            words = "Nobody traded in this time."
        self._prices_words.say(words)

    # -- the books and the bot -----------------------------------------------------------------

    async def _refresh_mine(self) -> None:
        for table in self._tables:
            await table.refresh()

    @property
    def _has_books(self) -> bool:
        return self._site.reader.condition.state is BooksState.FINE

    async def _position_page(self, query: Query) -> TablePage:
        del query
        if not self._has_books:
            return TablePage((), 0)
        site = self._site
        held = await site.reader.ask("holdings", holdings)
        mine = [each for each in held.positions if each.ticker == self._ticker]
        rows = position_rows(
            held,
            marked(mine, site.tops()),
            now=site.reader.now(),
            prefix=site.options.path_prefix,
        )
        return TablePage(rows, len(rows))

    async def _order_page(self, query: Query) -> TablePage:
        if not self._has_books:
            return TablePage((), 0)
        leaf = Leaf(
            ticker=self._ticker,
            status="resting",
            sort="at",
            limit=query.limit,
            offset=query.offset,
        )
        listed = await self._site.reader.page(lambda account: account.books.list_orders(leaf))
        prefix = self._site.options.path_prefix
        return TablePage(
            [order_row(each, prefix=prefix) for each in listed.rows], listed.total, listed.more
        )

    async def _thought_page(self, query: Query) -> TablePage:
        rows = thought_rows(self._site.bot.lines, self._ticker, limit=_THOUGHTS)
        return page_of(rows, query)
