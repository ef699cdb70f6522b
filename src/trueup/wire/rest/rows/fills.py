"""Fills: ``/portfolio/fills`` and ``/historical/fills``."""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.core.errors import NotANumber, ProtocolBroken
from trueup.core.facts import Filled
from trueup.core.ids import OrderId, Shard, Subaccount, Ticker, TradeId
from trueup.core.instant import Instant
from trueup.core.quick import quickly
from trueup.core.units import Count, Price
from trueup.wire import values
from trueup.wire.rest.call import Page
from trueup.wire.rest.reading import Answer, RecordDecoder, bulk_of, field_names, page_of
from trueup.wire.values import Number

KNOWN: Final = field_names(
    """
    fill_id trade_id exchange_index order_id ticker market_ticker side action outcome_side
    book_side count_fp yes_price_dollars no_price_dollars is_taker created_time fee_cost
    subaccount_number ts ts_ms
    count price yes_price no_price yes_price_fixed no_price_fixed client_order_id purchased_side
    """
)
"""The second group is of before March 2026."""


class FillRecord(msgspec.Struct, gc=False):
    """The fields of a fill that are read, in all forms."""

    order_id: str
    is_taker: bool
    trade_id: str | None = None
    fill_id: str | None = None
    ticker: str | None = None
    market_ticker: str | None = None
    outcome_side: str | None = None
    book_side: str | None = None
    purchased_side: str | None = None
    side: str | None = None
    count_fp: Number | None = None
    count: Number | None = None
    yes_price_dollars: Number | None = None
    no_price_dollars: Number | None = None
    yes_price_fixed: Number | None = None
    no_price_fixed: Number | None = None
    yes_price: Number | None = None
    no_price: Number | None = None
    fee_cost: Number | None = None
    created_time: str | None = None
    ts: int | None = None
    ts_ms: int | None = None
    subaccount_number: int | None = None
    exchange_index: int | None = None


_decode: Final = RecordDecoder(FillRecord)
_filled: Final = quickly(Filled)


def read_fill(raw: bytes, asked: Subaccount | None = None) -> Filled:
    """One fill.

    `asked` is the subaccount that the listing was asked for; it is used where
    the row does not name its own, and without either the row is the primary
    account's.  `fee` is `None` where the old form has none.
    """
    return fill_of(_decode(raw), asked)


def fills_page(asked: Subaccount | None) -> Answer[Page[Filled]]:
    """How a page of fills is read; for `asked` see `read_fill`."""
    return page_of(
        "fills",
        lambda raw: read_fill(raw, asked),
        KNOWN,
        read_all=bulk_of("fills", FillRecord, lambda row: fill_of(row, asked)),
    )


def fill_of(row: FillRecord, asked: Subaccount | None = None) -> Filled:
    """One decoded fill; see `read_fill`."""
    trade_id = row.trade_id or row.fill_id
    ticker = row.ticker or row.market_ticker
    if not trade_id or not ticker:
        raise ProtocolBroken("a fill without trade_id or ticker cannot be told from others")
    own, shard, fee = row.subaccount_number, row.exchange_index, row.fee_cost
    return _filled(
        trade_id=TradeId(trade_id),
        order_id=OrderId(row.order_id),
        ticker=Ticker(ticker),
        # Before outcome_side there was purchased_side, which means the same.
        side=values.fill_side(row.outcome_side, row.book_side, row.purchased_side or row.side),
        count=_count(row),
        price=_yes_price(row),
        fee=None if fee is None else values.dollars(fee),
        is_taker=row.is_taker,
        at=_time(row),
        subaccount=Subaccount(asked or 0) if own is None else Subaccount(own),
        shard=Shard(shard or 0),
        shard_named=shard is not None,
    )


def _count(row: FillRecord) -> Count:
    stated = row.count if row.count_fp is None else row.count_fp
    if stated is None:
        raise ProtocolBroken("a fill without count_fp or count")
    count = values.count(stated)
    if count.units <= 0:
        raise NotANumber(f"a fill of {count} contracts cannot be")
    return count


def _yes_price(row: FillRecord) -> Price:
    """The YES price, from the YES fields first; only without them from the NO side.

    The price of a NO fill is still its YES price: direction does not change it.
    """
    if row.yes_price_dollars is not None:
        return values.price(row.yes_price_dollars)
    if row.yes_price_fixed is not None:
        return values.price(row.yes_price_fixed)
    if row.yes_price is not None:
        return values.price_of_cents(row.yes_price)
    if row.no_price_dollars is not None:
        return values.price(row.no_price_dollars).complement()
    if row.no_price_fixed is not None:
        return values.price(row.no_price_fixed).complement()
    if row.no_price is not None:
        return values.price_of_cents(row.no_price).complement()
    raise ProtocolBroken("a fill without a price")


def _time(row: FillRecord) -> Instant:
    if row.created_time:
        return values.instant(row.created_time)
    if row.ts_ms is not None:
        # Only messages of the stream have it, without a created_time.
        return values.instant_of_milliseconds(row.ts_ms)
    if row.ts is not None:
        return values.instant_of_seconds(row.ts)
    raise ProtocolBroken("a fill without created_time or ts")
