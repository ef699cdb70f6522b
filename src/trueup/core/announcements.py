"""What the exchange announces on its streams.  Frozen; one class per kind of message.

An announcement is told once and not repeated.  The account's own (fills,
orders, positions) are a quicker way to hear of facts that REST tells in full;
whoever keeps books asks REST for what a broken connection left out.

Prices are YES prices on both sides of a market, as everywhere in trueup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import (
    PRIMARY,
    SHARD_ZERO,
    ClientOrderId,
    EventTicker,
    OrderId,
    SeriesTicker,
    Shard,
    Subaccount,
    Ticker,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orderbook import BookDelta, BookSnapshot
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeAnnounced:
    """Somebody traded.  The same `trade_id` is in both sides' fills."""

    trade_id: TradeId
    ticker: Ticker
    price: Price
    count: Count
    taker_side: Side
    is_block: bool = False
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerAnnounced:
    """The top of a market's book and its totals.

    Without a bid `yes_bid` is 0, without an ask `yes_ask` is 1; the counts tell.
    `dollar_volume` and `dollar_open_interest` are whole dollars and may be negative.
    """

    ticker: Ticker
    last: Price
    yes_bid: Price
    yes_ask: Price
    bid_count: Count
    ask_count: Count
    last_count: Count
    volume: Count
    open_interest: Count
    dollar_volume: int
    dollar_open_interest: int
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class FillAnnounced:
    """One of our orders traded.  `position` is the net position afterwards.

    Only here is a fill's `client_order_id`; REST does not tell it.
    """

    filled: Filled
    position: Count | None = None
    client_order_id: ClientOrderId | None = None


class OrderUpdateReason(StrEnum):
    """Why an order changed, in the exchange's words."""

    DECREASE = "Decrease"
    AMEND = "Amend"
    MARGIN_CANCEL = "MarginCancel"
    SELF_TRADE_CANCEL = "SelfTradeCancel"
    EXPIRY_CANCEL = "ExpiryCancel"
    CLOSE_CANCEL = "CloseCancel"
    HALT_CANCEL = "HaltCancel"
    TRADE = "Trade"
    POST_ONLY_CROSS_CANCEL = "PostOnlyCrossCancel"
    REDUCE_ONLY_CANCEL = "ReduceOnlyCancel"
    SETTLEMENT_BOUNDS_CANCEL = "SettlementBoundsCancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnnounced:
    """One of our orders is new or changed.

    `reason` keeps a word of the exchange that this version does not know as it is.
    """

    order: OrderReported
    reason: OrderUpdateReason | str | None = None
    order_group_id: str | None = None
    self_trade_prevention: str | None = None
    expires_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionAnnounced:
    """One of our positions changed, by a trade or by settlement.  `net` is signed."""

    ticker: Ticker
    net: Count
    cost: Money
    realized: Money
    fees_paid: Money
    position_fees: Money
    volume: Count
    subaccount: Subaccount = PRIMARY


class MarketChange(StrEnum):
    """What happened to a market.  Opening and closing by the clock are not announced."""

    CREATED = "created"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    CLOSE_DATE_UPDATED = "close_date_updated"
    DETERMINED = "determined"
    SETTLED = "settled"
    PRICE_LEVEL_STRUCTURE_UPDATED = "price_level_structure_updated"
    METADATA_UPDATED = "metadata_updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBand:
    """Prices from `start` to `end` lie `step` apart."""

    start: Price
    end: Price
    step: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAnnounced:
    """Something happened in the life of a market.

    What is not about this kind of change is `None` or empty: `open_at` comes with
    a creation, `close_at` with a creation or a new close time, `result`,
    `settlement_value` and `determined_at` with a determination, and so on.  `is_combo` markets are
    announced on a channel of their own.  `details` are further fields by the
    exchange's names (titles, rules, strikes), as they were told.
    """

    ticker: Ticker
    change: MarketChange
    open_at: Instant | None = None
    close_at: Instant | None = None
    determined_at: Instant | None = None
    settled_at: Instant | None = None
    result: str | None = None
    settlement_value: Price | None = None
    is_deactivated: bool | None = None
    price_level_structure: str | None = None
    price_ranges: tuple[PriceBand, ...] = ()
    shard: Shard | None = None
    is_combo: bool = False
    details: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnnounced:
    """An event exists now.  `collateral_return` is ``MECNET``, ``DIRECNET`` or empty."""

    event_ticker: EventTicker
    series_ticker: SeriesTicker
    title: str
    subtitle: str = ""
    collateral_return: str = ""
    strike_at: Instant | None = None
    strike_period: str | None = None
    shard: Shard = SHARD_ZERO
    is_combo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFeesAnnounced:
    """An event's own fee terms changed; both `None` when they were taken back."""

    event_ticker: EventTicker
    fee_type: str | None
    fee_multiplier: Ratio | None


class OrderGroupChange(StrEnum):
    """What happened to an order group."""

    CREATED = "created"
    TRIGGERED = "triggered"
    RESET = "reset"
    DELETED = "deleted"
    LIMIT_UPDATED = "limit_updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGroupAnnounced:
    """One of our order groups changed.  The limit comes when it is new."""

    order_group_id: str
    change: OrderGroupChange
    contracts_limit: Count | None = None
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RfqLeg:
    """One market that a combination asks for."""

    event_ticker: EventTicker
    ticker: Ticker
    side: Side
    settlement_value: Price | None = None


class RfqChange(StrEnum):
    """What happened to a request for quotes."""

    CREATED = "created"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RfqAnnounced:
    """Somebody asks for quotes, or does so no more.

    Either `count` contracts are wanted or as many as `target_cost` buys.  `hidden_as` is for
    whoever announces: the name that all but the creator get instead of `creator_id`.
    """

    rfq_id: str
    change: RfqChange
    creator_id: str
    ticker: Ticker
    event_ticker: EventTicker | None = None
    count: Count | None = None
    target_cost: Money | None = None
    collection_ticker: str | None = None
    legs: tuple[RfqLeg, ...] = ()
    hidden_as: str | None = None
    at: Instant


class QuoteChange(StrEnum):
    """What happened to a quote."""

    CREATED = "created"
    ACCEPTED = "accepted"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAnnounced:
    """A quote that concerns us: we made it, or it answers our request.

    `no_bid` is the price of NO.  `order_id` and `client_order_id` name our own
    order once the quote was executed.
    """

    quote_id: str
    rfq_id: str
    change: QuoteChange
    quote_creator_id: str
    rfq_creator_id: str
    ticker: Ticker
    event_ticker: EventTicker | None = None
    yes_bid: Price | None = None
    no_bid: Price | None = None
    yes_count: Count | None = None
    no_count: Count | None = None
    target_cost: Money | None = None
    accepted_side: Side | None = None
    accepted_count: Count | None = None
    order_id: OrderId | None = None
    client_order_id: ClientOrderId | None = None
    rfq_batch_id: str | None = None
    subaccount: Subaccount | None = None
    at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RfqBatchAnnounced:
    """Something happened to a batch of requests for quotes.

    `change` is the exchange's name of the message (``rfq_batch_best_quotes``);
    `details` are its fields as they were told.
    """

    change: str
    rfq_batch_id: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAverage:
    """An average of index values over a window; `end` is not part of it."""

    value: Ratio
    ticks: int
    start: Instant
    end: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAnnounced:
    """A reference index (CF Benchmarks, Pyth) has a new value.

    `value` is exact, in the unit that the source quotes (dollars, or percent for
    yields); `None` where the source's own frame, `frame`, has to be read.
    `minute` is the trailing minute's average, `quarter_hour` the settlement
    average that is built in the last minute before a quarter of an hour.
    """

    source: str
    index_id: str
    value: Ratio | None
    source_at: Instant | None
    received_at: Instant
    frame: str = ""
    minute: IndexAverage | None = None
    quarter_hour: IndexAverage | None = None


PublicAnnouncement = (
    BookSnapshot
    | BookDelta
    | TradeAnnounced
    | TickerAnnounced
    | MarketAnnounced
    | EventAnnounced
    | EventFeesAnnounced
    | IndexAnnounced
)
PrivateAnnouncement = (
    FillAnnounced | OrderAnnounced | PositionAnnounced | OrderGroupAnnounced | QuoteAnnounced
)
Announcement = PublicAnnouncement | PrivateAnnouncement | RfqAnnounced | RfqBatchAnnounced
