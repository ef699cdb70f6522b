"""`fix`: the exchange's FIX, for people without a FIX desk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command
from trueup.run.fix_log import ExplainedLog, as_payload, explain_log, rows


def register(app: typer.Typer) -> None:
    """Add the FIX commands."""
    group = typer.Typer(help="FIX sessions and logs.", no_args_is_help=True)
    command(group, "decode")(decode)
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
