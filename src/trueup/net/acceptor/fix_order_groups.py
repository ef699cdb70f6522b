"""Order groups over FIX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trueup.core.ids import PRIMARY, SHARD_ZERO, OrderGroupId, Shard, Subaccount
from trueup.core.units import Count
from trueup.net.acceptor.fix_order_entry import Desk
from trueup.net.acceptor.fix_terms import Subscriber
from trueup.sim import commands as c
from trueup.sim import events as e
from trueup.wire.fix.codec import Received
from trueup.wire.fix.message import Message
from trueup.wire.fix.messages.orders import OrderGroupRequest, OrderGroupResponse
from trueup.wire.fix.messages.session import BusinessMessageReject
from trueup.wire.fix.words import OrderGroupAction

LIMIT_MAX: Final = 1_000_000
_OTHER: Final = "0"
_UNKNOWN: Final = "1"
_MISSING: Final = "5"
_LIMITED: Final = frozenset({OrderGroupAction.CREATE, OrderGroupAction.UPDATE})


def answer_group(
    desk: Desk,
    subscriber: Subscriber,
    received: Received,
    asked: OrderGroupRequest,
    *,
    new_id: Callable[[], str],
) -> Message:
    """Carry a request about an order group out, and the answer to it."""

    def refused(reason: str, text: str) -> BusinessMessageReject:
        return BusinessMessageReject(
            refused_sequence=received.header.sequence,
            refused_type=asked.TYPE,
            refused_id=asked.order_group_id,
            reason=reason,
            text=text,
        )

    is_limited = asked.action in _LIMITED
    if is_limited and not 0 < (asked.limit or 0) <= LIMIT_MAX:
        return refused(_MISSING, f"OrderGroupContractsLimit must be 1 to {LIMIT_MAX}")
    subaccount = Subaccount(asked.subaccount or subscriber.locked or PRIMARY)
    if subscriber.locked not in {None, subaccount}:
        return refused(_UNKNOWN, "ORDER_GROUP_NOT_FOUND")
    shard = SHARD_ZERO if asked.shard in {None, -1} else Shard(asked.shard or 0)
    if asked.action is OrderGroupAction.CREATE:
        group_id = OrderGroupId(new_id())
    else:
        group_id = OrderGroupId(asked.order_group_id or "")
        account = desk.exchange.books.accounts.get(subscriber.member)
        group = None if account is None else account.groups.get(group_id)
        if group is None or (group.subaccount, group.shard) != (subaccount, shard):
            return refused(_UNKNOWN, "ORDER_GROUP_NOT_FOUND")
    for event in desk.step(
        _command(desk, subscriber, asked, group_id=group_id, place=(subaccount, shard))
    ):
        if isinstance(event, e.Refused):
            return refused(_OTHER, event.reason.value.upper())
    return OrderGroupResponse(
        order_group_id=group_id,
        limit=asked.limit if is_limited else None,
        subaccount=asked.subaccount,
    )


def _command(
    desk: Desk,
    subscriber: Subscriber,
    asked: OrderGroupRequest,
    *,
    group_id: OrderGroupId,
    place: tuple[Subaccount, Shard],
) -> c.GroupCommand:
    at, member, limit = desk.now(), subscriber.member, Count.of_contracts(asked.limit or 0)
    match asked.action:
        case OrderGroupAction.CREATE:
            return c.CreateOrderGroup(
                at=at,
                member=member,
                group_id=group_id,
                subaccount=place[0],
                shard=place[1],
                contracts_max=limit,
            )
        case OrderGroupAction.UPDATE:
            return c.LimitOrderGroup(at=at, member=member, group_id=group_id, contracts_max=limit)
        case OrderGroupAction.RESET:
            return c.ResetOrderGroup(at=at, member=member, group_id=group_id)
        case OrderGroupAction.TRIGGER:
            return c.TriggerOrderGroup(at=at, member=member, group_id=group_id)
        case OrderGroupAction.DELETE:
            return c.DeleteOrderGroup(at=at, member=member, group_id=group_id)
