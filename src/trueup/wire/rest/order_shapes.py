"""Orders on the wire, both ways: what is asked for, and what the exchange answers.

The client writes the requests and reads the answers; the sandbox reads the
requests (`trueup.wire.rest.bodies.read_body`) and writes the answers.  An
`Amendment` or a `Decrease` takes its order id from the path and its subaccount
from the query; both are given to `read_body` beside the body.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.ids import ClientOrderId, OrderId
from trueup.core.instant import Instant
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
)
from trueup.core.units import ZERO_COUNT, Count, Ratio
from trueup.wire.rest.codecs import AVERAGE, BOOK_SIDE, MILLISECONDS, SECONDS, SMALL
from trueup.wire.rest.reading import Answer
from trueup.wire.rest.shapes import Shape, Wire
from trueup.wire.spelling import Record

T = TypeVar("T")

_SUBACCOUNT: Final = Wire("subaccount", SMALL)
_SHARD: Final = Wire("exchange_index", SMALL)
_NO_NAME: Final = Wire(absent=ClientOrderId(""))

NEW_ORDER: Final = Shape(
    NewOrder,
    "CreateOrderV2Request",
    {
        "side": Wire(codec=BOOK_SIDE),
        "client_order_id": Wire(absent=ClientOrderId(""), required=False),
        "time_in_force": Wire(required=True),
        "self_trade_prevention": Wire("self_trade_prevention_type", required=True),
        "expires_at": Wire("expiration_time", SECONDS),
        "cancel_on_pause": Wire("cancel_order_on_pause"),
        "group_id": Wire("order_group_id"),
        "subaccount": _SUBACCOUNT,
        "shard": _SHARD,
    },
    brief=True,
)
AMENDMENT: Final = Shape(
    Amendment,
    "AmendOrderV2Request",
    {
        "order_id": Wire(of_path=True),
        "side": Wire(codec=BOOK_SIDE),
        "new_client_order_id": Wire("updated_client_order_id"),
        "expires_at": Wire("expiration_time", SECONDS),
        "subaccount": Wire("subaccount", SMALL, of_path=True),
        "shard": _SHARD,
    },
    brief=True,
)
DECREASE: Final = Shape(
    Decrease,
    "DecreaseOrderV2Request",
    {
        "order_id": Wire(of_path=True),
        "by": Wire("reduce_by"),
        "to": Wire("reduce_to"),
        "ticker": Wire("market_ticker"),
        "subaccount": Wire("subaccount", SMALL, of_path=True),
        "shard": _SHARD,
    },
    brief=True,
)
CANCELLATION: Final = Shape(
    Cancellation,
    "BatchCancelOrdersV2RequestOrder",
    {"ticker": Wire("market_ticker"), "subaccount": _SUBACCOUNT, "shard": _SHARD},
    brief=True,
)


class BatchCreate(msgspec.Struct, frozen=True, kw_only=True):
    """Several orders to place."""

    orders: tuple[NewOrder, ...]


class BatchCancel(msgspec.Struct, frozen=True, kw_only=True):
    """Several orders to take back."""

    orders: tuple[Cancellation, ...]


BATCH_CREATE: Final = Shape(
    BatchCreate, "BatchCreateOrdersV2Request", {"orders": Wire(shape=NEW_ORDER, required=True)}
)
BATCH_CANCEL: Final = Shape(
    BatchCancel, "BatchCancelOrdersV2Request", {"orders": Wire(shape=CANCELLATION, required=True)}
)

_AT: Final = Wire("ts_ms", MILLISECONDS)
_FEE: Final = Wire("average_fee_paid")

PLACED: Final = Shape(
    OrderPlaced,
    "CreateOrderV2Response",
    {"client_order_id": _NO_NAME, "average_fee": _FEE, "at": _AT},
)
AMENDED: Final = Shape(
    OrderAmended,
    "AmendOrderV2Response",
    {
        "client_order_id": _NO_NAME,
        "fill_count": Wire(null=True),
        "remaining_count": Wire(null=True),
        "average_fill_price": Wire(null=True),
        "average_fee": Wire("average_fee_paid", null=True),
        "at": _AT,
    },
)
DECREASED: Final = Shape(
    OrderDecreased, "DecreaseOrderV2Response", {"client_order_id": _NO_NAME, "at": _AT}
)
CANCELED: Final = Shape(
    OrderCanceled, "CancelOrderV2Response", {"client_order_id": _NO_NAME, "at": _AT}
)


class _Error(msgspec.Struct, frozen=True, kw_only=True):
    code: str = ""
    message: str = ""
    details: str = ""


class _PlacedItem(msgspec.Struct, frozen=True, kw_only=True):
    order_id: OrderId | None = None
    client_order_id: ClientOrderId | None = None
    fill_count: Annotated[Count | None, Wire(null=True)] = None
    remaining_count: Annotated[Count | None, Wire(null=True)] = None
    average_fill_price: Annotated[Ratio | None, Wire(null=True)] = None
    average_fee: Annotated[Ratio | None, Wire("average_fee_paid", AVERAGE, null=True)] = None
    at: Annotated[Instant | None, Wire("ts_ms", MILLISECONDS, null=True)] = None
    error: _Error | None = None


class _CanceledItem(msgspec.Struct, frozen=True, kw_only=True):
    order_id: OrderId
    reduced_by: Count
    client_order_id: ClientOrderId | None = None
    at: Annotated[Instant | None, Wire("ts_ms", MILLISECONDS, null=True)] = None
    error: _Error | None = None


PLACED_ITEM: Final = Shape(_PlacedItem, "BatchCreateOrdersV2IndividualResponse")
CANCELED_ITEM: Final = Shape(_CanceledItem, "BatchCancelOrdersV2IndividualResponse")


def placed_items(asked: int) -> Answer[tuple[OrderPlaced | ItemRefused | ItemUnknown, ...]]:
    """The answer to a batch of so many new orders."""
    return PLACED_ITEM.answers("orders").then(
        lambda rows: tuple(_placed(row) for row in _complete(rows, asked))
    )


def canceled_items(asked: int) -> Answer[tuple[OrderCanceled | ItemRefused | ItemUnknown, ...]]:
    """The answer to a batch of so many cancellations."""
    return CANCELED_ITEM.answers("orders").then(
        lambda rows: tuple(_canceled(row) for row in _complete(rows, asked))
    )


def write_placed_item(item: OrderPlaced | ItemRefused) -> Record:
    """One row of the answer to a batch of new orders."""
    if isinstance(item, ItemRefused):
        row = _PlacedItem(
            order_id=item.order_id or None,
            client_order_id=item.client_order_id or None,
            error=_error_of(item),
        )
    else:
        row = _PlacedItem(
            order_id=item.order_id,
            client_order_id=item.client_order_id or None,
            fill_count=item.fill_count,
            remaining_count=item.remaining_count,
            average_fill_price=item.average_fill_price,
            average_fee=item.average_fee,
            at=item.at,
        )
    return PLACED_ITEM.write(row)


def write_canceled_item(item: OrderCanceled | ItemRefused) -> Record:
    """One row of the answer to a batch of cancellations."""
    if isinstance(item, ItemRefused):
        row = _CanceledItem(
            order_id=item.order_id,
            client_order_id=item.client_order_id or None,
            reduced_by=ZERO_COUNT,
            error=_error_of(item),
        )
    else:
        row = _CanceledItem(
            order_id=item.order_id,
            client_order_id=item.client_order_id or None,
            reduced_by=item.reduced_by,
            at=item.at,
        )
    return CANCELED_ITEM.write(row)


def _complete(rows: tuple[T, ...], asked: int) -> tuple[T, ...]:
    if len(rows) != asked:
        raise ProtocolBroken(f"a batch of {asked} orders was answered with {len(rows)} rows")
    return rows


def _placed(row: _PlacedItem) -> OrderPlaced | ItemRefused | ItemUnknown:
    client_order_id = row.client_order_id or ClientOrderId("")
    if row.error is not None:
        return _refused(row.error, row.order_id or OrderId(""), client_order_id)
    counts, at = (row.fill_count, row.remaining_count), row.at
    if not row.order_id or counts[0] is None or counts[1] is None or at is None:
        return ItemUnknown(order_id=row.order_id or OrderId(""), client_order_id=client_order_id)
    return OrderPlaced(
        order_id=row.order_id,
        client_order_id=client_order_id,
        fill_count=counts[0],
        remaining_count=counts[1],
        average_fill_price=row.average_fill_price,
        average_fee=row.average_fee,
        at=at,
    )


def _canceled(row: _CanceledItem) -> OrderCanceled | ItemRefused | ItemUnknown:
    client_order_id = row.client_order_id or ClientOrderId("")
    if row.error is not None:
        return _refused(row.error, row.order_id, client_order_id)
    if row.at is None:
        return ItemUnknown(order_id=row.order_id, client_order_id=client_order_id)
    return OrderCanceled(
        order_id=row.order_id,
        client_order_id=client_order_id,
        reduced_by=row.reduced_by,
        at=row.at,
    )


def _refused(error: _Error, order_id: OrderId, client_order_id: ClientOrderId) -> ItemRefused:
    return ItemRefused(
        order_id=order_id,
        client_order_id=client_order_id,
        code=error.code,
        message=error.message,
        details=error.details,
    )


def _error_of(item: ItemRefused) -> _Error:
    return _Error(code=item.code, message=item.message, details=item.details)
