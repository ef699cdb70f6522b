"""Quotes for RFQs, made and taken back; and the door for all commands about both.

A quote sets nothing aside.
"""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.instant import Instant
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, Count, Price
from trueup.sim.accepting import accept, confirm
from trueup.sim.books import Books
from trueup.sim.events import Denial, Refusal
from trueup.sim.executing import execute
from trueup.sim.filling import fee_rule
from trueup.sim.lifecycle import Due, DueKind, MarketState
from trueup.sim.requesting import cancel_quote, create, delete, expire, keep_quote, not_trading
from trueup.sim.rfq import QuoteStatus, Rfq, RfqQuote, RfqStatus
from trueup.sim.rfq_commands import (
    AcceptQuote,
    ConfirmQuote,
    CreateQuote,
    CreateRfq,
    DeleteQuote,
    DeleteRfq,
    RfqCommand,
)


def carry_out(books: Books, command: RfqCommand) -> Denial | None:
    """Carry a command out; returns why not, where it cannot be."""
    match command:
        case CreateRfq():
            return create(books, command)
        case DeleteRfq():
            return delete(books, command)
        case CreateQuote():
            return _quote(books, command)
        case DeleteQuote():
            return _delete_quote(books, command)
        case AcceptQuote():
            return accept(books, command)
        case ConfirmQuote():
            return confirm(books, command)


def happen(books: Books, state: MarketState, due: Due) -> None:
    """Let something happen by itself whose time has come."""
    if due.kind is DueKind.EXECUTE_QUOTE:
        execute(books, state, due)
    else:
        expire(books, due)


# -- quoting -----------------------------------------------------------------------------------


def _quote(books: Books, command: CreateQuote) -> Denial | None:
    rfq = books.communications.rfqs.get(command.rfq_id)
    if rfq is None or rfq.status is not RfqStatus.OPEN:
        return Denial(Refusal.INVALID_PARAMETERS, "no open RFQ has this id")
    state = books.listings.markets[rfq.ticker]
    denial = _forbidden(books, command, rfq) or not_trading(books, state)
    denial = denial or _ill_priced(command, state)
    if denial is not None:
        return denial
    for each in _own_quotes(books, command):
        if each.status is QuoteStatus.OPEN:
            cancel_quote(books, each, command.at, reason="replaced")
    sizes = _Sizes(books, state, rfq, command.at)
    keep_quote(
        books,
        RfqQuote(
            quote_id=command.quote_id,
            rfq_id=rfq.rfq_id,
            member=command.member,
            subaccount=command.subaccount,
            ticker=rfq.ticker,
            yes_bid=command.yes_bid,
            no_bid=command.no_bid,
            yes_count=sizes.offered(command.yes_bid),
            no_count=sizes.offered(command.no_bid),
            rest_remainder=command.rest_remainder,
            post_only=command.post_only,
            created_at=command.at,
            updated_at=command.at,
        ),
    )
    return None


def _forbidden(books: Books, command: CreateQuote, rfq: Rfq) -> Denial | None:
    """Whether this member may not quote here now."""
    account = books.accounts.get(command.member)
    if account is None or command.subaccount not in account.subaccounts:
        return Denial(Refusal.NOT_FOUND)
    if command.quote_id in books.communications.quotes:
        return Denial(Refusal.ALREADY_EXISTS)
    if rfq.member == command.member:
        return Denial(Refusal.INVALID_PARAMETERS, "this is your own RFQ")
    if any(each.is_pending(command.at) for each in _own_quotes(books, command)):
        return Denial(Refusal.INVALID_PARAMETERS, "your quote has been accepted")
    return None


def _own_quotes(books: Books, command: CreateQuote) -> list[RfqQuote]:
    quotes = books.communications.quotes_of(command.rfq_id)
    return [each for each in quotes if each.member == command.member]


def _ill_priced(command: CreateQuote, state: MarketState) -> Denial | None:
    """Bids must lie on the market's grid, as its page demands.

    The demo once took one that did not (recorded July 2026): we are stricter.
    """
    bids = command.yes_bid.units, command.no_bid.units
    if not any(bids):
        return Denial(Refusal.INVALID_PARAMETERS, "a quote bids for at least one side")
    if sum(bids) > ONE_DOLLAR.units:
        return Denial(Refusal.INVALID_PARAMETERS, "the bids are more than $1 together")
    # A bid for NO at p is an ask at 1 - p.
    yes, no = bids
    if yes and yes not in state.prices:
        return Denial(Refusal.INVALID_PRICE)
    if no and ONE_DOLLAR.units - no not in state.prices:
        return Denial(Refusal.INVALID_PRICE)
    return None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many contracts a bid is good for."""

    books: Books
    state: MarketState
    rfq: Rfq
    at: Instant

    def offered(self, bid: Price) -> Count:
        """The requester's count, or what its target cost buys at $1 less the bid.

        With fees to be covered it is the largest count that, with the fee of a taker and
        one step of rounding, still fits (inferred).
        """
        if not bid:
            return ZERO_COUNT
        if self.rfq.target_cost is None:
            return self.rfq.count or ZERO_COUNT
        target, price = self.rfq.target_cost.units, ONE_DOLLAR.units - bid.units
        most = target // price
        if self.rfq.target_cost_excludes_fees:
            return Count(most)
        low = 0
        while low < most:
            middle = (low + most + 1) // 2
            if middle * price + self._fee(middle, price) <= target:
                low = middle
            else:
                most = middle - 1
        return Count(low)

    def _fee(self, count: int, price: int) -> int:
        rule = fee_rule(self.books, self.state, self.at)
        precision = self.books.accounts[self.rfq.member].precision
        return rule.trade_fee(count, price, True) + rule.balance_step(precision)


def _delete_quote(books: Books, command: DeleteQuote) -> Denial | None:
    """Once accepted a quote is not found any more by whoever wants to delete it (recorded)."""
    quote = books.communications.quote(command.quote_id, command.rfq_id)
    own = quote is not None and quote.member == command.member
    if quote is None or not own or quote.status is not QuoteStatus.OPEN:
        return Denial(Refusal.NOT_FOUND)
    cancel_quote(books, quote, command.at, reason="deleted")
    return None
