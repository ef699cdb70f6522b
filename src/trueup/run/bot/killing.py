"""The kill switch by hand: cancel everything, and read until it is proven that nothing rests.

It needs no running bot.  Orders of other programs are cancelled too.  What cannot
be cancelled, because its market is paused or closed, is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trueup.core.errors import ExchangeRefused, OutcomeUnknown
from trueup.core.facts import OrderReported
from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.order_entry import Cancellation
from trueup.core.orders import OrderStatus
from trueup.net.client import Client
from trueup.run.clock import Clock

PATIENCE: Final = 60 * SECOND
_PAUSE: Final = SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """How a kill ended.  `proven` says that a reading after the cancel showed nothing."""

    proven: bool = False
    canceled_at: Instant | None = None
    read_at: Instant | None = None
    tries: int = 0
    seen: int = 0
    left: tuple[OrderReported, ...] = ()
    trouble: str = ""


def kill(
    client: Client,
    subaccounts: Sequence[Subaccount],
    *,
    clock: Clock,
    patience: int = PATIENCE,
    said: Callable[[str], None] = lambda _: None,
) -> Killed:
    """Cancel every resting order of these subaccounts; returns when that is proven or time is up."""
    began = clock.now()
    state = Killed()
    while True:
        state = replace(state, tries=state.tries + 1, trouble="")
        try:
            for subaccount in subaccounts:
                client.orders.cancel_all(subaccount=subaccount)
            canceled_at = clock.now()
            said(f"cancel-all was taken (try {state.tries})")
            reaches = client.exchange.user_data_timestamp()
            left = _resting(client, subaccounts)
            state = replace(
                state,
                canceled_at=canceled_at,
                read_at=clock.now(),
                left=left,
                seen=max(state.seen, len(left)),
                proven=not left and reaches >= canceled_at,
            )
            if state.proven:
                return state
            said(f"{len(left)} orders rest" if left else "the exchange's lists lag behind")
            for order in left:
                _cancel(client, order, said)
        except (ExchangeRefused, OutcomeUnknown) as error:
            state = replace(state, trouble=str(error))
            said(f"try {state.tries} failed: {error}")
        if clock.now() - began >= patience:
            return state
        clock.sleep(_PAUSE)


def _resting(client: Client, subaccounts: Sequence[Subaccount]) -> tuple[OrderReported, ...]:
    return tuple(
        each.reported
        for subaccount in subaccounts
        for each in client.orders.list(status=OrderStatus.RESTING, subaccount=subaccount)
    )


def _cancel(client: Client, order: OrderReported, said: Callable[[str], None]) -> None:
    """Cancel one order by name; a refusal is told and settles nothing."""
    try:
        client.orders.cancel(
            Cancellation(
                order_id=order.order_id,
                ticker=order.ticker,
                subaccount=order.subaccount,
                shard=order.shard,
            )
        )
    except ExchangeRefused as error:
        said(f"{order.ticker}: {error}")
