"""How trading went: the weekly table, an earlier period beside it, and whether prices were right."""

from __future__ import annotations

from functools import partial
from typing import Final

from nicegui import ui
from nicegui.element import Element

from trueup.web.charts import Chart
from trueup.web.frame import Frame, explain_condition, frame
from trueup.web.pages.records import fixed_table
from trueup.web.site import Site
from trueup.web.tables import Column
from trueup.web.values.paper import Beside, beside_figures, pair_rows, paper_beside
from trueup.web.values.reports import (
    Trading,
    bucket_rows,
    calibration_chart,
    text_rows,
    trading,
)
from trueup.web.widgets import Words, attribute, box, button, facts

_PERIODS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "a year"}
_BUCKET_COLUMNS: Final = (
    Column(name="price", label="Price paid"),
    Column(name="positions", label="Positions", figure=True),
    Column(name="contracts", label="Contracts", figure=True, phone=False),
    Column(name="paid", label="Mean paid", figure=True),
    Column(name="returned", label="Mean returned", figure=True),
    Column(name="edge", label="Difference", figure=True),
)
_PAIR_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="ticker", label="Market"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="side", label="Bought"),
    Column(name="paper_filled", label="Paper filled", figure=True),
    Column(name="live_filled", label="Live filled", figure=True),
    Column(name="paper_price", label="Paper price", figure=True, phone=False),
    Column(name="live_price", label="Live price", figure=True, phone=False),
    Column(name="difference", label="Paper paid more", figure=True, phone=False),
    Column(name="kinder", label="Paper was", phone=False),
)
_PATIENCE: Final = 0.5
"""Seconds that the page waits for its first figures; after that it shows them when they come."""


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/reports")
    async def reports() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Reports", "/reports") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            await _Reports(framed).build()


class _Reports:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._days = 7
        self._picks: dict[int, Element] = {}
        self._shown: Trading | None = None
        self._beside: Beside | None = None

    async def build(self) -> None:
        with self._frame.title, box("picks", role="group", aria_label="Which period"):
            for days, name in _PERIODS.items():
                pick = button(name, partial(self._pick, days), "")
                attribute(pick, "aria-pressed", str(days == self._days).lower())
                self._picks[days] = pick
        self._tables = box()
        self._paper = box("panel grid")
        await self._refresh()
        await self._refresh_paper()
        self._frame.follow(self._refresh)
        self._frame.follow(self._refresh_paper)

    async def _refresh_paper(self) -> None:
        answer = await self._site.reader.soon("paper", paper_beside, patience=_PATIENCE)
        if answer is None:
            self._paper.set_visibility(False)
            return
        self._paper.set_visibility(True)
        if answer.value == self._beside:
            return
        self._beside = beside = answer.value
        self._paper.clear()
        with self._paper:
            Words("Paper beside live: the same decisions, and what each of them got", tag="h2")
            if beside.found is None:
                Words(beside.words, "soft", tag="p")
                Words("trueup bot run my_bot.py --paper", tag="code")
                return
            facts(beside_figures(beside.found))
            await fixed_table(
                "Paper beside live",
                _PAIR_COLUMNS,
                pair_rows(beside.found.pairs),
                empty="No decision was made on both.",
            )
            Words(
                "Where paper was kinder it filled more of an order, or for less: do not count on "
                "that part of its profit.",
                "soft",
                tag="p",
            )

    async def _pick(self, days: int) -> None:
        self._days = days
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == days).lower())
        await self._refresh()

    async def _refresh(self) -> None:
        days = self._days
        answer = await self._site.reader.soon(
            f"trading-{days}", partial(trading, days=days), patience=_PATIENCE
        )
        if days != self._days:
            return  # another period was picked meanwhile
        if answer is None:
            self._tables.clear()
            with self._tables, box("panel"):
                Words("The history is being read; this page shows it by itself.", "soft", tag="p")
            return
        if answer.value == self._shown:
            return
        self._shown = answer.value
        self._tables.clear()
        with self._tables:
            await self._show(answer.value)

    async def _show(self, found: Trading) -> None:
        for caption, headings, lines in found.tables:
            with box("panel grid"):
                Words(caption, tag="h2")
                columns = [
                    Column(name=str(place), label=label[:1].upper() + label[1:], figure=place > 0)
                    for place, label in enumerate(headings)
                ]
                await fixed_table(caption, columns, text_rows(lines))
        with box("panel grid"):
            for note in found.notes:
                Words(note, "soft", tag="p")
            Words(
                "Trades are from flat to flat or to settlement, after fees. A dash is a figure that "
                "the books or the decision log cannot give.",
                "soft",
                tag="p",
            )
        with box("panel grid"):
            Words(
                "Calibration: what was paid a contract, and what it returned at the end", tag="h2"
            )
            if found.buckets:
                Chart(
                    calibration_chart(found.buckets),
                    words="What contracts cost beside what they returned; equal on the dashed line",
                )
            await fixed_table(
                "Calibration",
                _BUCKET_COLUMNS,
                bucket_rows(found.buckets),
                empty="No position was held to its settlement yet.",
            )
