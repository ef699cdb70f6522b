"""The communications section, third part: trades agreed off the book."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trueup.core.ids import OrderId, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Price
from trueup.wire.rest.bodies import write_body
from trueup.wire.rest.call import Call, Page
from trueup.wire.rest.codecs import (
    CENTI_CENT_PRICE,
    CENTI_COUNT,
    OPTIONAL_TIME,
    SMALL,
    TIME,
)
from trueup.wire.rest.reading import nothing
from trueup.wire.rest.request import request
from trueup.wire.rest.shapes import Shape, Wire

_PRICE: Final = Wire("price_centi_cents", CENTI_CENT_PRICE)
_COUNT: Final = Wire("centicount", CENTI_COUNT)


class BlockTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed block trade.  What concerns the other side only is empty for us.

    `price` is the YES price.  It executes once both sides have accepted.
    """

    proposal_id: Annotated[str, Wire("id")]
    proposer_user_id: str
    buyer_user_id: str
    seller_user_id: str
    market_ticker: Ticker
    price: Annotated[Price, _PRICE]
    count: Annotated[Count, _COUNT]
    maker_side: Side
    status: str
    created_at: Annotated[Instant, Wire("created_ts", TIME)]
    updated_at: Annotated[Instant, Wire("updated_ts", TIME)]
    expires_at: Annotated[Instant, Wire("expiration_ts", TIME)]
    buyer_accepted: bool
    seller_accepted: bool
    buyer_subtrader_id: str | None = None
    seller_subtrader_id: str | None = None
    buyer_accepted_at: Annotated[Instant | None, Wire("buyer_accepted_ts", OPTIONAL_TIME)] = None
    seller_accepted_at: Annotated[Instant | None, Wire("seller_accepted_ts", OPTIONAL_TIME)] = None
    executed_at: Annotated[Instant | None, Wire("executed_ts", OPTIONAL_TIME)] = None
    buyer_order_id: OrderId | None = None
    seller_order_id: OrderId | None = None


class NewBlockTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A block trade to propose.  A side is named by a subaccount or a subtrader, not both."""

    buyer_user_id: str
    seller_user_id: str
    market_ticker: Ticker
    price: Annotated[Price, _PRICE]
    count: Annotated[Count, _COUNT]
    maker_side: Side
    expires_at: Annotated[Instant, Wire("expiration_ts", TIME)]
    buyer_subtrader_id: str | None = None
    buyer_subaccount: Annotated[Subaccount | None, Wire("buyer_subaccount", SMALL)] = None
    seller_subtrader_id: str | None = None
    seller_subaccount: Annotated[Subaccount | None, Wire("seller_subaccount", SMALL)] = None


class _Accepted(msgspec.Struct, frozen=True, kw_only=True):
    subtrader_id: str | None = None
    subaccount: Annotated[Subaccount | None, Wire("subaccount", SMALL)] = None


class _Proposed(msgspec.Struct, frozen=True, kw_only=True):
    block_trade_proposal_id: str


BLOCK_TRADE: Final = Shape(BlockTrade, "BlockTradeProposal")
NEW_BLOCK_TRADE: Final = Shape(NewBlockTrade, "ProposeBlockTradeRequest", brief=True)
ACCEPTED: Final = Shape(_Accepted, "AcceptBlockTradeProposalRequest", brief=True)
PROPOSED: Final = Shape(_Proposed, "ProposeBlockTradeResponse")


def proposals(
    *,
    market_ticker: Ticker | None = None,
    status: str = "",
    limit: int | None = None,
    cursor: str = "",
) -> Call[Page[BlockTrade]]:
    """Proposals that concern us."""
    return request(
        "GetBlockTradeProposals",
        BLOCK_TRADE.pages("block_trade_proposals"),
        query={
            "market_ticker": market_ticker,
            "status": status,
            "limit": limit,
            "cursor": cursor,
        },
    )


def propose(new: NewBlockTrade) -> Call[str]:
    """Propose a block trade; gives the proposal's id."""
    return request(
        "ProposeBlockTrade",
        PROPOSED.answer().then(lambda proposed: proposed.block_trade_proposal_id),
        body=write_body(NEW_BLOCK_TRADE, new),
    )


def accept(
    proposal_id: str, *, subaccount: Subaccount | None = None, subtrader_id: str | None = None
) -> Call[None]:
    """Accept a proposal for our side.  Needs a key with ``write::block_trade_accept``."""
    return request(
        "AcceptBlockTradeProposal",
        nothing(),
        path={"block_trade_proposal_id": proposal_id},
        body=write_body(ACCEPTED, _Accepted(subaccount=subaccount, subtrader_id=subtrader_id)),
    )
