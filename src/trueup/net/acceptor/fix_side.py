"""What the server knows of FIX: little, for few need it and its dictionary takes time to load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from trueup.net.acceptor.floor import Floor
from trueup.net.acceptor.gate import Clock
from trueup.net.acceptor.keys import KeyRing
from trueup.sim.faults import FaultPlan
from trueup.wire.fix.session_kinds import SessionKind


class FixSide(Protocol):
    """The FIX sessions of one sandbox."""

    @property
    def ports(self) -> Mapping[SessionKind, int]:
        """Where each session listens, once it does."""
        ...

    async def open(self, host: str) -> None:
        """Listen on all ports.  Raises `OSError` when one is taken; then none is open."""
        ...

    async def close(self) -> None:
        """Log everybody out and stop listening."""
        ...

    def drop(self, key_id: str) -> None:
        """Break a client's connection without a word."""
        ...


class FixMaker(Protocol):
    """Makes the FIX side of an exchange (`fix_gateway.fix_side`)."""

    def __call__(
        self,
        floor: Floor,
        keys: KeyRing,
        *,
        clock: Clock,
        world_clock: Clock,
        new_id: Callable[[], str],
        plan: FaultPlan | None = None,
    ) -> FixSide:
        """`clock` judges logons, `world_clock` is the exchange's time, `plan` what goes wrong."""
        ...
