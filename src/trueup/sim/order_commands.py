"""What members ask about orders, and what the rest of the world does to them.

Prices are YES prices whatever the side.  Everything that names an order by its
id may also say on which shard and in which subaccount to look for it: an order
that is elsewhere is not found, as at the exchange.
"""

from __future__ import annotations

from typing import Final, NewType

from msgspec import Struct

from trueup.core.ids import (
    ClientOrderId,
    OrderGroupId,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orders import SelfTradePrevention, Side, TimeInForce
from trueup.core.units import Count, Money, Price

Member = NewType("Member", str)
"""Whose account: the exchange's ``user_id``."""

NO_CLIENT_ID: Final = ClientOrderId("")
"""For an order that was given no ``client_order_id``: it is not remembered as used."""

KEEP_EXPIRY: Final = None
NO_EXPIRY: Final = Instant(0)


class PlaceOrder(Struct, frozen=True, kw_only=True, gc=False):
    """Place a limit order.

    `expires_at` needs `TimeInForce.GOOD_TILL_CANCELED` and a time to come;
    `reduce_only` needs `TimeInForce.IMMEDIATE_OR_CANCEL`.  With `cost_max` (the
    old ``buy_max_cost``, FIX 21009) the order fills whole for at most that much,
    fees not counted, or not at all.

    A `post_only` order that would trade, and a fill-or-kill order that cannot
    fill, are refused, as by REST; with `canceled_when_impossible` they are
    accepted and canceled at once, as by FIX.
    """

    at: Instant
    member: Member
    subaccount: Subaccount
    order_id: OrderId
    client_order_id: ClientOrderId
    ticker: Ticker
    side: Side
    price: Price
    count: Count
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELED
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.TAKER_AT_CROSS
    expires_at: Instant | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group_id: OrderGroupId | None = None
    cost_max: Money | None = None
    canceled_when_impossible: bool = False
    shard: Shard | None = None
    """Where the order is sent; `None` finds the shard by the ticker."""


class AmendOrder(Struct, frozen=True, kw_only=True, gc=False):
    """Change a resting order.  `ticker` and `side` repeat what it has.

    `count` is the total: what has filled plus what shall rest.  A smaller count
    or another expiry keeps the place in the queue; another price or a larger
    count loses it.  A count that is filled already cancels the order.
    `expires_at` is `KEEP_EXPIRY`, `NO_EXPIRY` or the new time.
    """

    at: Instant
    member: Member
    order_id: OrderId
    ticker: Ticker
    side: Side
    price: Price
    count: Count
    client_order_id: ClientOrderId | None = None
    new_client_order_id: ClientOrderId | None = None
    expires_at: Instant | None = KEEP_EXPIRY
    subaccount: Subaccount | None = None
    shard: Shard | None = None


class DecreaseOrder(Struct, frozen=True, kw_only=True, gc=False):
    """Take contracts off a resting order, `by` so many or `to` so many; exactly one of the two.

    Down to nothing cancels it.  The place in the queue stays.
    """

    at: Instant
    member: Member
    order_id: OrderId
    by: Count | None = None
    to: Count | None = None
    subaccount: Subaccount | None = None
    shard: Shard | None = None


class CancelOrder(Struct, frozen=True, kw_only=True, gc=False):
    """Take a resting order back."""

    at: Instant
    member: Member
    order_id: OrderId
    subaccount: Subaccount | None = None
    shard: Shard | None = None


class CancelAllOrders(Struct, frozen=True, kw_only=True, gc=False):
    """Take every resting order of a member back, or those of one subaccount.

    What rests in a market or on a shard that takes no cancellations now stays.
    """

    at: Instant
    member: Member
    subaccount: Subaccount | None = None


class Trade(Struct, frozen=True, kw_only=True, gc=False):
    """State that `count` of a resting order met the rest of the world at `price`.

    For a history that was told instead of traded: the counterparty is nobody's
    account.  The trade may be better than the order's own price, never worse.
    """

    at: Instant
    member: Member
    order_id: OrderId
    trade_id: TradeId
    count: Count
    price: Price
    is_taker: bool


class OutsideFill(Struct, frozen=True, kw_only=True, gc=False):
    """What an order took of the rest of the world."""

    trade_id: TradeId
    count: Count
    price: Price


class TellOrder(Struct, frozen=True, kw_only=True, gc=False):
    """State that an order was placed, what it took of the rest of the world, and whether what
    is left of it rests.

    Also for a history that was told: it meets nobody here.
    """

    at: Instant
    member: Member
    order: PlaceOrder
    fills: tuple[OutsideFill, ...]
    rests: bool


class CreateOrderGroup(Struct, frozen=True, kw_only=True, gc=False):
    """Make a group whose orders are cancelled once `contracts_max` filled within 15 seconds."""

    at: Instant
    member: Member
    group_id: OrderGroupId
    subaccount: Subaccount
    shard: Shard
    contracts_max: Count


class LimitOrderGroup(Struct, frozen=True, kw_only=True, gc=False):
    """Give a group another limit; it triggers at once when that is used up already."""

    at: Instant
    member: Member
    group_id: OrderGroupId
    contracts_max: Count


class ResetOrderGroup(Struct, frozen=True, kw_only=True, gc=False):
    """Forget what filled, and let a triggered group take orders again."""

    at: Instant
    member: Member
    group_id: OrderGroupId


class TriggerOrderGroup(Struct, frozen=True, kw_only=True, gc=False):
    """Cancel a group's orders and take no more until it is reset."""

    at: Instant
    member: Member
    group_id: OrderGroupId


class DeleteOrderGroup(Struct, frozen=True, kw_only=True, gc=False):
    """Cancel a group's orders and forget the group."""

    at: Instant
    member: Member
    group_id: OrderGroupId


GroupCommand = (
    CreateOrderGroup | LimitOrderGroup | ResetOrderGroup | TriggerOrderGroup | DeleteOrderGroup
)
"""What members ask about order groups."""

OrderCommand = (
    PlaceOrder
    | AmendOrder
    | DecreaseOrder
    | CancelOrder
    | CancelAllOrders
    | Trade
    | TellOrder
    | CreateOrderGroup
    | LimitOrderGroup
    | ResetOrderGroup
    | TriggerOrderGroup
    | DeleteOrderGroup
)
"""What members and the rest of the world do to orders."""
