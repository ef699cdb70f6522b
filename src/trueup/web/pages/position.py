"""One market of one subaccount: every figure, and behind it what made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nicegui import ui

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.statements import MarketStated
from trueup.ledger.entries import Entry, MarketBook, RoundTrip
from trueup.ledger.report import OpenPosition, open_position
from trueup.run.books.account import Account
from trueup.store.cache import AgedQuote
from trueup.store.listing import Leaf
from trueup.web.frame import Frame, explain_condition, frame
from trueup.web.live import Moved
from trueup.web.pages.columns import ORDERS_HERE_COLUMNS
from trueup.web.pages.records import ENTRY_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of, titled_table
from trueup.web.values import shown
from trueup.web.values.activity import order_row, result
from trueup.web.values.holdings import average_price, marked, side, side_mark, value_of
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import Shown, Tone
from trueup.web.values.trace import entry_row
from trueup.web.widgets import Age, Words, box, facts, link, panel

ENTRIES_MAX: Final = 5_000
_ENTRIES_HERE_COLUMNS: Final = tuple(each for each in ENTRY_COLUMNS if each.name != "ticker")

_TRIP_COLUMNS: Final = (
    Column(name="opened", label="Opened (UTC)"),
    Column(name="closed", label="Closed", phone=False),
    Column(name="side", label="Side"),
    Column(name="quantity", label="Largest", figure=True),
    Column(name="bought", label="Paid", figure=True, phone=False),
    Column(name="sold", label="Sold for", figure=True, phone=False),
    Column(name="payout", label="Payout", figure=True),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="profit", label="P&L", figure=True),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="status", label="Status"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Market:
    book: MarketBook
    title: str
    closes: Instant | None
    quote: AgedQuote | None
    stated: MarketStated | None
    entries: list[Entry]
    trips: list[RoundTrip]


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/position/{subaccount}/{ticker}")
    async def position(subaccount: int, ticker: str) -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, ticker[:80], "/positions") as framed:
            if not explain_condition(site):
                return
            await _Position(framed, Subaccount(subaccount), Ticker(ticker)).build()


class _Position:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame, subaccount: Subaccount, ticker: Ticker) -> None:
        self._frame = framed
        self._site = framed.site
        self._subaccount = subaccount
        self._ticker = ticker

    async def build(self) -> None:
        found = await self._ask()
        if found is None:
            Words("The books know nothing of this market in this subaccount.", tag="p")
            return
        with self._frame.title:
            Words(found.title, "note")
            self._age = Age(None, prefix="quoted ")
            link("market", self._site.url(f"/market/{self._ticker}"))
        with box("panel grid"):
            self._facts = facts(self._figures(found))
        self._made_of()
        with panel("Orders"):
            self._orders = Table(
                "Orders in this market",
                ORDERS_HERE_COLUMNS,
                self._order_page,
                query=Query(sort="at", limit=20),
                empty="No orders.",
            )
        self._frame.follow(self._refresh)
        self._frame.follow(self._move, moved=frozenset({Moved.TOPS}))
        await self._refresh()

    def _made_of(self) -> None:
        self._trips = titled_table(
            "Round trips",
            _TRIP_COLUMNS,
            self._trip_page,
            empty="No contract was traded here.",
        )
        with panel(
            "What made these figures",
            "Every entry of the ledger in this market, newest first. Cash, realised P&L and "
            "fees add up to the figures above; each entry leads to its record and the raw "
            f"payload. At most the newest {ENTRIES_MAX:,} are listed.",
        ):
            self._entries = Table(
                "Ledger entries",
                _ENTRIES_HERE_COLUMNS,
                self._entry_page,
                query=Query(sort=""),
                empty="Nothing is booked here.",
            )

    async def _trip_page(self, query: Query) -> TablePage:
        found = await self._ask()
        trips = () if found is None else found.trips
        return page_of([trip_row(each) for each in trips], query)

    async def _entry_page(self, query: Query) -> TablePage:
        found = await self._ask()
        prefix = self._site.options.path_prefix
        entries = () if found is None else found.entries
        return page_of([entry_row(each, prefix=prefix) for each in entries], query)

    async def _ask(self) -> _Market | None:
        name = f"market {self._subaccount}/{self._ticker}"
        return await self._site.reader.ask(name, self._question)

    def _question(self, account: Account) -> _Market | None:
        books, ticker, owner = account.books, self._ticker, self._subaccount
        book = next((b for b in books.market_books(ticker=ticker) if b.subaccount == owner), None)
        if book is None:
            return None
        market = books.cache.markets_of([ticker]).get(ticker)
        return _Market(
            book=book,
            title="" if market is None else market.title,
            closes=None if market is None else market.close_at,
            quote=books.cache.quotes_of([ticker]).get(ticker),
            stated=books.market(ticker),
            entries=list(
                books.entries(ticker=ticker, subaccount=owner, newest_first=True, limit=ENTRIES_MAX)
            ),
            trips=list(books.trades(ticker=ticker, subaccount=owner, newest_first=True, limit=500)),
        )

    async def _refresh(self) -> None:
        await self._move()
        for table in (self._trips, self._entries, self._orders):
            await table.refresh()

    async def _move(self) -> None:
        """Only the figures."""
        found = await self._ask()
        if found is not None:
            self._age.show(None if found.quote is None else found.quote.fetched_at)
            for name, figure in self._figures(found).items():
                self._facts[name].show(figure)

    def _figures(self, found: _Market) -> dict[str, Shown]:
        book = found.book
        held = open_position(book, None if found.quote is None else found.quote.quote)
        (fresh,) = marked([held], self._site.tops()) if held is not None else (None,)
        figures = _held(fresh, book)
        figures["Realised before fees"] = shown.dollars(book.realized, signed=True)
        figures["Trading fees"] = shown.dollars(book.fees)
        figures["Net"] = shown.dollars(book.realized - book.fees, signed=True)
        figures["Payout"] = shown.dollars(book.payout) if book.settled else shown.NOTHING
        figures["Result"] = (
            shown.NOTHING
            if found.stated is None
            else result(found.stated.result, found.stated.settlement_value)
        )
        figures["Rests on"] = shown.words(None if book.evidence is None else str(book.evidence))
        figures["Closes in"] = shown.time_left(found.closes, self._site.reader.now())
        figures["Subaccount"] = shown.words(str(book.subaccount))
        return figures

    async def _order_page(self, query: Query) -> TablePage:
        leaf = Leaf(ticker=self._ticker, sort=query.sort, limit=query.limit, offset=query.offset)
        listed = await self._site.reader.page(lambda account: account.books.list_orders(leaf))
        prefix = self._site.options.path_prefix
        return TablePage(
            [order_row(each, prefix=prefix) for each in listed.rows], listed.total, listed.more
        )


def _held(position: OpenPosition | None, book: MarketBook) -> dict[str, Shown]:
    if position is None:
        return {
            "Side": side(book.position.net),
            "Quantity": shown.words("0"),
            "Average price": shown.NOTHING,
            "Mark": shown.NOTHING,
            "Value": shown.NOTHING,
            "Unrealised": shown.NOTHING,
        }
    return {
        "Side": side(position.net),
        "Quantity": shown.count(abs(position.net)),
        "Average price": shown.average(average_price(position)),
        "Mark": shown.price(side_mark(position)),
        "Value": shown.dollars(value_of(position)),
        "Unrealised": shown.dollars(position.unrealized, signed=True),
    }


def trip_row(trip: RoundTrip) -> TableRow:
    """A round trip."""
    return TableRow(
        key=f"{trip.number}",
        cells={
            "opened": shown.moment(trip.opened_at),
            "closed": shown.moment(trip.closed_at),
            "side": shown.side(trip.side),
            "quantity": shown.count(trip.quantity),
            "bought": shown.money(trip.bought_cost),
            "sold": shown.money(trip.sold_proceeds),
            "payout": shown.money(trip.payout),
            "fees": shown.money(trip.fees),
            "profit": shown.money(trip.profit_loss, signed=True),
            "strategy": shown.words(trip.strategy, tone=Tone.MUTED),
            "status": shown.words(trip.status.value),
        },
    )
