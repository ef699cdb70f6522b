"""The sandbox inside this process: the built-in world, no keys, no network.

The world's present is a fixed date.  When books of it are made in a home, that is
remembered, and from then on its clock runs at normal speed, so that ages of
figures mean something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from trueup.core.errors import ConfigError
from trueup.core.instant import Instant
from trueup.net.acceptor.house import UNLIMITED
from trueup.net.acceptor.server import SandboxServer
from trueup.net.acceptor.server import Settings as SandboxSettings
from trueup.net.signer import Signer, signer_for
from trueup.net.venues import Endpoint, Venue, resolve_endpoint
from trueup.run.clock import Clock, ShiftedClock, seeded
from trueup.run.config import make_home
from trueup.sim.scenario import DEFAULT_END, DEFAULT_SEED, World, account_world

STATE_NAME: Final = "sandbox.json"


class _State(msgspec.Struct):
    """When the world was first looked at, by the machine's clock."""

    began_at: int


def embedded_clock(home: Path) -> Clock:
    """The clock of the built-in world as this home knows it.

    A home that never used the world sees its first moment; `remember` keeps it.
    """
    state = _read_state(home)
    if state is None:
        return ShiftedClock.starting_at(DEFAULT_END)
    return ShiftedClock(DEFAULT_END - state.began_at)


def built_in_world(seed: int = DEFAULT_SEED, end: Instant = DEFAULT_END) -> World:
    """The built-in account: the same on every machine."""
    return account_world(seeded(seed), end)


class EmbeddedSandbox:
    """A running sandbox of the built-in world, and the key to it."""

    def __init__(self, clock: Clock) -> None:
        # Nobody else shares this exchange: its buckets need not slow down a demonstration.
        self._server = SandboxServer(
            built_in_world(), clock=clock.now, settings=SandboxSettings(limits=UNLIMITED)
        )
        self._server.start()
        pair = self._server.pair
        self.signer: Signer = signer_for(self._server.key_id, pair.private)
        self.endpoint: Endpoint = resolve_endpoint(Venue.SANDBOX, self._server.base_url)

    def close(self) -> None:
        """Stop it."""
        self._server.stop()


def _read_state(home: Path) -> _State | None:
    path = home / STATE_NAME
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=_State)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path} is damaged: {error}", remedy=f"Delete {path}.") from error


def remember(home: Path, clock: Clock) -> None:
    """Note when the world was first used; books of it and its time go on together."""
    path = home / STATE_NAME
    if path.exists() or not isinstance(clock, ShiftedClock):
        return
    make_home(home)
    path.write_bytes(msgspec.json.encode(_State(DEFAULT_END - clock.shift)))
