"""The only reader of time, and the only source of chance.

Everything below `run` gets its instants, its sleep and its random numbers from
here, as arguments.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol

from trueup.core.errors import CallerError
from trueup.core.instant import SECOND, Instant

SPEED_MAX: Final = 1_000_000
"""How fast a virtual clock may run: a day of the world in less than a tenth of a second."""


JUMP_MIN: Final = 2 * SECOND
"""Below this a clock is corrected, not set."""


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


class SteadyClock:
    """The machine's time that never goes back: for whoever waits for instants.

    A clock that is set back would leave every alarm in the far future.  So this one goes
    on at the pace of the monotonic clock until the machine's time has caught up; a clock
    that is set forward (or a machine that slept) is followed at once.  `jumped` hears by
    how many microseconds the machine's clock was set back or forward.
    """

    def __init__(
        self,
        *,
        machine: Clock | None = None,
        monotonic: Callable[[], int] = time.monotonic_ns,
        jumped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._machine: Clock = SystemClock() if machine is None else machine
        self._monotonic = monotonic
        self.jumped = jumped
        self._shown = self._machine.now()
        self._wall = self._shown
        self._at = monotonic()

    @property
    def ahead(self) -> int:
        """By how many microseconds it last ran ahead of a machine's clock that was set back."""
        return self._shown - self._wall

    def now(self) -> Instant:
        """The present instant, never before one that was shown."""
        wall, at = self._machine.now(), self._monotonic()
        passed = (at - self._at) // 1000
        jump = wall - self._wall - passed
        self._shown = Instant(max(wall, self._shown + max(0, passed)))
        self._wall, self._at = wall, at
        if abs(jump) > JUMP_MIN:
            self.jumped(jump)
        return self._shown

    def sleep(self, microseconds: int) -> None:
        """Wait for real."""
        self._machine.sleep(microseconds)


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


class VirtualClock:
    """The time of a sandbox world: at normal speed, at several times it, or stepped.

    It shows `start` when it is made.  From then on a microsecond of the machine
    is `speed` microseconds of the world; at speed 0 it stands still until
    `advance`.  Time never goes back except by `rewind`, which the caller must
    follow by putting the world back as well.  Safe to use from several threads.
    """

    def __init__(self, start: Instant, *, speed: int = 1, machine: Clock | None = None) -> None:
        self._machine: Clock = SystemClock() if machine is None else machine
        self._lock = Lock()
        self._speed = _checked_speed(speed)
        self._shown = start
        self._since = self._machine.now()

    @property
    def speed(self) -> int:
        """How many times faster than the machine; 0 is stepped."""
        return self._speed

    def now(self) -> Instant:
        """The world's present instant."""
        with self._lock:
            return self._present()

    def sleep(self, microseconds: int) -> None:
        """Wait for so much of the world's time; a stepped clock moves on at once."""
        if self._speed:
            self._machine.sleep(-(-microseconds // self._speed))
        else:
            self.advance(microseconds)

    def advance(self, microseconds: int) -> Instant:
        """Let so much more of the world's time have passed; returns the new present."""
        if microseconds < 0:
            raise CallerError("time does not go back", remedy="Give a time of zero or more.")
        with self._lock:
            self._settle(Instant(self._present() + microseconds))
            return self._shown

    def set_speed(self, speed: int) -> None:
        """Go on at another speed from now; 0 stops the clock until `advance`."""
        with self._lock:
            self._settle(self._present())
            self._speed = _checked_speed(speed)

    def rewind(self, to: Instant) -> None:
        """Show `to` from now on: for a world that was put back to an earlier state."""
        with self._lock:
            self._settle(to)

    def _present(self) -> Instant:
        # The machine's own clock may be set back; the world's time stands still then.
        passed = max(0, self._machine.now() - self._since)
        return Instant(self._shown + passed * self._speed)

    def _settle(self, shown: Instant) -> None:
        self._shown, self._since = shown, self._machine.now()


def _checked_speed(speed: int) -> int:
    if not 0 <= speed <= SPEED_MAX:
        raise CallerError(
            f"a clock cannot run at {speed} times normal speed",
            remedy=f"Use a whole number from 0 (stepped) to {SPEED_MAX}.",
        )
    return speed


def seeded(seed: int | str) -> random.Random:
    """A random generator that always gives the same numbers for the same seed."""
    return random.Random(seed)  # noqa: S311  # scenarios and jitter, not secrets


def unseeded() -> random.Random:
    """A random generator for jitter."""
    return random.Random()  # noqa: S311  # jitter, not secrets
