"""The same question on two venues: pairs of a mapping, compared while the page is open."""

from __future__ import annotations

from typing import Final

from nicegui import ui

from trueup.core.instant import SECOND
from trueup.run.markets.watch import PairsLook
from trueup.web.frame import Frame, frame
from trueup.web.live import Moved
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of, titled_table
from trueup.web.values.arbitrage import opportunity_rows, pair_rows
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Age, Words, box, panel

EVERY: Final = 30 * SECOND
_STALE_AFTER: Final = 4 * EVERY
_NAME: Final = "pairs"
_ALERTS: Final = 50
_COLUMNS: Final = (
    Column(name="market", label="Market"),
    Column(name="venue", label="The other", phone=False),
    Column(name="bid", label="Bid here", figure=True, phone=False),
    Column(name="ask", label="Ask here", figure=True, phone=False),
    Column(name="yes_there", label="YES there", figure=True, phone=False),
    Column(name="no_there", label="NO there", figure=True, phone=False),
    Column(name="buy", label="Buy here"),
    Column(name="combined", label="Both for", figure=True),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="net", label="Net a share", figure=True),
    Column(name="shares", label="Shares", figure=True, phone=False),
    Column(name="quoted", label="Quoted (UTC)", figure=True, phone=False),
    Column(name="verdict", label="Verdict"),
)
_ALERT_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="words", label="Words", wide=True),
)
_EXAMPLE: Final = '[feeds.polymarket]\nmapping = "pairs.toml"'


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/arbitrage")
    async def arbitrage() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Arbitrage", "/arbitrage") as framed:
            await _Arbitrage(framed).build()


class _Arbitrage:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._frame = framed
        self._site = framed.site
        self._look = PairsLook(framed.site.settings)

    async def build(self) -> None:
        if self._site.settings.config.feeds.polymarket is None:
            self._explain()
        else:
            await self._pairs()
        alerts = titled_table(
            "What bots have told",
            _ALERT_COLUMNS,
            self._alert_page,
            query=Query(sort="", limit=25),
            empty="The newest lines of the decision log tell of no opportunity.",
        )
        await alerts.refresh()
        self._frame.follow(alerts.refresh, moved=frozenset({Moved.DECISIONS}))

    def _explain(self) -> None:
        with panel("No pairs are configured"):
            Words(
                "A pair is one question that two venues settle alike. Somebody has to read both "
                "rule books and say why; nothing is compared without that.",
                tag="p",
            )
            with box(tag="p"):
                Words("1. Begin with the example: ")
                Words("trueup arbitrage example > pairs.toml", tag="code")
                Words(", in the folder ")
                Words("TRUEUP_HOME", tag="code")
                Words(". Correct its pairs.")
            with box(tag="p"):
                Words("2. Name it in ")
                Words("config.toml", tag="code")
                Words(", then start this page again:")
            Words(_EXAMPLE, "raw", tag="pre")
            with box(tag="p"):
                Words("Once, without configuring anything: ")
                Words("trueup arbitrage scan --mapping pairs.toml", tag="code")

    async def _pairs(self) -> None:
        site, client = self._site, ui.context.client
        client.on_delete(  # pyright: ignore[reportUnknownMemberType]
            site.exchange.follow(_NAME, self._look, every=EVERY)
        )
        with self._frame.title:
            self._age = Age(None, stale_after=_STALE_AFTER, prefix="compared ")
        with box("notice", role="status") as self._trouble:
            self._words = Words("")
        with box("panel grid"):
            self._table = Table(
                "Pairs",
                _COLUMNS,
                self._page,
                query=Query(sort="", limit=50),
                empty="The pairs are being compared, or could not be.",
            )
            Words(
                "Both for: one side here and the opposite one there, in dollars a share. Net is what "
                "is left of $1 after both and after both fees. Rest the pointer on a market for why "
                "the two settle alike. The page tells; it does not trade.",
                "soft",
                tag="p",
            )
        await site.exchange.soon(_NAME)
        await self._refresh()
        self._frame.follow(self._refresh, moved=frozenset({Moved.MARKETS}))
        client.on_connect(self._refresh)  # pyright: ignore[reportUnknownMemberType]

    async def _refresh(self) -> None:
        sight = self._site.exchange.sight(_NAME, self._look)
        self._age.show(sight.at)
        self._words.say(f"The pairs cannot be compared: {sight.trouble}")
        self._trouble.set_visibility(bool(sight.trouble))
        await self._table.refresh()

    async def _page(self, query: Query) -> TablePage:
        found = self._site.exchange.sight(_NAME, self._look).value or ()
        rows = pair_rows(found, prefix=self._site.options.path_prefix)
        return page_of(rows, query)

    async def _alert_page(self, query: Query) -> TablePage:
        rows = opportunity_rows(self._site.bot.lines, limit=_ALERTS)
        return page_of(rows, query)
