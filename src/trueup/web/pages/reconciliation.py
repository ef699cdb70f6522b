"""Reconciliation: is every cent explained, and what is to be done where it is not?"""

from __future__ import annotations

from functools import partial
from typing import Final

from nicegui import ui
from nicegui.element import Element

from trueup.core.errors import TrueupError
from trueup.run.books.account import Account
from trueup.run.books.proving import Reconciliation
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.web.dialogs import Dialog, ask, tell
from trueup.web.frame import Frame, explain_condition, frame, judged
from trueup.web.pages.proofs import build_coverage, build_proof, build_witnesses
from trueup.web.pages.repairs import build_repairs
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of
from trueup.web.values.breaks import (
    UNSEEN,
    break_rows,
    explanation,
    kind_words,
    verdict_facts,
)
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import NOTHING, sentences
from trueup.web.widgets import Age, Words, attribute, box, button, facts, panel

_COLUMNS: Final = (
    Column(name="severity", label="Severity"),
    Column(name="kind", label="Kind"),
    Column(name="ticker", label="Market", phone=False),
    Column(name="amount", label="Amount", figure=True),
    Column(name="age", label="Age", figure=True),
    Column(name="status", label="Status", phone=False),
    Column(name="summary", label="What differs", phone=False, wide=True),
)
_PICKS: Final = {"open": "Needs attention", "decided": "Decided", "": "All"}
_NAMES: Final[tuple[str, ...]] = (
    *("Verdict", "Intervals proven", "Red breaks", "Amber breaks", "Not explained"),
    "Waiting for a next reading",
)


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/reconciliation")
    async def reconciliation() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Reconciliation", "/reconciliation") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            await _Reconciliation(framed).build()


class _Reconciliation:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._picks: dict[str, Element] = {}
        self._register: list[AgedBreak] = []

    @property
    def _judged(self) -> Reconciliation | None:
        answer = judged(self._site)
        return None if answer is None else answer.value

    async def build(self) -> None:
        with self._frame.title:
            self._asked = Age(None, prefix="exchange asked ")
            self._proven = Age(None, prefix="proven ")
        await self._site.reader.soon("judgement", Account.judge)
        with box("panel grid"):
            self._facts = facts(dict.fromkeys(_NAMES, NOTHING))
            self._words = Words("", "soft", tag="p")
            if not self._site.options.read_only:
                with box("actions-row"):
                    button("Ask the exchange now", self._sync)
        self._breaks_panel()
        self._proof = build_proof(self._site)
        self._witnesses = build_witnesses(self._site)
        self._coverage = build_coverage(self._site)
        with panel("What the proof cannot see"), box("list", tag="ul"):
            for words in UNSEEN:
                Words(words, "soft", tag="li")
        build_repairs(self._site)
        await self._refresh()
        self._frame.follow(self._refresh)

    def _breaks_panel(self) -> None:
        with box("panel grid"):
            with box("head"):
                Words("Breaks", tag="h2")
                with box("picks", role="group", aria_label="Which breaks"):
                    for picked, name in _PICKS.items():
                        pick = button(name, partial(self._pick, picked), "")
                        attribute(pick, "aria-pressed", str(picked == "open").lower())
                        self._picks[picked] = pick
            self._breaks = Table(
                "Breaks",
                _COLUMNS,
                self._break_page,
                query=Query(sort="", limit=50, picked="open"),
                empty="Nothing needs attention: what the exchange states agrees with the books.",
                filter_label="Filter breaks",
                actions={"open": "Look"},
                acted=self._open,
            )

    async def _refresh(self) -> None:
        reader, found = self._site.reader, judged(self._site)
        self._asked.show(reader.asked_at)
        self._proven.show(None if found is None else found.at)
        if found is None:
            self._words.say("The books are being proven …")
            return
        self._register = await reader.ask("breaks", Account.breaks)
        for name, figure in verdict_facts(found.value.verdict).items():
            self._facts[name].show(figure)
        self._words.say(found.value.verdict.words())
        await self._breaks.refresh()
        await self._proof()
        await self._witnesses()
        self._coverage()

    async def _pick(self, picked: str) -> None:
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == picked).lower())
        await self._breaks.pick(picked)

    def _known(self) -> list[AgedBreak]:
        """What is found now, and what was decided or closed before."""
        found = () if self._judged is None else self._judged.breaks
        now_there = {each.found.identity for each in found}
        earlier = [each for each in self._register if each.found.identity not in now_there]
        return [*found, *(each for each in earlier if each.status is not BreakStatus.OPEN)]

    async def _break_page(self, query: Query) -> TablePage:
        rows = break_rows(
            self._known(),
            now=self._site.reader.now(),
            words=query.words.lower(),
            picked=query.picked,
        )
        return page_of(rows, query)

    async def _open(self, action: str, identity: str) -> None:
        del action
        aged = next((each for each in self._known() if each.found.identity == identity), None)
        if aged is None:
            tell("This break is gone: it closed by itself.")
            return
        dialog = Dialog(f"{kind_words(aged.found.kind)}: {aged.found.summary}")
        with dialog.sheet():
            for title, lines in explanation(aged):
                with box():
                    Words(title, "soft", tag="p")
                    for line in lines:
                        Words(line, "breaking", tag="p")
            with box("actions-row"):
                if not self._site.options.read_only:
                    for status, verb in _verbs(aged).items():
                        button(verb, partial(self._decide, dialog, aged, status))
                button("Close window", dialog.close)

    def _decide(self, dialog: Dialog, aged: AgedBreak, status: BreakStatus) -> None:
        dialog.close()

        async def do(reason: str) -> str:
            decided = await self._site.actions.decide(aged.found.identity, status, reason)
            return f"{decided.status.value}, by {decided.decided_by}: {decided.reason}"

        with self._frame.main:
            ask(
                f"{_verbs(aged)[status]}?",
                "Acknowledging explains nothing: the verdict still counts this break. It opens again "
                "by itself when its amount or its summary changes. Your name and your reason are kept "
                "with it.",
                verb=_verbs(aged)[status],
                do=do,
                reason="Reason",
            )

    async def _sync(self) -> None:
        tell("Asking the exchange …")
        try:
            tell(f"Asked: {await self._site.actions.sync()}.")
        except TrueupError as error:
            tell(sentences(error, error.remedy), bad=True)


def _verbs(aged: AgedBreak) -> dict[BreakStatus, str]:
    verbs = {
        BreakStatus.ACKNOWLEDGED: "Acknowledge",
        BreakStatus.CLOSED: "Close with a reason",
        BreakStatus.OPEN: "Open again",
    }
    return {status: verb for status, verb in verbs.items() if status is not aged.status}
