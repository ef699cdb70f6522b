"""`db …`: care of the books' database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead
from trueup.run.books.keeping import Kept, backup, move, rebuild, restore, upgrade
from trueup.run.desk import Desk

Work = Callable[[Desk], Kept]

PathArgument = Annotated[str, typer.Argument(help="A file, or a PostgreSQL URL for `move`.")]
WriteOption = Annotated[bool, typer.Option("--write", help="Do it; without it only say what.")]


def register(app: typer.Typer) -> None:
    """Add the commands for the database."""
    group = typer.Typer(help="Care of the books' database.", no_args_is_help=True)
    command(group, "upgrade")(upgrade_books)
    command(group, "rebuild")(rebuild_books)
    command(group, "backup")(backup_books)
    command(group, "restore")(restore_books)
    command(group, "move")(move_books)
    app.add_typer(group, name="db")


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
