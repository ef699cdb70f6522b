"""`export`: the books for spreadsheets, accountants, tax people and the exchange's support."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.run.books.exporting import (
    Exported,
    export_audit,
    export_beancount,
    export_csv,
    export_gains,
)

OutputOption = Annotated[
    str, typer.Option("--output", "-o", help="The file or the folder to write.")
]
YearOption = Annotated[int, typer.Option("--year", help="Only disposals of this Eastern year.")]


def register(app: typer.Typer) -> None:
    """Add the exports."""
    group = typer.Typer(help="Write the books in other people's forms.", no_args_is_help=True)
    command(group, "csv")(csv)
    command(group, "beancount")(beancount)
    command(group, "gains")(gains)
    command(group, "audit")(audit)
    app.add_typer(group, name="export")


def csv(invocation: Invocation, *, output: OutputOption = "trueup-csv") -> None:
    """Every table as a CSV file, into a folder."""
    with open_account(invocation) as account:
        exported = export_csv(account, Path(output))
    _show(invocation, exported)


def beancount(invocation: Invocation, *, output: OutputOption = "trueup.beancount") -> None:
    """The ledger as a Beancount file."""
    with open_account(invocation) as account:
        exported = export_beancount(account, Path(output))
    _show(invocation, exported)


def gains(
    invocation: Invocation, *, output: OutputOption = "trueup-gains.csv", year: YearOption = 0
) -> None:
    """Realised gains by FIFO lots, one line per lot.  Wash sales are not judged."""
    with open_account(invocation) as account:
        exported = export_gains(account, Path(output), year=year)
    _show(invocation, exported)


def audit(invocation: Invocation, *, output: OutputOption = "trueup-audit") -> None:
    """A folder with proof, breaks, entries and raw payloads: evidence for support."""
    with open_account(invocation) as account:
        exported = export_audit(account, Path(output))
    _show(invocation, exported)


def _show(invocation: Invocation, exported: list[Exported]) -> None:
    invocation.output.result(
        {"files": [{"path": str(each.path), "lines": each.lines} for each in exported]}
    )
    for each in exported:
        invocation.output.say(f"{each.path}  {each.lines:,} lines")
