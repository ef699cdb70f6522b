"""`sync` and `backfill`: bring the exchange's record into the books."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.cli.common import Invocation, command, open_account
from trueup.cli.output import moment
from trueup.core.errors import CallerError
from trueup.run.account import Synced
from trueup.run.clock import SystemClock
from trueup.run.schedule import parse_interval, repeat
from trueup.store.journal import Appended

EveryOption = Annotated[
    str, typer.Option("--every", help="Go on, with this pause: 90s, 15m, 1h.", metavar="PAUSE")
]


def register(app: typer.Typer) -> None:
    """Add the commands that ask the exchange."""
    command(app, "sync")(sync)
    command(app, "backfill")(backfill)


def sync(invocation: Invocation, *, every: EveryOption = "") -> None:
    """Fetch what is new, book it, and store a snapshot of the account."""

    def once() -> None:
        with (
            invocation.output.progress("asking the exchange") as line,
            open_account(invocation, told=line.step) as account,
        ):
            synced = account.sync()
        _show(invocation, synced)

    if not every:
        once()
        return
    repeat(
        once,
        pause_seconds=parse_interval(every),
        clock=SystemClock(),
        failed=lambda error: invocation.output.notice(f"{error} Trying again in {every}."),
    )


def backfill(
    invocation: Invocation,
    *,
    days: Annotated[int, typer.Option("--days", min=0, help="The last so many days.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="Everything the exchange has.")] = False,
) -> None:
    """Fetch history from the live and the historical tier; an interrupted one resumes."""
    if bool(days) == full:
        raise CallerError(
            "Say how far back: one of --days N and --full.",
            remedy="`trueup backfill --full` is right for a first time.",
        )
    with (
        invocation.output.progress("asking the exchange") as line,
        open_account(invocation, told=line.step) as account,
    ):
        synced = account.backfill(days=days or None)
        certificate = account.prove().certificate
    _show(invocation, synced, certificate.words())


def _show(invocation: Invocation, synced: Synced, certificate: tuple[str, ...] = ()) -> None:
    output, fetched = invocation.output, synced.fetched
    snapshot = synced.snapshot
    output.result(
        {
            "as_of": moment(snapshot.at),
            "resumed": fetched.resumed,
            "streams": {
                stream.value: _counts(appended) for stream, appended in fetched.brought.items()
            },
            "markets_read": synced.metadata.markets,
            "markets_booked": synced.booked.markets,
            "unknown_markets": list(synced.metadata.unknown),
            "notes": list(fetched.notes),
            "snapshot": {
                "at": moment(snapshot.at),
                "balance": snapshot.balance,
                "portfolio_value": snapshot.portfolio_value,
                "equity": snapshot.equity,
                "open_positions": snapshot.positions,
                "realized": snapshot.realized,
                "unrealized": snapshot.unrealized,
                "fees": snapshot.fees,
            },
            "certificate": list(certificate),
        }
    )
    output.table(
        ["stream", "new", "seen before", "revised", "unreadable"],
        [
            [s.value, a.new, a.seen, a.revised + a.updated + a.completed, a.quarantined]
            for s, a in fetched.brought.items()
        ],
        right=["new", "seen before", "revised", "unreadable"],
    )
    equity = "" if snapshot.equity is None else f", equity ${snapshot.equity.dollars()}"
    output.say(
        f"Booked {synced.booked.markets} markets. Balance ${snapshot.balance.dollars()}{equity}, "
        f"{snapshot.positions} open positions."
    )
    for words in certificate:
        output.say(f"  {words}", style="dim")
    if fetched.resumed:
        output.notice("This went on where an interrupted backfill had stopped.")
    for note in fetched.notes:
        output.notice(note)
    if synced.metadata.unknown:
        unknown = synced.metadata.unknown
        words = "1 market is" if len(unknown) == 1 else f"{len(unknown)} markets are"
        output.notice(f"{words} not known to the exchange any more: {', '.join(unknown[:5])}")


def _counts(appended: Appended) -> dict[str, int]:
    return {
        "new": appended.new,
        "seen": appended.seen,
        "revised": appended.revised,
        "completed": appended.completed,
        "updated": appended.updated,
        "unreadable": appended.quarantined,
    }
