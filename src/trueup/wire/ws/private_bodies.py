"""The ``msg`` objects of the account's own channels and of requests for quotes.

See `bodies` for what is optional and why.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from trueup.wire.ws.bodies import Body, Figure, Text, Whole


class FillBody(Body, frozen=True, kw_only=True):
    """``fill``."""

    trade_id: str
    order_id: str
    market_ticker: str
    is_taker: bool
    client_order_id: Text = UNSET
    exchange_index: Whole = UNSET
    side: Text = UNSET
    yes_price_dollars: Figure = UNSET
    count_fp: Figure = UNSET
    fee_cost: Figure = UNSET
    action: Text = UNSET
    post_position_fp: Figure = UNSET
    purchased_side: Text = UNSET
    outcome_side: Text = UNSET
    book_side: Text = UNSET
    subaccount: Whole = UNSET
    ts: Whole = UNSET
    ts_ms: Whole = UNSET
    yes_price: Figure = UNSET
    no_price: Figure = UNSET
    count: Figure = UNSET
    post_position: Figure = UNSET


class UserOrderBody(Body, frozen=True, kw_only=True):
    """``user_order``."""

    order_id: str
    ticker: str
    status: str
    user_id: Text = UNSET
    exchange_index: Whole = UNSET
    side: Text = UNSET
    is_yes: bool | UnsetType | None = UNSET
    outcome_side: Text = UNSET
    book_side: Text = UNSET
    yes_price_dollars: Figure = UNSET
    fill_count_fp: Figure = UNSET
    remaining_count_fp: Figure = UNSET
    initial_count_fp: Figure = UNSET
    taker_fill_cost_dollars: Figure = UNSET
    maker_fill_cost_dollars: Figure = UNSET
    taker_fees_dollars: Figure = UNSET
    maker_fees_dollars: Figure = UNSET
    client_order_id: Text = UNSET
    order_group_id: Text = UNSET
    self_trade_prevention_type: Text = UNSET
    created_time: Text = UNSET
    last_update_time: Text = UNSET
    expiration_time: Text = UNSET
    created_ts_ms: Whole = UNSET
    last_updated_ts_ms: Whole = UNSET
    expiration_ts_ms: Whole = UNSET
    last_update_reason: Text = UNSET
    subaccount_number: Whole = UNSET


class PositionBody(Body, frozen=True, kw_only=True):
    """``market_position``.  Before March 2026 amounts were whole 1/10,000 dollars."""

    market_ticker: str
    user_id: Text = UNSET
    position_fp: Figure = UNSET
    position_cost_dollars: Figure = UNSET
    realized_pnl_dollars: Figure = UNSET
    fees_paid_dollars: Figure = UNSET
    position_fee_cost_dollars: Figure = UNSET
    volume_fp: Figure = UNSET
    subaccount: Whole = UNSET
    position: Figure = UNSET
    position_cost: Whole = UNSET
    realized_pnl: Whole = UNSET
    fees_paid: Whole = UNSET
    position_fee_cost: Whole = UNSET
    volume: Figure = UNSET


class OrderGroupBody(Body, frozen=True, kw_only=True):
    """``order_group_updates``."""

    event_type: str
    order_group_id: str
    contracts_limit_fp: Figure = UNSET
    ts_ms: Whole = UNSET


class LegBody(Body, frozen=True, kw_only=True):
    """One leg of a combination."""

    event_ticker: Text = UNSET
    market_ticker: Text = UNSET
    side: Text = UNSET
    yes_settlement_value_dollars: Figure = UNSET


class WantedBody(Body, frozen=True, kw_only=True):
    """What is asked a quote for, alone or in a batch."""

    id: str
    market_ticker: str
    event_ticker: Text = UNSET
    contracts_fp: Figure = UNSET
    target_cost_dollars: Figure = UNSET
    mve_collection_ticker: Text = UNSET


class RfqBody(WantedBody, frozen=True, kw_only=True, gc=True):
    """``rfq_created`` and ``rfq_deleted``."""

    creator_id: Text = UNSET
    created_ts: Text = UNSET
    deleted_ts: Text = UNSET
    mve_selected_legs: tuple[LegBody, ...] | UnsetType | None = UNSET


class OfferedBody(Body, frozen=True, kw_only=True):
    """What a maker offers for a request, alone or in a batch, and what was taken of it."""

    rfq_id: str
    market_ticker: str
    event_ticker: Text = UNSET
    yes_bid_dollars: Figure = UNSET
    no_bid_dollars: Figure = UNSET
    yes_contracts_offered_fp: Figure = UNSET
    no_contracts_offered_fp: Figure = UNSET
    rfq_target_cost_dollars: Figure = UNSET
    contracts_accepted_fp: Figure = UNSET


class QuoteBody(OfferedBody, frozen=True, kw_only=True):
    """``quote_created``, ``quote_accepted`` and ``quote_executed``."""

    quote_id: str
    quote_creator_id: Text = UNSET
    rfq_creator_id: Text = UNSET
    accepted_side: Text = UNSET
    created_ts: Text = UNSET
    executed_ts: Text = UNSET
    order_id: Text = UNSET
    client_order_id: Text = UNSET
    rfq_batch_id: Text = UNSET
    subaccount: Whole = UNSET


class BatchLegBody(Body, frozen=True, kw_only=True):
    """One leg that combos of a batch share."""

    event_ticker: str
    market_ticker: str
    side: str
    yes_settlement_value_dollars: Figure = UNSET


class BatchRfqBody(WantedBody, frozen=True, kw_only=True, gc=True):
    """One request of a batch; `leg_indices` point into the batch's legs."""

    leg_indices: tuple[int, ...]


class BatchCreatedBody(Body, frozen=True, kw_only=True, gc=True):
    """``rfq_batch_created``."""

    id: str
    creator_id: str
    created_ts: str
    legs: tuple[BatchLegBody, ...]
    rfqs: tuple[BatchRfqBody, ...]


class BatchDeletedBody(Body, frozen=True, kw_only=True, gc=True):
    """``rfq_batch_deleted``."""

    id: str
    creator_id: str
    rfq_ids: tuple[str, ...]
    deleted_ts: str


class BatchChildBody(OfferedBody, frozen=True, kw_only=True):
    """One request's part in a batch quote: the bids, and what was accepted."""

    quote_id: Text = UNSET
    contracts_fp: Figure = UNSET


class BatchQuoteCreatedBody(Body, frozen=True, kw_only=True, gc=True):
    """``batch_quote_created``."""

    batch_quote_id: str
    rfq_batch_id: str
    quote_creator_id: str
    created_ts: str
    quotes: tuple[BatchChildBody, ...]
    subaccount: Whole = UNSET


class BatchBestQuotesBody(Body, frozen=True, kw_only=True, gc=True):
    """``rfq_batch_best_quotes``.  Only a higher `version` is news."""

    rfq_batch_id: str
    client_batch_id: Text = UNSET
    version: int
    updated_ts: str
    yes_complete: bool
    no_complete: bool
    rfqs: tuple[BatchChildBody, ...]
    subaccount: Whole = UNSET


class BatchQuoteAcceptedBody(Body, frozen=True, kw_only=True, gc=True):
    """``batch_quote_accepted``."""

    batch_quote_id: str
    rfq_batch_id: str
    quote_creator_id: str
    rfq_creator_id: str
    accepted_side: str
    accepted_ts: str
    quotes: tuple[BatchChildBody, ...]
    subaccount: Whole = UNSET


class BatchExecutedBody(Body, frozen=True, kw_only=True, gc=True):
    """``rfq_batch_executed`` (to the asker) and ``batch_quote_executed`` (to a maker)."""

    batch_quote_id: Text = UNSET
    rfq_batch_id: str
    client_batch_id: Text = UNSET
    rfq_creator_id: str
    executed_rfq_ids: tuple[str, ...]
    failed_rfq_ids: tuple[str, ...]
    executed_ts: str
    close_reason: str
    subaccount: Whole = UNSET


BatchBody = (
    BatchCreatedBody
    | BatchDeletedBody
    | BatchQuoteCreatedBody
    | BatchBestQuotesBody
    | BatchQuoteAcceptedBody
    | BatchExecutedBody
)

__all__ = [
    "BatchBestQuotesBody",
    "BatchBody",
    "BatchChildBody",
    "BatchCreatedBody",
    "BatchDeletedBody",
    "BatchExecutedBody",
    "BatchLegBody",
    "BatchQuoteAcceptedBody",
    "BatchQuoteCreatedBody",
    "BatchRfqBody",
    "FillBody",
    "LegBody",
    "OrderGroupBody",
    "PositionBody",
    "QuoteBody",
    "RfqBody",
    "UserOrderBody",
]
