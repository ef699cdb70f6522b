"""`subaccounts …`: what each holds, opening one, and moving cash between two."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

import typer

from trueup.cli.common import Invocation, LiveOption, SandboxWorld, command, lead, listening
from trueup.cli.output import Column
from trueup.cli.sending import DryOption, send, trading_desk
from trueup.core.ids import Shard, Subaccount
from trueup.core.units import Money
from trueup.run.desk import Desk
from trueup.run.subaccounts import (
    create,
    move,
    preview_create,
    preview_transfer,
    subaccount_rows,
    transfer_of,
)


def register(app: typer.Typer) -> None:
    """Add the commands of subaccounts."""
    group = typer.Typer(
        help="Subaccounts: what each holds, open one, move cash between two.", no_args_is_help=True
    )
    command(group, "list")(list_subaccounts)
    command(group, "create")(create_subaccount)
    command(group, "transfer")(transfer_cash)
    app.add_typer(group, name="subaccounts")


def list_subaccounts(invocation: Invocation) -> None:
    """What every subaccount holds on every shard, as the exchange says now."""
    settings = lead(invocation, world=SandboxWorld.BUILT_IN)
    with listening(invocation, settings) as hear, Desk(settings, on_event=hear) as desk:
        rows = subaccount_rows(desk.client())
    invocation.output.listing(
        "subaccounts",
        rows,
        (
            Column("subaccount", "subaccount", is_figure=True),
            Column("shard", "shard", is_figure=True),
            Column("balance", "balance", is_figure=True),
            Column("updated_at", "updated"),
        ),
        empty="No subaccount is told, not even the primary one.",
    )


def create_subaccount(
    invocation: Invocation, *, live: LiveOption = False, dry_run: DryOption = False
) -> None:
    """Open the next subaccount; the exchange numbers them from 1 to 63.  It cannot be closed."""
    with trading_desk(invocation, live=live) as desk:
        send(invocation, desk, preview_create(), lambda: create(desk), dry_run=dry_run)


def transfer_cash(
    invocation: Invocation,
    amount: Annotated[str, typer.Argument(help="Dollars in whole cents, e.g. 250 or 12.50.")],
    *,
    to: Annotated[int, typer.Option("--to", min=0, max=63, help="Where it goes.")],
    giver: Annotated[
        int,
        typer.Option("--from", min=0, max=63, help="Where it comes from; 0 is the primary one."),
    ] = 0,
    shard: Annotated[int, typer.Option("--shard", min=0, help="On which shard it lies.")] = 0,
    transfer_id: Annotated[
        UUID | None,
        typer.Option(
            "--transfer-id", help="Ask for this one again after a lost answer; new otherwise."
        ),
    ] = None,
    live: LiveOption = False,
    dry_run: DryOption = False,
) -> None:
    """Move cash between two subaccounts: trueup subaccounts transfer 250 --to 1."""
    transfer = transfer_of(
        Money.parse(amount),
        giver=Subaccount(giver),
        taker=Subaccount(to),
        shard=Shard(shard),
        transfer_id=str(transfer_id or uuid4()),
    )
    preview = preview_transfer(transfer)
    with trading_desk(invocation, live=live) as desk:
        send(invocation, desk, preview, lambda: move(desk, transfer), dry_run=dry_run)
