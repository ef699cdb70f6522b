"""A web server of this machine that says what the test wants, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from trueup.net.feeds.source import Reader

T = TypeVar("T")

Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class SmallWeb:
    """Pages by path.  `url` is where it listens while the test runs."""

    pages: dict[str, Answer] = field(default_factory=dict[str, Answer])
    asked: list[web.Request] = field(default_factory=list[web.Request])
    bodies: list[bytes] = field(default_factory=list[bytes])
    url: str = ""

    def page(self, path: str, body: bytes | str, **more: Any) -> None:
        """Serve these bytes from now on."""
        content = body.encode() if isinstance(body, str) else body

        async def answer(request: web.Request) -> web.Response:
            etag = more.get("headers", {}).get("ETag")
            if etag is not None and request.headers.get("If-None-Match") == etag:
                return web.Response(status=304)
            return web.Response(body=content, **more)

        self.pages[path] = answer

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        known = self.pages.get(request.path)
        return web.Response(status=404) if known is None else await known(request)

    def run(self, work: Callable[[Reader], Coroutine[Any, Any, T]], **reader: Any) -> T:
        """Serve while the work is done."""

        async def serve() -> T:
            app = web.Application()
            app.router.add_route("*", "/{tail:.*}", self._answer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                async with Reader(**reader) as opened:
                    return await work(opened)
            finally:
                await runner.cleanup()

        return asyncio.run(serve())
