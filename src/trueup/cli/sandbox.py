"""`sandbox serve` and `tour`: the exchange on this machine, and the whole story on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command
from trueup.cli.tour import tell
from trueup.net.venues import SANDBOX_PORT, Venue
from trueup.run.serving import Served, serve_sandbox


def register(app: typer.Typer) -> None:
    """Add the commands that need no exchange."""
    group = typer.Typer(help="An exchange on this machine.", no_args_is_help=True)
    command(group, "serve")(serve)
    app.add_typer(group, name="sandbox")
    command(app, "tour")(tour)


def serve(
    invocation: Invocation,
    *,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes any free one.")
    ] = SANDBOX_PORT,
    source: Annotated[
        str,
        typer.Option("--from", help="A folder of recorded JSON lines instead of the world."),
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Another built-in world.")] = 0,
    personality: Annotated[
        str,
        typer.Option("--personality", help="present, 2026-06, 2026-03 or 2025 (integer cents)."),
    ] = "present",
    key_file: Annotated[
        str, typer.Option("--key-file", help="Where to write the private key for clients.")
    ] = "trueup-sandbox.pem",
    bot_database: Annotated[
        str,
        typer.Option("--bot-database", help="Also write a bot's own faulty trades table here."),
    ] = "",
) -> None:
    """Serve the sandbox over HTTP on 127.0.0.1 until Ctrl-C."""
    output = invocation.output
    output.lead(Venue.SANDBOX.value, invocation.account or "main")

    def started(served: Served) -> None:
        output.result(
            {
                "base_url": served.base_url,
                "key_id": served.key_id,
                "private_key_path": str(served.key_file),
                "bot_database": served.bot_database,
            }
        )
        output.say(f"{served.words}")
        output.say(f"  serving      {served.base_url}   (Ctrl-C stops it)")
        output.say(f"  key id       {served.key_id}")
        output.say(f"  private key  {served.key_file}")
        if served.bot_database:
            output.say(f"  bot's table  {served.bot_database}")
        output.say("Point a client at it, for example this one in another terminal:")
        output.say(f"  export TRUEUP_BASE_URL={served.base_url}")
        output.say(f"  export KALSHI_API_KEY_ID={served.key_id}")
        output.say(f"  export KALSHI_PRIVATE_KEY_PATH={served.key_file}")
        output.say("  trueup sync")

    serve_sandbox(
        port=port,
        folder=Path(source) if source else None,
        seed=seed,
        personality=personality,
        key_file=Path(key_file),
        bot_database=bot_database,
        started=started,
    )


def tour(
    invocation: Invocation,
    *,
    no_web: Annotated[bool, typer.Option("--no-web", help="End when the story is told.")] = False,
) -> None:
    """The whole story on the built-in sandbox, in about a minute.  No keys, no network."""
    del no_web  # there is no page yet: the story always ends in the terminal
    tell(invocation)
