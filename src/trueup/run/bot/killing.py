"""The kill switch by hand: cancel everything, and read until it is proven that nothing rests.

It needs no running bot.  Orders of other programs are cancelled too, and requests for
quotes and quotes are taken back.  What cannot be cancelled, because its market is paused or
closed, is reported as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from trueup.core.errors import ExchangeRefused, OutcomeUnknown
from trueup.core.facts import OrderReported
from trueup.core.ids import Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.order_entry import Cancellation
from trueup.core.orders import OrderStatus
from trueup.net.client import Client
from trueup.run.bot.withdrawing import Quoting, withdraw
from trueup.run.clock import Clock

PATIENCE: Final = 60 * SECOND
_PAUSE: Final = SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """How a kill ended.  `proven` says that a reading after the cancel showed nothing.

    `left` are orders that rest, `quoting` what may still become a trade without one.
    """

    proven: bool = False
    canceled_at: Instant | None = None
    read_at: Instant | None = None
    tries: int = 0
    seen: int = 0
    left: tuple[OrderReported, ...] = ()
    quoting: Quoting = field(default_factory=Quoting)
    trouble: str = ""


def kill(
    client: Client,
    subaccounts: Sequence[Subaccount],
    *,
    clock: Clock,
    patience: int = PATIENCE,
    said: Callable[[str], None] = lambda _: None,
) -> Killed:
    """Cancel every resting order of these subaccounts, and take every RFQ and quote back.

    Returns when that is proven or time is up.
    """
    began = clock.now()
    state = Killed()
    while True:
        state = replace(state, tries=state.tries + 1, trouble="")
        try:
            for subaccount in subaccounts:
                client.orders.cancel_all(subaccount=subaccount)
            canceled_at = clock.now()
            said(f"cancel-all was taken (try {state.tries})")
            quoting = withdraw(client, subaccounts, said=said)
            reaches = client.exchange.user_data_timestamp()
            left = _resting(client, subaccounts)
            state = replace(
                state,
                canceled_at=canceled_at,
                read_at=clock.now(),
                left=left,
                quoting=quoting,
                seen=max(state.seen, len(left)),
                proven=not left and not quoting and reaches >= canceled_at,
            )
            if state.proven:
                return state
            said(_still_there(state))
            for order in left:
                _cancel(client, order, said)
        except (ExchangeRefused, OutcomeUnknown) as error:
            state = replace(state, trouble=str(error))
            said(f"try {state.tries} failed: {error}")
        if clock.now() - began >= patience:
            return state
        clock.sleep(_PAUSE)


def _still_there(state: Killed) -> str:
    rests = f"{len(state.left)} orders rest" if state.left else ""
    there = " and ".join(words for words in (rests, state.quoting.words()) if words)
    return there or "the exchange's lists lag behind"


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
