"""An exchange of a few lines behind the real acceptor: it checks signatures and fills orders."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from trueup.core.instant import HOUR, Instant, from_datetime
from trueup.core.market import MarketResult
from trueup.core.units import ZERO_COUNT, Money, Price, Ratio
from trueup.net.acceptor.keys import PublicKey, RegisteredKey
from trueup.net.fix.acceptor import FixAcceptor, Peer
from trueup.net.fix.certificates import self_signed
from trueup.net.fix.client import FixClient, FixEvent
from trueup.net.fix.endpoints import FixEndpoint, client_tls, server_tls
from trueup.net.fix.store import SessionStore
from trueup.net.signer import Ed25519Signer, RsaSigner, signer_for
from trueup.net.venues import Venue
from trueup.wire.fix.codec import Received
from trueup.wire.fix.logon import LogonOptions
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.orders import (
    CollateralChange,
    ExecutionReport,
    Fee,
    NewOrderSingle,
    OrderCancelRequest,
)
from trueup.wire.fix.messages.session import Header, Logon
from trueup.wire.fix.messages.settlement import MarketSettlementReport, SettlementParty
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.fix.session_states import Deliver, Disconnect
from trueup.wire.fix.words import CollateralType, ExecType, OrderState

T = TypeVar("T")
KEY_ID = "11111111-2222-3333-4444-555555555555"
LOCAL = "127.0.0.1"
SECONDS_MAX = 90


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


def write_certificate(folder: Path) -> Certificate:
    pair = self_signed(LOCAL, now())
    files = Certificate(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(pair.certificate)
    files.key.write_bytes(pair.key)
    return files


def now() -> Instant:
    return from_datetime(datetime.now(UTC))


def new_signer(kind: str = "ed25519") -> tuple[RsaSigner | Ed25519Signer, PublicKey]:
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, 2048)
    return signer_for(KEY_ID, key), key.public_key()


def settlement(number: int, parties: int = 1) -> MarketSettlementReport:
    paid = CollateralChange(amount=Money.of_cents(100), kind=CollateralType.PAYOUT)
    return MarketSettlementReport(
        report_id=f"r-{number}",
        symbol=f"KXA-{number}",
        clearing_date=date(2026, 10, 16),
        reports_in_all=1,
        result=MarketResult.YES,
        settlement_price=Price(10_000),
        is_last=True,
        parties=tuple(
            SettlementParty(
                party_id=f"p-{each}", collateral_changes=(paid,), fees=(Fee(amount=Money(0)),)
            )
            for each in range(parties)
        ),
    )


@dataclass
class House:
    """Judges logons by their signature; every order rests, every cancel is done."""

    public: PublicKey
    refuses: str = ""
    peers: list[Peer] = field(default_factory=list[Peer])
    heard: list[Message] = field(default_factory=list[Message])
    ends: list[Disconnect] = field(default_factory=list[Disconnect])
    orders: dict[str, NewOrderSingle] = field(default_factory=dict[str, NewOrderSingle])
    events: int = 0

    def judge(self, header: Header, logon: Logon, text: bytes) -> str:
        registered = RegisteredKey(key_id=header.sender, public=self.public)
        if not registered.verifies(logon.signature or "", text):
            return "signature error"
        return self.refuses

    def logged_on(self, peer: Peer) -> None:
        self.peers.append(peer)

    def left(self, peer: Peer, end: Disconnect) -> None:
        self.peers.remove(peer)
        self.ends.append(end)

    def received(self, peer: Peer, received: Received) -> None:
        message = received.message
        self.heard.append(message)
        if isinstance(message, NewOrderSingle):
            self.orders[message.client_order_id] = message
            peer.send(self._report(message, ExecType.NEW, OrderState.NEW))
        if isinstance(message, OrderCancelRequest):
            order = self.orders.pop(message.original_client_order_id)
            report = self._report(order, ExecType.CANCELED, OrderState.CANCELED)
            peer.send(
                msgspec.structs.replace(
                    report,
                    client_order_id=message.client_order_id,
                    original_client_order_id=order.client_order_id,
                )
            )

    def _report(self, order: NewOrderSingle, kind: ExecType, state: OrderState) -> ExecutionReport:
        self.events += 1
        return ExecutionReport(
            order_id=f"o-{order.client_order_id}",
            client_order_id=order.client_order_id,
            execution_id=f"1;{self.events};0",
            execution_type=kind,
            order_status=state,
            side=order.side,
            symbol=order.symbol,
            leaves_quantity=order.quantity if state is OrderState.NEW else ZERO_COUNT,
            cumulative_quantity=ZERO_COUNT,
            average_price=Ratio(0),
            order_quantity=order.quantity,
            price=order.price,
            transact_time=now(),
        )


@dataclass
class Place:
    """A running acceptor, and what a client needs to reach it."""

    house: House
    acceptor: FixAcceptor
    endpoint: FixEndpoint
    signer: RsaSigner | Ed25519Signer
    certificate: Certificate
    folder: Path
    options: LogonOptions = field(default_factory=LogonOptions)

    def store(self, *, listens: bool = False) -> SessionStore:
        key_id = self.signer.key_id
        return SessionStore.open(self.folder, self.endpoint, key_id, listens=listens)

    def client(self, store: SessionStore, chance: random.Random | None = None) -> FixClient:
        return FixClient(
            self.endpoint,
            signer=self.signer,
            store=store,
            clock=now,
            chance=chance or Hasty(),
            options=self.options,
            tls=client_tls(self.certificate.certificate),
        )


class Hasty(random.Random):
    """Always draws the shortest pause."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        del start, stop, step
        return 0


class Unhurried(random.Random):
    """Draws a pause that no test lives to see the end of."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        del start, stop, step
        return HOUR


@asynccontextmanager
async def open_place(
    kind: SessionKind,
    certificate: Certificate,
    folder: Path,
    *,
    key: str = "ed25519",
    options: LogonOptions | None = None,
    house_of: Callable[[PublicKey], House] = House,
) -> AsyncGenerator[Place]:
    signer, public = new_signer(key)
    house = house_of(public)
    tls = server_tls(certificate.certificate, certificate.key)
    acceptor = FixAcceptor(kind, house, clock=now, tls=tls)
    port = await acceptor.start(LOCAL, 0)
    endpoint = FixEndpoint(Venue.SANDBOX, kind, LOCAL, port)
    try:
        yield Place(
            house, acceptor, endpoint, signer, certificate, folder, options or LogonOptions()
        )
    finally:
        await acceptor.stop()


async def gather(
    client: FixClient,
    until: Callable[[list[FixEvent]], bool],
    *,
    then: Callable[[list[FixEvent]], Awaitable[None]] | None = None,
) -> list[FixEvent]:
    """The events up to and including the one that makes `until` true.

    `then` is called after every event.
    """
    seen: list[FixEvent] = []
    async with asyncio.timeout(SECONDS_MAX), aclosing(client.events()) as events:
        async for event in events:
            seen.append(event)
            if then is not None:
                await then(seen)
            if until(seen):
                break
    return seen


def messages_of(events: list[FixEvent], kind: type[T]) -> list[T]:
    """The delivered messages of one type."""
    return [
        each.received.message
        for each in events
        if isinstance(each, Deliver) and isinstance(each.received.message, kind)
    ]


async def settled(condition: Callable[[], bool]) -> None:
    """Wait until something is true that no event tells of."""
    async with asyncio.timeout(SECONDS_MAX):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def quietly(client: FixClient) -> None:
    """Close a client whatever its state."""
    with suppress(OSError):
        await client.close()
