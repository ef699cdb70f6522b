"""Subaccounts by hand: what each holds, opening the next one, moving cash between two.

Money that moves inside an account cannot be lost, but a bot that counts on it can be
starved: so it is shown before it is sent, and on the production exchange it passes the
same gates as an order.  A transfer carries an id of ours and the exchange takes each id
once: after a lost answer the same transfer may be asked for again, and moves nothing twice.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from trueup.core.errors import (
    CallerError,
    ExchangeRefused,
    NotAuthorized,
    NotSent,
    OutcomeUnknown,
)
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import format_instant
from trueup.core.units import Money
from trueup.net.client import Client
from trueup.run.trading import Done, TradingDesk, preview
from trueup.run.views import Row
from trueup.wire.rest import transfers
from trueup.wire.rest.transfers import SubaccountTransfer

_NO_SUCH_MONEY: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
"""How a subaccount that is not there, or holds less, is refused."""


def subaccount_rows(client: Client) -> list[Row]:
    """What every subaccount holds on every shard, as the exchange says now."""
    found = client.transfers.subaccount_balances()
    return [
        {
            "subaccount": each.subaccount,
            "shard": each.shard,
            "balance": each.amount,
            "updated_at": format_instant(each.at),
        }
        for each in sorted(found, key=lambda each: (each.subaccount, each.shard))
    ]


def transfer_of(
    amount: Money, *, giver: Subaccount, taker: Subaccount, shard: Shard, transfer_id: str
) -> SubaccountTransfer:
    """A transfer of whole cents from one subaccount to another on one shard."""
    if giver == taker:
        raise CallerError(
            f"a transfer from subaccount {giver} to itself moves nothing",
            remedy="Name two: --from N --to N (0 is the primary one).",
        )
    return SubaccountTransfer(
        client_transfer_id=transfer_id,
        from_subaccount=giver,
        to_subaccount=taker,
        amount=amount,
        shard=shard,
    )


def preview_create() -> Row:
    """The request that opening a subaccount would make."""
    return preview(transfers.create_subaccount())


def preview_transfer(transfer: SubaccountTransfer) -> Row:
    """The request that a transfer would make."""
    return preview(transfers.move_between_subaccounts(transfer))


def create(desk: TradingDesk) -> Done:
    """Open the next subaccount.  It is empty."""
    try:
        number = desk.client.transfers.create_subaccount()
    except NotSent:
        raise
    except OutcomeUnknown as unknown:
        words = (
            f"The answer was lost ({unknown}). Look with `trueup subaccounts list` whether there "
            "is one more before you ask again: each request opens another."
        )
        return Done(words=words, row={"lost_answer": str(unknown)}, ok=False)
    except NotAuthorized as refused:
        refused.remedy = (
            "Subaccounts need the usage tier Advanced or above, and a key that may write and is "
            "not locked to one of them (`trueup doctor` tells)."
        )
        raise
    words = (
        f"Subaccount {number} is open, and empty. Money comes there with: "
        f"trueup subaccounts transfer AMOUNT --to {number}"
    )
    return Done(words=words, row={"subaccount": number})


def move(desk: TradingDesk, transfer: SubaccountTransfer) -> Done:
    """Move cash between two subaccounts; an id that the exchange has had moves nothing again."""
    name = transfer.client_transfer_id
    row: Row = {"transfer_id": name}
    try:
        desk.client.transfers.move_between_subaccounts(transfer)
    except NotSent:
        raise
    except OutcomeUnknown as unknown:
        words = (
            f"The answer was lost ({unknown}). Run the same command with --transfer-id {name}: "
            "the exchange takes each id once, so nothing moves twice."
        )
        return Done(words=words, row={**row, "lost_answer": str(unknown)}, ok=False)
    except ExchangeRefused as refused:
        if refused.status in _NO_SUCH_MONEY:
            refused.remedy = "`trueup subaccounts list` shows which there are, and what each holds."
        if refused.status != HTTPStatus.CONFLICT:
            raise
        words = f"Nothing was moved now: the exchange has taken transfer {name} before."
        return Done(words=words, row={**row, "taken_before": True})
    words = (
        f"Moved {transfer.amount.dollars()} from subaccount {transfer.from_subaccount} to "
        f"{transfer.to_subaccount} on shard {transfer.shard}."
    )
    return Done(words=words, row={**row, "taken_before": False})
