"""What a request costs its sender, and the buckets that pay for it.

Every member has a bucket for reads and several for writes: an order write with
an explicit shard is charged to that shard's own bucket, one that the exchange
routes by the ticker to the bucket of every shard, everything else to the
unscoped one.  The items of a batch are billed one by one and must fit at once
(the exchange's page *Rate limits*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from trueup.core.instant import Instant
from trueup.core.limits import Bucket
from trueup.net.acceptor.house import SHARDS
from trueup.sim.commands import Member
from trueup.wire.rest.account import AccountLimits, BucketSize
from trueup.wire.rest.table import Operation

READS: Final = "read"
WRITES: Final = "write"
"""The bucket of writes that name no shard."""

_EXOTICS: Final = 1
"""The shard of requests for quotes and of quotes."""

_ROUTED_BY_TICKER: Final = frozenset(
    {"CreateOrderV2", "CancelOrderV2", "AmendOrderV2", "DecreaseOrderV2"}
)
_COMMUNICATIONS: Final = "/communications/"


@dataclass(frozen=True, slots=True)
class Bill:
    """So many tokens from each of the buckets."""

    tokens: int
    buckets: tuple[str, ...]


def bill(operation: Operation, given: Mapping[str, str], body: object) -> Bill:
    """What a request costs, and whom.  `body` is its decoded JSON, whatever that is."""
    if operation.method == "GET":
        return Bill(operation.cost, (READS,))
    record: Mapping[str, object] = (
        cast("Mapping[str, object]", body) if isinstance(body, dict) else {}
    )
    if operation.per_item:
        return Bill(operation.cost * _items(record), (WRITES,))
    if operation.template.startswith(_COMMUNICATIONS):
        return Bill(operation.cost, (_of_shard(_EXOTICS),))
    if operation.name not in _ROUTED_BY_TICKER:
        return Bill(operation.cost, (WRITES,))
    return Bill(operation.cost, _write_buckets(given.get("exchange_index"), record))


def _items(record: Mapping[str, object]) -> int:
    for key in ("orders", "ids"):
        items = record.get(key)
        if isinstance(items, list):
            return max(1, len(cast("list[object]", items)))
    return 1


def _write_buckets(asked: str | None, record: Mapping[str, object]) -> tuple[str, ...]:
    index = record.get("exchange_index", asked)
    text = str(index) if isinstance(index, int | str) else ""
    if text == "0":
        return (WRITES,)
    if text.isdigit() and int(text) in SHARDS:
        return (_of_shard(int(text)),)
    return _EVERY_SHARD


def _of_shard(shard: int) -> str:
    return f"{WRITES} {shard}"


_EVERY_SHARD: Final = (WRITES, *(_of_shard(shard) for shard in SHARDS if shard))


class Meter:
    """The buckets of one member, shared by all its keys."""

    __slots__ = ("_buckets", "limits")

    def __init__(self, limits: AccountLimits, at: Instant) -> None:
        self.limits = limits
        self._buckets: dict[str, Bucket] = {}
        self.resize(limits, at)

    def resize(self, limits: AccountLimits, at: Instant) -> None:
        """Take over the sizes of another tier.  What was used stays used."""
        self.limits = limits
        sizes = dict.fromkeys(_EVERY_SHARD, limits.write) | {READS: limits.read}
        for name, size in sizes.items():
            known = self._buckets.get(name)
            self._buckets[name] = (
                _full(size, at)
                if known is None
                else known.resized(size.capacity, size.refill_per_second, at)
            )

    def passes(self, charged: Bill, at: Instant) -> bool:
        """Take the tokens; false, and nothing is taken, where one bucket cannot pay."""
        tokens = charged.tokens
        for name in charged.buckets:
            bucket = self._buckets[name]
            if tokens > bucket.capacity or bucket.wait_for(tokens, at):
                return False
        for name in charged.buckets:
            self._buckets[name] = self._buckets[name].take(tokens, at)
        return True


def _full(size: BucketSize, at: Instant) -> Bucket:
    return Bucket.full(size.capacity, size.refill_per_second, at)


class Meters:
    """The meters of all members; one begins with the default limits when it first asks."""

    def __init__(self, limits: AccountLimits) -> None:
        self._default = limits
        self._meters: dict[Member, Meter] = {}

    def of(self, member: Member, at: Instant) -> Meter:
        """The meter of a member."""
        meter = self._meters.get(member)
        if meter is None:
            meter = self._meters[member] = Meter(self._default, at)
        return meter

    def limits(self, member: Member) -> AccountLimits:
        """What a member is granted."""
        meter = self._meters.get(member)
        return self._default if meter is None else meter.limits
