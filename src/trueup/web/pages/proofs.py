"""The proof's part of the reconciliation page: cash by pot, intervals, coverage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from trueup.core.instant import Instant, utc_day
from trueup.run.books.account import Account
from trueup.run.views import Row
from trueup.web.frame import judged
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of
from trueup.web.values.proof import Timeline, balance_rows, interval_rows, timelines, witness_rows
from trueup.web.values.rows import TablePage
from trueup.web.widgets import Words, attribute, box, panel

_POT_COLUMNS: Final = (
    Column(name="pot", label="Cash of"),
    Column(name="exchange", label="The exchange says", figure=True),
    Column(name="books", label="The books say", figure=True),
    Column(name="collateral", label="Tied up by orders", figure=True, phone=False),
    Column(name="difference", label="Difference", figure=True),
    Column(name="age", label="Read", figure=True, phone=False, calm=True),
)
_INTERVAL_COLUMNS: Final = (
    Column(name="pot", label="Cash of", phone=False),
    Column(name="since", label="From (UTC)", phone=False),
    Column(name="until", label="To"),
    Column(name="claimed", label="Balance moved", figure=True),
    Column(name="explained", label="Facts explain", figure=True),
    Column(name="facts", label="Facts", figure=True, phone=False),
    Column(name="left", label="Left", figure=True),
    Column(name="verdict", label="Verdict"),
    Column(name="words", label="", phone=False, wide=True),
)
_WITNESS_COLUMNS: Final = (
    Column(name="ticker", label="Market"),
    Column(name="at", label="Settled", phone=False),
    Column(name="rest", label="REST shows", figure=True),
    Column(name="fix", label="FIX paid", figure=True),
    Column(name="fee", label="FIX fee", figure=True, phone=False),
    Column(name="books", label="Booked", figure=True),
    Column(name="agree", label="Agree"),
)
WITNESSES_MAX: Final = 500
"""So many of the newest settlements are looked through for reports by FIX."""


def build_proof(site: Site) -> Callable[[], Awaitable[None]]:
    """The cash proof; returns what shows it anew."""

    async def pots(query: Query) -> TablePage | None:
        del query
        answer = await site.reader.soon("balances", Account.balances)
        if answer is None:
            return None
        rows = balance_rows(answer.value)
        return TablePage(rows, len(rows))

    async def intervals(query: Query) -> TablePage | None:
        found = judged(site)
        return (
            None if found is None else page_of(interval_rows(found.value.proof, every=False), query)
        )

    with panel("Cash proof"):
        pot_table = Table(
            "Cash by pot",
            _POT_COLUMNS,
            pots,
            query=Query(sort=""),
            empty="No balance was read yet.",
        )
    with box("panel grid"):
        Words(
            "Between two readings: what the balance moved by, and the facts that explain it",
            tag="h2",
        )
        interval_table = Table(
            "Intervals of the cash proof",
            _INTERVAL_COLUMNS,
            intervals,
            query=Query(sort="", limit=20),
            empty="No balance moved between two readings yet.",
        )

    async def refresh() -> None:
        await pot_table.refresh()
        await interval_table.refresh()

    return refresh


def build_witnesses(site: Site) -> Callable[[], Awaitable[None]]:
    """REST beside FIX; returns what shows it anew."""

    async def load(query: Query) -> TablePage | None:
        answer = await site.reader.soon("witnesses", _settlements)
        if answer is None:
            return None
        return page_of(witness_rows(answer.value, prefix=site.options.path_prefix), query)

    with panel("REST beside FIX: one settlement, two witnesses"):
        table = Table(
            "Settlements by REST and by FIX",
            _WITNESS_COLUMNS,
            load,
            query=Query(sort="", limit=20),
            empty="FIX has reported no settlement here: `trueup fix listen` writes what it hears "
            "into the books.",
        )
    return table.refresh


def _settlements(account: Account) -> list[Row]:
    return account.settlements(limit=WITNESSES_MAX)


def build_coverage(site: Site) -> Callable[[], None]:
    """The coverage timeline; returns what shows it anew."""
    with box("panel grid"):
        with box("head"):
            Words("Coverage: for which time each stream is proven complete", tag="h2")
            span = Words("", "soft")
        lines = box("limits")
    drawn: list[object] = [None]

    def refresh() -> None:
        found = judged(site)
        if found is None or drawn[0] == found.version:
            return
        drawn[0] = found.version
        certificate = found.value.proof.certificate
        since = _beginning(site, certificate.at)
        span.say(f"{utc_day(since)} to {utc_day(certificate.at)} UTC")
        lines.clear()
        with lines:
            for line in timelines(certificate, since=since, now=certificate.at):
                _line(line)

    return refresh


def _line(line: Timeline) -> None:
    with box():
        with box("row2"):
            Words(("✓ " if line.is_complete else "▲ ") + line.name)
            Words(line.state, "soft")
        with box("timeline", role="img", aria_label=line.words) as bar:
            attribute(bar, "title", line.words)
            for part in line.bars:
                piece = box("covered" if part.is_covered else "missing")
                piece.style(f"left: {part.start / 10}%; width: {part.length / 10}%")


def _beginning(site: Site, now: Instant) -> Instant:
    """Where a timeline begins: a little before the first thing that ever happened."""
    return site.first_at or Instant(now - 90 * 86_400_000_000)
