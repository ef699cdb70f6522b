"""The execution of a confirmed quote: two orders on the public book.

The quoter's order comes first and rests at its bid; the requester's then takes at the same
price.  Both are orders like any other: whoever stands in the book at a better price, or
longer at this one, trades first, and each side pays the ordinary fee of a maker or a taker
(recorded: the requester took, the quoter made).
"""

from __future__ import annotations

from msgspec.structs import replace

from trueup.core.errors import InvariantBroken
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side, TimeInForce
from trueup.core.units import Price
from trueup.sim import trading
from trueup.sim.books import Books
from trueup.sim.crossing import end
from trueup.sim.filling import fee_rule
from trueup.sim.lifecycle import Due, MarketState
from trueup.sim.order import Order
from trueup.sim.order_commands import PlaceOrder
from trueup.sim.order_events import OrderChange
from trueup.sim.requesting import cancel_quote, close, keep_quote
from trueup.sim.returning import taken_back
from trueup.sim.rfq import QuoteStatus, Rfq, RfqEnd, RfqQuote


def execute(books: Books, state: MarketState, due: Due) -> None:
    """Place both orders of a confirmed quote, or cancel it when one of them is refused.

    What does not fill is cancelled, unless its side asked for it to rest.
    """
    quote = books.communications.quotes.get(due.subject)
    if quote is None or quote.status is not QuoteStatus.CONFIRMED:
        return
    rfq, at = books.communications.rfqs[quote.rfq_id], due.at
    quoters, requesters = order_of_quoter(quote, at), order_of_requester(rfq, quote, at)
    events, books.events = books.events, []
    denial = trading.place(books, quoters)
    if denial is None:
        denial = trading.place(books, requesters)
    placed, books.events = books.events, events
    if denial is None:
        # Told before the orders that it made, although only they show that it was possible.
        executed = replace(quote, status=QuoteStatus.EXECUTED, executed_at=at, updated_at=at)
        keep_quote(books, executed)
        close(books, rfq, at, RfqEnd.EXECUTED)
    books.events.extend(placed)
    if denial is not None or not quote.rest_remainder:
        _take_back(books, state, quoters, at)
    if denial is not None:
        cancel_quote(books, quote, at, reason=denial.reason.value)


def _take_back(books: Books, state: MarketState, terms: PlaceOrder, at: Instant) -> None:
    order = books.accounts[terms.member].orders.get(terms.order_id)
    if order is not None and order.status is OrderStatus.RESTING:
        end(books, state, order, at=at, why=OrderChange.IMMEDIATE_OR_CANCEL)


def order_of_quoter(quote: RfqQuote, at: Instant) -> PlaceOrder:
    """The quoter's order: its bid for the side that was accepted."""
    side, price = _side(quote), _price(quote)
    if quote.order is None:
        raise InvariantBroken(f"quote {quote.quote_id} was not confirmed")
    return PlaceOrder(
        at=at,
        member=quote.member,
        subaccount=quote.subaccount,
        order_id=quote.order.order_id,
        client_order_id=quote.order.client_order_id,
        ticker=quote.ticker,
        side=side,
        price=price,
        count=quote.accepted_count,
        post_only=quote.post_only,
        canceled_when_impossible=True,
    )


def order_of_requester(rfq: Rfq, quote: RfqQuote, at: Instant) -> PlaceOrder:
    """The requester's order: the other side, at the quoter's price."""
    if quote.rfq_order is None:
        raise InvariantBroken(f"quote {quote.quote_id} was not accepted")
    time_in_force = TimeInForce.IMMEDIATE_OR_CANCEL
    return PlaceOrder(
        at=at,
        member=rfq.member,
        subaccount=rfq.subaccount,
        order_id=quote.rfq_order.order_id,
        client_order_id=quote.rfq_order.client_order_id,
        ticker=quote.ticker,
        side=_side(quote).opposite(),
        price=_price(quote),
        count=quote.accepted_count,
        time_in_force=TimeInForce.GOOD_TILL_CANCELED if rfq.rest_remainder else time_in_force,
    )


def _side(quote: RfqQuote) -> Side:
    if quote.accepted_side is None:
        raise InvariantBroken(f"quote {quote.quote_id} was not accepted")
    return quote.accepted_side


def _price(quote: RfqQuote) -> Price:
    """The YES price of the trade."""
    side = _side(quote)
    return quote.yes_bid if side is Side.YES else quote.no_bid.complement()


def affords(books: Books, terms: PlaceOrder, *, is_taker: bool) -> bool:
    """Whether the cash of a side suffices for its order, with the fee where it opens something."""
    account, state = books.accounts[terms.member], books.listings.markets[terms.ticker]
    holding = books.record(account, terms.subaccount, state.market)
    order = Order(terms, holding, history=False)
    needed = holding.needed(order)
    if holding.returns:
        needed += taken_back(books, order)
    if not needed:
        return True
    rule = fee_rule(books, state, terms.at)
    fee = rule.trade_fee(order.remaining, order.price, is_taker)
    fee += rule.balance_step(account.precision)
    return needed + fee <= holding.cash.units - holding.cash.held
