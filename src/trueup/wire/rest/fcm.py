"""The FCM section: clearing members (futures commission merchants) and their customers.

A direct member of the exchange gets 403 here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, EventTicker, OrderId, Shard, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.statements import PositionStated
from trueup.core.units import Count, Money, Price
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import (
    CENTI_CENT_PRICE,
    CENTI_COUNT,
    OPTIONAL_TIME,
    SHORT_DOLLARS,
    SMALL,
)
from trueup.wire.rest.reading import nothing, page_of
from trueup.wire.rest.request import joined, request, since, until
from trueup.wire.rest.rows import orders as order_rows
from trueup.wire.rest.rows import positions as position_rows
from trueup.wire.rest.shapes import Shape, Wire


class FcmFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of a customer, seen from both sides; the other side's fields are empty.

    `price` is the YES price.
    """

    fill_id: TradeId
    ticker: Ticker
    taker_side: Annotated[Side, Wire("taker_outcome_side")]
    count: Annotated[Count, Wire("count_fp")]
    price: Annotated[Price, Wire("yes_price_dollars")]
    at: Annotated[Instant | None, Wire("created_time", OPTIONAL_TIME)] = None
    maker_order_id: OrderId | None = None
    maker_subtrader_id: str | None = None
    maker_fee: Annotated[Money | None, Wire("maker_fee_cost")] = None
    taker_order_id: OrderId | None = None
    taker_subtrader_id: str | None = None
    taker_fee: Annotated[Money | None, Wire("taker_fee_cost")] = None
    shard: Annotated[Shard, Wire("exchange_index", SMALL)] = Shard(0)


class Subtrader(msgspec.Struct, frozen=True, kw_only=True):
    """A customer.  Trading may be blocked by the member, the exchange, or both."""

    subtrader_id: str
    shards: Annotated[tuple[int, ...], Wire("exchange_indices")]
    trading_blocked: bool
    fcm_trading_blocked: bool
    propagation_pending: bool


class _NewSubtrader(msgspec.Struct, frozen=True, kw_only=True):
    suffix: Annotated[str, Wire("subtrader_suffix")]


class _SubtraderCreated(msgspec.Struct, frozen=True, kw_only=True):
    subtrader_id: str


class DailyCap(msgspec.Struct, frozen=True, kw_only=True):
    """How much a customer may use on one New York day, and how much is used."""

    subtrader_id: str
    limit: Annotated[Money, Wire("limit", SHORT_DOLLARS)]
    executed: Annotated[Money, Wire("executed_utilization", SHORT_DOLLARS)]
    resting: Annotated[Money, Wire("resting_order_utilization", SHORT_DOLLARS)]
    pending: Annotated[Money, Wire("pending_order_utilization", SHORT_DOLLARS)]
    day: Annotated[str, Wire("cap_date")]


class _NewDailyCap(msgspec.Struct, frozen=True, kw_only=True):
    subtrader_id: str
    limit: Annotated[Money, Wire("limit", SHORT_DOLLARS)]


class _Categories(msgspec.Struct, frozen=True, kw_only=True):
    categories: tuple[str, ...]


class _BlockCategory(msgspec.Struct, frozen=True, kw_only=True):
    subtrader_id: str
    category: str
    blocked: bool


class PositionTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A position to move to a customer of the error account.

    `count` is signed: above zero moves YES, below zero NO.  `price` is the YES
    price, in whole cents.
    """

    source_subtrader_id: str
    target_subtrader_id: str
    market_ticker: Ticker
    count: Annotated[Count, Wire("position_centicount", CENTI_COUNT)]
    price: Annotated[Price, Wire("price_centicents", CENTI_CENT_PRICE)]


class _PositionTransferred(msgspec.Struct, frozen=True, kw_only=True):
    position_transfer_id: str


FILL: Final = Shape(FcmFill, "FcmFill")
SUBTRADER: Final = Shape(Subtrader, "FCMSubtrader")
NEW_SUBTRADER: Final = Shape(_NewSubtrader, "CreateFCMSubtraderRequest")
SUBTRADER_CREATED: Final = Shape(_SubtraderCreated, "CreateFCMSubtraderResponse")
DAILY_CAP: Final = Shape(DailyCap, "GetFCMEventContractDailyCapResponse")
NEW_DAILY_CAP: Final = Shape(_NewDailyCap, "UpdateFCMEventContractDailyCapRequest")
CATEGORIES: Final = Shape(_Categories, "GetFCMSubtraderBlockedCategoriesResponse")
BLOCK_CATEGORY: Final = Shape(_BlockCategory, "UpdateFCMSubtraderBlockedCategoriesRequest")
POSITION_TRANSFER: Final = Shape(PositionTransfer, "CreateFCMPositionTransferRequest")
POSITION_TRANSFERRED: Final = Shape(_PositionTransferred, "CreateFCMPositionTransferResponse")


def fills(
    *, min_at: Instant | None = None, max_at: Instant | None = None, cursor: str = ""
) -> Call[Page[FcmFill]]:
    """Fills of all customers."""
    return request(
        "GetFCMFills",
        FILL.pages("fills"),
        query={"min_ts": since(min_at), "max_ts": until(max_at), "cursor": cursor},
    )


def orders(
    *,
    subtrader_id: str = "",
    client_order_ids: Iterable[ClientOrderId] | None = None,
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    status: OrderStatus | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[OrderReported]]:
    """Orders of customers."""
    return request(
        "GetFCMOrders",
        page_of("orders", order_rows.read_order, order_rows.KNOWN),
        query={
            "subtrader_id": subtrader_id,
            "client_order_ids": joined(client_order_ids),
            "ticker": ticker,
            "event_ticker": event_ticker,
            "status": status,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def positions(
    *,
    subtrader_id: str = "",
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    count_filter: str = "",
    settlement_status: str = "",
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[PositionStated]]:
    """Positions of customers."""
    return request(
        "GetFCMPositions",
        page_of("market_positions", position_rows.read_position, position_rows.KNOWN),
        query={
            "subtrader_id": subtrader_id,
            "ticker": ticker,
            "event_ticker": event_ticker,
            "count_filter": count_filter,
            "settlement_status": settlement_status,
            "limit": limit,
            "cursor": cursor,
        },
    )


def transfer_position(transfer: PositionTransfer) -> Call[str]:
    """Move a position; gives the transfer's id, which no listing tells again."""
    return request(
        "CreateFCMPositionTransfer",
        POSITION_TRANSFERRED.answer().then(lambda row: row.position_transfer_id),
        body=write_body(POSITION_TRANSFER, transfer),
    )


def subtraders() -> Call[tuple[Subtrader, ...]]:
    """All customers."""
    return request("ListFCMSubtraders", SUBTRADER.answers("subtraders"))


def create_subtrader(suffix: str) -> Call[str]:
    """Admit a customer; gives the full id.  The suffix is 1 to 16 letters and digits."""
    return request(
        "CreateFCMSubtrader",
        SUBTRADER_CREATED.answer().then(lambda row: row.subtrader_id),
        body=write_body(NEW_SUBTRADER, _NewSubtrader(suffix=suffix)),
    )


def daily_cap(subtrader_id: str) -> Call[DailyCap]:
    """A customer's daily cap."""
    return request(
        "GetFCMEventContractDailyCap", DAILY_CAP.answer(), query={"subtrader_id": subtrader_id}
    )


def set_daily_cap(subtrader_id: str, limit: Money) -> Call[None]:
    """Give a customer a daily cap."""
    new = _NewDailyCap(subtrader_id=subtrader_id, limit=limit)
    return request("UpdateFCMEventContractDailyCap", nothing(), body=write_body(NEW_DAILY_CAP, new))


def delete_daily_cap(subtrader_id: str) -> Call[None]:
    """Take a customer's daily cap away."""
    return request(
        "DeleteFCMEventContractDailyCap", nothing(), query={"subtrader_id": subtrader_id}
    )


def blocked_categories(subtrader_id: str) -> Call[tuple[str, ...]]:
    """The categories of events in which a customer may not trade."""
    return request(
        "GetFCMSubtraderBlockedCategories",
        CATEGORIES.answer().then(lambda row: row.categories),
        query={"subtrader_id": subtrader_id},
    )


def block_category(
    subtrader_id: str, category: str, *, blocked: bool = True
) -> Call[tuple[str, ...]]:
    """Block a category for a customer, or open it again; gives all that are blocked then."""
    new = _BlockCategory(subtrader_id=subtrader_id, category=category, blocked=blocked)
    return request(
        "UpdateFCMSubtraderBlockedCategories",
        CATEGORIES.answer().then(lambda row: row.categories),
        body=write_body(BLOCK_CATEGORY, new),
    )
