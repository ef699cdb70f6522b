"""What a command that changes something at the exchange does: show the request, then send it.

Everything is shown first.  A dry run sends nothing, and on the production exchange
nothing is sent while one of the gates is closed; each closed one is named.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from trueup.cli.common import Invocation, SandboxWorld, lead, listening
from trueup.run.trading import Done, TradingDesk
from trueup.run.views import Row

DryOption = Annotated[bool, typer.Option("--dry-run", help="Show the request, send nothing.")]


@contextmanager
def trading_desk(invocation: Invocation, *, live: bool) -> Generator[TradingDesk]:
    """The account opened to change something, with its heading already printed."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    with (
        listening(invocation, settings) as hear,
        TradingDesk(settings, live=live, on_event=hear) as desk,
    ):
        if settings.is_embedded:
            invocation.output.notice(
                "The built-in sandbox forgets what is done here when this command ends; "
                "`trueup sandbox serve` is one that stays."
            )
        yield desk


def send(
    invocation: Invocation,
    desk: TradingDesk,
    preview: Row,
    act: Callable[[], Done],
    *,
    dry_run: bool,
) -> None:
    """Show the request; send it where that is wanted and every gate is open."""
    output = invocation.output
    output.say(f"{preview['method']} {preview['path']}", style="bold")
    for name in ("query", "body"):
        if preview[name]:
            output.say(f"  {name}: {preview[name]}", style="dim")
    closed = [gate for gate in desk.gates if not gate.is_open]
    if dry_run or closed:
        output.say("Nothing was sent." if closed else "Nothing was sent (--dry-run).")
        for gate in closed:
            output.say(f"  {gate.name}: {gate.remedy}")
        output.result(
            {
                "sent": False,
                "request": preview,
                "closed_gates": [{"name": gate.name, "remedy": gate.remedy} for gate in closed],
            }
        )
        invocation.exit_code = 1 if closed and not dry_run else 0
        return
    done = act()
    output.say(done.words)
    output.result({"sent": True, "request": preview, "result": done.row, "words": done.words})
    invocation.exit_code = 0 if done.ok else 1
