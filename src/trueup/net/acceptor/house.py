"""What the exchange says about itself and about the caller's account: limits, keys, status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trueup.core.ids import Shard
from trueup.core.instant import Instant
from trueup.core.limits import Bucket, Buckets, Budget
from trueup.wire.rest.account import AccountLimits, BucketSize, EndpointCost, EndpointCosts
from trueup.wire.rest.call import DEFAULT_COST
from trueup.wire.rest.exchange import ExchangeStatus, ShardStatus
from trueup.wire.rest.table import OPERATIONS, Operation

BASIC: Final = AccountLimits(
    tier="basic",
    read=BucketSize(capacity=600, refill_per_second=200),
    write=BucketSize(capacity=100, refill_per_second=100),
    grants=(),
)
"""The tier that everybody starts with (since 2026-09-24)."""

UNLIMITED: Final = AccountLimits(
    tier="sandbox",
    read=BucketSize(capacity=10_000_000, refill_per_second=10_000_000),
    write=BucketSize(capacity=10_000_000, refill_per_second=10_000_000),
    grants=(),
)
"""No limit that anybody would notice: for tests and benchmarks."""

_SHARDS: Final = {0: "Default", 1: "Exotics", 2: "Crypto and Commodities", 3: "Sports"}

COSTS: Final = EndpointCosts(
    default=DEFAULT_COST,
    listed=tuple(
        EndpointCost(method=each.method, template=each.template, cost=each.cost)
        for each in OPERATIONS.values()
        if each.cost != DEFAULT_COST
    ),
)
"""The operations of the table that do not cost the default."""

OPEN: Final = ExchangeStatus(
    exchange_active=True,
    trading_active=True,
    transfers_active=True,
    resumes_at=None,
    shards=tuple(
        ShardStatus(
            shard=Shard(shard),
            description=description,
            exchange_active=True,
            trading_active=True,
            transfers_active=True,
        )
        for shard, description in _SHARDS.items()
    ),
)
"""An exchange at work."""


@dataclass(slots=True)
class Meter:
    """The token buckets of the account: one for reads, one for writes, shared by all its keys."""

    buckets: Buckets

    @classmethod
    def full(cls, limits: AccountLimits, at: Instant) -> Meter:
        """Buckets that have not been used."""
        return cls(
            Buckets(
                read=Bucket.full(limits.read.capacity, limits.read.refill_per_second, at),
                write=Bucket.full(limits.write.capacity, limits.write.refill_per_second, at),
            )
        )

    def passes(self, operation: Operation, at: Instant) -> bool:
        """Charge a request; false, and nothing is taken, where the bucket cannot pay for it."""
        budget = Budget.READ if operation.method == "GET" else Budget.WRITE
        bucket = self.buckets.read if budget is Budget.READ else self.buckets.write
        if operation.cost > bucket.capacity or self.buckets.wait_for(budget, operation.cost, at):
            return False
        self.buckets = self.buckets.take(budget, operation.cost, at)
        return True
