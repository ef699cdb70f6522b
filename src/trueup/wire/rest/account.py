"""The account section: the request budget, what each request costs, and the usage tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.instant import Instant
from trueup.core.units import Count
from trueup.wire import values
from trueup.wire.rest.call import DEFAULT_COST, Call
from trueup.wire.rest.codecs import SECONDS
from trueup.wire.rest.reading import field_names, nothing, record_of
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire
from trueup.wire.rest.table import template_of


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSize:
    """The size of a token bucket, in tokens and tokens per second."""

    capacity: int
    refill_per_second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A usage tier that was granted.  `expires_at` is `None` for a permanent one."""

    exchange_instance: str
    level: str
    source: str
    expires_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """The account's tier and its two buckets."""

    tier: str
    read: BucketSize
    write: BucketSize
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCost:
    """What one operation costs in tokens, where it is not the default."""

    method: str
    template: str
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCosts:
    """What requests cost in tokens."""

    default: int
    listed: tuple[EndpointCost, ...]

    def cost_of(self, method: str, template: str) -> int:
        """The cost of an operation by its method and its template (as in the table)."""
        for each in self.listed:
            if each.method == method and each.template == template:
                return each.cost
        return self.default


class VolumeGoal(msgspec.Struct, frozen=True, kw_only=True):
    """How many contracts in 30 days earn a usage tier, and how many keep it."""

    level: str
    earn: Annotated[Count, Wire("earn_volume_goal_fp")]
    keep: Annotated[Count, Wire("keep_volume_goal_fp")]


class VolumeProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The contracts traded in the 30 days before `at`, and the goals of the tiers."""

    at: Annotated[Instant, Wire("computed_ts", SECONDS)]
    volume: Annotated[Count, Wire("trailing_30d_volume_fp")]
    goals: tuple[VolumeGoal, ...]


VOLUME_PROGRESS: Final = Shape(VolumeProgress, "AccountApiUsageLevelVolumeProgress")

KNOWN_LIMITS: Final = field_names("usage_tier read write grants read_limit write_limit")
KNOWN_COSTS: Final = field_names("default_cost endpoint_costs")


class _BucketRecord(msgspec.Struct):
    refill_rate: int
    bucket_capacity: int


class _GrantRecord(msgspec.Struct):
    exchange_instance: str
    level: str
    source: str = ""
    expires_ts: int | None = None


class _LimitsRecord(msgspec.Struct):
    usage_tier: str
    read: _BucketRecord | None = None
    write: _BucketRecord | None = None
    grants: list[_GrantRecord] | None = None
    read_limit: int | None = None
    write_limit: int | None = None


class _CostRecord(msgspec.Struct):
    method: str
    path: str
    cost: int


class _CostsRecord(msgspec.Struct):
    default_cost: int
    endpoint_costs: list[_CostRecord] | None


_decode_limits: Final = msgspec.json.Decoder(_LimitsRecord)
_decode_costs: Final = msgspec.json.Decoder(_CostsRecord)


def limits() -> Call[AccountLimits]:
    """The account's request budget: read it at the start, never assume it."""
    return request("GetAccountApiLimits", record_of(None, _read_limits, KNOWN_LIMITS))


def endpoint_costs() -> Call[EndpointCosts]:
    """What requests cost; what is not listed costs the default."""
    return request("GetAccountEndpointCosts", record_of(None, _read_costs, KNOWN_COSTS))


def volume_progress() -> Call[tuple[VolumeProgress, ...]]:
    """How far the account is on its way to the tiers that are earned by volume."""
    return request(
        "GetAccountApiUsageLevelVolumeProgress", VOLUME_PROGRESS.answers("volume_progress")
    )


def upgrade_usage_level() -> Call[None]:
    """Ask for the tier Advanced; it needs an order by API among the last hundred."""
    return request("UpgradeAccountApiUsageLevel", nothing())


def _read_limits(raw: bytes) -> AccountLimits:
    row = _decode_limits.decode(raw)
    return AccountLimits(
        tier=row.usage_tier,
        read=_bucket(row.read, row.read_limit, "read"),
        write=_bucket(row.write, row.write_limit, "write"),
        grants=tuple(
            Grant(
                exchange_instance=each.exchange_instance,
                level=each.level,
                source=each.source,
                expires_at=(
                    values.instant_of_seconds(each.expires_ts) if each.expires_ts else None
                ),
            )
            for each in row.grants or ()
        ),
    )


def _bucket(present: _BucketRecord | None, per_second: int | None, which: str) -> BucketSize:
    """The nested form, or the form of before April 2026: plain requests per second."""
    if present is not None:
        return BucketSize(capacity=present.bucket_capacity, refill_per_second=present.refill_rate)
    if per_second is None:
        raise ProtocolBroken(f"account limits without {which}")
    tokens = per_second * DEFAULT_COST
    return BucketSize(capacity=tokens, refill_per_second=tokens)


def _read_costs(raw: bytes) -> EndpointCosts:
    row = _decode_costs.decode(raw)
    return EndpointCosts(
        default=row.default_cost,
        listed=tuple(
            EndpointCost(method=each.method, template=template_of(each.path), cost=each.cost)
            for each in row.endpoint_costs or ()
        ),
    )
