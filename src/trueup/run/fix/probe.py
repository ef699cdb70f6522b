"""`doctor`: may this account use FIX?  One logon, and the exchange's own words about it.

Nothing is lost by asking: a report that was missed and comes with the logon is not counted
as received, so the next listener gets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from trueup.core.errors import ConfigError, TrueupError
from trueup.net.fix.client import FixClient, FixEvent, Reconnecting
from trueup.net.fix.endpoints import client_tls
from trueup.net.fix.refusals import FixRefused, judge_refusal
from trueup.net.fix.store import SessionStore
from trueup.run.check import Check, Finding
from trueup.run.clock import SystemClock, unseeded
from trueup.run.config import make_home
from trueup.run.desk import Desk
from trueup.run.fix.listening import RETENTION_HOURS_MAX, log_folder
from trueup.run.fix.reach import fix_certificate, fix_endpoint, fix_signer
from trueup.run.fix.settings import OrderEntry
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import LoggedOn

PATIENCE_SECONDS: Final = 15
_TIER: Final = "api usage level"
_CONNECTED: Final = "already exists"


def configured_sessions(desk: Desk) -> tuple[SessionKind, ...]:
    """The FIX sessions that the configuration, or an earlier use, speaks of."""
    config, folder = desk.settings.config, log_folder(desk.settings)
    found: list[SessionKind] = []
    if config.order_entry == OrderEntry.FIX.value:
        found.append(SessionKind[config.fix.session])
    listened = any(folder.glob(f"{desk.settings.venue}-{config.account}-*.log"))
    if config.fix_parties or listened or (config.fix.address and not found):
        found.append(SessionKind.PT)
    return tuple(found)


def probe(desk: Desk, kind: SessionKind) -> Check:
    """Log on once, and say in plain words how that went."""
    name = f"FIX {kind.name}"
    try:
        return asyncio.run(_probe(desk, kind, name))
    except FixRefused as error:
        if _TIER in error.details.lower():
            return Check(
                name,
                Finding.PROBLEM,
                f"this account's tier is not entitled to FIX; the exchange says: “{error.details}”",
                "FIX is for the tier Premier and above: ask the exchange for the upgrade. REST and "
                "WebSocket do everything else; set order_entry back to rest, and let `trueup sync` "
                "bring the settlements.",
            )
        return Check(
            name, Finding.PROBLEM, f"the logon was refused: “{error.details}”", error.remedy
        )
    except ConfigError as error:
        in_use = "in use by another process" in str(error)
        return Check(name, Finding.NOTICE if in_use else Finding.PROBLEM, str(error), error.remedy)
    except TimeoutError:
        words = f"no answer to the logon within {PATIENCE_SECONDS} s"
        return Check(name, Finding.PROBLEM, words, "Look at the network, then try again.")
    except TrueupError as error:
        return Check(name, Finding.PROBLEM, str(error), error.remedy)


def looking_options(kind: SessionKind) -> LogonOptions:
    """How to log on without changing anything: reports are kept as long as a listener asks.

    Without that they are kept for the exchange's 24 hours from then on.
    """
    return LogonOptions(retention_hours=RETENTION_HOURS_MAX if kind.terms.retransmits else None)


async def _probe(desk: Desk, kind: SessionKind, name: str) -> Check:
    settings = desk.settings
    endpoint = fix_endpoint(settings, kind)
    found = desk.credentials()
    signer = fix_signer(None if found is None else found.signer)
    make_home(log_folder(settings))
    # On PT it takes nothing that would come to a listener; elsewhere it is no listener's logon.
    takes_nothing = not kind.terms.may_listen
    with SessionStore.open(
        log_folder(settings), endpoint, signer.key_id, listens=takes_nothing
    ) as store:
        client = FixClient(
            endpoint,
            signer=signer,
            store=store,
            clock=SystemClock().now,
            chance=unseeded(),
            options=looking_options(kind),
            tls=client_tls(fix_certificate(settings)),
        )
        async with client, asyncio.timeout(PATIENCE_SECONDS), aclosing(client.events()) as events:
            return await _first_word(client, events, name)


async def _first_word(client: FixClient, events: AsyncGenerator[FixEvent], name: str) -> Check:
    async for event in events:
        match event:
            case LoggedOn():
                client.logout("only looking")
                return Check(name, Finding.OK, f"{client.endpoint} takes the logon of this key")
            case Reconnecting(reason):
                if _CONNECTED in reason:
                    words = "FIX works: another connection of this key is open"
                    return Check(name, Finding.NOTICE, words, judge_refusal(reason).remedy)
                return Check(name, Finding.PROBLEM, reason, judge_refusal(reason).remedy)
            case _:
                continue
    return Check(name, Finding.PROBLEM, "the session ended without a word")
