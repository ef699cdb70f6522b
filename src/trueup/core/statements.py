"""What the exchange *claims* at a moment.  Statements are compared with the
books; they are never booked (a claim is not an event).
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.ids import EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult, MarketStatus
from trueup.core.settlement import SettlementPageReported, SettlementReported
from trueup.core.units import Count, Money, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceStated:
    """A balance reading: cash available, which lies in [`low`, `high`].

    An exact reading (``balance_dollars``) has `low == high`.  The integer
    ``balance`` is truncated to cents, so it states an interval.  `subaccount`
    or `shard` is `None` when the reading covers all of them.  `at` is the
    exchange's own time of the figure, `observed_at` ours.
    """

    low: Money
    high: Money
    portfolio_value: Money | None
    subaccount: Subaccount | None
    shard: Shard | None
    at: Instant
    observed_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionStated:
    """A row of the positions listing.  Identity: (subaccount, ticker)."""

    ticker: Ticker
    net: Count
    exposure: Money
    realized: Money
    fees_paid: Money
    total_traded: Money
    updated_at: Instant
    subaccount: Subaccount
    shard: Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStated:
    """What the exchange says about a market's life.  Identity: the ticker.

    `result` is `None` until determined.  `settlement_value` is the YES side's
    exact value where given.  `settled_at` is when it was finalized.
    """

    ticker: Ticker
    event_ticker: EventTicker
    status: MarketStatus
    result: MarketResult | None
    settlement_value: Price | None
    close_at: Instant | None
    settled_at: Instant | None
    shard: Shard


Statement = (
    BalanceStated | PositionStated | MarketStated | SettlementReported | SettlementPageReported
)
