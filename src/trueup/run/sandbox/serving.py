"""Serving the sandbox to other programs until it is stopped."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError
from trueup.core.instant import MINUTE, Instant
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.keys import KeyPair, RegisteredKey, new_ed25519_pair
from trueup.net.acceptor.living import Living
from trueup.net.acceptor.recordings import load_recording
from trueup.net.acceptor.rest import Stations
from trueup.net.acceptor.server import DEMO_KEY_ID, HOST, Settings, serve, stations
from trueup.net.keys import load_key
from trueup.net.loops import loop_factory
from trueup.net.secret import Secret
from trueup.run.archive.recorded_books import is_stream_folder
from trueup.run.clock import ShiftedClock, SystemClock, seeded
from trueup.run.fix.sandbox import with_fix
from trueup.run.private_files import write_private_file
from trueup.run.sandbox.living import HOME_WORLD, Wish, identifiers, prepare, replay
from trueup.sim.bot_database import SCHEMA, bot_database
from trueup.sim.commands import Member
from trueup.sim.faults import fault
from trueup.sim.living.world import LivingWorld
from trueup.sim.recorded import Recording
from trueup.sim.scenario import (
    DEFAULT_SEED,
    JUNE_END,
    MARCH_END,
    OLD_END,
    World,
    account_world,
)
from trueup.wire.fix.session_kinds import SessionKind
from trueup.wire.signing import REST_PREFIX, WEBSOCKET_PATH

_ENDS: Final = {
    Personality.OLD: OLD_END,
    Personality.MARCH_2026: MARCH_END,
    Personality.JUNE_2026: JUNE_END,
}
"""An old form shows a world of its own time."""


ACCOUNT_WORLD: Final = "account"
"""The built-in account alone: a past, and nobody who trades."""

CONTROL_VARIABLE: Final = "TRUEUP_CONTROL_TOKEN"
_TOKEN_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class Served:
    """Where a started sandbox is, and what opens it.  Without a token it cannot be steered.

    `fix_ports` are those of the FIX sessions by their names; clients must trust
    `fix_certificate`.
    """

    base_url: str
    websocket_url: str
    key_id: str
    key_file: Path
    bot_database: str
    words: str
    token: str
    token_file: Path | None
    others: tuple[tuple[str, Path], ...] = ()
    """Key ids and key files of a scenario's further accounts."""
    fix_ports: dict[str, int] = field(default_factory=dict[str, int])
    fix_certificate: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeWish:
    """What is to be served.  At most one of `world`, `scenario` and `folder` is named.

    Without any it is the built-in account in a living market; with an older
    `personality` the account alone, for the old forms cannot say all that a
    market of today does.  With `fix_port` there are FIX sessions from that port on (0 takes
    free ones), whose settlement reports have the form `fix_reports` and `fix_page_size`
    parties on a page.
    """

    port: int
    fix_port: int | None = None
    fix_reports: str = "present"
    fix_page_size: int = 50
    world: str = ""
    scenario: Path | None = None
    folder: Path | None = None
    seed: int | None = None
    speed: int | None = None
    density: int | None = None
    mishap_rate: int = 100
    faults: tuple[str, ...] = ()
    personality: str = "present"
    key_file: Path
    token: str = ""
    bot_database: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    """What answers, by which clock, and what that is in words."""

    source: World | Recording | Living
    clock: Callable[[], Instant]
    words: str
    history: World | None = None


def serve_sandbox(wish: ServeWish, started: Callable[[Served], None]) -> None:
    """Serve until interrupted (Ctrl-C, SIGTERM); `started` hears where, once the port is open.

    Raises `ConfigError` for a taken port, an unknown world or personality, a
    mistake in a scenario, a folder that is no recording, or a key file that holds
    something else.
    """
    form = _personality(wish.personality)
    token = wish.token or secrets.token_urlsafe(_TOKEN_BYTES)
    found = _source(wish, form, token)
    pair = _key_pair(wish.key_file)
    others = _further_keys(found.source, wish.key_file)
    if wish.bot_database:
        if found.history is None:
            raise ConfigError(
                "only the built-in account has a bot whose table could be written",
                remedy=f"Serve --world {ACCOUNT_WORLD}, or no other world at all.",
            )
        write_bot_database(Path(wish.bot_database), found.history, seed=wish.seed or DEFAULT_SEED)
    settings, certificate = Settings(personality=form), None
    if wish.fix_port is not None:
        settings, certificate = with_fix(
            settings,
            wish.key_file,
            wish.fix_port,
            reports=wish.fix_reports,
            page_size=wish.fix_page_size,
        )
    token_file = None
    if isinstance(found.source, Living):
        settings = replace(settings, new_id=identifiers(found.source.seed))
        token_file = _token_file(wish.key_file, token)
    served = stations(
        found.source,
        (pair.registered, *(one.registered for one, _ in others)),
        settings,
        clock=found.clock,
        wall_clock=SystemClock().now,
    )

    def told(port: int) -> None:
        started(
            Served(
                base_url=f"http://{HOST}:{port}{REST_PREFIX}",
                websocket_url=f"ws://{HOST}:{port}{WEBSOCKET_PATH}",
                key_id=pair.registered.key_id,
                key_file=wish.key_file.resolve(),
                bot_database=wish.bot_database,
                words=found.words,
                token="" if token_file is None else token,
                token_file=token_file,
                others=tuple((one.registered.key_id, path) for one, path in others),
                fix_ports={} if served.fix is None else _by_name(served.fix.ports),
                fix_certificate=certificate,
            )
        )

    try:
        _run(served, wish.port, told)
    finally:
        if token_file is not None:
            token_file.unlink(missing_ok=True)


def _run(served: Stations, port: int, told: Callable[[int], None]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[int] = loop.create_future()
        server = asyncio.create_task(serve(served, port, started=opened))
        # Service managers and containers stop a program with SIGTERM.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, server.cancel)
        await asyncio.wait((server, opened), return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            await server
        told(opened.result())
        await server

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(run())
        except OSError as error:
            raise ConfigError(
                f"the sandbox cannot listen on port {port}: {error.strerror}",
                remedy="Choose another --port, or 0 for any free one.",
            ) from error


def _source(wish: ServeWish, form: Personality, token: str) -> _Source:
    named = [bool(wish.world), wish.scenario is not None, wish.folder is not None]
    if sum(named) > 1:
        raise ConfigError(
            "one sandbox serves one thing: a world, a scenario or a folder of recordings",
            remedy="Name one of them.",
        )
    faults = tuple(fault(name) for name in wish.faults)
    if wish.folder is not None and is_stream_folder(wish.folder):
        _expect_new_form(form)
        played = Wish(seed=wish.seed, speed=wish.speed, faults=faults, token=token)
        prepared = replay(wish.folder, played)
        return _Source(prepared.living, SystemClock().now, prepared.words)
    if wish.folder is not None:
        words = f"recorded answers from {wish.folder}"
        return _Source(load_recording(wish.folder), SystemClock().now, words)
    is_old = form is not Personality.PRESENT
    if wish.world == ACCOUNT_WORLD or (is_old and not any(named)):
        return _account(wish, form)
    _expect_new_form(form)
    prepared = prepare(
        Wish(
            world=wish.world or HOME_WORLD,
            scenario=wish.scenario,
            seed=wish.seed,
            speed=wish.speed,
            density=wish.density,
            mishap_rate=wish.mishap_rate,
            with_history=not any(named),
            faults=faults,
            token=token,
        )
    )
    return _Source(prepared.living, SystemClock().now, prepared.words, prepared.history)


def _expect_new_form(form: Personality) -> None:
    if form is Personality.OLD:
        raise ConfigError(
            "the form of 2025 cannot say what a living market does",
            remedy=f"Serve --world {ACCOUNT_WORLD}, or a later personality.",
        )


def _account(wish: ServeWish, form: Personality) -> _Source:
    """The built-in account alone, at a time that fits the form."""
    if wish.faults or wish.speed is not None or wish.density is not None:
        raise ConfigError(
            "the built-in account alone has no clock to speed up, no market and no faults",
            remedy="Serve another --world.",
        )
    seed = wish.seed or DEFAULT_SEED
    end = _ENDS.get(form) or _recently(SystemClock().now())
    world = account_world(seeded(seed), end, whole_contracts=form is Personality.OLD)
    words = f"the built-in account alone, seed {seed}"
    return _Source(world, ShiftedClock.starting_at(end).now, words, world)


def _token_file(key_file: Path, token: str) -> Path:
    """The control token beside the key, for commands on this machine."""
    path = token_path(key_file)
    try:
        path.unlink(missing_ok=True)
        write_private_file(path, token.encode())
    except OSError as error:
        raise ConfigError(
            f"the token file {path} cannot be written: {error.strerror}",
            remedy="Name another --key-file.",
        ) from error
    return path.resolve()


def token_path(key_file: Path) -> Path:
    """Where the control token of a sandbox with this key file lies while it runs."""
    return key_file.with_suffix(".token")


def _further_keys(source: World | Recording | Living, key_file: Path) -> list[tuple[KeyPair, Path]]:
    """A key for each further account of a scenario; its id is the account's name."""
    if not isinstance(source, Living) or not isinstance(source.world, LivingWorld):
        return []
    found: list[tuple[KeyPair, Path]] = []
    for account in source.world.opening.accounts[1:]:
        path = key_file.with_name(f"{key_file.stem}-{account.member}{key_file.suffix}")
        pair = _key_pair(path, account.member, account.member)
        found.append((pair, path.resolve()))
    return found


def _by_name(ports: Mapping[SessionKind, int]) -> dict[str, int]:
    return {kind.value: port for kind, port in ports.items()}


def _key_pair(path: Path, key_id: str = DEMO_KEY_ID, member: Member | None = None) -> KeyPair:
    """The key in a file that is there already, or a new one that is written there.

    So a sandbox that is started again knows its clients, and nobody's file is lost.
    """
    try:
        if path.exists():
            private = load_key(Secret(path.read_bytes()), passphrase=None, origin=str(path))
            public = RegisteredKey(key_id=key_id, public=private.public_key(), member=member)
            return KeyPair(public, private)
        pair = new_ed25519_pair(key_id, member=member)
        write_private_file(path, pair.pem)
    except OSError as error:
        raise ConfigError(
            f"the key file {path} cannot be used: {error.strerror}",
            remedy="Name another --key-file.",
        ) from error
    return pair


def write_bot_database(path: Path, world: World, *, seed: int = DEFAULT_SEED) -> None:
    """Write the SQLite file that the world's bot keeps of its own trades, faults and all.

    Raises `ConfigError` when the file exists: it might be somebody's real one.
    """
    if path.exists():
        raise ConfigError(f"{path} exists already.", remedy="Name a new file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [trade.sql_values() for trade in bot_database(world, seeded(seed)).trades]
    places = ", ".join("?" * len(rows[0]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(SCHEMA)
        connection.executemany(f"INSERT INTO trades VALUES ({places})", rows)  # noqa: S608


def _personality(name: str) -> Personality:
    try:
        return Personality(name)
    except ValueError:
        known = ", ".join(each.value for each in Personality)
        raise ConfigError(f"there is no personality {name!r}", remedy=f"Use {known}.") from None


def _recently(now: Instant) -> Instant:
    """The minute that just began: the world's history ends in the client's present."""
    return Instant(now - now % MINUTE)
