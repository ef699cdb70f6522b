"""The parts of a bot's status document, as they are written.

Money, prices and counts are exact decimal strings, shares of a limit are decimals
between 0 and about 1, times are RFC 3339, and what is not known is null.
"""

from __future__ import annotations

from typing import Any

import msgspec


class ConnectionShown(msgspec.Struct, frozen=True, kw_only=True):
    """One feed; `age_seconds` since it was last heard."""

    name: str
    up: bool
    heard_at: str | None
    age_seconds: int | None
    failed_at: str | None
    words: str


class PositionShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy (empty: somebody else on the account) holds in a market.

    `net` is signed (+ YES, − NO); `average_cost` is dollars per contract of the held side;
    `worth` and `profit` are at `mark`, the YES price.
    """

    strategy: str
    subaccount: int
    ticker: str
    title: str
    net: str
    average_cost: str | None
    cost: str
    mark: str | None
    worth: str
    realized: str
    fees: str
    profit: str
    closes_at: str | None


class LimitShown(msgspec.Struct, frozen=True, kw_only=True):
    """How full a limit is.  `strategy` is empty for the account's own."""

    limit: str
    strategy: str
    used: str
    allowed: str
    share: str
    subject: str


class StrategyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy at work.  `state` is ``trading``, ``paused`` or ``halted``; `why` in words."""

    name: str
    state: str
    why: str
    capital: str
    value: str
    exposure: str
    profit: str
    realized: str
    fees: str
    subaccount: int
    markets: int
    open_orders: int
    parameters: dict[str, str]
    """By the names of the configuration file, in words for a person."""


class FairShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy thinks that YES is worth in a market: `fair` in dollars, as of `as_of`.

    `source` is whose figure it is.  Where the strategy cannot say, `fair` and `as_of` are
    null and `source` is its error; where it has no opinion, there is no such row.
    """

    strategy: str
    ticker: str
    fair: str | None
    as_of: str | None
    source: str


class HaltShown(msgspec.Struct, frozen=True, kw_only=True):
    """A halt in force; ``lifted_by`` is ``operator`` (rearm) or ``trueup`` (by itself)."""

    code: str
    strategy: str
    words: str
    at: str
    lifted_by: str


class OrderShown(msgspec.Struct, frozen=True, kw_only=True):
    """A living order of ours.  Prices are YES prices."""

    client_order_id: str
    order_id: str | None
    strategy: str
    ticker: str
    side: str
    style: str
    state: str
    limit: str
    count: str
    filled: str
    remaining: str
    reason: str
    sent_at: str
    expires_at: str | None


class TopShown(msgspec.Struct, frozen=True, kw_only=True):
    """The top of a followed market, in YES prices."""

    ticker: str
    title: str
    status: str
    category: str
    bid: str | None
    ask: str | None
    bid_size: str
    ask_size: str
    last: str | None
    volume_24h: str
    at: str


class PotShown(msgspec.Struct, frozen=True, kw_only=True):
    """The cash available in a subaccount on a shard, as last read, less what filled since."""

    subaccount: int
    shard: int
    available: str
    read_at: str


class SweepShown(msgspec.Struct, frozen=True, kw_only=True):
    """The duty to cancel everything, while it is not yet proven that nothing rests."""

    since: str
    words: str
    tries: int
    subaccounts: tuple[int, ...]


class ClosingShown(msgspec.Struct, frozen=True, kw_only=True):
    """A position that an operator wants closed.  `state` is ``waiting``, ``closing``,
    ``closed`` or ``left``; `words` say what hinders.
    """

    strategy: str
    subaccount: int
    ticker: str
    begun_with: str
    net: str
    state: str
    limit: str | None
    words: str


class FlattenShown(msgspec.Struct, frozen=True, kw_only=True):
    """The last wish to flatten since the start; `waits_for` is empty once it is at work."""

    by: str
    strategy: str
    slippage: str
    said_at: str
    done_at: str | None
    waits_for: str
    positions: list[ClosingShown]


class CountersShown(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the start."""

    sent: int
    amended: int
    withdrawn: int
    refused: int
    fills: int
    refusals: dict[str, int]
    alerts: dict[str, int]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document.  `state` is ``starting`` (the account is still read), ``trading``,
    ``paused`` (all strategies) or ``halted``.
    """

    venue: str
    account: str
    mode: str
    live: bool
    version: str
    pid: int
    started_at: str
    at: str
    state: str
    value: str
    profit: str
    connections: list[ConnectionShown]
    strategies: list[StrategyShown]
    positions: list[PositionShown]
    limits: list[LimitShown]
    halts: list[HaltShown]
    orders: list[OrderShown]
    tops: list[TopShown]
    fair: list[FairShown]
    cash: list[PotShown]
    markets_known: int
    markets_followed: int
    unreadable: dict[str, str]
    sweep: SweepShown | None
    flatten: FlattenShown | None
    quiet_until: str | None
    counters: CountersShown
    books: dict[str, Any] | None
