"""QuickFIX, the C++ engine, by its Python binding.  It runs in threads of its own."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import judge
from judge import Heard, Place, Said

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its generated wrapper
    import quickfix  # pyright: ignore[reportMissingImports]  # built by `make judges` only

fix: Any = quickfix
SOH = "\x01"


class Application(fix.Application):
    """What the engine calls, from its own threads.  An error here would be its end: keep it."""

    def __init__(self, owner: Quickfix) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]  # of no known type
        self.owner = owner

    def onCreate(self, session_id: Any) -> None:  # noqa: N802
        self.owner.session_id = session_id

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        del session_id
        self.owner.logons += 1

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        pass

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        del session_id
        header, place = message.getHeader(), self.owner.place
        if header.getField(35) == "A" and place.signer is not None:
            if place.kind.terms.must_reset:
                header.setField(34, "1")  # it sets the number of a reset only after this hook
            parts = [header.getField(tag) for tag in (52, 35, 34, 49, 56)]
            signature = place.signer.sign(SOH.join(parts).encode())
            message.setField(95, str(len(signature)))
            message.setField(96, signature)
            for tag, value in place.options:
                message.setField(tag, value)

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        del session_id
        if message.getHeader().getField(35) in {"3", "5"}:
            self.owner.heard.append(_read(message))

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        pass

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        heard = _read(message)
        self.owner.heard.append(heard)
        for said in self.owner.place.answers(heard):
            fix.Session.sendToTarget(_message(said), session_id)


@dataclass
class Quickfix:
    """One session of the engine."""

    place: Place
    heard: list[Heard] = field(default_factory=list[Heard])
    complaints: list[str] = field(default_factory=list[str])
    logons: int = 0
    session_id: Any = None

    async def say(self, said: Said) -> None:
        await asyncio.to_thread(fix.Session.sendToTarget, _message(said), self.session_id)


def _message(said: Said) -> Any:
    message = fix.Message()
    message.getHeader().setField(35, said.kind)
    for tag, value in said.fields:
        message.setField(tag, value)
    for tag, group in said.groups:
        message.addGroup(_group(tag, group))
    return message


def _group(tag: int, group: judge.Group) -> Any:
    made = fix.Group(tag, group.fields[0][0])
    for own, value in group.fields:
        made.setField(own, value)
    for own, nested in group.groups:
        made.addGroup(_group(own, nested))
    return made


def _read(message: Any) -> Heard:
    parts = message.toString().split(SOH)[:-1]
    split = (part.partition("=") for part in parts)
    return Heard(tuple((int(tag), value) for tag, _, value in split))


@asynccontextmanager
async def started(place: Place) -> AsyncGenerator[Quickfix]:
    """A running session of the engine."""
    own = Quickfix(place)
    file, log = place.folder / "quickfix.cfg", place.folder / "quickfix-log"
    text = judge.session_file(
        place,
        DefaultApplVerID="FIX.5.0SP2",
        StartTime="00:00:00",
        EndTime="00:00:00",
        ValidateFieldsOutOfOrder="Y",
        ValidateFieldsHaveValues="Y",
        FileLogPath=str(log),
    )
    file.write_text(text, encoding="utf-8")
    application, settings = Application(own), fix.SessionSettings(str(file))
    store, logs = fix.MemoryStoreFactory(), fix.FileLogFactory(settings)
    kind = fix.SocketInitiator if place.signer is not None else fix.SocketAcceptor
    running = kind(application, store, settings, logs)
    await asyncio.to_thread(running.start)
    try:
        yield own
    finally:
        await asyncio.to_thread(running.stop)
        for each in log.glob("*.event.*"):
            own.complaints += each.read_text(encoding="utf-8").splitlines()
