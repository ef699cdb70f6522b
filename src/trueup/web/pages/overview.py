"""The overview: what the account is worth, what it earned, and whether the figures are proven."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from nicegui import ui
from nicegui.element import Element

from trueup.core.instant import Instant, eastern_day
from trueup.run.books.account import Account
from trueup.store.listing import Leaf
from trueup.web.charts import RANGES, Chart, bars, drawdown_curve, equity_curve
from trueup.web.frame import Frame, explain_condition, frame, stale_after
from trueup.web.live import Moved
from trueup.web.pages.columns import CONNECTION_COLUMNS, FILL_COLUMNS, POSITION_COLUMNS
from trueup.web.site import Site
from trueup.web.tables import Query, titled_table
from trueup.web.values import shown
from trueup.web.values.activity import fill_row
from trueup.web.values.earnings import (
    Earnings,
    day_line,
    drawdown,
    earnings,
    recent_days,
)
from trueup.web.values.health import health_rows
from trueup.web.values.holdings import Holdings, Worth, holdings, position_rows, worth
from trueup.web.values.rows import TablePage
from trueup.web.values.shown import NOTHING, Shown
from trueup.web.widgets import Age, Figure, Words, attribute, box, button, link, panel

_DAYS = 14


def register(site: Site) -> None:
    """Add the page."""

    @ui.page("/")
    async def overview() -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "Overview", "/") as framed:
            if not explain_condition(site):
                framed.reload_when_books_come()
                return
            await _Overview(framed).build()


class _Tile:
    """A figure with its name above and what belongs to it below."""

    def __init__(self, label: str, *, href: str = "") -> None:
        with box("tile"):
            with box("label"):
                if href:
                    link(label, href)
                else:
                    Words(label)
            self._value = Figure(NOTHING, "value", tag="div")
            with box("under"):
                self._under = Figure(Shown(""))
                self._age = Age(None, stale_after=0)
                self._age.set_visibility(False)

    def show(self, value: Shown, under: Shown | None = None) -> None:
        """Show a figure; its age stands below it when there is nothing else to say."""
        self._value.show(value)
        self._under.show(under or Shown(""))
        self._age.show(value.at)
        self._age.set_visibility(under is None and value.at is not None)


@dataclass(slots=True)
class _Figures:
    """Everything that one refresh shows."""

    now: Instant
    held: Holdings
    worth: Worth
    earned: Earnings | None


class _Overview:
    """The page's parts, kept to be shown anew."""

    def __init__(self, framed: Frame) -> None:
        self._site = framed.site
        self._frame = framed
        self._range = "All"
        self._picks: dict[str, Element] = {}

    async def build(self) -> None:
        figures = await self._ask()
        self._tiles()
        with box("grid two"):
            with box("panel"):
                self._curve(figures)
            with panel("P&L by category", classes="panel"):
                self._categories = Chart(
                    _by_name(figures, by="category"), words="Profit and loss by category"
                )
                Words("P&L by strategy", tag="h2")
                self._strategies = Chart(
                    _by_name(figures, by="strategy"),
                    "chart low",
                    words="Profit and loss by strategy",
                )
        with panel(
            "P&L by day", "realised after fees, Eastern days; click one to see what made it"
        ):
            self._days = Chart(
                _by_day(figures),
                "chart low",
                words=f"Profit and loss of the last {_DAYS} days",
                clicked=lambda name: ui.navigate.to(f"/day/{name}"),
            )
        self._positions = titled_table(
            "Open positions",
            POSITION_COLUMNS,
            self._position_page,
            empty="No open positions.",
        )
        self._fills = titled_table(
            "Newest fills",
            FILL_COLUMNS,
            self._fill_page,
            query=Query(sort="at", limit=8),
            empty="No fills yet.",
        )
        self._health = titled_table(
            "Connections",
            CONNECTION_COLUMNS,
            self._health_page,
            empty="None.",
        )
        await self._show(figures)
        self._frame.follow(self._refresh)
        self._frame.follow(self._health.refresh, moved=frozenset({Moved.BOT}))

    async def _ask(self) -> _Figures:
        reader = self._site.reader
        held = await reader.ask("holdings", holdings)
        answer = await reader.soon("earnings", earnings)
        return _Figures(
            now=reader.now(),
            held=held,
            worth=worth(held, held.positions),
            earned=None if answer is None else answer.value,
        )

    def _tiles(self) -> None:
        with box("tiles"):
            self._equity = _Tile("Equity")
            self._cash = _Tile("Cash available", href=self._site.url("/reconciliation"))
            self._exposure = _Tile("Exposure", href=self._site.url("/positions"))
            self._today = _Tile("Today")
            self._total = _Tile("Total P&L")
            self._drawdown = _Tile("Drawdown")

    def _curve(self, figures: _Figures) -> None:
        with box("head"):
            Words("Equity", tag="h2")
            Words(
                "cash and positions at cost; dashed: deposits less withdrawals; click a point to see its day",
                "soft",
            )
            with box("picks", role="group", aria_label="Time range"):
                for name in RANGES:
                    pick = button(name, partial(self._narrow, name), "")
                    attribute(pick, "aria-pressed", str(name == self._range).lower())
                    self._picks[name] = pick
        self._equity_chart = Chart(
            self._equity_options(figures), words="Equity over time", clicked=self._open_day
        )
        Words("Drawdown", tag="h2")
        self._drawdown_chart = Chart(
            self._drawdown_options(figures), "chart low", words="Drawdown over time"
        )

    def _equity_options(self, figures: _Figures) -> dict[str, object]:
        points = () if figures.earned is None else figures.earned.curve
        return equity_curve(points, span=RANGES[self._range], now=figures.now)

    def _drawdown_options(self, figures: _Figures) -> dict[str, object]:
        points = () if figures.earned is None else figures.earned.curve
        return drawdown_curve(points, span=RANGES[self._range], now=figures.now)

    async def _narrow(self, name: str) -> None:
        self._range = name
        for each, pick in self._picks.items():
            attribute(pick, "aria-pressed", str(each == name).lower())
        await self._refresh()

    def _open_day(self, milliseconds: str) -> None:
        if milliseconds.isdecimal():
            day = eastern_day(Instant(int(milliseconds) * 1000 - 1))
            ui.navigate.to(f"/day/{day}")  # the library adds the prefix itself

    async def _refresh(self) -> None:
        if self._site.reader.condition.state.value == "fine":
            await self._show(await self._ask())

    async def _show(self, figures: _Figures) -> None:
        self._show_tiles(figures)
        self._equity_chart.show(self._equity_options(figures))
        self._drawdown_chart.show(self._drawdown_options(figures))
        self._categories.show(_by_name(figures, by="category"))
        self._strategies.show(_by_name(figures, by="strategy"))
        self._days.show(_by_day(figures))
        await self._positions.refresh()
        await self._fills.refresh()
        await self._health.refresh()

    def _show_tiles(self, figures: _Figures) -> None:
        held, earned = figures.worth, figures.earned
        self._equity.show(
            shown.dollars(held.equity, at=held.cash_at),
            Shown(f"{held.unmarked} without a quote, at cost") if held.unmarked else None,
        )
        self._cash.show(shown.dollars(held.cash, at=held.cash_at))
        resting = len(figures.held.resting)
        self._exposure.show(
            shown.dollars(held.exposure),
            Shown(f"{len(figures.held.positions)} positions, {resting} orders resting"),
        )
        if earned is None:
            return
        fallen = drawdown(earned.curve)
        today = day_line(earned.by_day, eastern_day(figures.now))
        unrealized = shown.dollars(held.unrealized, signed=True)
        self._today.show(shown.dollars(today, signed=True), Shown("realised, after fees"))
        self._total.show(
            shown.dollars(earned.total.net + held.unrealized, signed=True),
            Shown(f"{unrealized.text} of it unrealised"),
        )
        self._drawdown.show(
            shown.dollars(fallen.now), Shown(f"worst {shown.dollars(fallen.worst).text}")
        )

    async def _position_page(self, query: Query) -> TablePage:
        del query
        site = self._site
        held = await site.reader.ask("holdings", holdings)
        rows = position_rows(
            held, held.positions, now=site.reader.now(), prefix=site.options.path_prefix
        )
        return TablePage(rows, len(rows))

    async def _health_page(self, query: Query) -> TablePage:
        del query
        reader, status = self._site.reader, self._site.bot.status
        rows = health_rows(
            reader.asked_at,
            now=reader.now(),
            stale_after=stale_after(self._site),
            connections=None if status is None else status.connections,
            why=self._site.bot.why,
        )
        return TablePage(rows, len(rows))

    async def _fill_page(self, query: Query) -> TablePage:
        def question(account: Account) -> TablePage:
            listed = account.books.list_fills(
                Leaf(
                    sort=query.sort,
                    descending=query.descending,
                    limit=query.limit,
                    offset=query.offset,
                )
            )
            prefix = self._site.options.path_prefix
            return TablePage(
                [fill_row(each, prefix=prefix) for each in listed.rows], listed.total, listed.more
            )

        return await self._site.reader.page(question)


def _by_name(figures: _Figures, *, by: str) -> dict[str, object]:
    earned = figures.earned
    if earned is None:
        return bars((), (), sideways=True)
    lines = earned.by_category if by == "category" else earned.by_strategy
    ordered = sorted(lines, key=lambda each: -each.total.units)[:10]
    return bars([each.name for each in ordered], [each.total for each in ordered], sideways=True)


def _by_day(figures: _Figures) -> dict[str, object]:
    if figures.earned is None:
        return bars((), (), sideways=False)
    days = recent_days(figures.earned.by_day, figures.now, days=_DAYS)
    return bars([day for day, _ in days], [amount for _, amount in days], sideways=False)
