"""The ``msg`` objects of the public channels, in all forms that were ever sent.

Every field that is not part of what makes the message is optional, because old
recordings lack new fields and the other way round; `translate` decides what has
to be there.  Before March 2026 prices were whole cents and counts whole
contracts (``price``, ``yes_price``, ``delta``, ``yes``); for some months before
that both forms came side by side.

An optional key may be absent or null; absent is `UNSET`, so that the same
structs write messages with exactly the keys that are meant.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from trueup.wire.values import Number

Figure = Number | UnsetType | None
Levels = tuple[tuple[Number, Number], ...] | UnsetType | None
Text = str | UnsetType | None
Whole = int | UnsetType | None


class Body(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all message bodies."""


class SnapshotBody(Body, frozen=True, kw_only=True, gc=True):
    """``orderbook_snapshot``.  The key of a side without levels is absent."""

    market_ticker: str
    market_id: Text = UNSET
    clock: Whole = UNSET
    yes_dollars_fp: Levels = UNSET
    no_dollars_fp: Levels = UNSET
    yes_dollars: Levels = UNSET
    no_dollars: Levels = UNSET
    yes: Levels = UNSET
    no: Levels = UNSET


class DeltaBody(Body, frozen=True, kw_only=True):
    """``orderbook_delta``.  ``delta_fp`` is signed and is added to the level."""

    market_ticker: str
    market_id: Text = UNSET
    clock: Whole = UNSET
    price_dollars: Figure = UNSET
    delta_fp: Figure = UNSET
    side: str
    client_order_id: Text = UNSET
    subaccount: Whole = UNSET
    ts: Text = UNSET
    ts_ms: Whole = UNSET
    price: Figure = UNSET
    delta: Figure = UNSET


class TickerBody(Body, frozen=True, kw_only=True):
    """``ticker``."""

    market_ticker: str
    market_id: Text = UNSET
    price_dollars: Figure = UNSET
    yes_bid_dollars: Figure = UNSET
    yes_ask_dollars: Figure = UNSET
    volume_fp: Figure = UNSET
    open_interest_fp: Figure = UNSET
    dollar_volume: Whole = UNSET
    dollar_open_interest: Whole = UNSET
    yes_bid_size_fp: Figure = UNSET
    yes_ask_size_fp: Figure = UNSET
    last_trade_size_fp: Figure = UNSET
    ts: Whole = UNSET
    ts_ms: Whole = UNSET
    time: Text = UNSET
    price: Figure = UNSET
    yes_bid: Figure = UNSET
    yes_ask: Figure = UNSET
    volume: Figure = UNSET
    open_interest: Figure = UNSET


class TradeBody(Body, frozen=True, kw_only=True):
    """``trade``."""

    trade_id: str
    market_ticker: str
    yes_price_dollars: Figure = UNSET
    no_price_dollars: Figure = UNSET
    count_fp: Figure = UNSET
    taker_side: Text = UNSET
    taker_outcome_side: Text = UNSET
    taker_book_side: Text = UNSET
    is_block_trade: bool | UnsetType | None = UNSET
    ts: Whole = UNSET
    ts_ms: Whole = UNSET
    yes_price: Figure = UNSET
    no_price: Figure = UNSET
    count: Figure = UNSET


class BandBody(Body, frozen=True, kw_only=True):
    """One range of prices with its step."""

    start: Number
    end: Number
    step: Number


class LifecycleBody(Body, frozen=True, kw_only=True, gc=True):
    """``market_lifecycle_v2`` and ``multivariate_market_lifecycle``.

    Strikes are figures of the market's own question, not money; they stay JSON.
    """

    event_type: str
    market_ticker: str
    exchange_index: Whole = UNSET
    open_ts: Whole = UNSET
    close_ts: Whole = UNSET
    determination_ts: Whole = UNSET
    settled_ts: Whole = UNSET
    result: Text = UNSET
    settlement_value: Figure = UNSET
    is_deactivated: bool | UnsetType | None = UNSET
    additional_metadata: msgspec.Raw | UnsetType = UNSET
    price_level_structure: Text = UNSET
    price_ranges: tuple[BandBody, ...] | UnsetType | None = UNSET
    strike_type: Text = UNSET
    floor_strike: msgspec.Raw | UnsetType = UNSET
    cap_strike: msgspec.Raw | UnsetType = UNSET
    custom_strike: msgspec.Raw | UnsetType = UNSET
    yes_sub_title: Text = UNSET


class EventBody(Body, frozen=True, kw_only=True):
    """``event_lifecycle``."""

    event_ticker: str
    exchange_index: Whole = UNSET
    title: Text = UNSET
    subtitle: Text = UNSET
    collateral_return_type: Text = UNSET
    series_ticker: Text = UNSET
    strike_date: Whole = UNSET
    strike_period: Text = UNSET


class EventFeesBody(Body, frozen=True, kw_only=True):
    """``event_fee_update``.  Null takes an override back."""

    event_ticker: str
    fee_type_override: str | None = None
    fee_multiplier_override: msgspec.Raw = msgspec.Raw(b"null")


class AverageBody(Body, frozen=True, kw_only=True):
    """An average in a CF Benchmarks message."""

    value: Number
    window_size: int
    window_start_ts_ms: int
    window_end_ts_exclusive: int


class CfBenchmarksBody(Body, frozen=True, kw_only=True):
    """``cfbenchmarks_value``.  ``data`` is the source's own frame, JSON in a string."""

    index_id: str
    received_at: int
    data: str
    avg_60s_data: AverageBody | UnsetType | None = UNSET
    last_60s_windowed_average_15min: AverageBody | UnsetType | None = UNSET


class CfBenchmarks5HzBody(Body, frozen=True, kw_only=True):
    """``cfbenchmarks_value_5hz``."""

    index_id: str
    value_usd: Number
    source_ts_ms: int
    received_at: int
    data: Text = UNSET


class PythBody(Body, frozen=True, kw_only=True):
    """``pyth_value``."""

    underlying_ticker: str
    value_usd: Number
    source_ts_ms: int
    received_at: int


class IndexListBody(Body, frozen=True, kw_only=True):
    """The answer to ``indexlist``."""

    index_ids: tuple[str, ...]


class UnderlyingListBody(Body, frozen=True, kw_only=True):
    """The answer to ``underlying_list``."""

    underlying_tickers: tuple[str, ...]
