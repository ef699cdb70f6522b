"""A small web server for whoever watches: /health and /metrics.

It runs on a thread and a loop of its own, so that it also answers when the
program it speaks of hangs: that is when the answer matters.  It only reads, asks for
no key, and therefore listens on this machine alone unless told otherwise.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import urllib3
from aiohttp import web

from trueup.core.errors import ConfigError, ProtocolBroken, Unreachable

_HEALTHY: Final = 200
_UNWELL: Final = 503
_START_SECONDS: Final = 10
_ASK_SECONDS: Final = 5
_METRICS_TYPE: Final = "text/plain; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the server answers with; both are called on its thread."""

    health: Callable[[], Mapping[str, Any]]
    """A document with ``healthy`` and the ``reasons`` why not."""
    metrics: Callable[[], bytes]


def ask_health(host: str, port: int) -> Mapping[str, Any]:
    """The document of a program that serves its health there.

    Raises `Unreachable` where none answers, `ProtocolBroken` where something else does.
    """
    where = f"http://{host}:{port}/health"
    try:
        answer = urllib3.request("GET", where, timeout=_ASK_SECONDS, retries=False)
        document = msgspec.json.decode(answer.data, type=dict[str, Any])
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(
            f"no program serves its health at {where} ({type(error).__name__})",
            remedy="Start it with --metrics-port, or set metrics.port in config.toml.",
        ) from error
    except msgspec.MsgspecError as error:
        raise ProtocolBroken(f"what answers at {where} is no program of trueup") from error
    if not isinstance(document.get("healthy"), bool):
        raise ProtocolBroken(f"what answers at {where} is no program of trueup")
    return document


class HealthServer:
    """Serves until it is closed.  A context manager.  Raises `ConfigError` for a port in use."""

    def __init__(self, answers: Answers, *, host: str, port: int) -> None:
        self.port = port
        self._answers = answers
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._started = Event()
        self._failure: OSError | None = None
        self._thread = Thread(target=self._run, name="trueup-health", daemon=True)
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if self._failure is not None:
            self._thread.join()
            raise ConfigError(
                f"health and metrics cannot be served at {host}:{port}: {self._failure.strerror}",
                remedy="Choose another port: metrics.port in config.toml, or --metrics-port.",
            )

    @property
    def address(self) -> str:
        """Where it answers."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def close(self) -> None:
        """Stop answering."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner: web.AppRunner | None = None
        try:
            runner = self._loop.run_until_complete(self._start())
            self._started.set()
            if self._failure is None:
                self._loop.run_forever()
        finally:
            if runner is not None:
                self._loop.run_until_complete(runner.cleanup())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._started.set()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            self._failure = error
            return runner
        self.port = runner.addresses[0][1]
        return runner

    async def _index(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="trueup: /health and /metrics\n")

    async def _health(self, request: web.Request) -> web.Response:
        del request
        document = self._answers.health()
        return web.Response(
            text=json.dumps(document, indent=2, ensure_ascii=False) + "\n",
            status=_HEALTHY if document["healthy"] else _UNWELL,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(body=self._answers.metrics(), headers={"Content-Type": _METRICS_TYPE})
