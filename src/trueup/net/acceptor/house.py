"""What the exchange says about itself: tiers, costs, shards, whether it is open."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from trueup.core.ids import SHARD_ZERO, Shard
from trueup.wire.rest.account import AccountLimits, BucketSize, EndpointCost, EndpointCosts
from trueup.wire.rest.call import DEFAULT_COST
from trueup.wire.rest.exchange import ExchangeStatus, ShardStatus
from trueup.wire.rest.table import Operation
from trueup.wire.spelling import Record


def _tier(name: str, *, read: int, write: int) -> AccountLimits:
    """Reads hold one second of budget, of the lower tiers three; writes three."""
    read_seconds = _LONG if name in {"basic", "advanced"} else 1
    write_seconds = 1 if name == "basic" else _LONG
    return AccountLimits(
        tier=name,
        read=BucketSize(capacity=read * read_seconds, refill_per_second=read),
        write=BucketSize(capacity=write * write_seconds, refill_per_second=write),
        grants=(),
    )


_LONG: Final = 3

TIERS: Final = {
    each.tier: each
    for each in (
        _tier("basic", read=200, write=100),
        _tier("advanced", read=300, write=300),
        _tier("expert", read=600, write=600),
        _tier("premier", read=1_200, write=1_200),
        _tier("paragon", read=2_400, write=2_400),
        _tier("prime", read=4_800, write=4_800),
        _tier("prestige", read=12_000, write=9_600),
    )
}
"""Every usage tier by its name, lowest first (since 2026-09-24)."""

BASIC: Final = TIERS["basic"]
"""The tier that everybody starts with."""

BASIC_BEFORE: Final = AccountLimits(
    tier="basic",
    read=BucketSize(capacity=200, refill_per_second=200),
    write=BucketSize(capacity=100, refill_per_second=100),
    grants=(),
)
"""The same tier until September 2026: buckets of one second.  Before April 2026 it was
told as 20 reads and 10 writes a second, of ten tokens each.
"""

UNLIMITED: Final = AccountLimits(
    tier="sandbox",
    read=BucketSize(capacity=10_000_000, refill_per_second=10_000_000),
    write=BucketSize(capacity=10_000_000, refill_per_second=10_000_000),
    grants=(),
)
"""No limit that anybody would notice: for tests and benchmarks."""

FIRST_SHARD: Final = SHARD_ZERO
"""Where everything is looked for that names no shard."""

SHARDS: Final = {0: "Default", 1: "Exotics", 2: "Crypto and Commodities", 3: "Sports"}
"""The exchange's shards, as it describes them."""

_UNSERVED: Final = (
    EndpointCost(method="GET", template="/cfbenchmarks", cost=150),
    EndpointCost(method="GET", template="/cfbenchmarks/*endpoint", cost=150),
    EndpointCost(method="GET", template="/margin/balance", cost=5),
)
"""Listed at the exchange, and not here."""


def costs(operations: Iterable[Operation]) -> EndpointCosts:
    """The operations that do not cost the default, as the exchange lists them."""
    served = (
        EndpointCost(method=each.method, template=each.template, cost=each.cost)
        for each in operations
        if each.cost != DEFAULT_COST
    )
    listed = sorted((*served, *_UNSERVED), key=lambda each: (each.template, each.method))
    return EndpointCosts(default=DEFAULT_COST, listed=tuple(listed))


def status(closed: Container[Shard] = (), untraded: Container[Shard] = ()) -> ExchangeStatus:
    """What the exchange says of itself: which shards are closed, which only take cancellations."""
    shards = tuple(
        ShardStatus(
            shard=Shard(shard),
            description=description,
            exchange_active=Shard(shard) not in closed,
            trading_active=Shard(shard) not in closed and Shard(shard) not in untraded,
            transfers_active=Shard(shard) not in closed,
        )
        for shard, description in SHARDS.items()
    )
    first = shards[0]
    return ExchangeStatus(
        exchange_active=first.exchange_active,
        trading_active=first.trading_active,
        transfers_active=first.transfers_active,
        resumes_at=None,
        shards=shards,
    )


OPEN: Final = status()
"""An exchange at work."""

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ALL_DAY: Final = ({"open_time": "00:00", "close_time": "00:00"},)


def schedule(**sessions: Sequence[Mapping[str, str]]) -> Record:
    """The hours in Eastern time: sessions by weekday, and all day where none are given."""
    week = {day: list(sessions.get(day, _ALL_DAY)) for day in _DAYS}
    hours = {"start_time": "2024-12-01T00:00:00Z", "end_time": "2200-12-01T00:00:00Z", **week}
    return {"schedule": {"standard_hours": [hours], "maintenance_windows": []}}


AROUND_THE_CLOCK: Final = schedule()
"""What a sandbox keeps: it closes only when it is told to."""

THURSDAY_MAINTENANCE: Final = schedule(
    thursday=(
        {"open_time": "00:00", "close_time": "03:00"},
        {"open_time": "05:00", "close_time": "00:00"},
    )
)
"""What the exchange announced in 2026."""
