"""The front door of the client: an account at a venue, ready to be asked and to trade.

Keys, hosts and the built-in sandbox are found as everywhere (`trueup.run.desk`).
On the production exchange a client only reads unless the three gates of
`trueup.run.arming` are open when it is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from trueup.core.instant import SECOND
from trueup.net.client import AsyncClient, Client
from trueup.net.client import open_async_client as open_async
from trueup.net.client import open_client as open_blocking
from trueup.net.session import Event, Options, ignore_event
from trueup.run.arming import closed_gates
from trueup.run.clock import unseeded
from trueup.run.config import read_environment
from trueup.run.desk import Desk, DeskSettings, read_desk_settings


def open_client(
    *,
    venue: str = "",
    account: str = "",
    live: bool = False,
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[Event], None] = ignore_event,
) -> Client:
    """A blocking client of one account; use it as a context, or close it.

    `venue` is ``sandbox`` (the default: an exchange inside this process), ``demo``
    or ``prod``.  `live` is the first of the three gates for orders on ``prod``.
    Raises `ConfigError` where a key is missing or the settings contradict.
    """
    settings = _settings(venue, account, environment)
    desk = Desk(settings)
    endpoint, signer = desk.reach()
    return open_blocking(
        endpoint,
        signer,
        clock=settings.clock.now,
        sleep=settings.clock.sleep,
        chance=unseeded(),
        options=_options(settings, live, on_event),
        at_close=desk.close,
    )


def open_async_client(
    *,
    venue: str = "",
    account: str = "",
    live: bool = False,
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[Event], None] = ignore_event,
) -> AsyncClient:
    """A client for an event loop; like `open_client`, and used with ``async with``."""
    settings = _settings(venue, account, environment)
    desk = Desk(settings)
    endpoint, signer = desk.reach()
    return open_async(
        endpoint,
        signer,
        clock=settings.clock.now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
        options=_options(settings, live, on_event),
        at_close=desk.close,
    )


def _settings(venue: str, account: str, environment: Mapping[str, str] | None) -> DeskSettings:
    known = read_environment() if environment is None else environment
    return read_desk_settings(known, venue=venue, account=account)


def _options(settings: DeskSettings, live: bool, on_event: Callable[[Event], None]) -> Options:
    return Options(on_event=on_event, why_read_only=lambda: why_read_only(settings, live=live))


def why_read_only(settings: DeskSettings, *, live: bool) -> str:
    """Why a client of this account may not write now; empty where it may."""
    if settings.is_paper:
        # Its client reaches an exchange on this machine; no other knows where the real one is.
        return ""
    closed = closed_gates(settings, live=live)
    return "" if not closed else "; ".join(f"not {gate.words}" for gate in closed)


async def sleep_on_the_loop(microseconds: int) -> None:
    """Wait for so many microseconds without holding up the event loop."""
    await asyncio.sleep(microseconds / SECOND)
