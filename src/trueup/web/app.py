"""The dashboard put together: settings, safety, routes, and the server that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from html import escape
from typing import Final, cast

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from nicegui import app as library
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware

from trueup.core.errors import ConfigError
from trueup.run.books.account import Account
from trueup.run.clock import SystemClock
from trueup.run.desk import DeskSettings
from trueup.run.sandbox.companions import Companions
from trueup.web.actions import Actions
from trueup.web.api import add_api
from trueup.web.bot_link import BotLink
from trueup.web.exchange import Exchange
from trueup.web.exports import add_exports
from trueup.web.frame import STATIC
from trueup.web.guard import Application, Guard, Prefixed
from trueup.web.live import Hub
from trueup.web.login import add_login
from trueup.web.pages import (
    arbitrage,
    bot,
    market,
    markets,
    orders,
    overview,
    position,
    positions,
    reconciliation,
    records,
    reports,
    settlements,
    system,
)
from trueup.web.reading import BooksReader
from trueup.web.security import Safety, is_loopback, read_password_hash
from trueup.web.site import Site, SiteOptions
from trueup.web.values.earnings import earnings

_PAGES: Final = (
    *(overview, positions, position, orders, settlements, reconciliation, records),
    *(markets, market, arbitrage, bot, reports, system),
)
FAVICON: Final = STATIC / "favicon.svg"
_MOMENT: Final = 0.02
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def safety_of(
    settings: DeskSettings, options: SiteOptions, *, hosts: frozenset[str], user: str
) -> Safety:
    """How this dashboard is protected.  Raises `ConfigError` for one that would stand open."""
    password_hash = read_password_hash(settings.environment, settings.home)
    if not is_loopback(options.host) and not password_hash:
        raise ConfigError(
            f"the page would be open to everybody who reaches {options.host}",
            remedy="Set a password first: trueup web --set-password. Or stay on 127.0.0.1.",
        )
    names = hosts | _LOOPBACK_NAMES
    if not is_loopback(options.host) and options.host not in {"0.0.0.0", "::"}:  # noqa: S104
        names |= {options.host.lower()}
    return Safety(
        hosts=names,
        password_hash=password_hash,
        api_token=settings.environment.get("TRUEUP_API_TOKEN", ""),
        user=user,
    )


def build(site: Site) -> Application:
    """The whole application; one in a process, for the page library knows only one."""
    application = FastAPI(
        title="trueup", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(site)
    )
    application.mount("/static", StaticFiles(directory=STATIC))
    add_login(application, site)
    add_api(application, site)
    add_exports(application, site)
    for page in _PAGES:
        page.register(site)
    _say_what_is_missing(site)
    # A bar that appears by itself whenever something is read would never rest here.
    quasar = cast("dict[str, object]", library.config.quasar_config)  # pyright: ignore[reportUnknownMemberType]
    quasar["loadingBar"] = {"skipHijack": True}
    ui.run_with(  # pyright: ignore[reportUnknownMemberType]
        application,
        title="trueup",
        favicon=FAVICON,
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        binding_refresh_interval=None,
        reconnect_timeout=10.0,
        gzip_middleware_factory=None,
    )
    guarded = Guard(
        cast("Application", application),
        safety=site.safety,
        sessions=site.sessions,
        clock=SystemClock(),
    )
    zipped = GZipMiddleware(cast("Callable[..., object]", guarded), minimum_size=1_000)  # type: ignore[arg-type]
    return Prefixed(cast("Application", zipped), site.options.path_prefix)


_MISSING: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No such page · trueup</title><link rel="icon" href="{prefix}/static/favicon.svg">
<link rel="stylesheet" href="{prefix}/static/trueup.css">
<script src="{prefix}/static/trueup.js" data-prefix="{prefix}" data-now="0"></script></head>
<body><main class="empty"><h1>There is no such page</h1>
<p>The address may be of an older version, or mistyped.</p>
<p><a href="{prefix}/">Overview</a></p></main></body></html>"""


def _say_what_is_missing(site: Site) -> None:
    """A page of our own for addresses that are none; programs get it as JSON."""
    text = _MISSING.format(prefix=escape(site.options.path_prefix, quote=True))

    async def missing(request: Request, error: Exception) -> Response:
        del error
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(text, status_code=404)
        return JSONResponse({"error": "there is no such address"}, status_code=404)

    library.add_exception_handler(404, missing)


def _lifespan(site: Site) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncGenerator[None]:
        del application
        await site.reader.look()
        site.hub.start()
        site.bot.start()
        warm(site.reader)
        try:
            yield
        finally:
            await site.exchange.stop()
            await site.bot.stop()
            await site.hub.stop()
            site.reader.close()

    return lifespan


def warm(reader: BooksReader) -> None:
    """Ask what takes longest before anybody opens a page."""
    reader.latest("earnings", earnings)
    reader.latest("judgement", Account.judge)


def serve(
    settings: DeskSettings,
    options: SiteOptions,
    *,
    safety: Safety,
    started: Callable[[str], None],
    companions: Companions | None = None,
) -> None:
    """Serve until interrupted, which is its normal end; `started` hears the address once it can be opened.

    Raises `ConfigError` for a port that is taken.
    """
    site = site_of(settings, options, safety=safety, companions=companions)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(site, started))


def site_of(
    settings: DeskSettings,
    options: SiteOptions,
    *,
    safety: Safety,
    companions: Companions | None = None,
) -> Site:
    """Everything that the pages are made from."""
    reader = BooksReader(settings)
    hub = Hub(reader)
    link = BotLink(settings, hub.note)
    return Site(
        settings=settings,
        options=options,
        reader=reader,
        hub=hub,
        bot=link,
        exchange=Exchange(settings, hub.note),
        actions=Actions(
            settings, link, who=safety.user, read_only=options.read_only, live=options.live
        ),
        safety=safety,
        companions=companions,
    )


async def _serve(site: Site, started: Callable[[str], None]) -> None:
    options = site.options
    config = uvicorn.Config(
        build(site),  # type: ignore[arg-type]
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=2,
        ws_max_size=1 << 20,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started and not running.done():  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(_MOMENT)
    if not server.started:
        raise ConfigError(
            f"the page cannot listen on {options.host}, port {options.port}",
            remedy="Choose another --port, or 0 for any free one.",
        )
    port = server.servers[0].sockets[0].getsockname()[1]
    shown = f"[{options.host}]" if ":" in options.host else options.host
    started(f"http://{shown}:{port}{options.path_prefix}/")
    await running
