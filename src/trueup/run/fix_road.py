"""Orders by FIX: the session of a bot, opened from its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from trueup.core.instant import Instant
from trueup.net.client import AsyncClient
from trueup.net.fix.client import FixClient, FixSigner
from trueup.net.fix.endpoints import FixEndpoint, client_tls
from trueup.net.fix.order_entry import FixOrders
from trueup.net.fix.store import SessionStore
from trueup.run.clock import unseeded
from trueup.wire.fix.logon import LogonOptions

HEARTBEAT_SECONDS: Final = 5
"""Of an order entry session: a line that is dead must be known soon."""


def open_fix_orders(
    endpoint: FixEndpoint,
    signer: FixSigner,
    client: AsyncClient,
    *,
    store: SessionStore,
    clock: Callable[[], Instant],
    certificate: Path | None = None,
    cancel_on_disconnect: bool = True,
) -> FixOrders:
    """Orders by FIX, with `client` for everything that is asked.

    With `cancel_on_disconnect` the exchange takes back what the session placed when it ends,
    in whatever way.  A bot that starts reads everything by REST, so the numbers begin anew
    with it; a line that breaks later gets what it missed, on KalshiRT.  `certificate` is the file that a sandbox wrote.
    """
    session = FixClient(
        endpoint,
        signer=signer,
        store=store,
        clock=clock,
        chance=unseeded(),
        options=LogonOptions(
            heartbeat_seconds=HEARTBEAT_SECONDS,
            reset=True,
            cancel_orders_on_disconnect=cancel_on_disconnect,
            ioc_cancel_report=True,
            preserve_original_quantity=True,
        ),
        tls=client_tls(certificate),
        may_reset=True,
    )
    return FixOrders(session, client, clock=clock)
