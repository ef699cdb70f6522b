"""The bot's end of the control channel: who may ask, and what is handed on.

Everything that is known or done comes from a `Room`; this file only looks after
the door.  It listens on the loopback address alone; every request must carry the
token (compared in constant time) and name this very address as its host, so that
a web page that has a name of its own point here gets nothing.  A browser's
cross-site request is refused by its `Origin`.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from typing import Final, Protocol

import msgspec
from aiohttp import web

from trueup.core.errors import CallerError
from trueup.core.instant import Instant
from trueup.net.control import (
    BEAT_SECONDS,
    COMMANDS,
    HOST,
    Said,
    Whereabouts,
    withdraw_whereabouts,
    write_whereabouts,
)

_BODY_BYTES_MAX: Final = 16 << 10
_LISTENERS_MAX: Final = 32
_WAITING_MAX: Final = 1_000
"""How many events wait for a listener that reads slowly; then the oldest go."""

_DECISIONS_MAX: Final = 1_000
_QUIET_SECONDS: Final = 15.0
"""After so long without an event a listener gets an empty line: the bot is still there."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Room(Protocol):
    """What the channel opens: the bot, as far as an operator may see and steer it."""

    def status(self) -> Mapping[str, object]:
        """What the bot is doing."""
        ...

    def decisions(self, *, after: int | None, limit: int) -> Sequence[Mapping[str, object]]:
        """Lines of the decision log, oldest first, each with its `n`."""
        ...

    def obey(self, command: str, said: Said) -> Mapping[str, object]:
        """Do what the operator says.  Raises `CallerError` for what makes no sense."""
        ...

    async def kept(self, command: str) -> bool:
        """Wait until what was obeyed survives the end of the process; whether it does."""
        ...


@dataclass(eq=False, slots=True)
class _Listener:
    waiting: asyncio.Queue[bytes] = field(
        default_factory=lambda: asyncio.Queue[bytes](_WAITING_MAX)
    )
    left_out: int = 0


class ControlServer:
    """Listens for the operator of one bot.  `start` writes the control file, `stop` removes it."""

    def __init__(self, path: Path, room: Room, *, started_at: Instant) -> None:
        self._path = path
        self._room = room
        self._started_at = started_at
        self._token = token_urlsafe(32)
        self._listeners: set[_Listener] = set()
        self._runner: web.AppRunner | None = None
        self._hosts: frozenset[str] = frozenset()
        self._where: Whereabouts | None = None
        self._beating: asyncio.Task[None] | None = None

    @property
    def has_listeners(self) -> bool:
        """Whether anybody follows the events."""
        return bool(self._listeners)

    async def start(self) -> Whereabouts:
        """Listen, and say where.  Raises `ConfigError` when the file cannot be written."""
        application = web.Application(middlewares=[self._guard], client_max_size=_BODY_BYTES_MAX)
        application.router.add_get("/status", self._status)
        application.router.add_get("/decisions", self._decisions)
        application.router.add_get("/events", self._events)
        for command in COMMANDS:
            application.router.add_post(f"/{command}", self._command)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self._hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
        where = Whereabouts(
            port=port, token=self._token, pid=os.getpid(), started_at=self._started_at
        )
        write_whereabouts(self._path, where)
        self._where = where
        self._beating = asyncio.create_task(self._beat())
        return where

    async def stop(self) -> None:
        """Take the control file away (if it is still ours) and close every connection."""
        if self._beating is not None:
            self._beating.cancel()
        if self._where is not None:
            withdraw_whereabouts(self._path, self._where)
        for listener in tuple(self._listeners):
            _put(listener, b"")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _beat(self) -> None:
        """Say by the file's age that the loop has its turns."""
        while True:
            with suppress(OSError):
                os.utime(self._path)
            await asyncio.sleep(BEAT_SECONDS)

    def push(self, event: str, document: Mapping[str, object]) -> None:
        """Tell everybody who follows the events."""
        if not self._listeners:
            return
        line = msgspec.json.encode({"event": event, **document}) + b"\n"
        for listener in self._listeners:
            _put(listener, line)

    # -- the door --------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Host", "") not in self._hosts or "Origin" in request.headers:
            return _refusal(HTTPStatus.FORBIDDEN, "host", "ask at the address of the control file")
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return _refusal(
                HTTPStatus.UNAUTHORIZED, "token", "this is not the token of the control file"
            )
        try:
            return await handler(request)
        except CallerError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, "refused", str(error), error.remedy)
        except web.HTTPException as error:
            return _refusal(HTTPStatus(error.status), "http", f"{request.path}: {error.reason}")

    # -- requests --------------------------------------------------------------------------

    async def _status(self, request: web.Request) -> web.Response:
        del request
        return _json(self._room.status())

    async def _decisions(self, request: web.Request) -> web.Response:
        after = request.query.get("after")
        limit = _whole(request.query.get("limit", "100"), "limit")
        lines = self._room.decisions(
            after=None if after is None else _whole(after, "after"),
            limit=min(limit, _DECISIONS_MAX),
        )
        return _json({"decisions": lines})

    async def _command(self, request: web.Request) -> web.Response:
        try:
            said = msgspec.json.decode(await request.read(), type=Said)
        except msgspec.MsgspecError as error:
            raise CallerError(
                f"this is no command: {error}",
                remedy='Send e.g. {"by": "ann", "strategy": "", "words": "why"}.',
            ) from error
        command = request.path.removeprefix("/")
        answer = self._room.obey(command, said)
        return _json({**answer, "durable": await self._room.kept(command)})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._listeners) >= _LISTENERS_MAX:
            raise CallerError(f"{_LISTENERS_MAX} programs follow the events already")
        answer = web.StreamResponse(
            headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"}
        )
        await answer.prepare(request)
        listener = _Listener()
        first = msgspec.json.encode({"event": "status", **self._room.status()}) + b"\n"
        self._listeners.add(listener)
        try:
            await answer.write(first)
            while line := await self._next(listener):
                await answer.write(line)
        except ConnectionError:
            pass
        finally:
            self._listeners.discard(listener)
        return answer

    async def _next(self, listener: _Listener) -> bytes:
        try:
            line = await asyncio.wait_for(listener.waiting.get(), _QUIET_SECONDS)
        except TimeoutError:
            return b"\n"
        if listener.left_out and line:
            told = msgspec.json.encode({"event": "lagging", "left_out": listener.left_out})
            listener.left_out = 0
            return told + b"\n" + line
        return line


def _put(listener: _Listener, line: bytes) -> None:
    if listener.waiting.full():
        listener.waiting.get_nowait()
        listener.left_out += 1
    listener.waiting.put_nowait(line)


def _whole(text: str, name: str) -> int:
    if not text.isdecimal() or not text.isascii():
        raise CallerError(f"{name}={text!r} is no whole number")
    return int(text)


def _json(document: Mapping[str, object]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _refusal(status: HTTPStatus, code: str, message: str, remedy: str = "") -> web.Response:
    told = {"error": {"code": code, "message": message, "remedy": remedy}}
    return web.Response(
        status=status, body=msgspec.json.encode(told), content_type="application/json"
    )
