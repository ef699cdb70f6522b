"""`fixcore-engine`, an engine that nobody here wrote, on either side of a session.

It knows no TLS, so a bridge on this machine puts it on, and writes down every byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from ssl import SSLContext

from fix_house import KEY_ID, LOCAL
from fixcore.application import Application
from fixcore.log.base import Log, LogFactory
from fixcore.message.field import Group
from fixcore.message.message import Message
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.factory import MemoryStoreFactory
from fixcore.transport.acceptor import SocketAcceptor
from fixcore.transport.initiator import SocketInitiator

from trueup.net.fix.client import FixSigner
from trueup.wire.fix.export import quickfix_xml
from trueup.wire.fix.session_kinds import SessionKind


class Silent(LogFactory):
    """Its log, kept."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def create(self, session_id: SessionID) -> Log:
        del session_id
        return _Kept(self.events)


class _Kept(Log):
    def __init__(self, events: list[str]) -> None:
        self._events = events

    def on_incoming(self, message: str) -> None:
        pass

    def on_outgoing(self, message: str) -> None:
        pass

    def on_event(self, text: str) -> None:
        self._events.append(text)


def settings(folder: Path, kind: SessionKind, *, is_initiator: bool, port: int) -> SessionSettings:
    """Its configuration, with our exported dictionary and every check that it has."""
    file = folder / "kalshi.xml"
    file.write_text(quickfix_xml(), encoding="utf-8")
    sender, target = (KEY_ID, kind.value) if is_initiator else (kind.value, KEY_ID)
    address = (
        f"SocketConnectHost={LOCAL}\nSocketConnectPort={port}"
        if is_initiator
        else f"SocketAcceptHost={LOCAL}\nSocketAcceptPort={port}"
    )
    return SessionSettings.from_string(
        f"""
[DEFAULT]
ConnectionType={"initiator" if is_initiator else "acceptor"}
HeartBtInt=30
ReconnectInterval=1
ResetOnLogon={"Y" if kind.terms.must_reset and is_initiator else "N"}
UseDataDictionary=Y
TransportDataDictionary={file}
AppDataDictionary={file}
DefaultApplVerID=9
ValidateIncomingMessage=Y
ValidateFieldsOutOfRange=Y
ValidateUserDefinedFields=Y
[SESSION]
BeginString=FIXT.1.1
SenderCompID={sender}
TargetCompID={target}
{address}
"""
    )


@dataclass
class Desk(Application):
    """What stands on the other engine's side: signs logons, answers orders, keeps everything."""

    signer: FixSigner | None = None
    heard: list[Message] = field(default_factory=list[Message])
    sent: list[bytes] = field(default_factory=list[bytes])
    answers: asyncio.Queue[Message] = field(default_factory=asyncio.Queue[Message])
    logons: int = 0

    def on_logon(self, session_id: SessionID) -> None:  # noqa: ARG002
        self.logons += 1

    def to_admin(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        if message.msg_type == "A" and self.signer is not None:
            header = (message[52], "A", message[34], message[49], message[56])
            signature = self.signer.sign("\x01".join(header).encode())
            message[95] = str(len(signature))
            message[96] = signature
            message[21005] = "Y"
            message[20127] = "Y"

    def from_admin(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        if message.msg_type in {"3", "5"}:
            self.heard.append(message)

    def from_app(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        self.heard.append(message)

    def types(self) -> list[str]:
        return [message.msg_type for message in self.heard]


def of_type(msg_type: str, fields: dict[int, str]) -> Message:
    """A message of the other engine."""
    message = Message()
    message.header.set(35, msg_type)
    for tag, value in fields.items():
        message[tag] = value
    return message


def new_order(client_order_id: str) -> Message:
    return of_type(
        "D", {11: client_order_id, 38: "10", 40: "2", 44: "0.4000", 54: "2", 55: "KXA-1"}
    )


def cancel(client_order_id: str, original: str) -> Message:
    return of_type("F", {11: client_order_id, 41: original, 54: "2", 55: "KXA-1"})


def report(order: Message, kind: str, *, execution: int) -> Message:
    return of_type(
        "8",
        {
            37: f"o-{order.get(41) or order[11]}",
            11: order[11],
            17: f"1;{execution};0",
            150: kind,
            39: kind,
            54: order[54],
            55: order[55],
            151: "10.00" if kind == "0" else "0.00",
            14: "0.00",
            6: "0.0000",
            38: "10.00",
            60: datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3],
        },
    )


def settlement(number: int, parties: int) -> Message:
    message = of_type(
        "UMS",
        {
            20105: f"r-{number}",
            55: f"KXA-{number}",
            715: "20261016",
            20106: "1",
            20107: "yes",
            730: "100.00",
            893: "Y",
        },
    )
    for each in range(parties):
        party, change, fee = Group(), Group(), Group()
        for tag, value in ((20109, f"p-{each}"), (20110, "24"), (704, "1.00"), (705, "0.00")):
            party.set_field(tag, value)
        for tag, value in ((1704, "1.00"), (1705, "PAYOUT")):
            change.set_field(tag, value)
        for tag, value in ((137, "0.00"), (138, "USD"), (139, "4"), (891, "0")):
            fee.set_field(tag, value)
        party.add_group(1703, change)
        party.add_group(136, fee)
        message.add_group(20108, party)
    return message


@dataclass
class Bridge:
    """Carries bytes between a side with TLS and one without, and keeps them."""

    port: int = 0
    inward: bytearray = field(default_factory=bytearray)
    """From whoever connected."""

    outward: bytearray = field(default_factory=bytearray)
    """To whoever connected."""

    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    swallows: bool = False
    """What comes from the other end is lost on the way."""

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()


@asynccontextmanager
async def bridge(
    target: int, *, accepts: SSLContext | None, connects: SSLContext | None
) -> AsyncGenerator[Bridge]:
    carried = Bridge()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(1 << 16):
                if carried.swallows:
                    continue
                kept.extend(piece)
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(LOCAL, target, ssl=connects)
        except OSError:
            writer.close()
            return
        carried.writers += [writer, back]
        await asyncio.gather(
            pump(reader, back, carried.inward), pump(there, writer, carried.outward)
        )

    server = await asyncio.start_server(serve, LOCAL, 0, ssl=accepts)
    carried.port = server.sockets[0].getsockname()[1]
    try:
        yield carried
    finally:
        carried.cut()
        server.close()


def initiator(desk: Desk, folder: Path, kind: SessionKind, port: int) -> SocketInitiator:
    configured = settings(folder, kind, is_initiator=True, port=port)
    return SocketInitiator(configured, desk, MemoryStoreFactory(), Silent())


def acceptor(desk: Desk, folder: Path, kind: SessionKind, port: int) -> SocketAcceptor:
    configured = settings(folder, kind, is_initiator=False, port=port)
    return SocketAcceptor(configured, desk, MemoryStoreFactory(), Silent())
