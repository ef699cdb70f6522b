"""What members ask about requests for quotes (RFQs), and about the quotes that answer them.

The machine has no source of names: whoever gives a command brings the ids of what it
makes, also of the order that its own side of an execution becomes.
"""

from __future__ import annotations

from msgspec import Struct

from trueup.core.ids import ClientOrderId, OrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.sim.order_commands import Member


class CreateRfq(Struct, frozen=True, kw_only=True, gc=False):
    """Ask everybody for quotes: for `count` contracts, or for what `target_cost` buys.

    With `replace_existing` an open RFQ of the member on the same market gives way; without
    it there can be only one.  The target cost covers the requester's fees unless
    `target_cost_excludes_fees`.  With `obscure_creator_id` others do not see who asks.
    """

    at: Instant
    member: Member
    subaccount: Subaccount
    rfq_id: str
    ticker: Ticker
    count: Count | None = None
    target_cost: Money | None = None
    target_cost_excludes_fees: bool = False
    rest_remainder: bool = False
    replace_existing: bool = False
    obscure_creator_id: bool = False


class DeleteRfq(Struct, frozen=True, kw_only=True, gc=False):
    """Take an RFQ back; its quotes can be accepted no more."""

    at: Instant
    member: Member
    rfq_id: str


class CreateQuote(Struct, frozen=True, kw_only=True, gc=False):
    """Bid for an RFQ, in the place of the member's earlier quote for it.

    `yes_bid` is paid for YES, `no_bid` for NO; 0 declines a side.
    """

    at: Instant
    member: Member
    subaccount: Subaccount
    quote_id: str
    rfq_id: str
    yes_bid: Price
    no_bid: Price
    rest_remainder: bool = False
    post_only: bool = False


class DeleteQuote(Struct, frozen=True, kw_only=True, gc=False):
    """Take a quote back that nobody has accepted.  `rfq_id` may say which RFQ it is for."""

    at: Instant
    member: Member
    quote_id: str
    rfq_id: str | None = None


class AcceptQuote(Struct, frozen=True, kw_only=True, gc=False):
    """Take the quoter's bid for `side`, as the requester; the quoter then has to confirm.

    A smaller `count` than is offered takes a part of it.  With `prefers_better` a better bid of somebody else is
    accepted instead, where there is one.
    """

    at: Instant
    member: Member
    quote_id: str
    side: Side
    order_id: OrderId
    client_order_id: ClientOrderId
    rfq_id: str | None = None
    count: Count | None = None
    prefers_better: bool = False


class ConfirmQuote(Struct, frozen=True, kw_only=True, gc=False):
    """Stand by a quote that was accepted, as the quoter; the execution timer starts."""

    at: Instant
    member: Member
    quote_id: str
    order_id: OrderId
    client_order_id: ClientOrderId
    rfq_id: str | None = None


RfqCommand = CreateRfq | DeleteRfq | CreateQuote | DeleteQuote | AcceptQuote | ConfirmQuote
"""What members ask about RFQs and quotes."""
