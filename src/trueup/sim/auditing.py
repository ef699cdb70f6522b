"""The whole truth counted anew: what must hold between any two commands.

Nothing here trusts a running total.  Cash is added up from the cash books, open
interest from the holdings, levels from their orders, and what resting orders tie
up is asked of `core.collateral`.
"""

from __future__ import annotations

from trueup.core.collateral import resting_collateral
from trueup.core.errors import InvariantBroken
from trueup.core.facts import OrderReported
from trueup.core.position import Position
from trueup.core.units import Count, Money
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.history import CashBook
from trueup.sim.holding import ONE, HoldingRecord
from trueup.sim.lifecycle import MarketState


def audit(books: Books) -> None:
    """Raise `InvariantBroken` unless everything agrees."""
    for state in books.listings.markets.values():
        _audit_market(books, state)
    books.communications.check()
    cash = 0
    for account in books.accounts.values():
        _audit_account(account)
        cash += sum(book.units for book in account.cash.values())
    _agree("cash of all members", Money(cash), Money(books.cash))
    interest = sum(state.long for state in books.listings.markets.values())
    _agree("open interest", Count(interest), Count(books.open_interest))
    _agree(
        "what the clearing house holds",
        Money(books.clearing + books.returned),
        Money(interest * ONE),
    )


def _audit_market(books: Books, state: MarketState) -> None:
    state.book.check()
    nets = [record.net for record in state.holders.values()]
    if state.outside is not None:
        nets.append(state.outside.net)
    _agree(f"YES of {state.ticker}", Count(sum(max(net, 0) for net in nets)), Count(state.long))
    _agree(f"NO of {state.ticker}", Count(-sum(min(net, 0) for net in nets)), Count(state.short))
    for side in (state.book.bids, state.book.asks):
        for level in side.from_best():
            for order in level:
                resting = books.accounts[order.terms.member].resting
                if resting.get(order.terms.order_id) is not order:
                    raise InvariantBroken(f"{order.terms.order_id} rests in nobody's account")


def _audit_account(account: Account) -> None:
    resting: dict[HoldingRecord, list[OrderReported]] = {}
    for order in account.resting.values():
        resting.setdefault(order.holding, []).append(order.latest())
        if order.level is None:
            raise InvariantBroken(f"{order.terms.order_id} rests in no book")
    held: dict[CashBook, int] = {}
    for record, orders in resting.items():
        position = Position(Count(record.net), Money(record.cost))
        tied_up = resting_collateral(position, orders)
        _agree(f"collateral in {record.ticker}", tied_up, Money(record.held))
        held[record.cash] = held.get(record.cash, 0) + tied_up.units
    for key, book in account.cash.items():
        _agree(
            f"collateral of {account.member} in {key}", Money(held.get(book, 0)), Money(book.held)
        )


def _agree(what: str, counted: object, kept: object) -> None:
    if counted != kept:
        raise InvariantBroken(f"{what}: {kept} was kept, {counted} was counted")
