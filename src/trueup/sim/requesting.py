"""Requests for quotes: made, taken back, and closed by what happens.

One RFQ may be open for each member and market, 100 in all.  Nothing is set aside for it.
"""

from __future__ import annotations

from msgspec.structs import replace

from trueup.core.instant import SECOND, Instant
from trueup.core.market import MarketStatus
from trueup.sim.books import Books
from trueup.sim.events import Denial, Refusal
from trueup.sim.lifecycle import Due, DueKind, MarketState
from trueup.sim.rfq import (
    OPEN_RFQS_MAX,
    RFQ_LIFE,
    QuoteStatus,
    Rfq,
    RfqEnd,
    RfqQuote,
    RfqQuoteUpdated,
    RfqStatus,
    RfqUpdated,
    windows,
)
from trueup.sim.rfq_commands import CreateRfq, DeleteRfq

_LIVING = frozenset({QuoteStatus.OPEN, QuoteStatus.ACCEPTED, QuoteStatus.CONFIRMED})


def create(books: Books, command: CreateRfq) -> Denial | None:
    """Make an RFQ; returns why not, where it cannot be."""
    account = books.accounts.get(command.member)
    state = books.listings.markets.get(command.ticker)
    if account is None or state is None or command.subaccount not in account.subaccounts:
        return Denial(Refusal.MARKET_NOT_FOUND if state is None else Refusal.NOT_FOUND)
    found = books.communications
    existing = found.open_rfq(command.member, command.ticker)
    denial = _ill_formed(command) or not_trading(books, state) or _too_many(books, command)
    if denial is not None:
        return denial
    if existing is not None:
        close(books, existing, command.at, RfqEnd.REPLACED)
    rfq = Rfq(
        rfq_id=command.rfq_id,
        member=command.member,
        subaccount=command.subaccount,
        ticker=command.ticker,
        event_ticker=state.market.event_ticker,
        shard=state.shard,
        count=command.count,
        target_cost=command.target_cost,
        target_cost_excludes_fees=command.target_cost_excludes_fees,
        rest_remainder=command.rest_remainder,
        obscures_creator=command.obscure_creator_id,
        created_at=command.at,
        updated_at=command.at,
    )
    _keep(books, rfq)
    _note_expiry(books, rfq, Instant(command.at + RFQ_LIFE))
    return None


def _too_many(books: Books, command: CreateRfq) -> Denial | None:
    """Whether the id is used, another RFQ stands in the way, or too many are open."""
    found = books.communications
    if command.rfq_id in found.rfqs:
        return Denial(Refusal.ALREADY_EXISTS)
    existing = found.open_rfq(command.member, command.ticker)
    if existing is None:
        if len(found.open_rfqs(command.member)) >= OPEN_RFQS_MAX:
            return Denial(Refusal.INVALID_PARAMETERS, f"more than {OPEN_RFQS_MAX} open RFQs")
    elif not command.replace_existing or is_bound(books, existing):
        return Denial(Refusal.ALREADY_EXISTS, "an RFQ on this market is open")
    return None


def _ill_formed(command: CreateRfq) -> Denial | None:
    if (command.count is None) == (command.target_cost is None):
        return Denial(Refusal.INVALID_PARAMETERS, "either contracts or a target cost")
    wanted = command.count if command.target_cost is None else command.target_cost
    if wanted is not None and wanted.units <= 0:
        return Denial(Refusal.INVALID_PARAMETERS, "nothing is asked for")
    if command.target_cost_excludes_fees and command.target_cost is None:
        return Denial(Refusal.INVALID_PARAMETERS, "fees concern a target cost only")
    return None


def not_trading(books: Books, state: MarketState) -> Denial | None:
    """Why nobody can trade in a market now; `None` when one can."""
    if state.shard in books.paused:
        return Denial(books.paused[state.shard])
    return None if state.status is MarketStatus.ACTIVE else Denial(Refusal.MARKET_INACTIVE)


def delete(books: Books, command: DeleteRfq) -> Denial | None:
    """Take an RFQ back.

    Once a quote for it is confirmed neither side can withdraw; before, its requester still
    can (inferred).  Deleting works while trading is paused, as cancelling does.
    """
    rfq = books.communications.rfqs.get(command.rfq_id)
    if rfq is None or rfq.member != command.member or rfq.status is not RfqStatus.OPEN:
        return Denial(Refusal.NOT_FOUND)
    if is_bound(books, rfq):
        return Denial(Refusal.INVALID_PARAMETERS, "a confirmed quote cannot be withdrawn from")
    close(books, rfq, command.at, RfqEnd.DELETED)
    return None


def is_bound(books: Books, rfq: Rfq) -> bool:
    """Whether a quote for the RFQ was confirmed and waits for its execution."""
    quotes = books.communications.quotes_of(rfq.rfq_id)
    return any(quote.status is QuoteStatus.CONFIRMED for quote in quotes)


def close(books: Books, rfq: Rfq, at: Instant, end: RfqEnd) -> None:
    """Close an RFQ, and cancel what was quoted for it."""
    closed = replace(rfq, end=end, updated_at=at)
    _keep(books, closed)
    for quote in tuple(books.communications.quotes_of(rfq.rfq_id)):
        lapsed = quote.status is QuoteStatus.ACCEPTED and not quote.can_be_confirmed(at)
        if quote.status in _LIVING and not lapsed:
            cancel_quote(books, quote, at, reason=f"rfq_{end}")


def cancel_quote(books: Books, quote: RfqQuote, at: Instant, *, reason: str) -> None:
    """End a quote without an execution."""
    keep_quote(
        books,
        replace(quote, status=QuoteStatus.CANCELLED, cancelled_at=at, updated_at=at, reason=reason),
    )


def keep_quote(books: Books, quote: RfqQuote) -> None:
    """Remember a quote as it is now, and say so."""
    found = books.communications
    found.keep_quote(quote)
    rfq = found.rfqs[quote.rfq_id]
    books.events.append(RfqQuoteUpdated(at=quote.updated_at, quote=quote, rfq=rfq))


def _keep(books: Books, rfq: Rfq) -> None:
    books.communications.keep_rfq(rfq)
    books.events.append(RfqUpdated(at=rfq.updated_at, rfq=rfq))


# -- what happens by itself --------------------------------------------------------------------


def close_market(books: Books, state: MarketState, at: Instant) -> None:
    """Close every RFQ on a market that closed (inferred)."""
    for rfq in books.communications.open_on(state.ticker):
        close(books, rfq, at, RfqEnd.MARKET_CLOSED)


def expire(books: Books, due: Due) -> None:
    """End an RFQ whose time has come.  One with a quote that may still execute waits for it."""
    rfq = books.communications.rfqs.get(due.subject)
    if rfq is None or rfq.status is not RfqStatus.OPEN:
        return
    quotes = books.communications.quotes_of(rfq.rfq_id)
    if any(quote.is_pending(due.at) for quote in quotes):
        _note_expiry(books, rfq, Instant(due.at + sum(windows(rfq.ticker)) + SECOND))
    else:
        close(books, rfq, due.at, RfqEnd.EXPIRED)


def _note_expiry(books: Books, rfq: Rfq, at: Instant) -> None:
    books.agenda.note(Due(at, DueKind.EXPIRE_RFQ, rfq.ticker, subject=rfq.rfq_id))
