"""A rolling mean of a price over time, exact and of bounded size.

A price holds until the next one is seen, so the mean is weighted by time: it
does not matter how often somebody polls.  The window is kept in `_BUCKETS`
slices; the oldest slice leaves as a whole, so the window is exact to one part in
`_BUCKETS`.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from trueup.core.instant import Instant
from trueup.core.units import Price, Ratio

_BUCKETS: Final = 1024


class RollingMean:
    """The mean of a market's price over the last `window` microseconds."""

    __slots__ = ("_buckets", "_covered", "_last", "_last_at", "_weighted", "_width")

    def __init__(self, window: int) -> None:
        self._width = max(1, window // _BUCKETS)
        self._buckets: deque[tuple[int, int, int]] = deque()
        self._weighted = self._covered = 0
        self._last: int | None = None
        self._last_at = 0

    def see(self, at: Instant, price: Price) -> None:
        """The price from `at` on.  A time before the last one is ignored."""
        if self._last is None:
            self._last_at = at
        if at < self._last_at:
            return
        self._run_to(at)
        self._last = price.units

    def mean(self, now: Instant) -> Ratio | None:
        """The mean in dollars as of `now`; `None` before anything was seen for some time."""
        weighted, covered = self._as_of(now)
        return None if not covered else Ratio(weighted, covered * 10_000)

    def covered(self, now: Instant) -> int:
        """How much of the window has been seen, in microseconds."""
        return self._as_of(now)[1]

    def _as_of(self, now: int) -> tuple[int, int]:
        """The weighted sum and the time covered at `now`.  Asking changes nothing: who looks
        at a bot does not move what it trades on.
        """
        weighted, covered = self._weighted, self._covered
        if self._last is None or now <= self._last_at:
            return weighted, covered
        oldest_kept = now // self._width - _BUCKETS + 1
        for slot, in_slot, time in self._buckets:
            if slot >= oldest_kept:
                break
            weighted -= in_slot
            covered -= time
        more = now - max(self._last_at, oldest_kept * self._width)
        return weighted + self._last * more, covered + more

    def _run_to(self, now: int) -> None:
        if self._last is None or now <= self._last_at:
            return
        oldest_kept = now // self._width - _BUCKETS + 1
        begin = max(self._last_at, oldest_kept * self._width)
        while begin < now:
            slot = begin // self._width
            end = min(now, (slot + 1) * self._width)
            self._add(slot, self._last * (end - begin), end - begin)
            begin = end
        self._last_at = now
        while self._buckets and self._buckets[0][0] < oldest_kept:
            _, weighted, covered = self._buckets.popleft()
            self._weighted -= weighted
            self._covered -= covered

    def _add(self, slot: int, weighted: int, covered: int) -> None:
        self._weighted += weighted
        self._covered += covered
        if self._buckets and self._buckets[-1][0] == slot:
            _, known, so_far = self._buckets[-1]
            self._buckets[-1] = (slot, known + weighted, so_far + covered)
        else:
            self._buckets.append((slot, weighted, covered))
