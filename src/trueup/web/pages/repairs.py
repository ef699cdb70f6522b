"""Repairs: always shown before they are done, and done only after a second yes."""

from __future__ import annotations

from typing import Final

from nicegui.element import Element

from trueup.core.errors import TrueupError
from trueup.run.books import keeping
from trueup.run.books.account import Account
from trueup.run.books.patching import SettlementBackfill, backfill_settlements
from trueup.run.desk import Desk
from trueup.web.dialogs import ask, tell
from trueup.web.pages.records import fixed_table
from trueup.web.site import Site
from trueup.web.tables import Column
from trueup.web.values.repair import repair_rows, repair_words
from trueup.web.values.shown import sentences
from trueup.web.widgets import Field, Words, attribute, box, button

_COLUMNS: Final = (
    Column(name="row", label="Row"),
    Column(name="outcome", label="Outcome"),
    Column(name="ticker", label="Market"),
    Column(name="before", label="Now", wide=True),
    Column(name="after", label="After the repair", wide=True),
    Column(name="why", label="Why", phone=False, wide=True),
)


def build_repairs(site: Site) -> None:
    """The panels of both repairs; nothing where the page only looks."""
    if site.options.read_only:
        return
    with box("grid half"):
        with box("panel"):
            _TableRepair(site).build()
        with box("panel"):
            _books_repair(site)


class _TableRepair:
    """A bot's own table of trades: check it, look at the difference, patch it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._checked = ""

    def build(self) -> None:
        Words("A bot's own table", tag="h2")
        Words(
            "Checks a bot's table of trades against the exchange's record. First a dry run that "
            "shows every change; a repair is one transaction with an undo file.",
            "soft",
            tag="p",
        )
        with box("actions-row"):
            self._field = Field("Path of the bot's database", placeholder="trades.db")
            self._field.value = self._site.options.bot_database
            attribute(self._field, "value", self._field.value or None)
            button("Check (dry run)", self._check)
            self._repair = button("Repair …", self._ask, "button first")
        attribute(self._repair, "disabled", True)
        self._words = Words("", tag="p")
        attribute(self._words, "role", "status")
        self._rows: Element = box()

    async def _check(self) -> None:
        place = self._field.value.strip()
        if not place:
            tell("Name the database first.", bad=True)
            return
        self._words.say("Checking …")
        attribute(self._repair, "disabled", True)
        try:
            found = await self._run(place, write=False)
        except TrueupError as error:
            self._words.say(sentences(error, error.remedy))
            return
        self._checked = place
        await self._show(found)
        attribute(self._repair, "disabled", None if found.report.patches else True)

    async def _show(self, found: SettlementBackfill) -> None:
        self._words.say(f"{repair_words(found)} {found.notice}".strip())
        self._rows.clear()
        with self._rows:
            await fixed_table(
                "What the repair changes",
                _COLUMNS,
                repair_rows(found),
                empty="Every row agrees with the exchange's record.",
                limit=15,
            )

    def _ask(self) -> None:
        async def do(words: str) -> str:
            del words
            found = await self._run(self._checked, write=True)
            attribute(self._repair, "disabled", True)
            await self._show(found)
            return repair_words(found)

        ask(
            "Repair the bot's table?",
            f"The changes shown are written into {self._checked}: all of them or none, each only "
            "where the row still says what it said. An undo file is kept.",
            verb="Repair",
            do=do,
            typed="REPAIR",
        )

    async def _run(self, place: str, *, write: bool) -> SettlementBackfill:
        def work(account: Account) -> SettlementBackfill:
            return backfill_settlements(account, place, write=write, offline=True)

        what = "repair bot table" if write else "check bot table"
        return await self._site.actions.with_books(what, place, work, repair_words)


def _books_repair(site: Site) -> None:
    Words("The books", tag="h2")
    Words(
        "Asking for the whole history again fills gaps: what is known already changes nothing. "
        "Rebuilding drops every figure and makes it again from the journal, which is never changed.",
        "soft",
        tag="p",
    )

    async def refetch(words: str) -> str:
        del words

        def work(account: Account) -> str:
            synced = account.backfill()
            account.reconcile()
            new = sum(each.new for each in synced.fetched.brought.values())
            return f"{new} records were new, {synced.booked.markets} markets were booked again"

        return await site.actions.with_books("backfill", "", work, str)

    async def rebuild(words: str) -> str:
        del words

        def work(account: Account) -> str:
            account.desk.books(create=False).close()
            with Desk(site.settings) as desk:
                return keeping.rebuild(desk).words

        return await site.actions.with_books("rebuild", "", work, str)

    def ask_refetch() -> None:
        counts = site.reader.asked_at
        ask(
            "Fetch the whole history again?",
            "Reads every listing of the exchange from the beginning and books what is missing. "
            f"Nothing is taken away. The exchange was last asked at {counts or 'an unknown time'}.",
            verb="Fetch again",
            do=refetch,
        )

    def ask_rebuild() -> None:
        ask(
            "Rebuild the books from the journal?",
            "Every projection is dropped and made again. The journal, the notes on breaks and the "
            "snapshots stay. Others who write the books wait meanwhile.",
            verb="Rebuild",
            do=rebuild,
            typed="REBUILD",
        )

    with box("actions-row"):
        button("Fetch everything again …", ask_refetch)
        button("Rebuild from the journal …", ask_rebuild)
