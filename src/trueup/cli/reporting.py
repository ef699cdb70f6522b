"""`report`: how trading went, in figures and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.core.errors import CallerError, ConfigError
from trueup.core.instant import DAY, HOUR, Instant, parse_instant
from trueup.run.bot.places import decisions_path
from trueup.run.reports.pictures import braille, page, svg
from trueup.run.reports.tables import day_of, notes, tables
from trueup.run.reports.weekly import Report, document, report_of

_WEEK: Final = 7


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "report")(report)


def report(
    invocation: Invocation,
    *,
    weekly: Annotated[
        bool, typer.Option("--weekly", help="The last seven days (the default).")
    ] = False,
    days: Annotated[
        int | None, typer.Option("--days", help="The last so many days instead.", min=1, max=3660)
    ] = None,
    until: Annotated[
        str, typer.Option("--until", help="Up to when, RFC 3339 (default: now).")
    ] = "",
    html: Annotated[
        str, typer.Option("--html", help="Also write a page with the picture to this file.")
    ] = "",
) -> None:
    """Trades, winners and losers, return, drawdown, fees and slippage, an earlier period beside."""
    if weekly and days is not None:
        raise CallerError("--weekly means --days 7", remedy="Give one of the two.")
    with open_account(invocation, refresh=True) as account:
        end = parse_instant(until) if until else account.now()
        # The books count by whole hours; the present one belongs to the period.
        end = Instant(-(-end // HOUR) * HOUR)
        since = Instant(max(0, end - (days or _WEEK) * DAY))
        decisions = decisions_path(account.desk.settings)
        found = report_of(account, decisions, since=since, until=end)
    show_report(invocation, found, html=html)


def show_report(invocation: Invocation, found: Report, *, html: str = "") -> None:
    """Print a report, and write its page where one is wanted."""
    output = invocation.output
    output.result({**document(found), "html": html or None})
    now = found.now
    output.say()
    output.say(f"{day_of(now.since)} to {day_of(now.until)}", style="bold")
    for caption, headings, lines in tables(found):
        output.table(headings, lines, title=caption, right=headings[1:])
    picture = braille(now.points, now.until)
    if picture:
        output.say("Equity, positions at what they cost", style="bold")
        for line in picture:
            output.say(line)
    for note in notes(found):
        output.say(note)
    if html:
        _write(Path(html), found)
        output.say(f"written: {html}")


def _write(path: Path, found: Report) -> None:
    now = found.now
    title = f"trueup report, {day_of(now.since)} to {day_of(now.until)}"
    picture = svg(now.points, now.until, title="Equity")
    try:
        path.write_text(page(title, picture, tables(found), notes(found)), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", remedy="Name another file."
        ) from error
