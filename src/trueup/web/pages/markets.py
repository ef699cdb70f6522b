"""The scanner: all open markets, filtered and sorted, at the freshest prices that there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from nicegui import ui

from trueup.core.ids import Ticker
from trueup.core.instant import SECOND, Instant
from trueup.net.client import Client
from trueup.run.bot.status import TopShown
from trueup.run.markets.watch import MarketsLook
from trueup.web.exchange import MARKETS
from trueup.web.frame import Frame, frame
from trueup.web.live import Moved
from trueup.web.pages.columns import MARKET_COLUMNS
from trueup.web.reading import BooksState
from trueup.web.site import Site
from trueup.web.tables import Query, Table
from trueup.web.values.markets import (
    Listed,
    categories,
    freshened,
    listed_at_exchange,
    listed_in_books,
    live_prices,
    market_page,
    picked_of,
    wanted_of,
)
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Choice, Field, Words, box

EVERY: Final = 15 * SECOND
"""So often all markets are looked over at most."""
STALE_AFTER: Final = 2 * 60 * SECOND
_TYPING: Final = 0.3


class Scanner:
    """Looks over all markets; one for all tabs."""

    def __init__(self) -> None:
        self._look = MarketsLook()

    def __call__(self, client: Client) -> tuple[Listed, ...]:
        """All open markets.  Raises what the client raises."""
        return listed_at_exchange(self._look(client))


SCANNER: Final = Scanner()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The markets that can be shown; `from_exchange` or else from the books."""

    listed: tuple[Listed, ...]
    at: Instant | None
    from_exchange: bool
    trouble: str


async def gather(site: Site) -> Gathered:
    """From the exchange, where it was seen; else from what the books remember."""
    sight = site.exchange.sight(MARKETS, SCANNER)
    if sight.value is not None:
        listed = freshened(sight.value, followed_tops(site))
        return Gathered(listed, sight.at, from_exchange=True, trouble=sight.trouble)
    if site.reader.condition.state is not BooksState.FINE:
        return Gathered((), None, from_exchange=False, trouble=sight.trouble)
    now = site.reader.now()
    found = await site.reader.ask("listed", partial(listed_in_books, now=now))
    at = max((each.at for each in found), default=None)
    listed = freshened(found, followed_tops(site))
    return Gathered(listed, at, from_exchange=False, trouble=sight.trouble)


def followed_tops(site: Site) -> Mapping[Ticker, TopShown]:
    """What the bot that runs has heard of the markets that it follows."""
    return {ticker: site.bot.shown_tops[ticker] for ticker in site.bot.tops}


async def scanned_page(site: Site, query: Query, *, prefix: str = "") -> TablePage:
    """A page of the scanner's table.  Raises `CallerError` for a filter that is no number."""
    wanted = wanted_of(query.picked)
    found = await gather(site)
    work = partial(
        market_page,
        found.listed,
        wanted,
        sort=query.sort,
        descending=query.descending,
        words=query.words,
        rows=slice(query.offset, query.offset + query.limit),
        now=site.reader.now(),
        prefix=prefix,
    )
    # All markets of the exchange are many.
    return await asyncio.to_thread(work)


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/markets")
    async def markets() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Markets", "/markets") as framed:
            await _Markets(framed).build()


class _Markets:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._keys: tuple[str, ...] = ()
        self._typing: asyncio.Task[None] | None = None

    async def build(self) -> None:
        site, client = self._site, ui.context.client
        client.on_delete(  # pyright: ignore[reportUnknownMemberType]
            site.exchange.follow(MARKETS, SCANNER, every=EVERY)
        )
        with self._frame.title:
            self._source = Words("", "note")
            self._age = Age(None, stale_after=STALE_AFTER, prefix="prices read ")
        with box("notice", role="status") as self._trouble:
            self._words = Words("")
        with box("panel grid"):
            with box("filters", role="group", aria_label="Filters"):
                self._category = Choice("Category", all_words="All categories", chosen=self._chosen)
                self._volume = Field(
                    "Least volume", placeholder="Volume from, e.g. 1000", typed=self._chosen
                )
                self._price = Field(
                    "Highest price of YES",
                    placeholder="YES costs at most, e.g. 0.30",
                    typed=self._chosen,
                )
            self._table = Table(
                "Open markets",
                MARKET_COLUMNS,
                self._page,
                query=Query(sort="volume_24h"),
                empty="No open market fits.",
                filter_label="Filter by market, title or category",
                export=site.url("/export/markets.csv"),
            )
            Words(
                "Prices are what YES is bought (bid) and sold (ask) for. Each row says when its "
                "prices were read; markets that a bot follows move with its feed.",
                "soft",
                tag="p",
            )
        await site.exchange.soon(MARKETS)
        await self._refresh()
        self._frame.follow(self._refresh, moved=frozenset({Moved.MARKETS, Moved.BOOKS}))
        self._frame.follow(self._move, moved=frozenset({Moved.TOPS}))
        client.on_connect(self._refresh)  # pyright: ignore[reportUnknownMemberType]

    async def _refresh(self) -> None:
        found = await gather(self._site)
        if found.from_exchange:
            self._source.say("from the exchange")
        elif found.listed:
            self._source.say("from what the books remember")
        else:
            self._source.say("")
        self._age.show(found.at)
        self._category.offer(categories(found.listed))
        await self._table.refresh()
        self._tell(found)

    def _tell(self, found: Gathered) -> None:
        words = ""
        if found.trouble:
            seen = "what was read last" if found.from_exchange else "what the books remember"
            words = f"The exchange cannot be asked: {found.trouble} This is {seen}."
        self._words.say(words)
        self._trouble.set_visibility(bool(words))

    async def _move(self) -> None:
        """Only the cells that move with the bot's feed."""
        tops = followed_tops(self._site)
        if any(Ticker(key) in tops for key in self._keys):
            found = await gather(self._site)
            self._table.patch(live_prices(found.listed, self._keys))

    async def _page(self, query: Query) -> TablePage:
        page = await scanned_page(self._site, query, prefix=self._site.options.path_prefix)
        self._keys = tuple(row.key for row in page.rows)
        return page

    def _chosen(self, _: str) -> None:
        picked = picked_of(
            category=self._category.value, volume=self._volume.value, price=self._price.value
        )
        if self._typing is not None:
            self._typing.cancel()
        client = ui.context.client

        async def narrow() -> None:
            await asyncio.sleep(_TYPING)
            with client:
                self._table.query = replace(self._table.query, picked=picked, offset=0)
                await self._refresh()

        self._typing = asyncio.create_task(narrow())
