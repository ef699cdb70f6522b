"""Serving the sandbox to other programs until it is stopped."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trueup.core.errors import ConfigError
from trueup.core.instant import MINUTE, Instant
from trueup.net.acceptor.forms import Personality
from trueup.net.acceptor.keys import KeyPair, RegisteredKey, new_ed25519_pair
from trueup.net.acceptor.recordings import load_recording
from trueup.net.acceptor.server import DEMO_KEY_ID, HOST, Settings, serve, stations
from trueup.net.keys import load_key
from trueup.net.secret import Secret
from trueup.run.clock import ShiftedClock, SystemClock, seeded
from trueup.sim.bot_database import SCHEMA, bot_database
from trueup.sim.recorded import Recording
from trueup.sim.scenario import (
    DEFAULT_SEED,
    JUNE_END,
    MARCH_END,
    OLD_END,
    World,
    account_world,
)
from trueup.wire.signing import REST_PREFIX

_ENDS: Final = {
    Personality.OLD: OLD_END,
    Personality.MARCH_2026: MARCH_END,
    Personality.JUNE_2026: JUNE_END,
}
"""An old form shows a world of its own time."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where a started sandbox is, and what opens it."""

    base_url: str
    key_id: str
    key_file: Path
    bot_database: str
    words: str


def serve_sandbox(
    *,
    port: int,
    folder: Path | None,
    seed: int,
    personality: str,
    key_file: Path,
    bot_database: str,
    started: Callable[[Served], None],
) -> None:
    """Serve until interrupted; `started` hears where, once the port is open.

    Raises `ConfigError` for a taken port, an unknown personality, a folder that
    is no recording, or a key file that holds something else.
    """
    form = _personality(personality)
    clock = SystemClock()
    source: World | Recording
    if folder is not None:
        source, words = load_recording(folder), f"recorded answers from {folder}"
        shown = clock.now
    else:
        end = _ENDS.get(form) or _recently(clock.now())
        source = account_world(
            seeded(seed or DEFAULT_SEED), end, whole_contracts=form is Personality.OLD
        )
        shown = ShiftedClock.starting_at(end).now
        words = f"the built-in world, seed {seed or DEFAULT_SEED}: no real money anywhere"
    pair = _key_pair(key_file)
    key_path = key_file.resolve()
    if bot_database and isinstance(source, World):
        write_bot_database(Path(bot_database), source, seed=seed or DEFAULT_SEED)
    served = stations(
        source,
        (pair.registered,),
        Settings(personality=form),
        clock=shown,
        wall_clock=clock.now,
    )

    async def run() -> None:
        opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve(served, port, started=opened))
        await asyncio.wait((server, opened), return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            await server
        started(
            Served(
                f"http://{HOST}:{opened.result()}{REST_PREFIX}",
                pair.registered.key_id,
                key_path,
                bot_database,
                words,
            )
        )
        await server

    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(run())
        except OSError as error:
            raise ConfigError(
                f"the sandbox cannot listen on port {port}: {error.strerror}",
                remedy="Choose another --port, or 0 for any free one.",
            ) from error


def _key_pair(path: Path) -> KeyPair:
    """The key in a file that is there already, or a new one that is written there.

    So a sandbox that is started again knows its clients, and nobody's file is lost.
    """
    try:
        if path.exists():
            private = load_key(Secret(path.read_bytes()), passphrase=None, origin=str(path))
            public = RegisteredKey(key_id=DEMO_KEY_ID, public=private.public_key())
            return KeyPair(public, private)
        pair = new_ed25519_pair(DEMO_KEY_ID)
        write_private_file(path, pair.pem)
    except OSError as error:
        raise ConfigError(
            f"the key file {path} cannot be used: {error.strerror}",
            remedy="Name another --key-file.",
        ) from error
    return pair


def write_private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read.  Raises `OSError`, also when it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


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
