"""`import`: recorded payloads of the exchange into the books."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.core.errors import ConfigError
from trueup.run.books.account import Account
from trueup.run.books.booking import Booked
from trueup.run.books.recording import (
    ImportReport,
    StatedSpan,
    check_recording,
    covered_words,
    import_recording,
    parse_span,
)
from trueup.run.clock import SystemClock

_LISTED_MAX = 5


def register(app: typer.Typer) -> None:
    """Add the command that reads recordings."""
    command(app, "import")(import_folder)


def import_folder(
    invocation: Invocation,
    *,
    folder: Annotated[Path, typer.Argument(help="A folder of recorded JSON lines.")],
    covers: Annotated[
        str,
        typer.Option(
            "--covers",
            help="Your word that every stream with a file is complete in this time.",
            metavar="FROM..TO",
        ),
    ] = "",
) -> None:
    """Import recorded payloads of the exchange, and book them."""
    stated = (StatedSpan(span=parse_span(covers)),) if covers else ()
    # Looked at before any books are made: a wrong folder leaves nothing behind.
    checked = check_recording(folder, covers=stated)
    with (
        invocation.output.progress("reading the recording") as line,
        open_account(invocation) as account,
    ):
        _refuse_built_in_world(account)
        clock = SystemClock()

        def told(what: str, records: int) -> None:
            # A long import must not look like a process that died with the lease.
            account.books.lease.beat(now=clock.now())
            line.step(what, records)

        with account.writing("import"):
            imported = import_recording(account.books, checked, now=account.now(), told=told)
            booked = account.book()
        unreadable = _unreadable(account)
    _show(invocation, imported, booked, unreadable)
    if not imported.read_anything:
        invocation.exit_code = 1


def _refuse_built_in_world(account: Account) -> None:
    """The built-in world would come into the same books with the next sync."""
    if account.desk.settings.is_embedded:
        raise ConfigError(
            "the books of the built-in sandbox cannot take a recording of another account",
            remedy="Say where it was recorded and give the books a name: "
            "--venue prod --account NAME (or demo).",
        )


def _unreadable(account: Account) -> list[str]:
    return [
        f"{each.stream.value}: {each.reason}"
        for each in account.books.quarantined()[: _LISTED_MAX + 1]
    ]


def _show(
    invocation: Invocation, imported: ImportReport, booked: Booked, unreadable: list[str]
) -> None:
    output = invocation.output
    output.result(
        {
            "folder": str(imported.folder),
            "streams": {s.value: a.counts() for s, a in imported.brought.items()},
            "catalog": imported.described,
            "markets_booked": booked.markets,
            "cash_facts_booked": booked.cash_facts,
            "covered": covered_words(imported),
            "notes": imported.notes,
            "left_alone": [each.name for each in imported.others],
        }
    )
    output.table(
        ["stream", "new", "seen before", "revised", "unreadable"],
        [
            [stream.value, a.new, a.seen, a.revised + a.updated + a.completed, a.quarantined]
            for stream, a in imported.brought.items()
        ],
        right=["new", "seen before", "revised", "unreadable"],
        empty="The recording holds no record of the account.",
    )
    output.say(f"Booked {booked.markets} markets and {booked.cash_facts} cash facts.")
    for words in covered_words(imported):
        output.say(f"  {words}", style="dim")
    if not imported.covered:
        output.say(
            "  nothing is proven complete by a recording; --covers FROM..TO states what is",
            style="dim",
        )
    if imported.others:
        names = ", ".join(each.name for each in imported.others)
        output.notice(f"left alone, no stream by their names or no form that is read: {names}")
    if imported.total.quarantined:
        for words in unreadable[:_LISTED_MAX]:
            output.notice(f"not read, kept raw: {words}")
    for note in imported.notes[:_LISTED_MAX]:
        output.notice(f"not read: {note}")
