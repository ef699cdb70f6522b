"""Series, events, markets and orders with everything that the exchange says about them.

`rows.catalog`, `rows.markets` and `rows.orders` read quickly what books and
strategies need; these read what a person wants to see: rules, sources, strikes,
sizes, an order's terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from trueup.core.facts import OrderReported
from trueup.core.grid import Band, PriceGrid
from trueup.core.ids import EventTicker, OrderGroupId, SeriesTicker, Shard, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketStatus
from trueup.core.orders import SelfTradePrevention
from trueup.core.units import Count, Money, Price, Ratio
from trueup.wire.rest.codecs import (
    CENT_PRICE,
    CENTS,
    OPTIONAL_TIME,
    RATIO,
    SECONDS,
    SHORT_DOLLARS,
    SMALL,
    WHOLE_COUNT,
    open_word,
)
from trueup.wire.rest.rows.orders import read_order
from trueup.wire.rest.rows.rfqs import ComboLeg
from trueup.wire.rest.shapes import Shape, Wire

_SHARD: Final = Wire("exchange_index", SMALL)
_FEE_TYPES: Final = open_word(
    "quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees", "flat"
)


def _time(name: str) -> Wire:
    return Wire(name, OPTIONAL_TIME)


def _price(name: str) -> Wire:
    """Dollars or, before March 2026, cents under the same name without its ending."""
    return Wire(f"{name}_dollars", old=((name, CENT_PRICE),))


def _count(name: str) -> Wire:
    return Wire(f"{name}_fp", old=((name, WHOLE_COUNT),))


class SettlementSource(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides: a name, and where it publishes."""

    name: str = ""
    url: str = ""


class PriceBand(msgspec.Struct, frozen=True, kw_only=True):
    """Prices from `start` to `end` lie `step` apart."""

    start: Price
    end: Price
    step: Price


class FullMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A market.  An empty side of its book is a bid of 0 or an ask of 1.

    `settlement_value` is what one YES contract pays, once determined.  Strikes
    are in the unit of what is measured.  The figures called previous are those
    of a day ago.
    """

    ticker: Ticker
    event_ticker: EventTicker
    market_type: Annotated[str, Wire("market_type", open_word("binary", "scalar"))]
    title: str = ""
    subtitle: str = ""
    yes_title: Annotated[str, Wire("yes_sub_title")] = ""
    no_title: Annotated[str, Wire("no_sub_title")] = ""
    status: MarketStatus
    result: Annotated[str, Wire("result", open_word("yes", "no", "scalar", ""))] = ""
    created_at: Annotated[Instant | None, _time("created_time")] = None
    updated_at: Annotated[Instant | None, _time("updated_time")] = None
    open_at: Annotated[Instant | None, _time("open_time")] = None
    close_at: Annotated[Instant | None, _time("close_time")] = None
    expected_expiration_at: Annotated[Instant | None, _time("expected_expiration_time")] = None
    expiration_at: Annotated[Instant | None, _time("expiration_time")] = None
    latest_expiration_at: Annotated[Instant | None, _time("latest_expiration_time")] = None
    occurred_at: Annotated[Instant | None, _time("occurrence_datetime")] = None
    settled_at: Annotated[Instant | None, _time("settlement_ts")] = None
    fee_waiver_until: Annotated[Instant | None, _time("fee_waiver_expiration_time")] = None
    settlement_timer_seconds: Annotated[int, Wire("settlement_timer_seconds", SMALL)] = 0
    yes_bid: Annotated[Price, _price("yes_bid")]
    yes_bid_count: Annotated[Count | None, Wire("yes_bid_size_fp")] = None
    yes_ask: Annotated[Price, _price("yes_ask")]
    yes_ask_count: Annotated[Count | None, Wire("yes_ask_size_fp")] = None
    no_bid: Annotated[Price, _price("no_bid")]
    no_ask: Annotated[Price, _price("no_ask")]
    last_price: Annotated[Price, _price("last_price")]
    previous_yes_bid: Annotated[Price | None, _price("previous_yes_bid")] = None
    previous_yes_ask: Annotated[Price | None, _price("previous_yes_ask")] = None
    previous_price: Annotated[Price | None, _price("previous_price")] = None
    volume: Annotated[Count, _count("volume")]
    volume_24h: Annotated[Count, _count("volume_24h")]
    open_interest: Annotated[Count, _count("open_interest")]
    notional_value: Annotated[Money | None, Wire("notional_value_dollars", SHORT_DOLLARS)] = None
    settlement_value: Annotated[Price | None, _price("settlement_value")] = None
    settlement_bounds: Annotated[
        str, Wire("settlement_bounds_type", open_word("default", "floor"))
    ] = "default"
    settlement_floor: Annotated[Price | None, _price("settlement_floor")] = None
    expiration_value: str = ""
    can_close_early: bool = False
    early_close_condition: str | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    functional_strike: str | None = None
    custom_strike: Mapping[str, object] | None = None
    rules_primary: str = ""
    rules_secondary: str = ""
    collection_ticker: Annotated[str | None, Wire("mve_collection_ticker")] = None
    legs: Annotated[tuple[ComboLeg, ...], Wire("mve_selected_legs")] = ()
    primary_participant_key: str | None = None
    price_level_structure: str = ""
    price_ranges: tuple[PriceBand, ...] = ()
    is_provisional: bool = False
    shard: Annotated[Shard, _SHARD] = Shard(0)

    @property
    def grid(self) -> PriceGrid:
        """Which prices an order may have, by the market's own bands."""
        bands = (
            Band(band.start.units, band.end.units, band.step.units) for band in self.price_ranges
        )
        return PriceGrid(self.price_level_structure, tuple(bands))


class FullEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event.  `markets` are there where they were asked for.

    `collateral_return` is ``MECNET`` where at most one market can win,
    ``DIRECNET`` where their order is known, and otherwise empty or ``binary``.
    """

    event_ticker: EventTicker
    series_ticker: SeriesTicker
    title: str
    subtitle: Annotated[str, Wire("sub_title")] = ""
    collateral_return: Annotated[str, Wire("collateral_return_type")] = ""
    mutually_exclusive: bool = False
    category: str = ""
    strike_at: Annotated[Instant | None, _time("strike_date")] = None
    strike_period: str | None = None
    markets: tuple[FullMarket, ...] = ()
    product_metadata: Mapping[str, object] | None = None
    settlement_sources: tuple[SettlementSource, ...] = ()
    updated_at: Annotated[Instant | None, _time("last_updated_ts")] = None
    fee_type_override: Annotated[str | None, Wire("fee_type_override", _FEE_TYPES)] = None
    fee_multiplier_override: Annotated[Ratio | None, Wire("fee_multiplier_override", RATIO)] = None
    shard: Annotated[Shard, _SHARD] = Shard(0)


class FullSeries(msgspec.Struct, frozen=True, kw_only=True):
    """A series.  `volume` is there where it was asked for."""

    ticker: SeriesTicker
    title: str
    frequency: str = ""
    category: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    settlement_sources: tuple[SettlementSource, ...] = ()
    contract_url: str = ""
    contract_terms_url: str = ""
    product_metadata: Mapping[str, object] | None = None
    fee_type: Annotated[str, Wire("fee_type", _FEE_TYPES)]
    fee_multiplier: Annotated[Ratio, Wire("fee_multiplier", RATIO)]
    additional_prohibitions: tuple[str, ...] = ()
    volume: Annotated[Count | None, _count("volume")] = None
    updated_at: Annotated[Instant | None, _time("last_updated_ts")] = None
    shard: Annotated[Shard, _SHARD] = Shard(0)


class _OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    user_id: str = ""
    type: str = "limit"
    expires_at: Annotated[Instant | None, _time("expiration_time")] = None
    self_trade_prevention: Annotated[
        SelfTradePrevention | None, Wire("self_trade_prevention_type")
    ] = None
    group_id: Annotated[OrderGroupId | None, Wire("order_group_id")] = None
    cancel_on_pause: Annotated[bool, Wire("cancel_order_on_pause")] = False


class FullOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order: what became of it, and the terms it was placed with."""

    reported: OrderReported
    user_id: str
    type: str
    expires_at: Instant | None
    self_trade_prevention: SelfTradePrevention | None
    group_id: OrderGroupId | None
    cancel_on_pause: bool


class EventPosition(msgspec.Struct, frozen=True, kw_only=True):
    """All positions of an event together.

    `cost` and `count` are what was ever traded, `exposure` is what the open
    positions cost.
    """

    event_ticker: EventTicker
    cost: Annotated[Money, Wire("total_cost_dollars", old=(("total_cost", CENTS),))]
    count: Annotated[Count, Wire("total_cost_shares_fp", old=(("total_cost_shares", WHOLE_COUNT),))]
    exposure: Annotated[Money, Wire("event_exposure_dollars", old=(("event_exposure", CENTS),))]
    realized: Annotated[Money, Wire("realized_pnl_dollars", old=(("realized_pnl", CENTS),))]
    fees_paid: Annotated[Money, Wire("fees_paid_dollars", old=(("fees_paid", CENTS),))]


class FullShardTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer between shards, with the name that we gave it."""

    transfer_id: str
    client_transfer_id: str | None = None
    source: str
    destination: str
    from_shard: Annotated[Shard, Wire("source_exchange_shard", SMALL)]
    to_shard: Annotated[Shard, Wire("destination_exchange_shard", SMALL)]
    amount: Annotated[Money, Wire("amount", SHORT_DOLLARS)]
    status: Annotated[str, Wire("status", open_word("pending", "complete"))]
    created_at: Annotated[Instant, Wire("created_ts", SECONDS)]


_ORDER_TERMS: Final = Shape(_OrderTerms, "Order")
EVENT_POSITION: Final = Shape(
    EventPosition, "EventPosition", ignored="resting_order_count resting_orders_count"
)
SHARD_TRANSFER: Final = Shape(FullShardTransfer, "IntraExchangeInstanceTransfer")


def read_full_order(raw: bytes) -> FullOrder:
    """An order in full, in any form."""
    terms = _ORDER_TERMS.read(raw)
    return FullOrder(
        reported=read_order(raw),
        user_id=terms.user_id,
        type=terms.type,
        expires_at=terms.expires_at,
        self_trade_prevention=terms.self_trade_prevention,
        group_id=terms.group_id,
        cancel_on_pause=terms.cancel_on_pause,
    )


MARKET: Final = Shape(
    FullMarket,
    "Market",
    ignored="""
    liquidity liquidity_dollars notional_value fractional_trading_enabled response_price_units tick_size category
    risk_limit_cents
    """,
)
"""What is ignored was dropped by the exchange in 2026."""

EVENT: Final = Shape(FullEvent, "EventData", ignored="available_on_brokers")
SERIES: Final = Shape(FullSeries, "Series")
