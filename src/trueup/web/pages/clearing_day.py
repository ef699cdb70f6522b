"""The part of the settlements page that sets FIX beside REST and the books, day by day."""

from __future__ import annotations

from functools import partial
from typing import Final

from trueup.web.frame import Frame
from trueup.web.live import Moved
from trueup.web.pages.records import fixed_table
from trueup.web.tables import Column
from trueup.web.values import shown
from trueup.web.values.clearing_day import (
    ClearingDay,
    clearing_dates,
    clearing_day,
    party_rows,
    total_rows,
    verdict,
)
from trueup.web.widgets import Choice, Words, box, facts

_TOTAL_COLUMNS: Final = (
    Column(name="account", label="Account"),
    Column(name="settlements", label="Markets", figure=True),
    Column(name="fix", label="FIX, after fees", figure=True),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="rest", label="REST", figure=True),
    Column(name="booked", label="Booked", figure=True),
)
_PARTY_COLUMNS: Final = (
    Column(name="ticker", label="Market"),
    Column(name="account", label="Account", phone=False),
    Column(name="party", label="Party", phone=False),
    Column(name="result", label="Result"),
    Column(name="value", label="YES paid", figure=True, phone=False),
    Column(name="held", label="Held", figure=True, phone=False),
    Column(name="fix", label="FIX, after fees", figure=True),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="rest", label="REST", figure=True),
    Column(name="booked", label="Booked", figure=True),
    Column(name="doubt", label="Doubt", phone=False, wide=True),
)
_PATIENCE: Final = 0.3
"""Seconds that the page waits for its first figures; after that it shows them when they come."""


class ClearingDays:
    """Its parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._day = ""
        self._shown: tuple[tuple[str, ...], ClearingDay | None] | None = None
        with box("panel grid"):
            with box("head"):
                Words("Settlement reports: FIX beside REST and the books", tag="h2")
                self._choice = Choice("Clearing date", all_words="newest day", chosen=self._choose)
            self._content = box("grid")
            with self._content:
                Words(
                    "The reports are being read; they are shown here by themselves.",
                    "soft",
                    tag="p",
                )
        framed.follow(self.refresh)

    def _choose(self, day: str) -> None:
        self._day = day
        # Shown at the next beat, or as soon as the books have answered.
        self._site.hub.note(Moved.BOOKS)

    async def refresh(self) -> None:
        """Show the chosen day, or the newest one."""
        reader = self._site.reader
        answer = await reader.soon("clearing dates", clearing_dates, patience=_PATIENCE)
        if answer is None:
            return
        days = answer.value
        self._choice.offer(days)
        self._choice.set_visibility(bool(days))
        day, found = self._day or (days[0] if days else ""), None
        if day:
            told = await reader.soon(
                f"clearing {day}", partial(clearing_day, day=day), patience=_PATIENCE
            )
            found = None if told is None else told.value
        if (days, found) == self._shown or (days and found is None):
            return
        self._shown = days, found
        self._content.clear()
        with self._content:
            if found is not None:
                await self._show(found)
            elif not days:
                Words(
                    "FIX has reported no settlement to these books. Where a key has the entitlement, "
                    "reports are heard by:",
                    "soft",
                    tag="p",
                )
                Words("trueup fix listen", tag="code")

    async def _show(self, found: ClearingDay) -> None:
        facts(
            {
                "Clearing date": shown.words(found.day),
                "FIX, REST and books": verdict(found),
                "Pages by FIX": shown.number(found.pages),
            }
        )
        await fixed_table("Paid by account", _TOTAL_COLUMNS, total_rows(found.totals))
        rows = party_rows(found.rows, prefix=self._site.options.path_prefix)
        await fixed_table("Paid by market", _PARTY_COLUMNS, rows)
        for heading, lines in (
            ("What does not agree", found.differences),
            ("What is still to come", found.waiting),
        ):
            if lines:
                Words(heading, tag="h3")
                with box(tag="ul"):
                    for line in lines:
                        Words(line, tag="li")
