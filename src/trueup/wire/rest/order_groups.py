"""The order-groups section: orders that are cancelled together.

A group counts the contracts of its orders that filled in the last 15 seconds.
Once there are more than its limit, all its orders are cancelled and new ones
refused, until the group is reset: a strategy whose group was triggered is
silently dead.  A group lives on one shard and in one subaccount.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trueup.core.errors import CallerError
from trueup.core.ids import OrderGroupId, OrderId, Shard, Subaccount
from trueup.core.units import ZERO_COUNT, Count
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import SMALL, WHOLE_COUNT
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire

_Limit = Annotated[Count | None, Wire("contracts_limit_fp")]
_Shard = Annotated[Shard, Wire("exchange_index", SMALL)]


class OrderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group, as listed.  `limit` is in contracts per 15 seconds."""

    group_id: Annotated[OrderGroupId, Wire("id")]
    is_auto_cancel_enabled: bool
    limit: _Limit = None
    shard: _Shard = Shard(0)


class OrderGroupDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A group with its orders.  `limit` is in contracts per 15 seconds."""

    is_auto_cancel_enabled: bool
    order_ids: Annotated[tuple[OrderId, ...], Wire("orders", required=True)]
    limit: _Limit = None
    shard: _Shard = Shard(0)


class NewOrderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group to create: the limit as a count, or in whole contracts, or both alike."""

    limit: _Limit = None
    whole_limit: Annotated[Count | None, Wire("contracts_limit", WHOLE_COUNT)] = None
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None
    shard: Annotated[Shard | None, Wire("exchange_index", SMALL)] = None


class NewLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Another limit for a group: as a count, or in whole contracts, or both alike."""

    limit: _Limit = None
    whole_limit: Annotated[Count | None, Wire("contracts_limit", WHOLE_COUNT)] = None


class OrderGroupCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange made a group."""

    group_id: Annotated[OrderGroupId, Wire("order_group_id")]
    subaccount: Annotated[Subaccount, Wire("subaccount", SMALL, required=True)] = Subaccount(0)
    shard: _Shard = Shard(0)


GROUP: Final = Shape(OrderGroup, "OrderGroup")
GROUP_DETAIL: Final = Shape(OrderGroupDetail, "GetOrderGroupResponse")
NEW_GROUP: Final = Shape(NewOrderGroup, "CreateOrderGroupRequest", brief=True)
NEW_LIMIT: Final = Shape(NewLimit, "UpdateOrderGroupLimitRequest", brief=True)
GROUP_CREATED: Final = Shape(OrderGroupCreated, "CreateOrderGroupResponse")


def groups(*, subaccount: Subaccount | None = None) -> Call[tuple[OrderGroup, ...]]:
    """All groups of the account, or of one subaccount."""
    return request(
        "GetOrderGroups", GROUP.answers("order_groups"), query={"subaccount": subaccount}
    )


def group(
    group_id: OrderGroupId, *, subaccount: Subaccount | None = None
) -> Call[OrderGroupDetail]:
    """One group with the ids of its orders."""
    return request(
        "GetOrderGroup",
        GROUP_DETAIL.answer(),
        path={"order_group_id": group_id},
        query={"subaccount": subaccount},
    )


def create(
    limit: Count, *, subaccount: Subaccount | None = None, shard: Shard | None = None
) -> Call[OrderGroupCreated]:
    """Make a group that may fill `limit` contracts in 15 seconds."""
    _check_limit(limit)
    return request(
        "CreateOrderGroup",
        GROUP_CREATED.answer(),
        body=write_body(NEW_GROUP, NewOrderGroup(limit=limit, subaccount=subaccount, shard=shard)),
    )


def set_limit(
    group_id: OrderGroupId,
    limit: Count,
    *,
    subaccount: Subaccount | None = None,
    shard: Shard | None = None,
) -> Call[None]:
    """Give a group another limit; one that is already exceeded triggers it at once."""
    _check_limit(limit)
    return _change(
        "UpdateOrderGroupLimit",
        group_id,
        subaccount=subaccount,
        shard=shard,
        body=write_body(NEW_LIMIT, NewLimit(limit=limit)),
    )


def reset(
    group_id: OrderGroupId, *, subaccount: Subaccount | None = None, shard: Shard | None = None
) -> Call[None]:
    """Start counting anew, and let a triggered group take orders again."""
    return _change("ResetOrderGroup", group_id, subaccount=subaccount, shard=shard)


def trigger(
    group_id: OrderGroupId, *, subaccount: Subaccount | None = None, shard: Shard | None = None
) -> Call[None]:
    """Cancel all orders of a group and refuse new ones until it is reset."""
    return _change("TriggerOrderGroup", group_id, subaccount=subaccount, shard=shard)


def delete(
    group_id: OrderGroupId, *, subaccount: Subaccount | None = None, shard: Shard | None = None
) -> Call[None]:
    """Remove a group and cancel all its orders."""
    return _change("DeleteOrderGroup", group_id, subaccount=subaccount, shard=shard)


def _change(
    operation: str,
    group_id: OrderGroupId,
    *,
    subaccount: Subaccount | None,
    shard: Shard | None,
    body: bytes | None = None,
) -> Call[None]:
    return request(
        operation,
        nothing(),
        path={"order_group_id": group_id},
        query={"subaccount": subaccount, "exchange_index": shard},
        body=body,
    )


def _check_limit(limit: Count) -> None:
    if limit <= ZERO_COUNT:
        raise CallerError(f"a group's limit is more than 0 contracts, not {limit}")
