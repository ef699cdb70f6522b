"""The bot: what its strategies do and earn, why they did not trade, and how to stop them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from nicegui import ui
from nicegui.element import Element

from trueup.core.errors import TrueupError
from trueup.run.bot.status import Status
from trueup.web.dialogs import ask, tell
from trueup.web.frame import Frame, frame
from trueup.web.kill import kill_dialog
from trueup.web.live import Moved
from trueup.web.pages.columns import CONNECTION_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, titled_table
from trueup.web.values.bot import (
    connection_row,
    decision_rows,
    limit_bars,
    order_row,
    strategy_row,
    summary,
)
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import NOTHING, Shown, sentences
from trueup.web.widgets import Age, Words, attribute, box, button, facts, panel

_STRATEGY_COLUMNS: Final = (
    Column(name="name", label="Strategy"),
    Column(name="state", label="State"),
    Column(name="profit", label="P&L", figure=True),
    Column(name="realized", label="Realised", figure=True, phone=False),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="exposure", label="Exposure", figure=True),
    Column(name="capital", label="Capital", figure=True, phone=False),
    Column(name="orders", label="Orders", figure=True, phone=False),
    Column(name="markets", label="Markets", figure=True, phone=False),
    Column(name="parameters", label="Parameters", phone=False, wide=True),
)
_ORDER_COLUMNS: Final = (
    Column(name="ticker", label="Market"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="side", label="Buys"),
    Column(name="limit", label="YES price", figure=True),
    Column(name="count", label="Quantity", figure=True),
    Column(name="filled", label="Filled", figure=True, phone=False),
    Column(name="state", label="State"),
    Column(name="reason", label="Why", phone=False, wide=True),
)
_LINE_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)", phone=False),
    Column(name="kind", label="What"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="words", label="Why", wide=True),
)
_KINDS: Final = {"": "All", "refused": "Refused", "sent": "Sent", "fill": "Fills"}
_NAMES: Final[tuple[str, ...]] = (
    *("State", "Mode", "Value", "P&L", "Running since", "Markets followed", "Orders sent"),
    *("Fills", "Wishes refused", "Process"),
)
_EMPTY: Final[Mapping[str, Shown]] = dict.fromkeys(_NAMES, NOTHING)


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/bot")
    async def bot() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Bot", "/bot") as framed:
            await _Bot(framed).build()


class _Bot:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._picks: dict[str, Element] = {}

    @property
    def _status(self) -> Status | None:
        return self._site.bot.status

    async def build(self) -> None:
        with self._frame.title:
            self._age = Age(None, prefix="heard ", stale_after=20_000_000)
        self._gone = box("notice", role="status")
        with self._gone:
            self._why = Words("")
        with box("panel grid"):
            self._summary = facts(_EMPTY)
            self._buttons()
        acts = {} if self._site.options.read_only else {"pause": "Pause", "resume": "Resume"}
        self._strategies = titled_table(
            "Strategies",
            _STRATEGY_COLUMNS,
            self._strategy_page,
            empty="No strategy runs.",
            actions=acts,
            acted=self._act,
        )
        with box("grid two"):
            with panel("Limits, the fullest first", classes="panel"):
                self._limits = box("limits")
            self._connections = titled_table(
                "Connections",
                CONNECTION_COLUMNS,
                self._connection_page,
                empty="None.",
                classes="panel",
            )
        self._orders = titled_table(
            "Living orders",
            _ORDER_COLUMNS,
            self._order_page,
            query=Query(sort="", limit=25),
            empty="Nothing is under way.",
        )
        self._decision_log()
        await self._refresh()
        await self._lines.refresh()
        self._frame.follow(self._refresh, moved=frozenset({Moved.BOT}))
        self._frame.follow(self._lines.refresh, moved=frozenset({Moved.DECISIONS}))

    def _buttons(self) -> None:
        if self._site.options.read_only:
            Words("This page only looks: it was started with --read-only.", "soft", tag="p")
            return
        with box("actions-row"):
            self._pause = button("Pause all", partial(self._command, "pause"))
            self._resume = button("Resume all", partial(self._command, "resume"))
            self._rearm = button("Switch on again", self._ask_rearm)
            if self._site.companions is not None:
                self._start = button("Start the bot", self._start_bot)
            button("Kill …", lambda: kill_dialog(self._site), "button danger")

    def _decision_log(self) -> None:
        with box("panel grid"):
            with box("head"):
                Words("Decision log: what it wanted, and why not", tag="h2")
                with box("picks", role="group", aria_label="Which decisions"):
                    for kind, name in _KINDS.items():
                        pick = button(name, partial(self._pick, kind), "")
                        attribute(pick, "aria-pressed", str(kind == "").lower())
                        self._picks[kind] = pick
            self._lines = Table(
                "Decision log",
                _LINE_COLUMNS,
                self._line_page,
                query=Query(sort="", limit=60),
                empty="Nothing was decided yet.",
                filter_label="Filter the log",
            )

    async def _refresh(self) -> None:
        link, status = self._site.bot, self._status
        self._gone.set_visibility(status is None or link.is_killed)
        killed = "The kill switch of this account is on." if link.is_killed else ""
        gone = (link.why, link.remedy) if status is None else ()
        self._why.say(sentences(killed, *gone))
        self._age.show(link.heard_at if status is not None else None)
        figures = _EMPTY if status is None else summary(status)
        for name, figure in figures.items():
            self._summary[name].show(figure)
        if not self._site.options.read_only:
            self._enable(status, is_killed=link.is_killed)
        self._show_limits(status)
        for table in (self._strategies, self._connections, self._orders):
            await table.refresh()

    def _enable(self, status: Status | None, *, is_killed: bool) -> None:
        state = None if status is None else status.state
        attribute(self._pause, "disabled", None if state == "trading" else True)
        attribute(self._resume, "disabled", None if state == "paused" else True)
        needs = is_killed or (
            status is not None and any(h.lifted_by == "operator" for h in status.halts)
        )
        attribute(self._rearm, "disabled", None if needs else True)
        companions = self._site.companions
        if companions is not None:
            may = not is_killed and not companions.bot_runs
            attribute(self._start, "disabled", None if may else True)

    def _show_limits(self, status: Status | None) -> None:
        self._limits.clear()
        with self._limits:
            bars = [] if status is None else limit_bars(status.limits)
            if not bars:
                Words("No bot, no limits in use.", "soft")
            for bar in bars[:16]:
                with box():
                    with box("row2"):
                        Words(bar.name)
                        Words(f"{bar.used} of {bar.allowed} · {bar.percent} %", "soft")
                    with box("bar", role="presentation"):
                        fill = box(bar.tone.value)
                        fill.style(f"width: {min(bar.percent, 100)}%")

    async def _command(self, command: str) -> None:
        try:
            state = await self._site.actions.command(command, words="on the dashboard")
        except TrueupError as error:
            tell(sentences(error, error.remedy), bad=True)
            return
        tell(f"The bot is {state}.")

    async def _act(self, command: str, strategy: str) -> None:
        try:
            await self._site.actions.command(command, strategy=strategy, words="on the dashboard")
        except TrueupError as error:
            tell(sentences(error, error.remedy), bad=True)

    async def _start_bot(self) -> None:
        tell(await self._site.actions.start_bot(self._site.companions))

    def _ask_rearm(self) -> None:
        async def do(reason: str) -> str:
            return f"Switched on again: {await self._site.actions.rearm(reason)}."

        ask(
            "Switch the account on again?",
            "This lifts the halts that wait for an operator and takes the kill switch back. A bot "
            "may trade again at once.",
            verb="Switch on",
            do=do,
            reason="Why is it safe now?",
        )

    async def _pick(self, kind: str) -> None:
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == kind).lower())
        await self._lines.pick(kind)

    async def _strategy_page(self, query: Query) -> TablePage:
        del query
        rows = [] if self._status is None else [strategy_row(s) for s in self._status.strategies]
        return TablePage(rows, len(rows))

    async def _connection_page(self, query: Query) -> TablePage:
        del query
        rows = [] if self._status is None else [connection_row(c) for c in self._status.connections]
        return TablePage(rows, len(rows))

    async def _order_page(self, query: Query) -> TablePage:
        orders = [] if self._status is None else self._status.orders
        rows = [order_row(each) for each in orders[query.offset : query.offset + query.limit]]
        return TablePage(rows, len(orders))

    async def _line_page(self, query: Query) -> TablePage:
        rows = decision_rows(
            self._site.bot.lines, words=query.words.lower(), only=query.picked, limit=query.limit
        )
        return TablePage(rows, len(rows))
