"""RFQs and quotes as REST shows them to one viewer.

Order ids, user ids, subaccounts and ``post_only`` are shown to their own side only, order
ids once there are orders.
"""

from __future__ import annotations

from trueup.core.units import ZERO_COUNT
from trueup.sim.rfq import QuoteStatus, Rfq, RfqEnd, RfqQuote
from trueup.sim.rfq_surface import Viewer, public_name, requester_in_quote, requester_of
from trueup.wire.rest.rows import rfqs as rows
from trueup.wire.spelling import Record


def rfq_row(rfq: Rfq, viewer: Viewer) -> Record:
    """An RFQ.  One for a target cost is for 0 contracts."""
    is_own = viewer.is_own(rfq)
    is_cancelled = rfq.end not in {None, RfqEnd.EXECUTED}
    return rows.RFQ.write(
        rows.Rfq(
            rfq_id=rfq.rfq_id,
            creator_id=requester_of(rfq, viewer.member),
            market_ticker=rfq.ticker,
            status=rfq.status,
            created_at=rfq.created_at,
            count=rfq.count or ZERO_COUNT,
            target_cost=rfq.target_cost,
            target_cost_excludes_fees=rfq.target_cost_excludes_fees,
            rest_remainder=rfq.rest_remainder,
            cancellation_reason=rfq.end if is_cancelled else None,
            cancelled_at=rfq.updated_at if is_cancelled else None,
            updated_at=rfq.updated_at,
            creator_user_id=rfq.member if is_own else None,
            creator_subaccount=rfq.subaccount if is_own else None,
        )
    )


def quote_row(quote: RfqQuote, rfq: Rfq, viewer: Viewer) -> Record:
    """A quote; its count is what was accepted of it, before that what the RFQ is for."""
    is_quoter, is_requester = viewer.is_own(quote), viewer.is_own(rfq)
    is_executed = quote.status is QuoteStatus.EXECUTED
    order = quote.order if is_executed and is_quoter else None
    rfq_order = quote.rfq_order if is_executed and is_requester else None
    return rows.QUOTE.write(
        rows.Quote(
            quote_id=quote.quote_id,
            rfq_id=quote.rfq_id,
            creator_id=public_name(quote.member),
            rfq_creator_id=requester_in_quote(quote, rfq, viewer.member),
            market_ticker=quote.ticker,
            count=quote.accepted_count or rfq.count or ZERO_COUNT,
            yes_bid=quote.yes_bid,
            no_bid=quote.no_bid,
            status=quote.status,
            created_at=quote.created_at,
            updated_at=quote.updated_at,
            accepted_side=quote.accepted_side,
            accepted_at=quote.accepted_at,
            confirmed_at=quote.confirmed_at,
            executed_at=quote.executed_at,
            cancelled_at=quote.cancelled_at,
            rest_remainder=quote.rest_remainder,
            post_only=quote.post_only if is_quoter else None,
            cancellation_reason=quote.reason or None,
            creator_user_id=quote.member if is_quoter else None,
            rfq_creator_user_id=rfq.member if is_requester else None,
            rfq_target_cost=rfq.target_cost,
            target_cost_excludes_fees=rfq.target_cost_excludes_fees,
            rfq_creator_order_id=rfq_order and rfq_order.order_id,
            creator_order_id=order and order.order_id,
            creator_subaccount=quote.subaccount if is_quoter else None,
            rfq_creator_subaccount=rfq.subaccount if is_requester else None,
            yes_count=quote.yes_count,
            no_count=quote.no_count,
        )
    )
