"""Heartbeats: when to send one, when to ask for one, when to give up on the other side."""

from __future__ import annotations

from enum import StrEnum

from trueup.core.instant import Instant


class Due(StrEnum):
    """What the time asks for."""

    NOTHING = "nothing"
    HEARTBEAT = "heartbeat"
    TEST = "test"
    SILENT = "silent"


class KeepAlive:
    """Watches both directions.  `interval` is in microseconds.

    Nothing heard for the interval and a fifth of it leads to a test request; nothing
    heard for another interval after that is the end.
    """

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self._sent_at = self._heard_at = Instant(0)
        self._tested_at: Instant | None = None

    def start(self, now: Instant) -> None:
        """The connection stands."""
        self._sent_at = self._heard_at = now
        self._tested_at = None

    def sent(self, now: Instant) -> None:
        """We sent something."""
        self._sent_at = now

    def heard(self, now: Instant) -> None:
        """Something came."""
        self._heard_at = now
        self._tested_at = None

    def tested(self, now: Instant) -> None:
        """We asked whether they are there."""
        self._tested_at = now

    def due(self, now: Instant) -> Due:
        """What to do now."""
        if now >= self._silent_at:
            return Due.TEST if self._tested_at is None else Due.SILENT
        return Due.HEARTBEAT if now - self._sent_at >= self.interval else Due.NOTHING

    @property
    def wake_at(self) -> Instant:
        """When something will be due."""
        return Instant(min(self._sent_at + self.interval, self._silent_at))

    @property
    def _silent_at(self) -> int:
        if self._tested_at is not None:
            return self._tested_at + self.interval
        return self._heard_at + self.interval + self.interval // 5
