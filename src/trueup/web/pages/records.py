"""Where every cent comes from: a day's entries, and one record with its raw payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nicegui import ui

from trueup.core.errors import TrueupError
from trueup.core.instant import Instant
from trueup.ledger.entries import Entry
from trueup.run.books.account import Account
from trueup.web.frame import explain_condition, frame
from trueup.web.site import Site
from trueup.web.tables import Column, Query, Table, page_of
from trueup.web.values import shown
from trueup.web.values.rows import TablePage, TableRow
from trueup.web.values.shown import Tone
from trueup.web.values.trace import (
    Record,
    by_market,
    day_span,
    entry_row,
    posting_rows,
    pretty,
    record,
    total_effect,
)
from trueup.web.widgets import Words, box, facts, link, panel

ENTRIES_MAX: Final = 2_000
"""So many entries of a day are listed; its sums are then those of the listed ones, and say so."""

ENTRY_COLUMNS: Final = (
    Column(name="at", label="Time (UTC)"),
    Column(name="kind", label="Entry"),
    Column(name="ticker", label="Market"),
    Column(name="strategy", label="Strategy", phone=False),
    Column(name="contracts", label="Contracts", figure=True, phone=False),
    Column(name="cash", label="Cash", figure=True),
    Column(name="realized", label="Realised", figure=True, phone=False),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="net", label="Net", figure=True),
)
_MARKET_COLUMNS: Final = (
    Column(name="ticker", label="Market"),
    Column(name="entries", label="Entries", figure=True),
    Column(name="cash", label="Cash", figure=True),
    Column(name="realized", label="Realised", figure=True, phone=False),
    Column(name="fees", label="Fees", figure=True, phone=False),
    Column(name="net", label="Net", figure=True),
)
_POSTING_COLUMNS: Final = (
    Column(name="account", label="Account"),
    Column(name="money", label="Dollars", figure=True),
    Column(name="contracts", label="Contracts", figure=True),
)


def register(site: Site) -> None:
    """Add the pages."""

    @ui.page("/day/{day}")
    async def one_day(day: str) -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, f"What made {day[:10]}", ""):
            if explain_condition(site):
                await _day(site, day)

    @ui.page("/record")
    async def one_record(stream: str = "", key: str = "") -> None:  # pyright: ignore[reportUnusedFunction]
        with frame(site, "One record", ""):
            if explain_condition(site):
                await _record(site, stream[:40], key[:300])


async def _day(site: Site, day: str) -> None:
    try:
        begin, end = day_span(day)
    except TrueupError as error:
        Words(shown.sentences(error, "Days look like 2026-11-28."), tag="p")
        return
    entries = await site.reader.page(lambda account: entries_of_day(account, begin, end))
    did = total_effect(entries)
    with box("panel grid"):
        facts(
            {
                "Eastern day": shown.words(day),
                "Entries": shown.number(len(entries)),
                "Cash moved": replace(shown.dollars(did.cash, signed=True), tone=Tone.PLAIN),
                "Realised": shown.dollars(did.realized, signed=True),
                "Fees": shown.dollars(did.fees),
                "Net": shown.dollars(did.net, signed=True),
            }
        )
        if len(entries) == ENTRIES_MAX:
            Words(f"Only the newest {ENTRIES_MAX:,} entries of this day are counted here.", "soft")
    prefix = site.options.path_prefix
    with panel("By market"):
        await fixed_table("By market", _MARKET_COLUMNS, by_market(entries, prefix=prefix))
    with panel("Entries of the ledger, newest first; each leads to its record"):
        rows = [entry_row(each, prefix=prefix) for each in entries]
        await fixed_table("Ledger entries", ENTRY_COLUMNS, rows, limit=100)


def entries_of_day(account: Account, begin: Instant, end: Instant) -> list[Entry]:
    """The entries between two times, newest first, at most `ENTRIES_MAX`."""
    return list(account.books.entries(since=begin, until=end, newest_first=True, limit=ENTRIES_MAX))


async def fixed_table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[TableRow],
    *,
    empty: str = "Nothing.",
    limit: int = 50,
) -> Table:
    """A table whose rows are all known."""

    async def load(query: Query) -> TablePage:
        return page_of(rows, query)

    table = Table(caption, columns, load, query=Query(sort="", limit=limit), empty=empty)
    await table.refresh()
    return table


async def _record(site: Site, stream: str, key: str) -> None:
    try:
        found: Record = await site.reader.page(lambda account: record(account, stream, key))
    except TrueupError as error:
        Words(shown.sentences(error, error.remedy), tag="p")
        return
    if not found.found:
        Words("There is no such record in the journal.", tag="p")
        return
    newest = found.versions[-1].recorded
    with box("panel grid"):
        about = {
            "Stream": shown.words(found.stream.value),
            "Name in the journal": shown.words(found.key),
            "Versions": shown.number(len(found.versions)),
            "Came by": shown.words(newest.source.value),
            "First seen": shown.moment(found.versions[0].recorded.observed_at),
        }
        if found.ticker is not None:
            owner = getattr(newest.value, "subaccount", 0)
            href = site.url(f"/position/{owner}/{found.ticker}")
            about["Market"] = shown.words(found.ticker, href=href)
        facts(about, long={"Name in the journal"})
    with panel("What the books make of it: legs that sum to zero"):
        if not found.entries:
            Words("Nothing is booked from this record.", "soft", tag="p")
        for entry in found.entries:
            Words(
                f"{entry.kind.value} at {shown.moment(entry.at).title}, version {entry.version}"
                + (f", rests on {entry.evidence}" if entry.evidence else ""),
                tag="p",
            )
            await fixed_table("Legs", _POSTING_COLUMNS, posting_rows(entry))
    with panel("As the exchange sent it"):
        for each in reversed(found.versions):
            told = each.recorded
            with box():
                Words(
                    f"version {told.version}, by {told.source.value}, seen at "
                    f"{shown.moment(told.observed_at).title}",
                    "soft",
                    tag="p",
                )
                Words(
                    pretty(each.raw) or "(nothing was sent: stated by the operator)",
                    "raw",
                    tag="pre",
                )
    link("Back to reconciliation", site.url("/reconciliation"))
