"""`fixcore-engine`, which is written in Python."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import judge
from fixcore.application import Application
from fixcore.log.base import Log, LogFactory
from fixcore.message.field import Group
from fixcore.message.message import Message
from fixcore.session.session import Session
from fixcore.session.session_id import SessionID
from fixcore.session.session_settings import SessionSettings
from fixcore.store.factory import MemoryStoreFactory
from fixcore.transport.acceptor import SocketAcceptor
from fixcore.transport.initiator import SocketInitiator
from judge import Heard, Place, Said

SOH = "\x01"


class Kept(LogFactory):
    """Its log, kept."""

    def __init__(self, events: list[str]) -> None:
        self._events = events

    def create(self, session_id: SessionID) -> Log:
        del session_id
        return _Kept(self._events)


class _Kept(Log):
    def __init__(self, events: list[str]) -> None:
        self._events = events

    def on_incoming(self, message: str) -> None:
        pass

    def on_outgoing(self, message: str) -> None:
        pass

    def on_event(self, text: str) -> None:
        self._events.append(text)


@dataclass
class Fixcore(Application):
    """One session of the engine."""

    place: Place
    heard: list[Heard] = field(default_factory=list[Heard])
    complaints: list[str] = field(default_factory=list[str])
    logons: int = 0
    session: Session | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def on_logon(self, session_id: SessionID) -> None:  # noqa: ARG002
        self.logons += 1

    def to_admin(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        signer = self.place.signer
        if message.msg_type == "A" and signer is not None:
            header = (message[52], "A", message[34], message[49], message[56])
            signature = signer.sign(SOH.join(header).encode())
            message[95] = str(len(signature))
            message[96] = signature
            for tag, value in self.place.options:
                message[tag] = value

    def from_admin(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        if message.msg_type in {"3", "5"}:
            self.heard.append(_read(message))

    def from_app(self, message: Message, session_id: SessionID) -> None:  # noqa: ARG002
        heard = _read(message)
        self.heard.append(heard)
        for said in self.place.answers(heard):
            task = asyncio.create_task(self.say(said))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def say(self, said: Said) -> None:
        message = Message()
        message.header.set(35, said.kind)
        for tag, value in said.fields:
            message[tag] = value
        for tag, group in said.groups:
            message.add_group(tag, _group(group))
        assert self.session is not None
        await self.session.send_app(message)


def _group(group: judge.Group) -> Group:
    made = Group()
    for tag, value in group.fields:
        made.set_field(tag, value)
    for tag, nested in group.groups:
        made.add_group(tag, _group(nested))
    return made


def _read(message: Message) -> Heard:
    fields = [*message.header.items(), *message.body.items()]
    waiting = [entry for entries in message.groups().values() for entry in entries]
    while waiting:
        entry = waiting.pop(0)
        fields += entry.items()
        for nested in entry.nested_groups().values():
            waiting = [*nested, *waiting]
    return Heard(tuple(fields))


@asynccontextmanager
async def started(place: Place) -> AsyncGenerator[Fixcore]:
    """A running session of the engine."""
    own = Fixcore(place)
    text = judge.session_file(
        place, DefaultApplVerID="9", ValidateIncomingMessage="Y", ValidateFieldsOutOfRange="Y"
    )
    kind = SocketInitiator if place.signer is not None else SocketAcceptor
    settings = SessionSettings.from_string(text)
    async with kind(settings, own, MemoryStoreFactory(), Kept(own.complaints)) as running:
        (own.session,) = running.sessions.values()
        yield own
        if isinstance(running, SocketInitiator):
            await running.logout()
