"""Values that change, remembered with the time of each change.

The exchange's truth can be asked for any instant of the past, so everything
that changes is kept as a history.  Changes arrive in time order; of several at
one instant the last one counts.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Generic, TypeVar

from trueup.core.errors import InvariantBroken
from trueup.core.instant import Instant
from trueup.core.units import ZERO_MONEY, Money

T = TypeVar("T")


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

    def at(self, instant: Instant) -> T | None:
        """The value at `instant`, or `None` before the first change."""
        if self._times and instant >= self._times[-1]:
            return self._values[-1]
        place = bisect_right(self._times, instant)
        return self._values[place - 1] if place else None

    def since(self, instant: Instant) -> Instant | None:
        """When the value that held at `instant` came about."""
        place = bisect_right(self._times, instant)
        return self._times[place - 1] if place else None


class CashBook:
    """The cash of one subaccount on one shard, as a running total."""

    __slots__ = ("_history",)

    def __init__(self) -> None:
        self._history: History[Money] = History()

    def move(self, at: Instant, amount: Money) -> None:
        """Add `amount` (negative: take away) at `at`."""
        self._history.record(at, self.latest() + amount)

    def latest(self) -> Money:
        """The cash after everything that has happened so far."""
        return self._history.latest() or ZERO_MONEY

    def at(self, instant: Instant) -> Money:
        """The cash after everything up to and including `instant`."""
        return self._history.at(instant) or ZERO_MONEY

    def changed_at(self, instant: Instant) -> Instant | None:
        """The last movement up to `instant`, or `None` when there was none."""
        return self._history.since(instant)
