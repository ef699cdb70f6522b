"""Which exchange a bot trades at: the account's venue, or a living world made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from trueup.core.units import Money
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as SandboxSettings
from trueup.net.client import AsyncClient, open_async_client
from trueup.net.session import Event, Options, ignore_event
from trueup.net.signer import Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.bot.live_feeds import Scope
from trueup.run.clients import sleep_on_the_loop
from trueup.run.clock import SystemClock, unseeded
from trueup.run.desk import Desk, DeskSettings
from trueup.run.paper.accounts import DEPOSIT, last_kept_at, serve_paper
from trueup.run.paper.listener import PaperListener
from trueup.run.sandbox.living import LIVELY, prepare
from trueup.run.sandbox.living import Wish as WorldWish
from trueup.sim.living.built_in import DEFAULT_WORLD
from trueup.store.opening import take_away


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperMarket:
    """What a paper account mirrors, and what it begins with."""

    scope: Scope = field(default_factory=Scope)
    deposit: Money = DEPOSIT


@dataclass(frozen=True, slots=True)
class Reach:
    """Where to send requests, who signs them, and what it is in words."""

    endpoint: Endpoint
    signer: Signer
    words: str
    fix_ports: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of a world that was started here, by the names of the sessions."""
    fix_certificate: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What another process needs beside our own environment to reach the same account."""


def reach_exchange(
    settings: DeskSettings,
    stack: ExitStack,
    *,
    world: str = DEFAULT_WORLD,
    seed: int | None = None,
    fix: bool = False,
    market: PaperMarket | None = None,
) -> Reach:
    """The account's exchange; on the sandbox without an address a world is started for it, if
    need be with FIX sessions.

    A paper account listens to the exchange of the account beside it, to the markets of
    `market`.  What was started ends with `stack`.  Raises `ConfigError` when a key is missing.
    """
    if settings.is_paper:
        return _reach_on_paper(settings, stack, world=world, seed=seed, market=market)
    if not settings.is_embedded:
        desk = stack.enter_context(Desk(settings))
        endpoint, signer = desk.reach()
        return Reach(endpoint, signer, f"{settings.config.venue}, {endpoint.base_url}")
    prepared = prepare(WorldWish(world=world, seed=seed, start=SystemClock().now(), density=LIVELY))
    # Ids are not drawn from the seed: the intent log outlives the world, and must not take
    # the orders of the next one for its own.
    terms, certificate = SandboxSettings(limits=UNLIMITED), None
    if fix:
        # Few need it, and its dictionary takes time to load.
        from trueup.run.fix.sandbox import with_fix  # noqa: PLC0415

        folder = stack.enter_context(TemporaryDirectory(prefix="trueup-fix-"))
        terms, certificate = with_fix(terms, Path(folder) / "sandbox")
    server = SandboxServer(prepared.living, clock=SystemClock().now, settings=terms)
    server.start()
    stack.callback(server.stop)
    endpoint = resolve_endpoint(Venue.SANDBOX, server.base_url)
    # A world of its own has books of its own; those of the last one would not fit it.
    books = settings.home / "books" / f"sandbox-bot-{settings.config.account}.db"
    take_away(books)
    return Reach(
        endpoint,
        signer_for(server.key_id, server.pair.private),
        prepared.words,
        fix_ports={} if server.fix is None else {k.value: p for k, p in server.fix.ports.items()},
        fix_certificate=certificate,
        environment={
            "TRUEUP_BASE_URL": server.base_url,
            "TRUEUP_DATABASE": str(books),
            "KALSHI_API_KEY_ID": server.key_id,
            "KALSHI_PRIVATE_KEY": server.pair.pem.decode(),
        },
    )


def _reach_on_paper(
    settings: DeskSettings,
    stack: ExitStack,
    *,
    world: str,
    seed: int | None,
    market: PaperMarket | None,
) -> Reach:
    """The real exchange is listened to; the account, and whatever is sent, stays here."""
    real = reach_exchange(settings.off_paper(), stack, world=world, seed=seed)
    wanted = market or PaperMarket()
    path = settings.paper_path
    listener = PaperListener(
        real.endpoint,
        real.signer,
        wanted.scope,
        since=last_kept_at(path) if path.exists() else None,
    )
    stack.callback(listener.stop)
    first = listener.start()
    paper = serve_paper(
        path, stack, precision=settings.precision, deposit=wanted.deposit, first=first
    )
    listener.follow(paper.world.inbox.append, lambda: paper.world.held)
    words = f"paper beside {real.words}: {len(first)} markets are mirrored, no order leaves"
    return Reach(paper.endpoint, paper.signer, words)


def open_reading_client(
    settings: DeskSettings, stack: ExitStack, *, on_event: Callable[[Event], None] = ignore_event
) -> AsyncClient:
    """A client that only reads, for who records; where a bot would trade a living world, of that.

    What was started ends with `stack`; the client is to be closed by the caller.
    """
    reach = reach_exchange(settings, stack)
    return open_async_client(
        reach.endpoint,
        reach.signer,
        clock=SystemClock().now,
        sleep=sleep_on_the_loop,
        chance=unseeded(),
        options=Options(on_event=on_event, why_read_only=lambda: "it only records"),
    )
