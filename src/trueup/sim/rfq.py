"""Requests for quotes and their quotes, as frozen values, and the tables of their lives.

Sources are the exchange's pages *Request for Quote* and *RFQ Messages*, its API
description, and round trips recorded on its demo in July 2026.  What none of them says is
marked as inferred where it is decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct

from trueup.core.ids import ClientOrderId, EventTicker, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import HOUR, SECOND, Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_COUNT, Count, Money, Price
from trueup.sim.order_commands import Member

OPEN_RFQS_MAX: Final = 100
"""How many RFQs of one member may be open."""

RFQ_LIFE: Final = 24 * HOUR
"""After which an RFQ ends by itself, unless it was accepted."""

_COMBO: Final = "KXMVE"


class Windows(NamedTuple):
    """How long a quoter may take to confirm, and how long an execution then waits."""

    confirmation: int
    execution: int


_USUAL: Final = Windows(30 * SECOND, 15 * SECOND)
_VOLATILE: Final = Windows(3 * SECOND, SECOND)


def windows(ticker: Ticker) -> Windows:
    """The windows of a market in microseconds; those of combos (high volatility) are short."""
    return _VOLATILE if ticker.startswith(_COMBO) else _USUAL


class RfqStatus(StrEnum):
    """Whether quotes are still wanted; the exchange's words."""

    OPEN = "open"
    CLOSED = "closed"


class QuoteStatus(StrEnum):
    """How far a quote got; the exchange's words.

    A quote that was accepted and not confirmed in time stays `ACCEPTED` for good, and
    can be confirmed no more (recorded).
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    EXECUTED = "executed"
    CANCELLED = "cancelled"


QUOTE_TRANSITIONS: Final[Mapping[QuoteStatus, frozenset[QuoteStatus]]] = {
    QuoteStatus.OPEN: frozenset({QuoteStatus.ACCEPTED, QuoteStatus.CANCELLED}),
    QuoteStatus.ACCEPTED: frozenset({QuoteStatus.CONFIRMED, QuoteStatus.CANCELLED}),
    QuoteStatus.CONFIRMED: frozenset({QuoteStatus.EXECUTED, QuoteStatus.CANCELLED}),
    QuoteStatus.EXECUTED: frozenset(),
    QuoteStatus.CANCELLED: frozenset(),
}


class RfqEnd(StrEnum):
    """Why an RFQ closed.  The exchange's own words for it are not known."""

    DELETED = "deleted"
    REPLACED = "replaced"
    EXECUTED = "executed"
    EXPIRED = "expired"
    MARKET_CLOSED = "market_closed"


class OrderName(NamedTuple):
    """What the order is called that one side of an execution becomes."""

    order_id: OrderId
    client_order_id: ClientOrderId


class Rfq(Struct, frozen=True, kw_only=True):
    """A request for quotes as it is at `updated_at`.  `end` says why it is closed."""

    rfq_id: str
    member: Member
    subaccount: Subaccount
    ticker: Ticker
    event_ticker: EventTicker
    shard: Shard
    count: Count | None
    target_cost: Money | None
    target_cost_excludes_fees: bool
    rest_remainder: bool
    obscures_creator: bool
    created_at: Instant
    updated_at: Instant
    end: RfqEnd | None = None

    @property
    def status(self) -> RfqStatus:
        """Whether quotes are still wanted."""
        return RfqStatus.OPEN if self.end is None else RfqStatus.CLOSED


class RfqQuote(Struct, frozen=True, kw_only=True):
    """A quote as it is at `updated_at`.

    `yes_count` and `no_count` are what can be accepted of each side, 0 where it is
    declined.  `order` is the quoter's, `rfq_order` the requester's; both are real orders once
    the quote is executed.  `reason` says why it was cancelled.
    """

    quote_id: str
    rfq_id: str
    member: Member
    subaccount: Subaccount
    ticker: Ticker
    yes_bid: Price
    no_bid: Price
    yes_count: Count
    no_count: Count
    rest_remainder: bool
    post_only: bool
    created_at: Instant
    updated_at: Instant
    status: QuoteStatus = QuoteStatus.OPEN
    accepted_side: Side | None = None
    accepted_count: Count = ZERO_COUNT
    accepted_at: Instant | None = None
    confirmed_at: Instant | None = None
    executed_at: Instant | None = None
    cancelled_at: Instant | None = None
    reason: str = ""
    order: OrderName | None = None
    rfq_order: OrderName | None = None

    def bid(self, side: Side) -> Price:
        """What the quoter pays for a contract of `side`."""
        return self.yes_bid if side is Side.YES else self.no_bid

    def offered(self, side: Side) -> Count:
        """How many contracts of `side` the quoter would buy."""
        return self.yes_count if side is Side.YES else self.no_count

    def can_be_confirmed(self, at: Instant) -> bool:
        """Whether it was accepted and its confirmation window is open."""
        if self.status is not QuoteStatus.ACCEPTED or self.accepted_at is None:
            return False
        return at <= self.accepted_at + windows(self.ticker).confirmation

    def is_pending(self, at: Instant) -> bool:
        """Whether it may still be executed without being accepted again."""
        return self.status is QuoteStatus.CONFIRMED or self.can_be_confirmed(at)


class RfqUpdated(Struct, frozen=True, kw_only=True):
    """An RFQ was made, or closed."""

    at: Instant
    rfq: Rfq


class RfqQuoteUpdated(Struct, frozen=True, kw_only=True):
    """A quote was made, or got further.  `rfq` is what it answers, as it is then."""

    at: Instant
    quote: RfqQuote
    rfq: Rfq
