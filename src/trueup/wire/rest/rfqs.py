"""The communications section, first part: requests for quotes, and quotes.

A requester asks for a price, makers quote, the requester accepts one side of a
quote, and the maker confirms within seconds; then both get orders and fills.
The exchange's `communications_id` stands for us where our user id may not be
seen.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trueup.core.errors import CallerError
from trueup.core.ids import EventTicker, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Price
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request, since, until
from trueup.wire.rest.rows import rfqs as rows
from trueup.wire.rest.rows.rfqs import NewQuote, NewRfq, Quote, Rfq
from trueup.wire.rest.shapes import Shape

SELF: Final = "self"
"""The only word of the user filters: what is ours."""


class _CommunicationsId(msgspec.Struct, frozen=True, kw_only=True):
    communications_id: str


COMMUNICATIONS_ID: Final = Shape(_CommunicationsId, "GetCommunicationsIDResponse")


def communications_id() -> Call[str]:
    """Our public name in requests and quotes."""
    answer = COMMUNICATIONS_ID.answer().then(lambda row: row.communications_id)
    return request("GetCommunicationsID", answer)


def rfqs(
    *,
    event_ticker: EventTicker | None = None,
    market_ticker: Ticker | None = None,
    status: str = "",
    mine: bool = False,
    creator_user_id: str = "",
    subaccount: Subaccount | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Rfq]]:
    """Requests of everybody, or only `mine`.  `status` is ``open`` or ``closed``."""
    return request(
        "GetRFQs",
        rows.RFQ.pages("rfqs"),
        query={
            "event_ticker": event_ticker,
            "market_ticker": market_ticker,
            "status": status,
            "user_filter": SELF if mine else "",
            "creator_user_id": creator_user_id,
            "subaccount": subaccount,
            "limit": limit,
            "cursor": cursor,
        },
    )


def rfq(rfq_id: str) -> Call[Rfq]:
    """One request."""
    return request("GetRFQ", rows.RFQ.answer("rfq"), path={"rfq_id": rfq_id})


def create_rfq(new: NewRfq) -> Call[str]:
    """Ask for quotes; gives the request's id.  One may be open per market, 100 in all."""
    if (new.count is None) == (new.target_cost is None):
        raise CallerError("a request for quotes is for a count or for a target cost")
    return request(
        "CreateRFQ",
        rows.CREATED.answer().then(lambda created: created.id),
        body=write_body(rows.NEW_RFQ, new),
    )


def delete_rfq(rfq_id: str) -> Call[None]:
    """Take a request back."""
    return request("DeleteRFQ", nothing(), path={"rfq_id": rfq_id})


def quotes(
    *,
    rfq_id: str = "",
    status: str = "",
    mine: bool = False,
    for_my_rfqs: bool = False,
    quote_creator_user_id: str = "",
    rfq_creator_user_id: str = "",
    rfq_creator_subtrader_id: str = "",
    min_at: Instant | None = None,
    max_at: Instant | None = None,
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[Quote]]:
    """Quotes that we made (`mine`), that answer our requests (`for_my_rfqs`), or both."""
    return request(
        "GetQuotes",
        rows.QUOTE.pages("quotes"),
        query={
            "rfq_id": rfq_id,
            "status": status,
            "user_filter": SELF if mine else "",
            "rfq_user_filter": SELF if for_my_rfqs else "",
            "quote_creator_user_id": quote_creator_user_id,
            "rfq_creator_user_id": rfq_creator_user_id,
            "rfq_creator_subtrader_id": rfq_creator_subtrader_id,
            "min_ts": since(min_at),
            "max_ts": until(max_at),
            "limit": limit,
            "cursor": cursor,
        },
    )


def create_quote(new: NewQuote) -> Call[str]:
    """Quote for a request; gives the quote's id."""
    _check_bids(new.yes_bid, new.no_bid)
    return request(
        "CreateQuote",
        rows.CREATED.answer().then(lambda created: created.id),
        body=write_body(rows.NEW_QUOTE, new),
    )


def quote(rfq_id: str, quote_id: str) -> Call[Quote]:
    """One quote."""
    return request("GetRFQQuote", rows.QUOTE.answer("quote"), path=_of(rfq_id, quote_id))


def delete_quote(rfq_id: str, quote_id: str) -> Call[None]:
    """Take a quote back."""
    return request("DeleteRFQQuote", nothing(), path=_of(rfq_id, quote_id))


def accept_quote(rfq_id: str, quote_id: str, side: Side) -> Call[None]:
    """Take the maker's bid on one side of a quote; the maker then confirms."""
    return request("AcceptRFQQuote", nothing(), path=_of(rfq_id, quote_id), body=_accepted(side))


def confirm_quote(rfq_id: str, quote_id: str) -> Call[None]:
    """Stand by a quote that was accepted: within 30 seconds, 3 for combos."""
    return request("ConfirmRFQQuote", nothing(), path=_of(rfq_id, quote_id))


# -- the same without the request's id, which the exchange wants to give up -------------------


def unscoped_quote(quote_id: str) -> Call[Quote]:
    """`quote` by its id alone; deprecated by the exchange."""
    return request("GetQuote", rows.QUOTE.answer("quote"), path={"quote_id": quote_id})


def delete_unscoped_quote(quote_id: str) -> Call[None]:
    """`delete_quote` by its id alone; deprecated by the exchange."""
    return request("DeleteQuote", nothing(), path={"quote_id": quote_id})


def accept_unscoped_quote(quote_id: str, side: Side) -> Call[None]:
    """`accept_quote` by its id alone; deprecated by the exchange."""
    return request("AcceptQuote", nothing(), path={"quote_id": quote_id}, body=_accepted(side))


def confirm_unscoped_quote(quote_id: str) -> Call[None]:
    """`confirm_quote` by its id alone; deprecated by the exchange."""
    return request("ConfirmQuote", nothing(), path={"quote_id": quote_id})


def _of(rfq_id: str, quote_id: str) -> dict[str, str]:
    return {"rfq_id": rfq_id, "quote_id": quote_id}


def _accepted(side: Side) -> bytes:
    return write_body(rows.ACCEPTANCE, rows.Acceptance(accepted_side=side))


def _check_bids(yes_bid: Price, no_bid: Price) -> None:
    if yes_bid.units + no_bid.units > ONE_DOLLAR.units:
        raise CallerError(
            f"bids of {yes_bid} for YES and {no_bid} for NO are more than $1 together",
            remedy="A quote that pays more than $1 for the pair loses money; 0 declines a side.",
        )
    if not yes_bid and not no_bid:
        raise CallerError("a quote bids for at least one side")
