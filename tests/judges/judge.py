"""FIX engines that nobody here wrote, on either side of a session.

Neither is told anything but the exported dictionary; both check everything they can.  They
know no TLS here, so a bridge on this machine puts it on, and writes down every byte.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Protocol

from trueup.net.fix.client import FixSigner
from trueup.wire.fix.codec import Codec
from trueup.wire.fix.export import quickfix_xml
from trueup.wire.fix.frame import Framer, close_frame, open_frame
from trueup.wire.fix.kinds import PriceUnit
from trueup.wire.fix.message import Sender
from trueup.wire.fix.pairs import join_body, split_body
from trueup.wire.fix.session_kinds import SessionKind

LOCAL = "127.0.0.1"
Fields = list[tuple[int, str]]


@dataclass
class Group:
    """One entry of a repeating group, with groups of its own."""

    fields: Fields
    groups: list[tuple[int, Group]] = field(default_factory=list[tuple[int, "Group"]])


@dataclass
class Said:
    """A message for a judge to send."""

    kind: str
    fields: Fields
    groups: list[tuple[int, Group]] = field(default_factory=list[tuple[int, Group]])


@dataclass(frozen=True)
class Heard:
    """A message that a judge took for sound, field by field in its own order."""

    fields: tuple[tuple[int, str], ...]

    @property
    def kind(self) -> str:
        return self[35]

    def __getitem__(self, tag: int) -> str:
        return next((value for own, value in self.fields if own == tag), "")

    def all(self, tag: int) -> list[str]:
        return [value for own, value in self.fields if own == tag]


Answers = Callable[[Heard], list[Said]]


def no_answer(heard: Heard) -> list[Said]:
    """What a judge answers that only listens."""
    del heard
    return []


@dataclass
class Place:
    """A session for a judge: which side it takes, and who is who."""

    folder: Path
    kind: SessionKind
    port: int
    key_id: str
    signer: FixSigner | None = None
    """Signs logons: then the judge is the client."""

    options: Fields = field(default_factory=Fields)
    """More fields of its logon."""

    answers: Answers = no_answer

    @property
    def dictionary(self) -> Path:
        file = self.folder / "kalshi.xml"
        if not file.exists():
            file.write_text(quickfix_xml(), encoding="utf-8")
        return file

    @property
    def names(self) -> tuple[str, str]:
        """SenderCompID and TargetCompID of the judge."""
        own = self.key_id, self.kind.value
        return own if self.signer is not None else (own[1], own[0])


class Judge(Protocol):
    """A running engine."""

    heard: list[Heard]
    """Application messages, Rejects and Logouts, in order."""

    complaints: list[str]
    logons: int

    async def say(self, said: Said) -> None:
        """Send a message."""
        ...


def kinds_of(judge: Judge) -> list[str]:
    """The types of what a judge heard."""
    return [each.kind for each in judge.heard]


@dataclass(frozen=True)
class Engine:
    """How to start an engine."""

    package: str
    module: str

    def is_there(self) -> bool:
        return importlib.util.find_spec(self.package) is not None

    def start(self, place: Place) -> AbstractAsyncContextManager[Judge]:
        started: Callable[[Place], AbstractAsyncContextManager[Judge]] = importlib.import_module(
            self.module
        ).started
        return started(place)


ENGINES = {
    "fixcore": Engine("fixcore", "fixcore_engine"),
    "quickfix": Engine("quickfix", "quickfix_engine"),
}


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

    refuses: bool = False
    """Nobody gets through."""

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
        if carried.refuses:
            writer.close()
            return
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


def frames(stream: bytes) -> list[bytes]:
    """The messages of a stream; raises `AssertionError` for anything between them."""
    framer = Framer()
    framer.feed(stream)
    found: list[bytes] = []
    while (frame := framer.next_frame()) is not None:
        assert isinstance(frame, bytes)
        found.append(frame)
    assert framer.held == 0
    return found


def check_captured(stream: bytes, reads: Sender) -> set[str]:
    """Every message of another engine decodes, comes back byte for byte, and says the same when
    we write it; the types that there were.
    """
    codec = Codec(reads=reads, unit=PriceUnit.DOLLARS)
    other = Sender.CLIENT if reads is Sender.EXCHANGE else Sender.EXCHANGE
    writer = Codec(reads=other, unit=PriceUnit.DOLLARS)
    types: set[str] = set()
    for frame in frames(stream):
        received = codec.decode(frame)
        tags, values = split_body(open_frame(frame))
        assert close_frame(join_body(tags, values)) == frame
        assert received.unknown == ()
        assert codec.decode(writer.encode(received.header, received.message)) == received
        types.add(type(received.message).TYPE)
    return types


def session_file(place: Place, **extra: str) -> str:
    """The configuration that both engines read, with every check that they have."""
    sender, target = place.names
    is_client = place.signer is not None
    address = (
        f"SocketConnectHost={LOCAL}\nSocketConnectPort={place.port}"
        if is_client
        else f"SocketAcceptHost={LOCAL}\nSocketAcceptPort={place.port}"
    )
    lines = "\n".join(f"{name}={value}" for name, value in extra.items())
    return f"""
[DEFAULT]
ConnectionType={"initiator" if is_client else "acceptor"}
HeartBtInt=30
ReconnectInterval=1
ResetOnLogon={"Y" if place.kind.terms.must_reset and is_client else "N"}
UseDataDictionary=Y
TransportDataDictionary={place.dictionary}
AppDataDictionary={place.dictionary}
ValidateUserDefinedFields=Y
{lines}
[SESSION]
BeginString=FIXT.1.1
SenderCompID={sender}
TargetCompID={target}
{address}
"""
