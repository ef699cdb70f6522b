"""The exchange's request budget: weighted token buckets.

An account has two buckets, one for reads and one for writes.  A bucket fills
continuously up to its capacity and every request takes its cost out of it (10
tokens unless the exchange lists another cost).  REST and FIX share the buckets
(the exchange's page *Rate limits*); the real sizes come from
`/account/limits`, never from a table in here.

A `Bucket` is a value: taking tokens gives a new bucket.  It reads no clock;
the caller says what time it is, asks how long to wait, waits, and sends.
Levels are whole micro-tokens, so a rate in tokens per second is a rate in
micro-tokens per microsecond and nothing is ever rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.errors import CallerError
from trueup.core.instant import Instant

MICRO: Final = 1_000_000
"""Micro-tokens in one token."""


class Budget(StrEnum):
    """Which of the two buckets a request is charged to."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`level` micro-tokens at the instant `at`; at most `capacity` tokens.

    `refill_per_second` is in tokens.  A negative level is a debt: tokens that
    requests already waiting for their turn have reserved.
    """

    capacity: int
    refill_per_second: int
    level: int
    at: Instant

    @classmethod
    def full(cls, capacity: int, refill_per_second: int, at: Instant) -> Bucket:
        """A bucket that has not been used.  Raises `CallerError` for sizes below 1."""
        if capacity < 1 or refill_per_second < 1:
            message = (
                f"a bucket needs a capacity and a refill of at least 1 token, "
                f"got {capacity} and {refill_per_second}"
            )
            raise CallerError(message)
        return cls(capacity, refill_per_second, capacity * MICRO, at)

    def level_at(self, now: Instant) -> int:
        """Micro-tokens in the bucket at `now`.  A clock that went back adds nothing."""
        elapsed = max(0, now - self.at)
        return min(self.capacity * MICRO, self.level + elapsed * self.refill_per_second)

    def wait_for(self, cost: int, now: Instant) -> int:
        """Microseconds from `now` until `cost` tokens are there; 0 when they are.

        Raises `CallerError` for a cost that the bucket can never hold (a batch
        must fit at once).
        """
        if cost > self.capacity:
            message = f"a request of {cost} tokens can never fit a bucket of {self.capacity}"
            raise CallerError(message, remedy="Split the batch into smaller ones.")
        missing = cost * MICRO - self.level_at(now)
        return max(0, -(-missing // self.refill_per_second))

    def take(self, cost: int, now: Instant) -> Bucket:
        """The bucket after a request of `cost` tokens.

        Taking before the tokens are there reserves them: whoever asks next
        waits behind.  So ask `wait_for`, take, then wait that long and send.
        """
        level, at = self.level_at(now) - cost * MICRO, Instant(max(self.at, now))
        return Bucket(self.capacity, self.refill_per_second, level, at)

    def emptied(self, now: Instant) -> Bucket:
        """The bucket after the exchange said 429: whatever we believed, it is empty.

        A debt stays: those requests have not been sent yet.
        """
        return replace(self, level=min(0, self.level_at(now)), at=Instant(max(self.at, now)))

    def resized(self, capacity: int, refill_per_second: int, now: Instant) -> Bucket:
        """The bucket after `/account/limits` told other sizes; tokens used stay used."""
        used = self.capacity * MICRO - self.level_at(now)
        fresh = Bucket.full(capacity, refill_per_second, Instant(max(self.at, now)))
        return replace(fresh, level=fresh.level - used)


@dataclass(frozen=True, slots=True)
class Buckets:
    """The read and the write bucket of one account."""

    read: Bucket
    write: Bucket

    def wait_for(self, budget: Budget, cost: int, now: Instant) -> int:
        """Microseconds to wait before a request of `cost` tokens; see `Bucket.wait_for`."""
        return self._bucket(budget).wait_for(cost, now)

    def take(self, budget: Budget, cost: int, now: Instant) -> Buckets:
        """Both buckets after the request; see `Bucket.take`."""
        return self._with(budget, self._bucket(budget).take(cost, now))

    def emptied(self, budget: Budget, now: Instant) -> Buckets:
        """Both buckets after a 429 on one of them; see `Bucket.emptied`."""
        return self._with(budget, self._bucket(budget).emptied(now))

    def _bucket(self, budget: Budget) -> Bucket:
        return self.read if budget is Budget.READ else self.write

    def _with(self, budget: Budget, bucket: Bucket) -> Buckets:
        if budget is Budget.READ:
            return replace(self, read=bucket)
        return replace(self, write=bucket)
