"""`init` and `doctor`: from nothing to books that are proven, and is all well?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, lead, open_account
from trueup.cli.output import moment
from trueup.core.errors import ConfigError
from trueup.core.instant import Instant, parse_instant
from trueup.core.units import Money
from trueup.net.venues import Venue
from trueup.run.beginning import begin, usual_venue
from trueup.run.books.proving import Reconciliation
from trueup.run.check import Check, Finding
from trueup.run.desk import Desk
from trueup.run.operator.health import examine

_MARK = {
    Finding.OK: ("✓", "green"),
    Finding.NOTICE: ("▲", "yellow"),
    Finding.PROBLEM: ("●", "red"),
    Finding.SKIPPED: ("–", "dim"),
}


def register(app: typer.Typer) -> None:
    """Add the commands for setting up."""
    command(app, "init")(init)
    command(app, "doctor")(doctor)


def init(
    invocation: Invocation,
    *,
    key_id: Annotated[str, typer.Option("--key-id", help="The id of your API key.")] = "",
    private_key_path: Annotated[
        str, typer.Option("--private-key-path", help="The file of its private key.")
    ] = "",
    opening_balance: Annotated[
        str,
        typer.Option(
            "--opening-balance",
            help="Cash in dollars before the first record, where early history is gone.",
        ),
    ] = "",
    opening_at: Annotated[
        str, typer.Option("--opening-at", help="When that was the balance, RFC 3339.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take defaults.")] = False,
) -> None:
    """Set up an account: venue, key, first sync, first proof.  Reads only."""
    output = invocation.output
    ask = sys.stdin.isatty() and not yes and not output.as_json
    venue = invocation.venue
    if not venue:
        venue = usual_venue(invocation.environment)
        if ask:
            venue = typer.prompt("Venue (sandbox, demo or prod)", default=venue)
    if venue != Venue.SANDBOX.value and ask:
        key_id = key_id or typer.prompt("API key id (empty: from the environment)", default="")
        private_key_path = private_key_path or typer.prompt(
            "File of the private key (empty: from the environment)", default=""
        )
    if bool(opening_balance) != bool(opening_at):
        raise ConfigError(
            "An opening balance needs both its amount and its time.",
            remedy="Give --opening-balance and --opening-at together, or neither.",
        )
    # Read before anything is made, so that a slip of the pen leaves nothing behind.
    opening = (Money.parse(opening_balance), parse_instant(opening_at)) if opening_at else None
    config_path = begin(
        invocation.environment,
        venue=venue,
        account=invocation.account,
        key_id=key_id,
        private_key_path=private_key_path,
    )
    invocation.venue = venue
    with (
        output.progress("first sync") as line,
        open_account(invocation, told=line.step) as account,
    ):
        if opening is not None:
            account.open_with(opening[0], at=opening_at)
        account.backfill()
        found, as_of = account.reconcile(), account.as_of()
    _show_first(invocation, found, config_path=config_path, as_of=as_of)


def _show_first(
    invocation: Invocation, found: Reconciliation, *, config_path: Path, as_of: Instant | None
) -> None:
    """What the first sync came to."""
    output = invocation.output
    output.result(
        {
            "as_of": moment(as_of),
            "config": str(config_path),
            "verdict": found.verdict.closing.value,
            "words": found.verdict.words(),
            "certificate": list(found.proof.certificate.words()),
        }
    )
    output.say(f"Settings: {config_path} (no secret is in it)")
    for words in found.proof.certificate.words():
        output.say(f"  {words}", style="dim")
    output.say(found.verdict.words())
    if not found.verdict.closes:
        output.say("See `trueup reconcile` for what differs, and what to do about it.")
        invocation.exit_code = 1


def doctor(invocation: Invocation) -> None:
    """Check key, clock, scopes, limits, books and disk.  Changes nothing."""
    output = invocation.output
    settings = lead(invocation)
    checks: list[Check] = []
    with Desk(settings) as desk:
        for check in examine(desk):
            checks.append(check)
            mark, style = _MARK[check.finding]
            output.say(f"{mark} {check.name:<9} {check.words}", style=style)
            if check.remedy:
                output.say(f"            {check.remedy}")
    problems = [check for check in checks if check.finding is Finding.PROBLEM]
    output.result(
        {
            "checks": [
                {
                    "name": check.name,
                    "finding": check.finding.value,
                    "words": check.words,
                    "remedy": check.remedy,
                }
                for check in checks
            ],
            "problems": len(problems),
        }
    )
    if problems:
        invocation.exit_code = 1
