"""The channels of the WebSocket, what each may be asked for, and the error codes.

Source: the exchange's AsyncAPI description 2.0.0 (October 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

__all__ = ["ERROR_TEXTS", "TERMINAL_ERRORS", "TRAITS", "Channel", "ErrorCode", "Filter", "Traits"]


class Channel(StrEnum):
    """What can be subscribed to."""

    ORDERBOOK = "orderbook_delta"
    TICKER = "ticker"
    TRADE = "trade"
    FILL = "fill"
    POSITIONS = "market_positions"
    LIFECYCLE = "market_lifecycle_v2"
    COMBO_LIFECYCLE = "multivariate_market_lifecycle"
    COMMUNICATIONS = "communications"
    ORDER_GROUPS = "order_group_updates"
    USER_ORDERS = "user_orders"
    CF_BENCHMARKS = "cfbenchmarks_value"
    CF_BENCHMARKS_5HZ = "cfbenchmarks_value_5hz"
    PYTH = "pyth_value"


class Filter(StrEnum):
    """What narrows a subscription down."""

    MARKETS_REQUIRED = "markets, at least one"
    MARKETS = "markets; without any it means all"
    NOTHING = "nothing: it is always the whole channel"
    INDICES = "index ids"
    UNDERLYINGS = "underlying tickers"


@dataclass(frozen=True, slots=True)
class Traits:
    """What is peculiar to a channel.

    `sequenced` says whether its messages carry ``seq``.  A `private` channel has no
    replay: what was missed is read through REST.
    """

    filter: Filter
    sequenced: bool
    private: bool = False
    market_ids: bool = False


TRAITS: Final[Mapping[Channel, Traits]] = {
    Channel.ORDERBOOK: Traits(Filter.MARKETS_REQUIRED, sequenced=True),
    Channel.TICKER: Traits(Filter.MARKETS, sequenced=False, market_ids=True),
    Channel.TRADE: Traits(Filter.MARKETS, sequenced=True),
    Channel.FILL: Traits(Filter.MARKETS, sequenced=False, private=True),
    Channel.POSITIONS: Traits(Filter.MARKETS, sequenced=False, private=True),
    Channel.LIFECYCLE: Traits(Filter.NOTHING, sequenced=True),
    Channel.COMBO_LIFECYCLE: Traits(Filter.NOTHING, sequenced=True),
    Channel.COMMUNICATIONS: Traits(Filter.NOTHING, sequenced=True, private=True),
    Channel.ORDER_GROUPS: Traits(Filter.NOTHING, sequenced=True, private=True),
    Channel.USER_ORDERS: Traits(Filter.MARKETS, sequenced=False, private=True),
    Channel.CF_BENCHMARKS: Traits(Filter.INDICES, sequenced=True),
    Channel.CF_BENCHMARKS_5HZ: Traits(Filter.INDICES, sequenced=True),
    Channel.PYTH: Traits(Filter.UNDERLYINGS, sequenced=True),
}


class ErrorCode(IntEnum):
    """The numbers of ``error`` messages.  6, 16 and 17 are retired and never sent."""

    UNABLE_TO_PROCESS = 1
    PARAMS_REQUIRED = 2
    CHANNELS_REQUIRED = 3
    SIDS_REQUIRED = 4
    UNKNOWN_COMMAND = 5
    UNKNOWN_SID = 7
    UNKNOWN_CHANNEL = 8
    AUTHENTICATION_REQUIRED = 9
    CHANNEL_ERROR = 10
    INVALID_PARAMETER = 11
    ONE_SID_REQUIRED = 12
    UNSUPPORTED_ACTION = 13
    MARKET_REQUIRED = 14
    ACTION_REQUIRED = 15
    COMMAND_TIMEOUT = 18
    SHARD_FACTOR_TOO_SMALL = 19
    SHARD_FACTOR_REQUIRED = 20
    SHARD_KEY_OUT_OF_RANGE = 21
    SHARD_FACTOR_TOO_LARGE = 22
    MATCH_IDS_REQUIRED = 23
    INDEX_IDS_REQUIRED = 24
    BUFFER_OVERFLOW = 25
    MARKET_LIMIT_EXCEEDED = 26
    TOO_MANY_REQUESTS = 27
    UNDERLYINGS_REQUIRED = 28


ERROR_TEXTS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.UNABLE_TO_PROCESS: "Unable to process message",
    ErrorCode.PARAMS_REQUIRED: "Params required",
    ErrorCode.CHANNELS_REQUIRED: "Channels required",
    ErrorCode.SIDS_REQUIRED: "Subscription IDs required",
    ErrorCode.UNKNOWN_COMMAND: "Unknown command",
    ErrorCode.UNKNOWN_SID: "Unknown subscription ID",
    ErrorCode.UNKNOWN_CHANNEL: "Unknown channel name",
    ErrorCode.AUTHENTICATION_REQUIRED: "Authentication required",
    ErrorCode.CHANNEL_ERROR: "Channel error",
    ErrorCode.INVALID_PARAMETER: "Invalid parameter",
    ErrorCode.ONE_SID_REQUIRED: "Exactly one subscription ID is required",
    ErrorCode.UNSUPPORTED_ACTION: "Unsupported action",
    ErrorCode.MARKET_REQUIRED: "Market Ticker required",
    ErrorCode.ACTION_REQUIRED: "Action required",
    ErrorCode.COMMAND_TIMEOUT: "Command timeout",
    ErrorCode.SHARD_FACTOR_TOO_SMALL: "shard_factor must be > 0",
    ErrorCode.SHARD_FACTOR_REQUIRED: "shard_factor is required when shard_key is set",
    ErrorCode.SHARD_KEY_OUT_OF_RANGE: "shard_key must be >= 0 and < shard_factor",
    ErrorCode.SHARD_FACTOR_TOO_LARGE: "shard_factor must be <= 100",
    ErrorCode.MATCH_IDS_REQUIRED: "Match IDs required",
    ErrorCode.INDEX_IDS_REQUIRED: "Index IDs required",
    ErrorCode.BUFFER_OVERFLOW: "Subscription buffer overflow",
    ErrorCode.MARKET_LIMIT_EXCEEDED: "Subscription market limit exceeded",
    ErrorCode.TOO_MANY_REQUESTS: "Too many requests",
    ErrorCode.UNDERLYINGS_REQUIRED: "Underlying tickers required",
}

TERMINAL_ERRORS: Final = frozenset({ErrorCode.CHANNEL_ERROR, ErrorCode.BUFFER_OVERFLOW})
"""These end the subscription they name; the user must subscribe again."""
