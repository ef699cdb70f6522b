"""Orders: ``/portfolio/orders`` and ``/historical/orders``."""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.core.errors import ProtocolBroken
from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus
from trueup.core.units import ZERO_MONEY, Count, Money, Price
from trueup.wire import values
from trueup.wire.rest.reading import RecordDecoder, field_names
from trueup.wire.values import Number

KNOWN: Final = field_names(
    """
    order_id user_id client_order_id ticker side action outcome_side book_side type status
    yes_price_dollars no_price_dollars fill_count_fp remaining_count_fp initial_count_fp
    taker_fill_cost_dollars maker_fill_cost_dollars taker_fees_dollars maker_fees_dollars
    expiration_time created_time last_update_time self_trade_prevention_type order_group_id
    cancel_order_on_pause subaccount_number exchange_index
    yes_price no_price fill_count remaining_count initial_count taker_fill_cost maker_fill_cost
    taker_fees maker_fees queue_position place_count decrease_count taker_fill_count
    maker_fill_count amend_count amend_taker_fill_count fcc_cancel_count close_cancel_count
    taker_self_trade_cancel_count
    """
)
"""The second group is of before March 2026."""

STATUSES: Final = {status.value: status for status in OrderStatus}


class OrderRecord(msgspec.Struct, gc=False):
    """The fields of an order that are read, in all forms."""

    order_id: str
    ticker: str
    status: str
    client_order_id: str | None = None
    outcome_side: str | None = None
    book_side: str | None = None
    side: str | None = None
    action: str | None = None
    yes_price_dollars: Number | None = None
    no_price_dollars: Number | None = None
    yes_price: Number | None = None
    no_price: Number | None = None
    initial_count_fp: Number | None = None
    fill_count_fp: Number | None = None
    remaining_count_fp: Number | None = None
    initial_count: Number | None = None
    fill_count: Number | None = None
    remaining_count: Number | None = None
    place_count: Number | None = None
    taker_fill_count: Number | None = None
    maker_fill_count: Number | None = None
    taker_fees_dollars: Number | None = None
    maker_fees_dollars: Number | None = None
    taker_fill_cost_dollars: Number | None = None
    maker_fill_cost_dollars: Number | None = None
    taker_fees: Number | None = None
    maker_fees: Number | None = None
    taker_fill_cost: Number | None = None
    maker_fill_cost: Number | None = None
    created_time: str | None = None
    last_update_time: str | None = None
    subaccount_number: int | None = None
    exchange_index: int | None = None


_decode: Final = RecordDecoder(OrderRecord)


def read_order(raw: bytes, asked: Subaccount | None = None) -> OrderReported:
    """The state of one order.

    `asked` is the subaccount that the listing was asked for; it is used where
    the row does not name its own.
    """
    row = _decode(raw)
    created_at, updated_at = _times(row)
    own = row.subaccount_number
    return OrderReported(
        order_id=OrderId(row.order_id),
        client_order_id=ClientOrderId(row.client_order_id or ""),
        ticker=Ticker(row.ticker),
        side=values.order_side(row.outcome_side, row.book_side, side=row.side, action=row.action),
        status=values.word(STATUSES, row.status, "status"),
        price=_yes_price(row),
        initial_count=_count(row.initial_count_fp, row.initial_count, row.place_count),
        fill_count=_fill_count(row),
        remaining_count=_count(row.remaining_count_fp, row.remaining_count, None),
        taker_fees=_money(row.taker_fees_dollars, row.taker_fees, row),
        maker_fees=_money(row.maker_fees_dollars, row.maker_fees, row),
        taker_fill_cost=_money(row.taker_fill_cost_dollars, row.taker_fill_cost, row),
        maker_fill_cost=_money(row.maker_fill_cost_dollars, row.maker_fill_cost, row),
        created_at=created_at,
        updated_at=updated_at,
        subaccount=Subaccount(asked or 0) if own is None else Subaccount(own),
        shard=Shard(row.exchange_index or 0),
    )


def _yes_price(row: OrderRecord) -> Price:
    if row.yes_price_dollars is not None:
        return values.price(row.yes_price_dollars)
    if row.yes_price is not None:
        return values.price_of_cents(row.yes_price)
    if row.no_price_dollars is not None:
        return values.price(row.no_price_dollars).complement()
    if row.no_price is not None:
        return values.price_of_cents(row.no_price).complement()
    raise ProtocolBroken("an order without a price")


def _count(present: Number | None, old: Number | None, oldest: Number | None) -> Count:
    for stated in (present, old, oldest):
        if stated is not None:
            return values.count(stated)
    raise ProtocolBroken("an order without its initial, filled or remaining count")


def _fill_count(row: OrderRecord) -> Count:
    if row.taker_fill_count is not None and row.maker_fill_count is not None:
        parts = values.count(row.taker_fill_count) + values.count(row.maker_fill_count)
        if row.fill_count_fp is None and row.fill_count is None:
            return parts
    return _count(row.fill_count_fp, row.fill_count, None)


def _money(dollars: Number | None, cents: Number | None, row: OrderRecord) -> Money:
    """Dollars first; whole cents in the old form, which left out what was zero."""
    if dollars is not None:
        return values.dollars(dollars)
    if cents is not None:
        return values.exact_cents(cents)
    if row.fill_count_fp is None:
        return ZERO_MONEY
    raise ProtocolBroken("an order without its fees or fill cost")


def _times(row: OrderRecord) -> tuple[Instant, Instant]:
    created, updated = row.created_time, row.last_update_time
    if created:
        created_at = values.instant(created)
        # Both are the same text until something happens to the order.
        if not updated or updated == created:
            return created_at, created_at
        return created_at, values.optional_instant(updated) or created_at
    if updated:
        updated_at = values.instant(updated)
        return updated_at, updated_at
    raise ProtocolBroken("an order without created_time or last_update_time")
