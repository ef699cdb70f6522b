"""`sync` and `backfill`: bring the exchange's record into the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from trueup.cli.common import (
    Invocation,
    LogJsonOption,
    MetricsPortOption,
    command,
    open_account,
)
from trueup.cli.output import moment
from trueup.core.errors import CallerError, TrueupError
from trueup.run.books.account import Account, Synced
from trueup.run.clock import SystemClock
from trueup.run.desk import read_desk_settings
from trueup.run.operator.beside import Operator, OperatorOptions
from trueup.run.operator.sync_watch import SyncWatch
from trueup.run.schedule import parse_interval, repeat

EveryOption = Annotated[
    str, typer.Option("--every", help="Go on, with this pause: 90s, 15m, 1h.", metavar="PAUSE")
]


def register(app: typer.Typer) -> None:
    """Add the commands that ask the exchange."""
    command(app, "sync")(sync)
    command(app, "backfill")(backfill)


def sync(
    invocation: Invocation,
    *,
    every: EveryOption = "",
    metrics_port: MetricsPortOption = 0,
    log_json: LogJsonOption = False,
) -> None:
    """Fetch what is new, book it, and store a snapshot of the account.

    With --every each round is proven as well, and alerts tell of new breaks.
    """
    if not every:
        _round(invocation, _nothing_more)
        return
    pause = parse_interval(every)
    settings = read_desk_settings(
        invocation.environment, venue=invocation.venue, account=invocation.account
    )
    watched = OperatorOptions(role="sync", port=metrics_port, to_stderr=log_json)
    with Operator(settings, watched) as operator:
        watch = SyncWatch(settings, operator, pause_seconds=pause)

        def failed(error: TrueupError) -> None:
            invocation.output.notice(f"{error} Trying again in {every}.")
            watch.failed(error)

        repeat(
            lambda: _round(invocation, watch.succeeded),
            pause_seconds=pause,
            clock=SystemClock(),
            failed=failed,
        )


def _nothing_more(account: Account) -> None:
    del account


def _round(invocation: Invocation, then: Callable[[Account], None]) -> None:
    with (
        invocation.output.progress("asking the exchange") as line,
        open_account(invocation, told=line.step) as account,
    ):
        synced = account.sync()
        then(account)
    _show(invocation, synced)


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
                stream.value: appended.counts() for stream, appended in fetched.brought.items()
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
