"""Requests for quotes, the quotes, and batches of both.

Bids are the prices of their own side: `no_bid` is what is paid for NO.  A bid
of 0 declines a side.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trueup.core.ids import EventTicker, OrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.rest.codecs import (
    CENTI_CENTS,
    OPTIONAL_TIME,
    SHORT_DOLLARS,
    SMALL,
    TIME,
    WHOLE_COUNT,
    open_word,
)
from trueup.wire.rest.shapes import Shape, Wire

_RFQ_STATUS: Final = open_word("open", "closed")
_QUOTE_STATUS: Final = open_word("open", "accepted", "confirmed", "executed", "cancelled")
_BATCH_STATUS: Final = open_word("open", "accepted", "closed")
_BATCH_QUOTE_STATUS: Final = open_word(
    "open", "accepted", "confirmed", "executed", "partially_executed", "cancelled"
)
_TARGET: Final = Wire("target_cost_dollars", SHORT_DOLLARS)


def _time(name: str) -> Wire:
    return Wire(name, OPTIONAL_TIME)


class ComboLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One market of a combo, and the outcome that it takes.

    `settlement_value` is what one YES contract of the leg paid, once determined.
    """

    event_ticker: EventTicker
    market_ticker: Ticker
    side: Side
    settlement_value: Annotated[Price | None, Wire("yes_settlement_value_dollars")] = None


class Rfq(msgspec.Struct, frozen=True, kw_only=True):
    """A request for quotes: for `count` contracts, or for as many as `target_cost` buys.

    The fields from `creator_user_id` on are shown to the creator only.
    """

    rfq_id: Annotated[str, Wire("id")]
    creator_id: str
    market_ticker: Ticker
    status: Annotated[str, Wire("status", _RFQ_STATUS)]
    created_at: Annotated[Instant, Wire("created_ts", TIME)]
    count: Annotated[Count | None, Wire("contracts_fp", old=(("contracts", WHOLE_COUNT),))] = None
    target_cost: Annotated[Money | None, _TARGET] = None
    target_cost_excludes_fees: bool = False
    rest_remainder: bool = False
    collection_ticker: Annotated[str | None, Wire("mve_collection_ticker")] = None
    legs: Annotated[tuple[ComboLeg, ...], Wire("mve_selected_legs")] = ()
    cancellation_reason: str | None = None
    cancelled_at: Annotated[Instant | None, _time("cancelled_ts")] = None
    updated_at: Annotated[Instant | None, _time("updated_ts")] = None
    creator_user_id: str | None = None
    creator_subaccount: Annotated[Subaccount | None, Wire("creator_subaccount", SMALL)] = None


class NewRfq(msgspec.Struct, frozen=True, kw_only=True):
    """A request to make: for a `count`, or for what a `target_cost` buys, not both."""

    market_ticker: Ticker
    count: Annotated[Count | None, Wire("contracts_fp")] = None
    target_cost: Annotated[Money | None, _TARGET] = None
    target_cost_excludes_fees: bool = False
    rest_remainder: Annotated[bool, Wire(required=True)] = False
    replace_existing: bool = False
    obscure_creator_id: bool = False
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None
    subtrader_id: str | None = None
    whole_count: Annotated[Count | None, Wire("contracts", WHOLE_COUNT)] = None
    """The count in whole contracts, as other clients may say it."""
    target_cost_centi_cents: Annotated[
        Money | None, Wire("target_cost_centi_cents", CENTI_CENTS)
    ] = None
    """The target cost in the exchange's older spelling."""


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """The id of what was made."""

    id: str


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A quote for a request.

    After it is accepted the quoter has some seconds to confirm.  Order ids,
    user ids and subaccounts are shown to their owner only; the order ids tie the
    quote to the fills.
    """

    quote_id: Annotated[str, Wire("id")]
    rfq_id: str
    creator_id: str
    rfq_creator_id: str
    market_ticker: Ticker
    count: Annotated[Count | None, Wire("contracts_fp", old=(("contracts", WHOLE_COUNT),))] = None
    yes_bid: Annotated[Price, Wire("yes_bid_dollars")]
    no_bid: Annotated[Price, Wire("no_bid_dollars")]
    status: Annotated[str, Wire("status", _QUOTE_STATUS)]
    created_at: Annotated[Instant, Wire("created_ts", TIME)]
    updated_at: Annotated[Instant | None, _time("updated_ts")] = None
    accepted_side: Side | None = None
    accepted_at: Annotated[Instant | None, _time("accepted_ts")] = None
    confirmed_at: Annotated[Instant | None, _time("confirmed_ts")] = None
    executed_at: Annotated[Instant | None, _time("executed_ts")] = None
    cancelled_at: Annotated[Instant | None, _time("cancelled_ts")] = None
    rest_remainder: bool = False
    post_only: bool | None = None
    cancellation_reason: str | None = None
    creator_user_id: str | None = None
    rfq_creator_user_id: str | None = None
    rfq_target_cost: Annotated[Money | None, Wire("rfq_target_cost_dollars", SHORT_DOLLARS)] = None
    target_cost_excludes_fees: bool = False
    rfq_creator_order_id: OrderId | None = None
    creator_order_id: OrderId | None = None
    creator_subaccount: Annotated[Subaccount | None, Wire("creator_subaccount", SMALL)] = None
    rfq_creator_subaccount: Annotated[Subaccount | None, Wire("rfq_creator_subaccount", SMALL)] = (
        None
    )
    yes_count: Annotated[Count | None, Wire("yes_contracts_fp")] = None
    no_count: Annotated[Count | None, Wire("no_contracts_fp")] = None


class NewQuote(msgspec.Struct, frozen=True, kw_only=True):
    """A quote to make; it replaces our earlier one for the same request.

    The two bids together may not exceed $1.
    """

    rfq_id: str
    yes_bid: Price
    no_bid: Price
    rest_remainder: Annotated[bool, Wire(required=True)] = False
    post_only: bool = False
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """Which side of a quote is taken."""

    accepted_side: Annotated[Side, Wire(required=True)]


# -- batches -----------------------------------------------------------------------------------


class RfqBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Requests for several combos at once; they execute together or not at all."""

    batch_id: Annotated[str, Wire("id")]
    creator_id: str
    status: Annotated[str, Wire("status", _BATCH_STATUS)]
    created_at: Annotated[Instant, Wire("created_ts", TIME)]
    rfqs: tuple[Rfq, ...]
    accepted_at: Annotated[Instant | None, _time("accepted_ts")] = None
    closed_at: Annotated[Instant | None, _time("closed_ts")] = None
    updated_at: Annotated[Instant | None, _time("updated_ts")] = None
    close_reason: str | None = None
    client_batch_id: str | None = None
    creator_user_id: str | None = None
    creator_subaccount: Annotated[Subaccount | None, Wire("creator_subaccount", SMALL)] = None


class ChosenMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A market and an outcome that a combo is made of."""

    market_ticker: Ticker
    event_ticker: EventTicker
    side: Side


class NewRfqBatchChild(msgspec.Struct, frozen=True, kw_only=True):
    """One combo of a batch: an existing market, or its legs."""

    market_ticker: Ticker | None = None
    legs: Annotated[tuple[ChosenMarket, ...], Wire("selected_markets")] = ()
    count: Annotated[Count | None, Wire("contracts_fp")] = None
    target_cost: Annotated[Money | None, _TARGET] = None


class NewRfqBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to request: 2 to 57 combos of at most six different legs.

    A `count` or a `target_cost` holds for every child that has none of its own.
    `collection_ticker` is needed where a child is given by its legs.
    """

    children: Annotated[tuple[NewRfqBatchChild, ...], Wire(required=True)]
    collection_ticker: Annotated[str | None, Wire("mve_collection_ticker")] = None
    count: Annotated[Count | None, Wire("contracts_fp")] = None
    target_cost: Annotated[Money | None, _TARGET] = None
    target_cost_excludes_fees: bool = False
    rest_remainder: bool = False
    replace_existing: bool = False
    obscure_creator_id: bool = False
    client_batch_id: str | None = None
    subtrader_id: str | None = None
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class BestQuote(msgspec.Struct, frozen=True, kw_only=True):
    """The best bids for one child of a batch; `None` where nobody bids."""

    rfq_id: str
    market_ticker: Ticker
    yes_bid: Annotated[Price | None, Wire("yes_bid_dollars")] = None
    no_bid: Annotated[Price | None, Wire("no_bid_dollars")] = None
    yes_count: Annotated[Count | None, Wire("yes_contracts_offered_fp")] = None
    no_count: Annotated[Count | None, Wire("no_contracts_offered_fp")] = None


class BestQuotes(msgspec.Struct, frozen=True, kw_only=True):
    """The best bids for a batch.  A side can be accepted once it is complete."""

    batch_id: Annotated[str, Wire("rfq_batch_id")]
    status: Annotated[str, Wire("status", _BATCH_STATUS)]
    version: int
    updated_at: Annotated[Instant | None, _time("updated_ts")] = None
    yes_complete: bool
    no_complete: bool
    rfqs: tuple[BestQuote, ...]


class LowestBid(msgspec.Struct, frozen=True, kw_only=True):
    """The least that is taken for one child of a batch."""

    rfq_id: str
    bid: Annotated[Price, Wire("bid_dollars")]


class BatchAcceptance(msgspec.Struct, frozen=True, kw_only=True):
    """Which side is taken of every child, and the lowest bid for each.

    With a `client_order_id` the same acceptance may be said again: the answer is
    that of the first one.
    """

    accepted_side: Annotated[Side, Wire(required=True)]
    lowest_bids: Annotated[tuple[LowestBid, ...], Wire("min_bids", required=True)]
    client_order_id: str | None = None


class BatchAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The quotes that were taken, one per child; their makers confirm next."""

    accepted_side: Side
    quotes: tuple[Quote, ...]


class BatchQuote(msgspec.Struct, frozen=True, kw_only=True):
    """One maker's quotes for a batch."""

    batch_quote_id: Annotated[str, Wire("id")]
    batch_id: Annotated[str, Wire("rfq_batch_id")]
    creator_id: str
    rfq_creator_id: str
    status: Annotated[str, Wire("status", _BATCH_QUOTE_STATUS)]
    created_at: Annotated[Instant, Wire("created_ts", TIME)]
    updated_at: Annotated[Instant | None, _time("updated_ts")] = None
    accepted_side: Side | None = None
    accepted_at: Annotated[Instant | None, _time("accepted_ts")] = None
    confirmed_at: Annotated[Instant | None, _time("confirmed_ts")] = None
    quotes: tuple[Quote, ...]
    rest_remainder: bool | None = None
    post_only: bool | None = None
    creator_user_id: str | None = None
    creator_subaccount: Annotated[Subaccount | None, Wire("creator_subaccount", SMALL)] = None
    rfq_creator_user_id: str | None = None
    rfq_creator_subaccount: Annotated[Subaccount | None, Wire("rfq_creator_subaccount", SMALL)] = (
        None
    )


class ChildQuote(msgspec.Struct, frozen=True, kw_only=True):
    """Our bids for one child of a batch."""

    rfq_id: str
    yes_bid: Price
    no_bid: Price


class NewBatchQuote(msgspec.Struct, frozen=True, kw_only=True):
    """Our bids for every child of a batch."""

    quotes: Annotated[tuple[ChildQuote, ...], Wire(required=True)]
    rest_remainder: Annotated[bool, Wire(required=True)] = False
    post_only: bool = False
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


RFQ: Final = Shape(Rfq, "RFQ")
NEW_RFQ: Final = Shape(NewRfq, "CreateRFQRequest", brief=True)
CREATED: Final = Shape(Created, "Created")
QUOTE: Final = Shape(Quote, "Quote")
NEW_QUOTE: Final = Shape(NewQuote, "CreateQuoteRequest", brief=True)
ACCEPTANCE: Final = Shape(Acceptance, "AcceptQuoteRequest")
RFQ_BATCH: Final = Shape(RfqBatch, "RFQBatch")
NEW_RFQ_BATCH: Final = Shape(NewRfqBatch, "CreateRFQBatchRequest", brief=True)
BEST_QUOTES: Final = Shape(BestQuotes, "RFQBatchBestQuotes")
BATCH_ACCEPTANCE: Final = Shape(BatchAcceptance, "AcceptRFQBatchRequest")
BATCH_ACCEPTED: Final = Shape(BatchAccepted, "AcceptRFQBatchResponse")
BATCH_QUOTE: Final = Shape(BatchQuote, "RFQBatchQuote")
NEW_BATCH_QUOTE: Final = Shape(NewBatchQuote, "CreateRFQBatchQuoteRequest", brief=True)
