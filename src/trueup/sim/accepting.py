"""Quotes that are accepted by the requester, and confirmed by the quoter.

The money of each side is looked at when it binds itself (the requester when it accepts, the
quoter when it confirms) and again when the orders are placed; nothing is set aside between
(inferred: the exchange says only that a balance may be insufficient).
"""

from __future__ import annotations

from msgspec.structs import replace

from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.sim.books import Books
from trueup.sim.events import Denial, Refusal
from trueup.sim.executing import affords, order_of_quoter, order_of_requester
from trueup.sim.lifecycle import Due, DueKind
from trueup.sim.requesting import keep_quote, not_trading
from trueup.sim.rfq import OrderName, QuoteStatus, Rfq, RfqQuote, RfqStatus, windows
from trueup.sim.rfq_commands import AcceptQuote, ConfirmQuote


def accept(books: Books, command: AcceptQuote) -> Denial | None:
    """Let a requester take one side of a quote; returns why not, where it cannot be."""
    found, at, side = books.communications, command.at, command.side
    quote = found.quote(command.quote_id, command.rfq_id)
    rfq = None if quote is None else found.rfqs[quote.rfq_id]
    if quote is None or rfq is None or rfq.member != command.member:
        return Denial(Refusal.NOT_FOUND)
    denial = _not_open(books, rfq, quote, at) or _not_possible(books, quote, command)
    if denial is not None:
        return denial
    if command.prefers_better:
        quote = _best(books, quote, side)
    count = quote.offered(side) if command.count is None else command.count
    if not 0 < count.units <= quote.offered(side).units:
        return Denial(Refusal.INVALID_PARAMETERS, "so much is not offered on this side")
    accepted = replace(
        quote,
        status=QuoteStatus.ACCEPTED,
        accepted_side=side,
        accepted_count=count,
        accepted_at=at,
        updated_at=at,
        rfq_order=OrderName(command.order_id, command.client_order_id),
    )
    if not affords(books, order_of_requester(rfq, accepted, at), is_taker=True):
        return Denial(Refusal.INSUFFICIENT_BALANCE)
    keep_quote(books, accepted)
    return None


def _not_open(books: Books, rfq: Rfq, quote: RfqQuote, at: Instant) -> Denial | None:
    """While one quote for an RFQ may still execute no other can be accepted (inferred)."""
    if rfq.status is not RfqStatus.OPEN or quote.status is not QuoteStatus.OPEN:
        return Denial(Refusal.INVALID_PARAMETERS, "the quote is not open")
    if any(each.is_pending(at) for each in books.communications.quotes_of(rfq.rfq_id)):
        return Denial(Refusal.INVALID_PARAMETERS, "another quote has been accepted")
    return None


def _not_possible(
    books: Books, quote: RfqQuote, command: AcceptQuote | ConfirmQuote
) -> Denial | None:
    """Whether an order could not be placed now: nobody trades, or its name is used already."""
    account = books.accounts[command.member]
    if command.client_order_id in account.client_order_ids or command.order_id in account.orders:
        return Denial(Refusal.ORDER_ALREADY_EXISTS)
    return not_trading(books, books.listings.markets[quote.ticker])


def _best(books: Books, asked: RfqQuote, side: Side) -> RfqQuote:
    """The highest open bid for a side; the one that was named, unless another is better."""
    best = asked
    for each in books.communications.quotes_of(asked.rfq_id):
        if each.status is QuoteStatus.OPEN and each.bid(side) > best.bid(side):
            best = each
    return best


def confirm(books: Books, command: ConfirmQuote) -> Denial | None:
    """Let a quoter stand by its quote; returns why not, where it cannot be."""
    at, quote = command.at, books.communications.quote(command.quote_id, command.rfq_id)
    if quote is None or quote.member != command.member:
        return Denial(Refusal.NOT_FOUND)
    denial = _unconfirmable(quote, at) or _not_possible(books, quote, command)
    if denial is not None:
        return denial
    confirmed = replace(
        quote,
        status=QuoteStatus.CONFIRMED,
        confirmed_at=at,
        updated_at=at,
        order=OrderName(command.order_id, command.client_order_id),
    )
    if not affords(books, order_of_quoter(confirmed, at), is_taker=False):
        return Denial(Refusal.INSUFFICIENT_BALANCE)
    keep_quote(books, confirmed)
    executes = Instant(at + windows(quote.ticker).execution)
    books.agenda.note(Due(executes, DueKind.EXECUTE_QUOTE, quote.ticker, subject=quote.quote_id))
    return None


def _unconfirmable(quote: RfqQuote, at: Instant) -> Denial | None:
    if quote.status is not QuoteStatus.ACCEPTED:
        return Denial(Refusal.INVALID_PARAMETERS, "the quote waits for no confirmation")
    return None if quote.can_be_confirmed(at) else Denial(Refusal.EXPIRED)
