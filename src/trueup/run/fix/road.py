"""Orders by FIX: the session of a bot, opened from its settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from trueup.core.instant import Instant
from trueup.net.acceptor.server import HOST
from trueup.net.client import AsyncClient
from trueup.net.fix.client import FixClient, FixSigner
from trueup.net.fix.endpoints import FixEndpoint, client_tls
from trueup.net.fix.order_entry import FixOrders
from trueup.net.fix.store import SessionStore
from trueup.run.bot.reach import Reach
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import make_home
from trueup.run.desk import DeskSettings
from trueup.run.fix.reach import fix_endpoint, fix_signer
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.session_kinds import SessionKind

HEARTBEAT_SECONDS: Final = 5
"""Of an order entry session: a line that is dead must be known soon."""


def fix_road(
    settings: DeskSettings, reach: Reach, stack: ExitStack
) -> tuple[Callable[[AsyncClient], FixOrders], str]:
    """How to open the road by FIX that the account is configured for, and its name in words.

    The numbers of the session are kept under the home until `stack` ends.  A listener of the
    same key has then not heard everything in order.  Raises `ConfigError`.
    """
    rule = settings.config.fix
    kind = SessionKind[rule.session]
    if reach.fix_ports:
        address = f"{HOST}:{reach.fix_ports[kind]}"
        certificate = reach.fix_certificate
    else:
        address, certificate = rule.address, rule.certificate_path
    endpoint, signer = fix_endpoint(settings, kind, address), fix_signer(reach.signer)
    folder = settings.home / "fix"
    make_home(folder)
    store = stack.enter_context(SessionStore.open(folder, endpoint, signer.key_id))

    def opened(client: AsyncClient) -> FixOrders:
        return open_fix_orders(
            endpoint,
            signer,
            client,
            store=store,
            clock=SystemClock().now,
            certificate=certificate,
            cancel_on_disconnect=rule.cancel_on_disconnect,
        )

    return opened, f"orders by FIX, {kind} at {endpoint}"


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
