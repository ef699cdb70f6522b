"""The machine room: versions, sizes and retention, checks, calls of the exchange, errors, logs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from nicegui import ui

from trueup.core.errors import TrueupError
from trueup.web.frame import Frame, frame
from trueup.web.live import Moved
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of, titled_table
from trueup.web.values.bot import decision_rows
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import NOTHING, Shown, sentences
from trueup.web.values.system import (
    Room,
    call_facts,
    call_figures,
    check_rows,
    error_rows,
    line_rows,
    room,
)
from trueup.web.widgets import Age, Words, box, button, facts, panel

_CHECK_COLUMNS: Final = (
    Column(name="name", label="Check"),
    Column(name="finding", label="How it is"),
    Column(name="words", label="What was found", wide=True),
    Column(name="remedy", label="What to do", phone=False, wide=True),
)
_ERROR_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="process", label="Program", phone=False),
    Column(name="words", label="What happened", wide=True),
    Column(name="remedy", label="What to do", phone=False, wide=True),
)
_ALERT_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="kind", label="Alert"),
    Column(name="words", label="Words", wide=True),
)
_LINE_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="program", label="Program", phone=False),
    Column(name="level", label="Level"),
    Column(name="words", label="Words", wide=True),
)
_FACTS: Final = (
    *("trueup", "Python", "Shape of the books", "Books", "Tables of calls", "They keep"),
    *("Log files", "Home"),
)

Rows = Callable[[Room], list[TableRow]]


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/system")
    async def system() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "System", "/system") as framed:
            await _System(framed).build()


class _System:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._room: Room | None = None
        self._tables: list[Table] = []

    async def build(self) -> None:
        with self._frame.title:
            self._age = Age(None, prefix="looked ")
            button("Look again", self._look)
        self._trouble = box("notice bad", role="alert")
        with self._trouble:
            self._words = Words("")
        self._trouble.set_visibility(False)
        with box("panel grid"):
            self._facts = facts(dict.fromkeys(_FACTS, NOTHING), long={"Home"})
        with panel("Calls of the exchange in the last hour"):
            self._calls = facts(dict.fromkeys(call_facts(call_figures(())), NOTHING))
        self._listing("Checks", _CHECK_COLUMNS, lambda found: check_rows(found.checks), "Looking …")
        self._alerts = titled_table(
            "Alerts of the bot",
            _ALERT_COLUMNS,
            self._alert_page,
            query=Query(sort="", limit=25),
            empty="No alerts.",
        )
        self._listing(
            "Errors", _ERROR_COLUMNS, lambda found: error_rows(found.errors), "No errors."
        )
        self._listing(
            "Log lines",
            _LINE_COLUMNS,
            lambda found: line_rows(found.lines),
            "No log lines: bots and scheduled syncs write them.",
        )
        await self._look()
        await self._alerts.refresh()
        self._frame.follow(self._alerts.refresh, moved=frozenset({Moved.DECISIONS}))

    def _listing(self, caption: str, columns: tuple[Column, ...], rows: Rows, empty: str) -> None:
        async def load(query: Query) -> TablePage:
            found = [] if self._room is None else rows(self._room)
            words = query.words.lower()
            if words:
                found = [row for row in found if _says(row, words)]
            return page_of(found, query)

        with box("panel grid"):
            Words(caption, tag="h2")
            self._tables.append(
                Table(
                    caption,
                    columns,
                    load,
                    query=Query(sort="", limit=25),
                    empty=empty,
                    filter_label=f"Filter the {caption.lower()}",
                )
            )

    async def _look(self) -> None:
        try:
            self._room = await asyncio.to_thread(room, self._site.settings)
        except TrueupError as error:
            self._words.say(sentences(error, error.remedy))
            self._trouble.set_visibility(True)
            return
        self._trouble.set_visibility(False)
        self._age.show(self._site.reader.now())
        for figures, given in (
            (self._facts, self._room.facts),
            (self._calls, call_facts(self._room.calls)),
        ):
            for name, figure in given.items():
                figures[name].show(figure)
        for table in self._tables:
            await table.refresh()

    async def _alert_page(self, query: Query) -> TablePage:
        lines = [each for each in self._site.bot.lines if "alert" in each]
        rows = decision_rows(lines, words="", only="", limit=len(lines))
        return page_of(rows, query)


def _says(row: TableRow, words: str) -> bool:
    return any(words in _text(each) for each in row.cells.values())


def _text(figure: Shown) -> str:
    return figure.text.lower()
