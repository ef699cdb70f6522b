"""The portfolio section: balance, fills, settlements, orders, positions.

The defaults of ``subaccount`` differ by operation: balance and positions mean
the primary account when none is named, fills, orders and settlements mean all
of them.  Settlement and position rows do not name their subaccount, so the
calls take the one that was asked for; ask per subaccount to attribute rows.  A
key that is locked to a subaccount reads that one, whatever is omitted.

All listings are newest first, and old records move to `historical`.
"""

from __future__ import annotations

from trueup.core.facts import Filled, OrderReported, Settled
from trueup.core.ids import EventTicker, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus
from trueup.core.statements import PositionStated
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import page_of, record_of
from trueup.wire.rest.request import request, since, until
from trueup.wire.rest.rows import balances
from trueup.wire.rest.rows import fills as fill_rows
from trueup.wire.rest.rows import orders as order_rows
from trueup.wire.rest.rows import positions as position_rows
from trueup.wire.rest.rows import settlements as settlement_rows
from trueup.wire.rest.rows.balances import Balance


def balance(*, subaccount: Subaccount | None = None, shard: Shard | None = None) -> Call[Balance]:
    """The cash balance of one subaccount, over all shards or of one `shard`."""
    return request(
        "GetBalance",
        record_of(None, lambda raw: balances.read_balance(raw, shard), balances.KNOWN),
        query={"subaccount": subaccount, "exchange_index": shard},
    )


def fills(
    *,
    ticker: Ticker | None = None,
    order_id: OrderId | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
    shard: Shard | None = None,
) -> Call[Page[Filled]]:
    """Fills of the live tier.  `ticker` may be up to 100 tickers joined by commas."""
    return request(
        "GetFills",
        fill_rows.fills_page(subaccount),
        query={
            "ticker": ticker,
            "order_id": order_id,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
            "exchange_index": shard,
        },
    )


def settlements(
    *,
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
) -> Call[Page[Settled]]:
    """Settlement rows of the live tier; archived ones are gone, not moved."""
    return request(
        "GetSettlements",
        settlement_rows.settlements_page(subaccount),
        query={
            "ticker": ticker,
            "event_ticker": event_ticker,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
        },
    )


def orders(
    *,
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    status: OrderStatus | None = None,
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
    shard: Shard | None = None,
) -> Call[Page[OrderReported]]:
    """Orders of the live tier; resting orders are always here.

    `event_ticker` may be up to ten tickers joined by commas.
    """
    return request(
        "GetOrders",
        page_of("orders", lambda raw: order_rows.read_order(raw, subaccount), order_rows.KNOWN),
        query={
            "ticker": ticker,
            "event_ticker": event_ticker,
            "status": status,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
            "exchange_index": shard,
        },
    )


def order(order_id: OrderId) -> Call[OrderReported]:
    """One order.  A single read may lag a write; believe the listing over it."""
    return request(
        "GetOrder",
        record_of("order", order_rows.read_order, order_rows.KNOWN),
        path={"order_id": order_id},
    )


def positions(
    *,
    settlement_status: str = "unsettled",
    ticker: Ticker | None = None,
    event_ticker: EventTicker | None = None,
    count_filter: str = "",
    limit: int | None = None,
    cursor: str = "",
    subaccount: Subaccount | None = None,
    shard: Shard | None = None,
) -> Call[Page[PositionStated]]:
    """Positions per market of the live tier.

    `settlement_status` is ``unsettled``, ``settled`` or ``all``; a cursor is
    good only with the same one.  `count_filter` keeps rows where ``position``
    or ``total_traded`` is not zero.
    """
    return request(
        "GetPositions",
        page_of(
            "market_positions",
            lambda raw: position_rows.read_position(raw, subaccount),
            position_rows.KNOWN,
        ),
        query={
            "ticker": ticker,
            "event_ticker": event_ticker,
            "count_filter": count_filter,
            "settlement_status": settlement_status,
            "limit": limit,
            "cursor": cursor,
            "subaccount": subaccount,
            "exchange_index": shard,
        },
    )
