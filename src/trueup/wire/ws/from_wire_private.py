"""From the messages of the account's own channels, and of requests for quotes, to core values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

from trueup.core import announcements as a
from trueup.core.errors import NotANumber, ProtocolBroken
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_MONEY, Money, Price
from trueup.wire import values
from trueup.wire.rest.rows.orders import STATUSES
from trueup.wire.ws import from_wire
from trueup.wire.ws import messages as m
from trueup.wire.ws import private_bodies as p
from trueup.wire.ws.bodies import Figure, Text, Whole
from trueup.wire.ws.from_wire import counted, given, money, optional_count, when, yes_price

_UNTOLD: Final = Instant(0)
_encoder: Final = msgspec.json.Encoder()
_exact: Final = msgspec.json.Decoder(dict[str, object])


def _fill(message: m.Fill) -> a.FillAnnounced:
    body = message.msg
    fee, shard = given(body.fee_cost), given(body.exchange_index)
    count = counted(body.count_fp, body.count)
    if count.units <= 0:
        raise NotANumber(f"a fill of {count} contracts cannot be")
    position = optional_count(body.post_position_fp)
    filled = Filled(
        trade_id=TradeId(body.trade_id),
        order_id=OrderId(body.order_id),
        ticker=Ticker(body.market_ticker),
        side=_fill_side(body),
        count=count,
        price=yes_price(body.yes_price_dollars, None, body.yes_price, body.no_price),
        fee=None if fee is None else values.dollars(fee),
        is_taker=body.is_taker,
        at=when(body.ts_ms, body.ts),
        subaccount=Subaccount(given(body.subaccount) or 0),
        shard=Shard(shard or 0),
        shard_named=shard is not None,
    )
    return a.FillAnnounced(
        filled=filled,
        position=optional_count(body.post_position) if position is None else position,
        client_order_id=_client_order_id(body.client_order_id),
    )


def _fill_side(body: p.FillBody) -> Side:
    """The direction: before ``outcome_side`` there was ``purchased_side``, which means the same."""
    purchased = given(body.purchased_side)
    return values.fill_side(
        given(body.outcome_side), given(body.book_side), purchased or given(body.side)
    )


def _user_order(message: m.UserOrder) -> a.OrderAnnounced:
    body = message.msg
    at = message.sending_ts_ms
    created = _instant(body.created_ts_ms, body.created_time)
    updated = _instant(body.last_updated_ts_ms, body.last_update_time)
    if created is None and updated is None:
        created = _UNTOLD if not isinstance(at, int) else values.instant_of_milliseconds(at)
    created_at = created if created is not None else updated
    updated_at = updated if updated is not None else created
    if created_at is None or updated_at is None:
        raise ProtocolBroken("an order without any time")
    order = OrderReported(
        order_id=OrderId(body.order_id),
        client_order_id=ClientOrderId(given(body.client_order_id) or ""),
        ticker=Ticker(body.ticker),
        side=_order_side(body),
        status=values.word(STATUSES, body.status, "status"),
        price=yes_price(body.yes_price_dollars, None, None, None),
        initial_count=counted(body.initial_count_fp, None),
        fill_count=counted(body.fill_count_fp, None),
        remaining_count=counted(body.remaining_count_fp, None),
        taker_fees=_money(body.taker_fees_dollars),
        maker_fees=_money(body.maker_fees_dollars),
        taker_fill_cost=_money(body.taker_fill_cost_dollars),
        maker_fill_cost=_money(body.maker_fill_cost_dollars),
        created_at=created_at,
        updated_at=updated_at,
        subaccount=Subaccount(given(body.subaccount_number) or 0),
        shard=Shard(given(body.exchange_index) or 0),
    )
    return a.OrderAnnounced(
        order=order,
        reason=_reason(given(body.last_update_reason)),
        order_group_id=given(body.order_group_id),
        self_trade_prevention=given(body.self_trade_prevention_type),
        expires_at=_instant(body.expiration_ts_ms, body.expiration_time),
    )


def _order_side(body: p.UserOrderBody) -> Side:
    outcome, book = given(body.outcome_side), given(body.book_side)
    is_yes = given(body.is_yes)
    if not outcome and not book and is_yes is not None:
        return Side.YES if is_yes else Side.NO
    return values.fill_side(outcome, book, given(body.side))


def _reason(word: str | None) -> a.OrderUpdateReason | str | None:
    known = {one.value: one for one in a.OrderUpdateReason}
    return known.get(word, word) if word else None


def _position(message: m.MarketPosition) -> a.PositionAnnounced:
    body = message.msg
    return a.PositionAnnounced(
        ticker=Ticker(body.market_ticker),
        net=counted(body.position_fp, body.position),
        cost=money(body.position_cost_dollars, body.position_cost),
        realized=money(body.realized_pnl_dollars, body.realized_pnl),
        fees_paid=money(body.fees_paid_dollars, body.fees_paid),
        position_fees=_position_fees(body),
        volume=counted(body.volume_fp, body.volume),
        subaccount=Subaccount(given(body.subaccount) or 0),
    )


def _position_fees(body: p.PositionBody) -> Money:
    if given(body.position_fee_cost_dollars) is None and given(body.position_fee_cost) is None:
        return ZERO_MONEY
    return money(body.position_fee_cost_dollars, body.position_fee_cost)


def _order_group(message: m.OrderGroupUpdates) -> a.OrderGroupAnnounced:
    body = message.msg
    changes = {one.value: one for one in a.OrderGroupChange}
    at, sent = given(body.ts_ms), given(message.sending_ts_ms)
    return a.OrderGroupAnnounced(
        order_group_id=body.order_group_id,
        change=values.word(changes, body.event_type, "event_type"),
        contracts_limit=optional_count(body.contracts_limit_fp),
        at=when(sent if at is None else at, None),
    )


def _rfq(message: m.RfqCreated | m.RfqDeleted) -> a.RfqAnnounced:
    body, is_new = message.msg, isinstance(message, m.RfqCreated)
    at = given(body.created_ts if is_new else body.deleted_ts)
    if not at:
        raise ProtocolBroken("a request for quotes without its time")
    event_ticker = given(body.event_ticker)
    return a.RfqAnnounced(
        rfq_id=body.id,
        change=a.RfqChange.CREATED if is_new else a.RfqChange.DELETED,
        creator_id=given(body.creator_id) or "",
        ticker=Ticker(body.market_ticker),
        event_ticker=EventTicker(event_ticker) if event_ticker else None,
        count=optional_count(body.contracts_fp),
        target_cost=_optional_money(body.target_cost_dollars),
        collection_ticker=given(body.mve_collection_ticker),
        legs=tuple(_leg(leg) for leg in given(body.mve_selected_legs) or ()),
        at=values.instant(at),
    )


def _leg(body: p.LegBody) -> a.RfqLeg:
    return a.RfqLeg(
        event_ticker=EventTicker(given(body.event_ticker) or ""),
        ticker=Ticker(given(body.market_ticker) or ""),
        side=values.word(values.SIDES, given(body.side) or "", "side"),
        settlement_value=_optional_price(body.yes_settlement_value_dollars),
    )


_QUOTE_CHANGES: Final[Mapping[type[m.Message], a.QuoteChange]] = {
    m.QuoteCreated: a.QuoteChange.CREATED,
    m.QuoteAccepted: a.QuoteChange.ACCEPTED,
    m.QuoteExecuted: a.QuoteChange.EXECUTED,
}


def _quote(message: m.QuoteCreated | m.QuoteAccepted | m.QuoteExecuted) -> a.QuoteAnnounced:
    body = message.msg
    event_ticker, accepted = given(body.event_ticker), given(body.accepted_side)
    order_id, subaccount = given(body.order_id), given(body.subaccount)
    at = given(body.executed_ts) or given(body.created_ts)
    return a.QuoteAnnounced(
        quote_id=body.quote_id,
        rfq_id=body.rfq_id,
        change=_QUOTE_CHANGES[type(message)],
        quote_creator_id=given(body.quote_creator_id) or "",
        rfq_creator_id=given(body.rfq_creator_id) or "",
        ticker=Ticker(body.market_ticker),
        event_ticker=EventTicker(event_ticker) if event_ticker else None,
        yes_bid=_optional_price(body.yes_bid_dollars),
        no_bid=_optional_price(body.no_bid_dollars),
        yes_count=optional_count(body.yes_contracts_offered_fp),
        no_count=optional_count(body.no_contracts_offered_fp),
        target_cost=_optional_money(body.rfq_target_cost_dollars),
        accepted_side=values.word(values.SIDES, accepted, "accepted_side") if accepted else None,
        accepted_count=optional_count(body.contracts_accepted_fp),
        order_id=OrderId(order_id) if order_id else None,
        client_order_id=_client_order_id(body.client_order_id),
        rfq_batch_id=given(body.rfq_batch_id),
        subaccount=None if subaccount is None else Subaccount(subaccount),
        at=values.instant(at) if at else None,
    )


def _batch(message: m.Batch) -> a.RfqBatchAnnounced:
    body = message.msg
    is_named_id = isinstance(body, p.BatchCreatedBody | p.BatchDeletedBody)
    return a.RfqBatchAnnounced(
        change=str(type(message).__struct_config__.tag),
        rfq_batch_id=body.id if is_named_id else body.rfq_batch_id,
        details=_exact.decode(_encoder.encode(body)),
    )


def _client_order_id(value: Text) -> ClientOrderId | None:
    text = given(value)
    return ClientOrderId(text) if text else None


def _money(value: Figure) -> Money:
    return money(value, None)


def _optional_money(value: Figure) -> Money | None:
    return None if given(value) is None else money(value, None)


def _optional_price(value: Figure) -> Price | None:
    stated = given(value)
    return None if stated is None else values.price(stated)


def _instant(milliseconds: Whole, text: Text) -> Instant | None:
    stated = given(milliseconds)
    if stated is not None:
        return values.instant_of_milliseconds(stated)
    return values.optional_instant(given(text))


_Readers = Mapping[type[m.Message], Callable[[Any], a.Announcement]]
_PRIVATE: Final = cast(
    "_Readers",
    {
        m.Fill: _fill,
        m.UserOrder: _user_order,
        m.MarketPosition: _position,
        m.OrderGroupUpdates: _order_group,
        m.RfqCreated: _rfq,
        m.RfqDeleted: _rfq,
        m.QuoteCreated: _quote,
        m.QuoteAccepted: _quote,
        m.QuoteExecuted: _quote,
        **dict.fromkeys(cast("tuple[type[m.Message], ...]", m.Batch.__args__), _batch),
    },
)


def announcement(message: m.News) -> a.Announcement:
    """What any message says, but for order books.  Raises one of `from_wire.UNREADABLE`."""
    read = _PRIVATE.get(type(message))
    return from_wire.announcement(message) if read is None else read(message)
