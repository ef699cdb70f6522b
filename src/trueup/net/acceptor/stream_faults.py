"""The faults of streams: messages that are lost, doubled, held back, or never come.

A session has numbered a message before it gets here, so a lost one leaves a gap
in its subscription, as at the exchange.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from trueup.net.acceptor.gate import Clock
from trueup.net.acceptor.stream import Connection
from trueup.sim.faults import FaultPlan, FrameFate
from trueup.wire.ws.publication import Publication


class FaultyDelivery:
    """Hands messages to connections as a plan decides."""

    def __init__(self, plan: FaultPlan, world_clock: Clock) -> None:
        self._plan = plan
        self._world_clock = world_clock
        self._held: WeakKeyDictionary[Connection, list[bytes]] = WeakKeyDictionary()

    def __call__(
        self, connection: Connection, publication: Publication, frames: list[bytes]
    ) -> None:
        """Deliver one message, more or less."""
        fate = self._plan.frame_fate(
            self._world_clock(), publication.ticker or "", has_sequence=publication.sequenced
        )
        if fate in {FrameFate.LOST, FrameFate.STALLED}:
            return
        if fate is FrameFate.HELD and connection not in self._held:
            self._held[connection] = frames
            return
        if fate is FrameFate.TWICE:
            frames = frames * 2
        held = self._held.pop(connection, [])
        connection.tell([*frames, *held], publication.channel)
        if fate is FrameFate.CUT:
            connection.cut()
