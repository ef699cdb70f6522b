"""Requests for quotes: the creator on KalshiRT, the market maker on KalshiRFQ.

The one related symbol of a quote request stands flat in the message, as in the
exchange's own dictionary: its first field differs between single markets (55) and
combinations (20180), so it has no delimiter that could be relied on.
"""

from __future__ import annotations

from typing import Annotated

from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import Count, Money, Price
from trueup.wire.fix import fields as f
from trueup.wire.fix import kinds as k
from trueup.wire.fix import words as w
from trueup.wire.fix.message import Block, Message, Sender
from trueup.wire.fix.messages.orders import Party


class SelectedLeg(Block, frozen=True, kw_only=True, gc=False):
    """One leg of a combination."""

    event_ticker: Annotated[str, f.MultivariateSelectedEventTicker]
    market_ticker: Annotated[str, f.MultivariateSelectedMarketTicker]
    side: Annotated[Side, f.MultivariateSelectedSide]


class OffendingLeg(Block, frozen=True, kw_only=True, gc=False):
    """A leg that made a request invalid."""

    market_ticker: Annotated[str, f.MVEOffendingMarketTicker]


class QuoteRequest(Message, frozen=True, kw_only=True, gc=False):
    """A wish for a quote: from its creator to the exchange, from there to the makers."""

    TYPE = "R"

    request_id: Annotated[str, f.QuoteReqID]
    related_symbols: Annotated[int, f.NoRelatedSym] = 1
    symbol: Annotated[str | None, f.Symbol] = None
    collection_ticker: Annotated[str | None, f.MultivariateCollectionTicker] = None
    legs: Annotated[tuple[SelectedLeg, ...], f.NoMultivariateSelectedLegs] = ()
    quantity: Annotated[Count | None, f.OrderQty] = None
    cash_quantity: Annotated[Money | None, f.CashOrderQty] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()
    rest_remainder: Annotated[bool | None, f.RestRemainder] = None
    replace_existing: Annotated[bool | None, f.ReplaceExisting] = None
    subaccount: Annotated[int | None, f.AllocAccount] = None
    target_cost_excludes_fees: Annotated[bool | None, f.TargetCostExcludesFees] = None
    obscure_creator_id: Annotated[bool | None, f.ObscureCreatorId] = None
    transact_time: Annotated[Instant | None, f.TransactTime] = None


class QuoteRequestAck(Message, frozen=True, kw_only=True, gc=False):
    """A quote request was accepted and has an id."""

    TYPE = "b"
    SENT_BY = Sender.EXCHANGE

    request_id: Annotated[str, f.QuoteReqID]
    request_type: Annotated[str, f.QuoteRequestType]
    rfq_id: Annotated[str | None, f.RfqId] = None
    symbol: Annotated[str | None, f.Symbol] = None
    text: Annotated[str | None, f.Text] = None
    shard: Annotated[int | None, f.ExDestination] = None


class QuoteRequestReject(Message, frozen=True, kw_only=True, gc=False):
    """A quote request was refused."""

    TYPE = "AG"
    SENT_BY = Sender.EXCHANGE

    request_id: Annotated[str, f.QuoteReqID]
    reason: Annotated[str, f.QuoteRequestRejectReason]
    text: Annotated[str, f.Text]
    combination_reason: Annotated[str | None, f.MVEValidationReasonCode] = None
    offending_legs: Annotated[tuple[OffendingLeg, ...], f.NoMVEOffendingLegs] = ()


class QuoteTerms(Message, frozen=True, kw_only=True, gc=False):
    """What a maker offers for which request; prices are in the session's unit."""

    quote_id: Annotated[str, f.QuoteID]
    request_id: Annotated[str, f.QuoteReqID]
    bid: Annotated[Price | None, f.BidPx] = None
    offer: Annotated[Price | None, f.OfferPx] = None
    quantity: Annotated[Count | None, f.OrderQty] = None
    bid_size: Annotated[Count | None, f.BidSize] = None
    offer_size: Annotated[Count | None, f.OfferSize] = None


class Quote(QuoteTerms, frozen=True, kw_only=True, gc=False):
    """A maker's quote."""

    TYPE = "S"
    SENT_BY = Sender.CLIENT

    symbol: Annotated[str, f.Symbol]
    subaccount: Annotated[int | None, f.AllocAccount] = None
    rest_remainder: Annotated[bool | None, f.RestRemainder] = None
    instructions: Annotated[str | None, f.ExecInst] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()


class QuoteShown(QuoteTerms, frozen=True, kw_only=True, gc=False):
    """A quote as the creator of the request sees it; prices are dollars, always."""

    TYPE = "S"
    SENT_BY = Sender.EXCHANGE

    symbol: Annotated[str, f.Symbol]
    bid: Annotated[Price | None, f.BidPx, k.DOLLAR_PRICE] = None
    offer: Annotated[Price | None, f.OfferPx, k.DOLLAR_PRICE] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()


class QuoteReference(Message, frozen=True, kw_only=True, gc=False):
    """A maker's request about one of its quotes."""

    SENT_BY = Sender.CLIENT

    quote_id: Annotated[str, f.QuoteID]
    rfq_id: Annotated[str | None, f.RfqId] = None


class QuoteCancel(QuoteReference, frozen=True, kw_only=True, gc=False):
    """A maker takes a quote back."""

    TYPE = "Z"


class QuoteCancelStatus(Message, frozen=True, kw_only=True, gc=False):
    """Whether a quote was taken back."""

    TYPE = "U9"
    SENT_BY = Sender.EXCHANGE

    quote_id: Annotated[str, f.QuoteID]
    status: Annotated[w.Verdict, f.QuoteCancelStatus]
    text: Annotated[str | None, f.Text] = None


class QuoteStatusReport(QuoteTerms, frozen=True, kw_only=True, gc=False):
    """What became of a maker's quote."""

    TYPE = "AI"
    SENT_BY = Sender.EXCHANGE

    subaccount: Annotated[int | None, f.AllocAccount] = None
    status: Annotated[w.QuoteStatus, f.QuoteStatus]
    side: Annotated[Side | None, f.Side] = None
    text: Annotated[str | None, f.Text] = None


class QuoteConfirm(QuoteReference, frozen=True, kw_only=True, gc=False):
    """A maker confirms an accepted quote (within 30 s; 3 s in high-volume markets)."""

    TYPE = "U7"


class QuoteConfirmStatus(Message, frozen=True, kw_only=True, gc=False):
    """Whether a confirmation was taken."""

    TYPE = "U8"
    SENT_BY = Sender.EXCHANGE

    quote_id: Annotated[str, f.QuoteID]
    status: Annotated[w.Verdict, f.QuoteConfirmStatus]
    text: Annotated[str | None, f.Text] = None


class AcceptQuote(Message, frozen=True, kw_only=True, gc=False):
    """The creator accepts a quote: side 1 the maker's NO quote, 2 the YES quote."""

    TYPE = "UA"
    SENT_BY = Sender.CLIENT

    quote_id: Annotated[str, f.QuoteID]
    side: Annotated[Side, f.Side]
    quantity: Annotated[Count | None, f.OrderQty] = None
    client_order_id: Annotated[str | None, f.ClOrdID] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()
    prefer_better_quote: Annotated[bool | None, f.PreferBetterQuote] = None
    rfq_id: Annotated[str | None, f.RfqId] = None


class AcceptQuoteStatus(Message, frozen=True, kw_only=True, gc=False):
    """Whether an acceptance was taken, and of which quote."""

    TYPE = "UC"
    SENT_BY = Sender.EXCHANGE

    quote_id: Annotated[str, f.QuoteID]
    status: Annotated[w.Verdict, f.AcceptQuoteStatus]
    accepted_quote_id: Annotated[str | None, f.AcceptedQuoteId] = None
    client_order_id: Annotated[str | None, f.ClOrdID] = None
    text: Annotated[str | None, f.Text] = None


class RFQCancel(Message, frozen=True, kw_only=True, gc=False):
    """The creator takes a request back, by either of its ids."""

    TYPE = "UE"
    SENT_BY = Sender.CLIENT

    request_id: Annotated[str | None, f.QuoteReqID] = None
    rfq_id: Annotated[str | None, f.RfqId] = None
    parties: Annotated[tuple[Party, ...], f.NoPartyIDs] = ()


class RFQCancelStatus(Message, frozen=True, kw_only=True, gc=False):
    """What became of a request that was taken back, or that it expired."""

    TYPE = "UB"
    SENT_BY = Sender.EXCHANGE

    request_id: Annotated[str, f.QuoteReqID]
    status: Annotated[w.Verdict, f.RFQCancelStatus]
    text: Annotated[str | None, f.Text] = None
    rfq_id: Annotated[str | None, f.RfqId] = None
