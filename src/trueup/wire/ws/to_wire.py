"""From core values to the bodies of messages: what the sandbox's server says.

The opposite of `from_wire`; tests hold both together.  Only the present form
is written.  Times are told in milliseconds; the deprecated texts beside them
are cut to milliseconds, as on the exchange.

In an order book the NO side is told in NO prices, unless the subscriber asked
for ``use_yes_price``.  Either way the best level of a side comes last.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar, assert_never

import msgspec
from msgspec import UNSET, UnsetType

from trueup.core import announcements as a
from trueup.core.ids import Ticker
from trueup.core.instant import Instant, format_instant, to_seconds_floor
from trueup.core.orderbook import BookDelta, BookSnapshot, Level
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.spelling import counted, dollars, priced
from trueup.wire.ws import bodies as b
from trueup.wire.ws import private_bodies as p
from trueup.wire.ws.bodies import Body

T = TypeVar("T")

_MILLISECOND: Final = 1000
_INDEX_PLACES: Final = 8
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def snapshot(value: BookSnapshot, *, market_id: str, use_yes_price: bool) -> b.SnapshotBody:
    """``orderbook_snapshot``; a side without levels has no key."""
    return b.SnapshotBody(
        market_ticker=value.ticker,
        market_id=market_id,
        clock=value.clock,
        yes_dollars_fp=_levels(value.bids, use_yes_price=True),
        no_dollars_fp=_levels(value.asks, use_yes_price=use_yes_price),
    )


def delta(
    value: BookDelta, *, market_id: str, use_yes_price: bool, is_own: bool = False
) -> b.DeltaBody:
    """``orderbook_delta``.  Only the owner of the order hears its ids."""
    is_bid = value.side is Side.YES
    price = value.price if is_bid or use_yes_price else value.price.complement()
    return b.DeltaBody(
        market_ticker=value.ticker,
        market_id=market_id,
        clock=value.clock,
        price_dollars=priced(price),
        delta_fp=counted(value.change),
        side=value.side.value,
        client_order_id=_or_unset(value.client_order_id) if is_own else UNSET,
        subaccount=_or_unset(value.subaccount) if is_own else UNSET,
        ts=UNSET if value.at is None else _text(value.at),
        ts_ms=UNSET if value.at is None else _milliseconds(value.at),
    )


def ticker(value: a.TickerAnnounced, *, market_id: str) -> b.TickerBody:
    """``ticker``."""
    return b.TickerBody(
        market_ticker=value.ticker,
        market_id=market_id,
        price_dollars=priced(value.last),
        yes_bid_dollars=priced(value.yes_bid),
        yes_ask_dollars=priced(value.yes_ask),
        volume_fp=counted(value.volume),
        open_interest_fp=counted(value.open_interest),
        dollar_volume=value.dollar_volume,
        dollar_open_interest=value.dollar_open_interest,
        yes_bid_size_fp=counted(value.bid_count),
        yes_ask_size_fp=counted(value.ask_count),
        last_trade_size_fp=counted(value.last_count),
        ts=to_seconds_floor(value.at),
        ts_ms=_milliseconds(value.at),
        time=_text(value.at),
    )


def trade(value: a.TradeAnnounced) -> b.TradeBody:
    """``trade``."""
    return b.TradeBody(
        trade_id=value.trade_id,
        market_ticker=value.ticker,
        yes_price_dollars=priced(value.price),
        no_price_dollars=priced(value.price.complement()),
        count_fp=counted(value.count),
        taker_side=value.taker_side.value,
        taker_outcome_side=value.taker_side.value,
        taker_book_side=_book_side(value.taker_side),
        is_block_trade=value.is_block,
        ts=to_seconds_floor(value.at),
        ts_ms=_milliseconds(value.at),
    )


def fill(value: a.FillAnnounced) -> p.FillBody:
    """``fill``."""
    filled, side = value.filled, value.filled.side.value
    return p.FillBody(
        trade_id=filled.trade_id,
        order_id=filled.order_id,
        market_ticker=filled.ticker,
        is_taker=filled.is_taker,
        client_order_id=_or_unset(value.client_order_id),
        exchange_index=filled.shard,
        side=side,
        yes_price_dollars=priced(filled.price),
        count_fp=counted(filled.count),
        fee_cost=UNSET if filled.fee is None else dollars(filled.fee),
        action="buy",
        post_position_fp=UNSET if value.position is None else counted(value.position),
        purchased_side=side,
        outcome_side=side,
        book_side=_book_side(filled.side),
        subaccount=filled.subaccount,
        ts=to_seconds_floor(filled.at),
        ts_ms=_milliseconds(filled.at),
    )


def user_order(value: a.OrderAnnounced, *, user_id: str) -> p.UserOrderBody:
    """``user_order``."""
    order = value.order
    return p.UserOrderBody(
        order_id=order.order_id,
        user_id=user_id,
        ticker=order.ticker,
        exchange_index=order.shard,
        status=order.status.value,
        side=order.side.value,
        is_yes=order.side is Side.YES,
        outcome_side=order.side.value,
        book_side=_book_side(order.side),
        yes_price_dollars=priced(order.price),
        fill_count_fp=counted(order.fill_count),
        remaining_count_fp=counted(order.remaining_count),
        initial_count_fp=counted(order.initial_count),
        taker_fill_cost_dollars=dollars(order.taker_fill_cost),
        maker_fill_cost_dollars=dollars(order.maker_fill_cost),
        taker_fees_dollars=dollars(order.taker_fees),
        maker_fees_dollars=dollars(order.maker_fees),
        client_order_id=order.client_order_id,
        order_group_id=_or_unset(value.order_group_id),
        self_trade_prevention_type=_or_unset(value.self_trade_prevention),
        created_time=_text(order.created_at),
        last_update_time=_text(order.updated_at),
        expiration_time=UNSET if value.expires_at is None else _text(value.expires_at),
        created_ts_ms=_milliseconds(order.created_at),
        last_updated_ts_ms=_milliseconds(order.updated_at),
        expiration_ts_ms=UNSET if value.expires_at is None else _milliseconds(value.expires_at),
        last_update_reason=UNSET if value.reason is None else str(value.reason),
        subaccount_number=order.subaccount,
    )


def position(value: a.PositionAnnounced, *, user_id: str) -> p.PositionBody:
    """``market_position``."""
    return p.PositionBody(
        user_id=user_id,
        market_ticker=value.ticker,
        position_fp=counted(value.net),
        position_cost_dollars=dollars(value.cost),
        realized_pnl_dollars=dollars(value.realized),
        fees_paid_dollars=dollars(value.fees_paid),
        position_fee_cost_dollars=dollars(value.position_fees),
        volume_fp=counted(value.volume),
        subaccount=value.subaccount,
    )


def market_lifecycle(value: a.MarketAnnounced) -> b.LifecycleBody:
    """``market_lifecycle_v2``, and the same for combinations."""
    details = dict(value.details)
    is_new = value.change is a.MarketChange.CREATED
    return b.LifecycleBody(
        event_type=value.change.value,
        market_ticker=value.ticker,
        exchange_index=_or_unset(value.shard),
        open_ts=_seconds_or_unset(value.open_at),
        close_ts=_seconds_or_unset(value.close_at),
        determination_ts=_seconds_or_unset(value.determined_at),
        settled_ts=_seconds_or_unset(value.settled_at),
        result=_or_unset(value.result),
        settlement_value=_priced_or_unset(value.settlement_value),
        is_deactivated=UNSET if value.is_deactivated is None else value.is_deactivated,
        additional_metadata=_raw(details) if is_new and details else UNSET,
        price_level_structure=_or_unset(value.price_level_structure),
        price_ranges=tuple(
            b.BandBody(start=priced(one.start), end=priced(one.end), step=priced(one.step))
            for one in value.price_ranges
        )
        or UNSET,
        strike_type=UNSET if is_new else _text_of(details.get("strike_type")),
        floor_strike=UNSET if is_new else _raw_of(details, "floor_strike"),
        cap_strike=UNSET if is_new else _raw_of(details, "cap_strike"),
        custom_strike=UNSET if is_new else _raw_of(details, "custom_strike"),
        yes_sub_title=UNSET if is_new else _text_of(details.get("yes_sub_title")),
    )


def event_lifecycle(value: a.EventAnnounced) -> b.EventBody:
    """``event_lifecycle``."""
    return b.EventBody(
        event_ticker=value.event_ticker,
        exchange_index=value.shard,
        title=value.title,
        subtitle=value.subtitle,
        collateral_return_type=value.collateral_return,
        series_ticker=value.series_ticker,
        strike_date=_seconds_or_unset(value.strike_at),
        strike_period=_or_unset(value.strike_period),
    )


def event_fees(value: a.EventFeesAnnounced) -> b.EventFeesBody:
    """``event_fee_update``."""
    multiplier = value.fee_multiplier
    return b.EventFeesBody(
        event_ticker=value.event_ticker,
        fee_type_override=value.fee_type,
        fee_multiplier_override=_raw(None if multiplier is None else _decimal(multiplier)),
    )


def order_group(value: a.OrderGroupAnnounced) -> p.OrderGroupBody:
    """``order_group_updates``."""
    return p.OrderGroupBody(
        event_type=value.change.value,
        order_group_id=value.order_group_id,
        contracts_limit_fp=_counted_or_unset(value.contracts_limit),
        ts_ms=_milliseconds(value.at),
    )


def rfq(value: a.RfqAnnounced, *, is_own: bool = True) -> p.RfqBody:
    """``rfq_created`` and ``rfq_deleted``, as its creator or anybody else hears of it."""
    shown = value.creator_id if is_own else value.hidden_as or value.creator_id
    is_new = value.change is a.RfqChange.CREATED
    return p.RfqBody(
        id=value.rfq_id,
        creator_id=shown,
        market_ticker=value.ticker,
        event_ticker=_or_unset(value.event_ticker),
        contracts_fp=_counted_or_unset(value.count),
        target_cost_dollars=_dollars_or_unset(value.target_cost),
        created_ts=format_instant(value.at) if is_new else UNSET,
        deleted_ts=UNSET if is_new else format_instant(value.at),
        mve_collection_ticker=_or_unset(value.collection_ticker),
        mve_selected_legs=tuple(
            p.LegBody(
                event_ticker=leg.event_ticker,
                market_ticker=leg.ticker,
                side=leg.side.value,
                yes_settlement_value_dollars=_priced_or_unset(leg.settlement_value),
            )
            for leg in value.legs
        )
        or UNSET,
    )


def quote(value: a.QuoteAnnounced) -> p.QuoteBody:
    """``quote_created``, ``quote_accepted`` and ``quote_executed``."""
    at = UNSET if value.at is None else format_instant(value.at)
    return p.QuoteBody(
        quote_id=value.quote_id,
        rfq_id=value.rfq_id,
        quote_creator_id=value.quote_creator_id,
        rfq_creator_id=value.rfq_creator_id,
        market_ticker=value.ticker,
        event_ticker=_or_unset(value.event_ticker),
        yes_bid_dollars=_priced_or_unset(value.yes_bid),
        no_bid_dollars=_priced_or_unset(value.no_bid),
        yes_contracts_offered_fp=_counted_or_unset(value.yes_count),
        no_contracts_offered_fp=_counted_or_unset(value.no_count),
        rfq_target_cost_dollars=_dollars_or_unset(value.target_cost),
        accepted_side=UNSET if value.accepted_side is None else value.accepted_side.value,
        contracts_accepted_fp=_counted_or_unset(value.accepted_count),
        created_ts=at if value.change is a.QuoteChange.CREATED else UNSET,
        executed_ts=at if value.change is a.QuoteChange.EXECUTED else UNSET,
        order_id=_or_unset(value.order_id),
        client_order_id=_or_unset(value.client_order_id),
        rfq_batch_id=_or_unset(value.rfq_batch_id),
        subaccount=_or_unset(value.subaccount),
    )


def index(value: a.IndexAnnounced) -> Body:
    """``cfbenchmarks_value``, ``cfbenchmarks_value_5hz`` or ``pyth_value``, by its source."""
    if value.source == "cfbenchmarks_value":
        return b.CfBenchmarksBody(
            index_id=value.index_id,
            received_at=_milliseconds(value.received_at),
            data=value.frame,
            avg_60s_data=_average(value.minute),
            last_60s_windowed_average_15min=_average(value.quarter_hour),
        )
    at = value.received_at if value.source_at is None else value.source_at
    figure = f"{_decimal(value.value or Ratio(0)):.{_INDEX_PLACES}f}"
    if value.source == "pyth_value":
        return b.PythBody(
            underlying_ticker=value.index_id,
            value_usd=figure,
            source_ts_ms=_milliseconds(at),
            received_at=_milliseconds(value.received_at),
        )
    return b.CfBenchmarks5HzBody(
        index_id=value.index_id,
        value_usd=figure,
        source_ts_ms=_milliseconds(at),
        received_at=_milliseconds(value.received_at),
        data=value.frame,
    )


Plain = (
    a.TradeAnnounced
    | a.PrivateAnnouncement
    | a.MarketAnnounced
    | a.EventAnnounced
    | a.EventFeesAnnounced
    | a.RfqAnnounced
    | a.RfqBatchAnnounced
    | a.IndexAnnounced
)
"""What is told to everybody in the same way, and names no market id."""


def body(value: Plain, *, user_id: str) -> Body | dict[str, object]:  # noqa: C901, PLR0911, PLR0912  # a table
    """The ``msg`` of any of these, for the user that it belongs to."""
    match value:
        case a.TradeAnnounced():
            return trade(value)
        case a.FillAnnounced():
            return fill(value)
        case a.OrderAnnounced():
            return user_order(value, user_id=user_id)
        case a.PositionAnnounced():
            return position(value, user_id=user_id)
        case a.OrderGroupAnnounced():
            return order_group(value)
        case a.MarketAnnounced():
            return market_lifecycle(value)
        case a.EventAnnounced():
            return event_lifecycle(value)
        case a.EventFeesAnnounced():
            return event_fees(value)
        case a.RfqAnnounced():
            return rfq(value)
        case a.QuoteAnnounced():
            return quote(value)
        case a.RfqBatchAnnounced():
            return dict(value.details)
        case a.IndexAnnounced():
            return index(value)
        case _:
            assert_never(value)


def ticker_of(value: a.Announcement) -> Ticker | None:
    """The market that an announcement is about; `None` for one that is about none."""
    match value:
        case a.FillAnnounced():
            return value.filled.ticker
        case a.OrderAnnounced():
            return value.order.ticker
        case (
            a.OrderGroupAnnounced()
            | a.EventAnnounced()
            | a.EventFeesAnnounced()
            | a.IndexAnnounced()
            | a.RfqBatchAnnounced()
        ):
            return None
        case _:
            return value.ticker


def _levels(levels: tuple[Level, ...], *, use_yes_price: bool) -> b.Levels:
    return (
        tuple(
            (priced(one.price if use_yes_price else one.price.complement()), counted(one.count))
            for one in reversed(levels)
        )
        or UNSET
    )


def _average(value: a.IndexAverage | None) -> b.AverageBody | UnsetType:
    if value is None:
        return UNSET
    return b.AverageBody(
        value=f"{_decimal(value.value):.{_INDEX_PLACES}f}",
        window_size=value.ticks,
        window_start_ts_ms=_milliseconds(value.start),
        window_end_ts_exclusive=_milliseconds(value.end),
    )


def _decimal(value: Ratio) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _book_side(side: Side) -> str:
    return "bid" if side is Side.YES else "ask"


def _milliseconds(at: Instant) -> int:
    return at // _MILLISECOND


def _text(at: Instant) -> str:
    """RFC 3339, cut to milliseconds."""
    text = format_instant(Instant(at // _MILLISECOND * _MILLISECOND))
    return text if "." not in text else text[:-4] + "Z"


def _seconds_or_unset(at: Instant | None) -> int | UnsetType:
    return UNSET if at is None else to_seconds_floor(at)


def _priced_or_unset(price: Price | None) -> str | UnsetType:
    return UNSET if price is None else priced(price)


def _counted_or_unset(count: Count | None) -> str | UnsetType:
    return UNSET if count is None else counted(count)


def _dollars_or_unset(money: Money | None) -> str | UnsetType:
    return UNSET if money is None else dollars(money)


def _or_unset(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(value))


def _raw_of(details: dict[str, object], key: str) -> msgspec.Raw | UnsetType:
    return _raw(details[key]) if key in details else UNSET


def _text_of(value: object) -> str | UnsetType:
    return value if isinstance(value, str) else UNSET
