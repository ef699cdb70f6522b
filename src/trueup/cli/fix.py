"""`fix`: the exchange's FIX, for people without a FIX desk."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.cli.output import Column, moment, plain
from trueup.core.errors import ConfigError
from trueup.core.instant import eastern_day
from trueup.run.fix_listening import Heard, ListenWish, listen_fix, log_files
from trueup.run.fix_log import ExplainedLog, as_payload, explain_log, message_payload, rows
from trueup.run.fix_report import export_day, read_day

_TOTALS = (
    Column("party", "party"),
    Column("settlements", "settlements", is_figure=True),
    Column("gross", "gross", is_figure=True),
    Column("fees", "fees", is_figure=True),
    Column("fee_types", "fee types"),
    Column("payout", "payout", is_figure=True),
)
_PARTIES = (
    Column("party", "party"),
    Column("subaccount", "sub", is_figure=True),
    Column("ticker", "market"),
    Column("result", "result"),
    Column("settlement_price", "YES paid", is_figure=True),
    Column("yes_count", "YES", is_figure=True),
    Column("no_count", "NO", is_figure=True),
    Column("gross", "gross", is_figure=True),
    Column("fees", "fees", is_figure=True),
    Column("payout", "payout", is_figure=True),
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
    output.say(f"{len(log.messages)} messages: {told}. {log.troubled} with something to look at.")


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
        list[Path] | None, typer.Argument(help="FIX logs; without any, those of `fix listen`.")
    ] = None,
    day: Annotated[
        str, typer.Option("--date", help="The clearing date (Eastern), YYYY-MM-DD; default today.")
    ] = "",
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the rows here.")] = None,
    payouts: Annotated[
        str, typer.Option("--payouts", help="In what payouts are written: dollars or cents.")
    ] = "dollars",
) -> None:
    """The settlement report of a day: what each party was paid, and its fees by type."""
    settings, output = lead(invocation), invocation.output
    files = file or log_files(settings)
    if not files:
        raise ConfigError(
            "no FIX session was listened to yet",
            remedy="Run `trueup fix listen`, or name a FIX log.",
        )
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
            "problems": found.problems,
        }
    )
    if not output.as_json:
        empty = f"No settlement of {found.day} was reported."
        output.say(f"Settlements of {found.day}: {found.pages} pages, {found.repeated} twice.")
        output.listing("settlements", found.rows(), _PARTIES, empty=empty)
        if found.parties:
            output.listing("parties", found.totals(), _TOTALS)
    if csv is not None:
        written = export_day(found, csv)
        output.say(f"{written.lines} lines in {written.path}")
    for problem in found.problems:
        output.say(f"! {problem}", style="yellow")
    invocation.exit_code = 1 if found.problems else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no date", remedy="Write it like 2026-10-16.") from None
