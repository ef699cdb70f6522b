"""The webhook: another program tells news (or that it took the other leg) by HTTP.

`POST /news` with one JSON object and ``Authorization: Bearer TOKEN``.  It listens on
this machine only, unless the configuration names another address.  What comes is
queued; nothing is answered about the market, and a full queue says 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from trueup.core.errors import ConfigError, ProtocolBroken
from trueup.core.instant import Instant
from trueup.net.feeds.stories import SentLeg, Story, parse_sent
from trueup.net.secret import Secret, is_same

_QUEUE_MAX: Final = 1_000
_BODY_BYTES_MAX: Final = 64 * 1024
PATH: Final = "/news"


class Webhook:
    """A small HTTP server that queues what it is told."""

    def __init__(
        self, token: Secret, *, host: str, port: int, clock: Callable[[], Instant]
    ) -> None:
        self._token = token
        self._host, self._port = host, port
        self._clock = clock
        self._queue: asyncio.Queue[Story | SentLeg] = asyncio.Queue(_QUEUE_MAX)
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen.  Raises `ConfigError` when the port is taken."""
        app = web.Application(client_max_size=_BODY_BYTES_MAX)
        app.router.add_post(PATH, self._hear)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"the webhook cannot listen on {self._host}:{self._port}: {error.strerror}",
                remedy="Choose another port in [feeds.webhook].",
            ) from error
        self._runner = runner

    @property
    def port(self) -> int:
        """Where it listens: for a configured port of 0, the one that was free."""
        addresses = [] if self._runner is None else self._runner.addresses
        return int(addresses[0][1]) if addresses else self._port

    def taken(self) -> list[Story | SentLeg]:
        """What was told since the last call, in order."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _hear(self, request: web.Request) -> web.Response:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not is_same(given, self._token):
            return _said(401, "the token is missing or wrong")
        raw = await request.read()
        try:
            told = parse_sent(raw, "webhook", self._clock())
        except ProtocolBroken as error:
            return _said(400, str(error))
        try:
            self._queue.put_nowait(told)
        except asyncio.QueueFull:
            return _said(503, "too much at once; send it again later")
        return _said(202, "taken")


def _said(status: int, words: str) -> web.Response:
    return web.json_response({"said": words}, status=status)
