"""`support …`: what somebody who helps needs to see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.run.clock import SystemClock
from trueup.run.operator.bundle import bundle_name, write_bundle


def register(app: typer.Typer) -> None:
    """Add the commands of support."""
    group = typer.Typer(help="What somebody who helps needs to see.", no_args_is_help=True)
    command(group, "bundle")(bundle)
    app.add_typer(group, name="support")


def bundle(
    invocation: Invocation,
    *,
    to: Annotated[str, typer.Option("--to", help="The file to write (a new one).")] = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the exchange anything.")
    ] = False,
) -> None:
    """Write versions, settings, checks, logs, decisions and breaks into one file, without secrets."""
    settings = lead(invocation)
    output = invocation.output
    path = Path(to or bundle_name(settings, SystemClock().now()))
    with output.progress("collecting"):
        parts = write_bundle(settings, path, asks_exchange=not offline)
    output.result({"file": str(path), "parts": parts})
    output.say(f"{path} is written, {len(parts)} parts.")
    output.say("Keys, passwords and addresses were taken out. Look through it before you send it:")
    output.say(f"  tar -xzf {path}")
