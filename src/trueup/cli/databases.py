"""`db` and `service`: care of the books' database, and syncing without being there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.core.errors import ConfigError
from trueup.run.desk import Desk
from trueup.run.keeping import Kept, backup, move, rebuild, restore, upgrade
from trueup.run.schedule import parse_interval
from trueup.run.service import launchd_unit, systemd_unit, write_unit

Work = Callable[[Desk], Kept]

PathArgument = Annotated[str, typer.Argument(help="A file, or a PostgreSQL URL for `move`.")]
_UNITS = {"darwin": launchd_unit}
"""How other systems than Linux keep a program running."""

WriteOption = Annotated[bool, typer.Option("--write", help="Do it; without it only say what.")]


def register(app: typer.Typer) -> None:
    """Add the commands for the database and the service."""
    group = typer.Typer(help="Care of the books' database.", no_args_is_help=True)
    command(group, "upgrade")(upgrade_books)
    command(group, "rebuild")(rebuild_books)
    command(group, "backup")(backup_books)
    command(group, "restore")(restore_books)
    command(group, "move")(move_books)
    app.add_typer(group, name="db")
    services = typer.Typer(help="Run in the background.", no_args_is_help=True)
    command(services, "install")(install)
    app.add_typer(services, name="service")


def upgrade_books(invocation: Invocation) -> None:
    """Bring books of an older version to this one."""
    _run(invocation, upgrade)


def rebuild_books(invocation: Invocation) -> None:
    """Drop every projection and make it again from the journal."""
    _run(invocation, rebuild)


def backup_books(invocation: Invocation, target: PathArgument) -> None:
    """Copy the books to a new file, while others go on using them."""
    _run(invocation, lambda desk: backup(desk, target))


def restore_books(
    invocation: Invocation, source: PathArgument, *, write: WriteOption = False
) -> None:
    """Put a backup in the place of the books; the present ones are kept beside it."""
    _run(invocation, lambda desk: restore(desk, source, write=write))


def move_books(invocation: Invocation, target: PathArgument) -> None:
    """Copy the books to another database (SQLite → PostgreSQL), proven by counts and hashes."""
    _run(invocation, lambda desk: move(desk, target))


def _run(invocation: Invocation, work: Work) -> None:
    output = invocation.output
    settings = lead(invocation)
    with output.progress("working on the books"), Desk(settings) as desk:
        kept = work(desk)
    output.result(
        {
            "did": kept.words,
            "tables": [{"table": t, "rows": rows} for t, rows in kept.tables],
        }
    )
    output.say(kept.words)
    if kept.tables:
        output.table(["table", "rows"], kept.tables, right=["rows"])


def install(
    invocation: Invocation,
    *,
    sync: Annotated[bool, typer.Option("--sync", help="The scheduled sync.")] = False,
    every: Annotated[str, typer.Option("--every", help="The pause between syncs.")] = "15m",
    write: WriteOption = False,
) -> None:
    """Write the unit file (systemd or launchd) of a scheduled sync."""
    if not sync:
        raise ConfigError("Say what to install.", remedy="`trueup service install --sync`.")
    parse_interval(every)
    settings = lead(invocation)
    options = ["--every", every]
    if invocation.venue:
        options += ["--venue", invocation.venue]
    if invocation.account:
        options += ["--account", invocation.account]
    unit = _UNITS.get(sys.platform, systemd_unit)(
        command=(str(Path(sys.argv[0]).resolve()), "sync", *options),
        home=settings.home.resolve(),
        user_home=Path.home(),
    )
    output = invocation.output
    output.result(
        {"path": str(unit.path), "text": unit.text, "start": unit.start, "written": write}
    )
    if write:
        write_unit(unit)
        output.say(f"Wrote {unit.path}. Start it with:")
    else:
        output.say(f"Would write {unit.path} (with --write):", style="bold")
        output.say(unit.text)
        output.say("Then start it with:")
    for line in unit.start:
        output.say(f"  {line}")
