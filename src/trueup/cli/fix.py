"""`fix`: the exchange's FIX, for people without a FIX desk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead, open_account
from trueup.cli.output import Column, Output, moment, plain
from trueup.core.errors import ConfigError
from trueup.core.instant import eastern_day
from trueup.run.books.account import Account
from trueup.run.desk import DeskSettings
from trueup.run.fix.day import COLUMNS as BOOKED_COLUMNS
from trueup.run.fix.day import BookedDay, read_booked_day
from trueup.run.fix.listening import Heard, ListenWish, listen_fix, log_files
from trueup.run.fix.log import ExplainedLog, as_payload, explain_log, message_payload, rows
from trueup.run.fix.report import COLUMNS, DayReport, read_day, write_rows
from trueup.run.views import Row, number_of

_WHOSE = (
    Column("party", "party"),
    Column("subaccount", "sub", is_figure=True),
    Column("ticker", "market"),
    Column("result", "result"),
)
_HELD = (
    Column("yes_count", "YES", is_figure=True),
    Column("no_count", "NO", is_figure=True),
)
_FEES = Column("fees", "fees", is_figure=True)
_SUMS = (
    Column("settlements", "settlements", is_figure=True),
    Column("gross", "gross", is_figure=True),
    _FEES,
    Column("fee_types", "fee types"),
)
_WITNESSES = (
    Column("payout", "paid by FIX", is_figure=True),
    Column("rest_revenue", "by REST", is_figure=True),
    Column("booked", "by the books", is_figure=True),
)
_PAYOUT = Column("payout", "payout", is_figure=True)
_TOTALS = (Column("party", "party"), *_SUMS, _PAYOUT)
_ACCOUNTS = (Column("account", "account"), *_SUMS, *_WITNESSES)
_BOOKED = (*_WHOSE, *_HELD, _FEES, *_WITNESSES)
_PARTIES = (
    *_WHOSE,
    Column("settlement_price", "YES paid", is_figure=True),
    *_HELD,
    Column("gross", "gross", is_figure=True),
    _FEES,
    _PAYOUT,
)


def register(app: typer.Typer) -> None:
    """Add the FIX commands."""
    group = typer.Typer(help="FIX sessions and logs.", no_args_is_help=True)
    command(group, "decode")(decode)
    command(group, "listen")(listen)
    command(group, "report")(report)
    app.add_typer(group, name="fix")


def decode(
    invocation: Invocation,
    *,
    file: Annotated[Path, typer.Argument(help="A log with FIX messages; SOH, | or ^A between.")],
    fields: Annotated[
        bool, typer.Option("--fields", help="Also list every field of every message.")
    ] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this type (35) or name; may be repeated."),
    ] = None,
    prices: Annotated[
        str,
        typer.Option("--prices", help="dollars or cents, where the log holds no logon."),
    ] = "",
) -> None:
    """Explain a FIX log in words."""
    log = explain_log(file, unit=prices, kinds=kind or ())
    output = invocation.output
    output.result(as_payload(log))
    if fields:
        _each(invocation, log)
    else:
        output.table(
            ["line", "time", "from", "number", "message", "what it says"],
            [
                (
                    each.line,
                    each.time or each.front,
                    each.sender,
                    each.sequence,
                    each.name,
                    each.words,
                )
                for each in log.messages
            ],
            right=["line", "number"],
        )
        for each in log.messages:
            for problem in each.problems:
                output.say(f"  line {each.line}: {problem}", style="yellow")
            if each.unknown:
                output.say(f"  line {each.line}: not in the dictionary: {', '.join(each.unknown)}")
    told = " · ".join(f"{number} {name}" for name, number in log.counts)
    messages = number_of(len(log.messages), "message")
    output.say(f"{messages}: {told}. {log.troubled} with something to look at.")


def _each(invocation: Invocation, log: ExplainedLog) -> None:
    output = invocation.output
    for each in log.messages:
        output.say(f"line {each.line}  {each.front}".rstrip(), style="dim")
        output.say(f"{each.name} {each.sequence}: {each.words}", style="bold")
        for problem in each.problems:
            output.say(f"  {problem}", style="yellow")
        output.table(["tag", "field", "value", "meaning"], rows(each.fields))


def listen(
    invocation: Invocation,
    *,
    session: Annotated[
        str, typer.Option("--session", help="PT (settlements), or RT or NR as a listener.")
    ] = "PT",
    address: Annotated[
        str, typer.Option("--address", help="Another host or host:port.", metavar="HOST:PORT")
    ] = "",
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="The certificate that a sandbox wrote.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Count anew; throws away what was missed.")
    ] = False,
    messages: Annotated[
        int, typer.Option("--messages", help="Stop after so many; 0 goes on.", min=0)
    ] = 0,
    log_only: Annotated[
        bool, typer.Option("--log-only", help="Keep the log, and leave the books alone.")
    ] = False,
) -> None:
    """What a FIX session says, live, into log and books; with --json one object a line."""
    settings = lead(invocation)
    heading = {"venue": settings.venue.value, "account": settings.config.account}
    wish = ListenWish(
        session=session,
        address=address,
        certificate=certificate,
        reset=reset,
        log_only=log_only,
    )

    async def run() -> None:
        count = 0
        async with aclosing(listen_fix(settings, wish)) as stream:
            async for heard in stream:
                _tell(invocation, heard, heading)
                count += heard.explained is not None
                if messages and count >= messages:
                    return

    asyncio.run(run())


def _tell(invocation: Invocation, heard: Heard, heading: dict[str, str]) -> None:
    output, at = invocation.output, moment(heard.at) or ""
    if heard.explained is None:
        if heard.is_loss:
            output.notice(heard.words)
        else:
            output.say(f"{at[11:19]}  {heard.words}", style="dim")
        if not output.as_json:
            return
        told: dict[str, object] = {"event": heard.words, "is_loss": heard.is_loss}
    else:
        told = {**message_payload(heard.explained), "booked": heard.booked}
        output.say(f"{at[11:19]}  {heard.explained.name}  {heard.words}")
        if heard.booked:
            output.say(f"          {heard.booked}", style="dim")
    if output.as_json:
        # A stream has no end to close a list at: one object a line, each whole.
        typer.echo(json.dumps({**heading, "at": at, **plain(told)}, ensure_ascii=False))


def report(
    invocation: Invocation,
    *,
    file: Annotated[
        list[Path] | None, typer.Argument(help="FIX logs to read instead of the books.")
    ] = None,
    day: Annotated[
        str, typer.Option("--date", help="The clearing date (Eastern), YYYY-MM-DD; default today.")
    ] = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the rows here.")] = None,
    payouts: Annotated[
        str,
        typer.Option("--payouts", help="In what payouts are written in logs: dollars or cents."),
    ] = "dollars",
    offline: Annotated[
        bool, typer.Option("--offline", help="Answer from the books without asking the exchange.")
    ] = False,
) -> None:
    """The settlement report of a day: FIX beside REST and the books, with the fees by type."""
    if file:
        settings = lead(invocation)
        _report_logs(invocation, settings, file, day=day, csv=csv, payouts=payouts)
        return
    with open_account(
        invocation, refresh=lambda account: not offline and _has_reports(account)
    ) as account:
        if _has_reports(account):
            account.follow_report_terms()
            wanted = _day(day or eastern_day(account.now()))
            _show_day(invocation, read_booked_day(account.books, wanted, now=account.now()), csv)
            return
        files = log_files(account.desk.settings)
        if not files:
            raise ConfigError(
                "no FIX session was listened to yet",
                remedy="Run `trueup fix listen`, or name a FIX log.",
            )
        settings = account.desk.settings
    _report_logs(invocation, settings, files, day=day, csv=csv, payouts=payouts)


def _has_reports(account: Account) -> bool:
    """Whether settlement reports came into these books: nothing is asked for the sake of others."""
    return account.desk.has_books() and bool(account.books.report_counts().pages)


def _show_day(invocation: Invocation, found: BookedDay, csv: Path | None) -> None:
    output = invocation.output
    output.result(
        {
            "date": found.day.isoformat(),
            "accounts": found.totals(),
            "settlements": found.rows(),
            "pages": found.pages,
            "problems": found.differences,
            "waiting": found.waiting,
        }
    )
    if not output.as_json:
        empty = f"No settlement of {found.day} was reported."
        output.say(f"Settlements of {found.day}: {number_of(found.pages, 'page')} by FIX.")
        output.listing("settlements", found.rows(), _BOOKED, empty=empty)
        if found.parties or found.rests:
            output.listing("accounts", found.totals(), _ACCOUNTS)
    if csv is not None:
        _write(output, csv, BOOKED_COLUMNS, found.rows())
    for problem in found.differences:
        output.say(f"! {problem}", style="yellow")
    for words in found.waiting:
        output.say(f"… {words}", style="dim")
    if not found.differences and not found.waiting and found.rows():
        output.say("FIX, REST and the books agree to the cent.", style="green")
    invocation.exit_code = 1 if found.differences or found.waiting else 0


def _report_logs(
    invocation: Invocation,
    settings: DeskSettings,
    files: list[Path],
    *,
    day: str,
    csv: Path | None,
    payouts: str,
) -> None:
    output = invocation.output
    found = read_day(
        files,
        _day(day or eastern_day(settings.clock.now())),
        dict(settings.config.fix_parties),
        unit=payouts,
    )
    output.result(
        {
            "date": found.day.isoformat(),
            "parties": found.totals(),
            "settlements": found.rows(),
            "pages": found.pages,
            "repeated_pages": found.repeated,
            "sessions": sorted(found.sessions),
            "told_again": found.again,
            "problems": found.problems,
        }
    )
    if not output.as_json:
        empty = f"No settlement of {found.day} was reported."
        output.say(f"Settlements of {found.day}: {_heard(found)}.")
        output.listing("settlements", found.rows(), _PARTIES, empty=empty)
        if found.parties:
            output.listing("parties", found.totals(), _TOTALS)
    if csv is not None:
        _write(output, csv, COLUMNS, found.rows())
    for problem in found.problems:
        output.say(f"! {problem}", style="yellow")
    invocation.exit_code = 1 if found.problems else 0


def _write(output: Output, csv: Path, columns: Sequence[str], listed: list[Row]) -> None:
    written = write_rows(csv, columns, listed)
    output.say(f"{number_of(written.lines, 'line')} in {written.path}")


def _heard(found: DayReport) -> str:
    """How many pages came, and what was heard twice: it counts once."""
    told = f"{number_of(found.pages, 'page')}, {found.repeated} twice"
    if len(found.sessions) > 1:
        told += f", on {len(found.sessions)} sessions ({', '.join(sorted(found.sessions))})"
    if found.again:
        parties = number_of(found.again, "party", "parties")
        told += f"; {parties} told again by other pages and counted once"
    return told


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no date", remedy="Write it like 2026-10-16.") from None
