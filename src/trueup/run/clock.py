"""The only reader of time, and the only source of chance.

Everything below `run` gets its instants, its sleep and its random numbers from
here, as arguments.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Protocol

from trueup.core.instant import SECOND, Instant


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> Instant:
        """The present instant."""
        ...

    def sleep(self, microseconds: int) -> None:
        """Wait so long; may return early only by an exception."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Instant:
        """The machine's present instant."""
        return Instant(time.time_ns() // 1000)

    def sleep(self, microseconds: int) -> None:
        """Wait for real."""
        time.sleep(microseconds / SECOND)


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """A real clock that runs at another date: the built-in sandbox world's time."""

    shift: int
    """Microseconds added to the machine's time."""

    @classmethod
    def starting_at(cls, start: Instant) -> ShiftedClock:
        """A clock that shows `start` now and goes on at normal speed."""
        return cls(start - SystemClock().now())

    def now(self) -> Instant:
        """The shifted instant."""
        return Instant(SystemClock().now() + self.shift)

    def sleep(self, microseconds: int) -> None:
        """Wait for real."""
        time.sleep(microseconds / SECOND)


@dataclass(slots=True)
class ManualClock:
    """A clock for tests: it stands still, and sleeping moves it."""

    instant: Instant

    def now(self) -> Instant:
        """The instant it was set to."""
        return self.instant

    def sleep(self, microseconds: int) -> None:
        """Move on without waiting."""
        self.instant = Instant(self.instant + microseconds)


def seeded(seed: int) -> random.Random:
    """A random generator that always gives the same numbers for the same seed."""
    return random.Random(seed)  # noqa: S311  # scenarios and jitter, not secrets


def unseeded() -> random.Random:
    """A random generator for jitter."""
    return random.Random()  # noqa: S311  # jitter, not secrets
