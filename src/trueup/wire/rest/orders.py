"""The orders section: entry, change, cancellation, places in the queue.

Orders are read by `trueup.wire.rest.portfolio` and `historical`.  Everything
in here that writes may take effect although no answer comes: such a call is
never repeated, except cancelling everything, which may be said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec

from trueup.core.errors import CallerError
from trueup.core.ids import EventTicker, OrderId, Subaccount, Ticker
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    Decrease,
    ItemRefused,
    ItemUnknown,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderDecreased,
    OrderPlaced,
    check_amendment,
    check_decrease,
    check_new_order,
)
from trueup.core.units import Count
from trueup.wire.rest import order_shapes as shapes
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call
from trueup.wire.rest.codecs import WHOLE_COUNT
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import joined, request
from trueup.wire.rest.shapes import Shape, Wire

_PLACE_OLD: Final = (("queue_position", WHOLE_COUNT),)


class QueuePosition(msgspec.Struct, frozen=True, kw_only=True):
    """How many contracts must trade before this order does."""

    order_id: OrderId
    market_ticker: Ticker
    contracts_ahead: Annotated[Count, Wire("queue_position_fp", old=_PLACE_OLD)]


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    contracts_ahead: Annotated[Count, Wire("queue_position_fp", old=_PLACE_OLD)]


QUEUE_POSITION: Final = Shape(QueuePosition, "OrderQueuePosition")
PLACE: Final = Shape(_Place, "GetOrderQueuePositionResponse")


def create(order: NewOrder) -> Call[OrderPlaced]:
    """Place one order.

    Raises `CallerError` for what the exchange would refuse whatever the market.
    """
    check_new_order(order)
    return request(
        "CreateOrderV2",
        shapes.PLACED.answer(),
        body=write_body(shapes.NEW_ORDER, order),
    )


def create_batch(
    orders: Sequence[NewOrder],
) -> Call[tuple[OrderPlaced | ItemRefused | ItemUnknown, ...]]:
    """Place several orders, each accepted or refused on its own; the answer keeps their order.

    The whole batch must fit the write bucket at once.
    """
    _check_batch(orders)
    for order in orders:
        check_new_order(order)
    return request(
        "BatchCreateOrdersV2",
        shapes.placed_items(len(orders)),
        body=write_body(shapes.BATCH_CREATE, shapes.BatchCreate(orders=tuple(orders))),
        items=len(orders),
    )


def amend(amendment: Amendment) -> Call[OrderAmended]:
    """Change the price, the total count or the expiry of a resting order."""
    check_amendment(amendment)
    return request(
        "AmendOrderV2",
        shapes.AMENDED.answer(),
        path={"order_id": amendment.order_id},
        query={"subaccount": amendment.subaccount},
        body=write_body(shapes.AMENDMENT, amendment),
    )


def decrease(decreased: Decrease) -> Call[OrderDecreased]:
    """Take contracts off a resting order; it keeps its place in the queue."""
    check_decrease(decreased)
    return request(
        "DecreaseOrderV2",
        shapes.DECREASED.answer(),
        path={"order_id": decreased.order_id},
        query={"subaccount": decreased.subaccount},
        body=write_body(shapes.DECREASE, decreased),
    )


def cancel(cancellation: Cancellation) -> Call[OrderCanceled]:
    """Take one resting order back.

    The exchange answers 404 alike for an order that is cancelled, that has
    filled, and that never was: `NotFound` does not prove that it is cancelled.
    """
    return request(
        "CancelOrderV2",
        shapes.CANCELED.answer(),
        path={"order_id": cancellation.order_id},
        query={
            "subaccount": cancellation.subaccount,
            "exchange_index": cancellation.shard,
            "market_ticker": cancellation.ticker,
        },
    )


def cancel_batch(
    cancellations: Sequence[Cancellation],
) -> Call[tuple[OrderCanceled | ItemRefused | ItemUnknown, ...]]:
    """Take several resting orders back, each on its own; the answer keeps their order."""
    _check_batch(cancellations)
    return request(
        "BatchCancelOrdersV2",
        shapes.canceled_items(len(cancellations)),
        body=write_body(shapes.BATCH_CANCEL, shapes.BatchCancel(orders=tuple(cancellations))),
        items=len(cancellations),
    )


def cancel_all(*, subaccount: Subaccount | None = None) -> Call[None]:
    """Take all resting orders back, on every shard; `None` means of every subaccount.

    Orders that are placed within the following minute may be cancelled too.
    """
    return request("CancelAllOrders", nothing(), query={"subaccount": subaccount})


def queue_positions(
    *,
    market_tickers: Iterable[Ticker] | None = None,
    event_ticker: EventTicker | None = None,
    subaccount: Subaccount | None = None,
) -> Call[tuple[QueuePosition, ...]]:
    """The places of all resting orders of some markets or of an event."""
    return request(
        "GetOrderQueuePositions",
        QUEUE_POSITION.answers("queue_positions"),
        query={
            "market_tickers": joined(market_tickers),
            "event_ticker": event_ticker,
            "subaccount": subaccount,
        },
    )


def queue_position(order_id: OrderId) -> Call[Count]:
    """How many contracts must trade before this order does; 404 for an order that is done."""
    return request(
        "GetOrderQueuePosition",
        PLACE.answer().then(lambda place: place.contracts_ahead),
        path={"order_id": order_id},
    )


def _check_batch(items: Sequence[object]) -> None:
    if not items:
        raise CallerError("a batch holds at least one order")
