"""Values that change, remembered with the time of each change.

The exchange's truth can be asked for any instant of the past, so everything
that changes is kept as a history.  Changes arrive in time order; of several at
one instant the last one counts.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from trueup.core.errors import InvariantBroken
from trueup.core.instant import Instant
from trueup.core.units import Money

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Past(Protocol[T_co]):
    """Anything that can say what it was at an instant."""

    def latest(self) -> T_co | None:
        """The value now, or `None` before the first change."""
        ...

    def at(self, instant: Instant, /) -> T_co | None:
        """The value at `instant`, or `None` before the first change."""
        ...

    def since(self, instant: Instant, /) -> Instant | None:
        """When the value that held at `instant` came about."""
        ...


class History(Generic[T]):
    """All values that one thing ever had."""

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._times: list[Instant] = []
        self._values: list[T] = []

    def __len__(self) -> int:
        return len(self._values)

    def record(self, at: Instant, value: T) -> None:
        """The value from `at` on."""
        if self._times and at < self._times[-1]:
            message = f"a change at {at} was recorded after one at {self._times[-1]}"
            raise InvariantBroken(message)
        self._times.append(at)
        self._values.append(value)

    def latest(self) -> T | None:
        """The value now, or `None` before the first change."""
        return self._values[-1] if self._values else None

    def at(self, instant: Instant, /) -> T | None:
        """The value at `instant`, or `None` before the first change."""
        if self._times and instant >= self._times[-1]:
            return self._values[-1]
        place = bisect_right(self._times, instant)
        return self._values[place - 1] if place else None

    def since(self, instant: Instant, /) -> Instant | None:
        """When the value that held at `instant` came about."""
        place = bisect_right(self._times, instant)
        return self._times[place - 1] if place else None

    def between(self, since: Instant, until: Instant) -> Iterator[tuple[Instant, T]]:
        """The value that held at `since`, and every change after it before `until`."""
        first = max(0, bisect_right(self._times, since) - 1)
        for place in range(first, bisect_left(self._times, until)):
            yield self._times[place], self._values[place]

    def forget(self, before: Instant) -> None:
        """Drop what had been replaced before `before`."""
        place = bisect_right(self._times, before) - 1
        if place > 0:
            del self._times[:place], self._values[:place]


class CashBook:
    """The cash of one subaccount on one shard, as a running total.

    `units` is the cash now and `held` what resting orders tie up of it now,
    both in `Money` units.  Without a history only the present can be asked for.
    """

    __slots__ = ("_times", "_totals", "held", "units")

    def __init__(self, *, history: bool = True) -> None:
        self.units = 0
        self.held = 0
        self._times = array("q")
        self._totals = array("q") if history else None

    def move(self, at: Instant, units: int) -> None:
        """Add `units` (negative: take away) at `at`."""
        self.units += units
        times, totals = self._times, self._totals
        if totals is None:
            return
        if times:
            if times[-1] == at:
                totals[-1] = self.units
                return
            if at < times[-1]:
                raise InvariantBroken(f"cash moved at {at}, after a movement at {times[-1]}")
        times.append(at)
        totals.append(self.units)

    def latest(self) -> Money:
        """The cash after everything that has happened so far."""
        return Money(self.units)

    def at(self, instant: Instant) -> Money:
        """The cash after everything up to and including `instant`."""
        times, totals = self._times, self._totals
        if totals is None or (times and instant >= times[-1]):
            return Money(self.units)
        place = bisect_right(times, instant)
        return Money(totals[place - 1] if place else 0)

    def changed_at(self, instant: Instant) -> Instant | None:
        """The last movement up to `instant`, or `None` when there was none."""
        place = bisect_right(self._times, instant)
        return Instant(self._times[place - 1]) if place else None

    def forget(self, before: Instant) -> None:
        """Drop what had been replaced before `before`."""
        if self._totals is None:
            return
        place = bisect_right(self._times, before) - 1
        if place > 0:
            del self._times[:place], self._totals[:place]
