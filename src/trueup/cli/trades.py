"""`settlements`: the exchange's settlements, and a bot's own table made true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.account import settlements
from trueup.cli.common import Invocation, command, lead, open_account
from trueup.ledger.foreign import AdoptionLine, Outcome
from trueup.run.books.patching import SettlementBackfill, backfill_settlements, undo_backfill

DatabaseOption = Annotated[
    str, typer.Option("--db", help="The bot's SQLite file or an SQLAlchemy URL.", metavar="PLACE")
]
_MARK = {
    Outcome.PATCH: "✎ patch",
    Outcome.MATCHED: "✓ matched",
    Outcome.SKIPPED: "– skipped",
    Outcome.NOT_VERIFIABLE: "? not verifiable",
}
SHOWN_MAX = 40


def register(app: typer.Typer) -> None:
    """Add the settlement commands."""
    group = typer.Typer(help="Settlements, and a bot's own table.", no_args_is_help=True)
    command(group, "list")(settlements)
    command(group, "backfill")(backfill)
    command(group, "undo")(undo)
    app.add_typer(group, name="settlements")


def backfill(
    invocation: Invocation,
    *,
    db: DatabaseOption,
    write: Annotated[bool, typer.Option("--write", help="Patch it, in one transaction.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what (default).")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Judge by the local books without asking.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="List every row.")] = False,
    subaccount: Annotated[
        int | None,
        typer.Option("--subaccount", min=0, help="Where the bot trades (default: as configured)."),
    ] = None,
) -> None:
    """Check a bot's trades table against the exchange's record, and patch it with --write."""
    if write and dry_run:
        raise typer.BadParameter("--write and --dry-run contradict each other")
    with open_account(invocation) as account:
        done = backfill_settlements(
            account, db, write=write, offline=offline, subaccount=subaccount
        )
    shown_max = None if every else SHOWN_MAX
    show_backfill(invocation, done, write=write, shown_max=shown_max)
    # Rows that need a patch and did not get one are not a success for a scheduled run.
    if done.report.patches and done.patched is None:
        invocation.exit_code = 1


def show_backfill(
    invocation: Invocation, done: SettlementBackfill, *, write: bool, shown_max: int | None
) -> None:
    """Print what a backfill found and did; `shown_max` rows that need attention, `None`: all rows."""
    output = invocation.output
    counts = done.report.counts()
    output.result(
        {
            "database": done.place,
            "table": done.table.name,
            "dry_run": not write,
            "counts": {outcome.value: count for outcome, count in counts.items()},
            "rows": [line_row(line) for line in done.report.lines],
            "patched": None if done.patched is None else done.patched.rows,
            "undo_file": None if done.patched is None else str(done.patched.undo_file),
            "notice": done.notice,
        }
    )
    if done.notice:
        output.notice(done.notice)
    lines: Sequence[AdoptionLine] = [
        line
        for line in done.report.lines
        if shown_max is None or line.outcome is not Outcome.MATCHED
    ]
    if shown_max != 0:
        output.table(
            ["", "row", "market", "what changes", "why"],
            [
                [
                    _MARK[line.outcome],
                    line.trade.row_id,
                    line.trade.ticker,
                    "\n".join(f"{c.column}: {c.old or 'NULL'} → {c.new}" for c in line.changes),
                    "; ".join((line.why, *line.caveats)),
                ]
                for line in lines[:shown_max]
            ],
            right=["row"],
            empty="Every row agrees with the exchange's record.",
        )
    if shown_max and len(lines) > shown_max:
        output.say(f"… and {len(lines) - shown_max} more rows (--all lists them).")
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    output.say(f"{done.place}, table {done.table.name}: {said}.")
    if done.patched is not None:
        output.say(
            f"Patched {done.patched.rows} rows in one transaction. "
            f"Undo: trueup settlements undo --db {done.place} {done.patched.undo_file}",
            style="green",
        )
    elif done.report.patches:
        output.say("A dry run: nothing was written. Add --write to patch these rows.", style="bold")


def line_row(line: AdoptionLine) -> dict[str, object]:
    """A judged row for a program."""
    return {
        "row": line.trade.row_id,
        "ticker": line.trade.ticker,
        "outcome": line.outcome.value,
        "reason": line.reason.value,
        "why": line.why,
        "changes": [
            {"column": str(change.column), "old": change.old, "new": change.new}
            for change in line.changes
        ],
        "profit_loss": line.profit_loss,
        "settled_price": line.settled_price,
        "rests_on": line.rests_on,
        "caveats": list(line.caveats),
    }


def undo(
    invocation: Invocation,
    undo_file: Annotated[str, typer.Argument(help="The undo file that --write named.")],
    *,
    db: DatabaseOption,
) -> None:
    """Take a written backfill back, row by row, where the rows are as it left them."""
    lead(invocation)
    rows = undo_backfill(db, Path(undo_file))
    invocation.output.result({"database": db, "restored": rows})
    invocation.output.say(f"Restored {rows} rows of {db}.")
