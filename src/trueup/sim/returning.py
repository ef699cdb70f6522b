"""Collateral that mutually exclusive events give back early.

Of such an event at most one market resolves to yes, so of all NO contracts only
those of one market can lose.  To members who switched it on the exchange pays
what is certain at once, and takes it back when the position or the market ends
(its help page *Collateral return*; FIX tag 21031).  `core.collateral` has the
formula.
"""

from __future__ import annotations

from trueup.core.collateral import guaranteed_payout
from trueup.core.instant import Instant
from trueup.core.units import ONE_DOLLAR, Count, Money
from trueup.sim.account import Account
from trueup.sim.books import Books
from trueup.sim.events import Cause
from trueup.sim.holding import HoldingRecord
from trueup.sim.order import Order


def return_collateral(books: Books, holding: HoldingRecord, at: Instant) -> None:
    """Pay, or take back, what is certain now and was not before the holding changed."""
    account = books.accounts[holding.member]
    key = (holding.subaccount, holding.event_ticker)
    certain = _certain(books, account, holding, net=holding.net)
    difference = certain - account.returned.get(key, 0)
    if difference:
        account.returned[key] = certain
        books.move_cash(
            account,
            holding.subaccount,
            holding.shard,
            units=difference,
            cause=Cause.COLLATERAL_RETURN,
            at=at,
        )


def taken_back(books: Books, order: Order) -> int:
    """What would be taken back if an order filled whole; 0 when rather more is paid."""
    holding = order.holding
    account = books.accounts[holding.member]
    net = holding.net + order.sign * order.remaining
    before = account.returned.get((holding.subaccount, holding.event_ticker), 0)
    return max(0, before - _certain(books, account, holding, net=net))


def _certain(books: Books, account: Account, holding: HoldingRecord, *, net: int) -> int:
    """What the NO contracts of the event pay whatever happens, with `net` in this market."""
    listings = books.listings
    nets: list[Count] = []
    decided = False
    for ticker in listings.markets_of[holding.event_ticker]:
        state = listings.markets[ticker]
        stage = state.stages.latest()
        if stage is not None and stage.settled_at is not None:
            decided = decided or stage.value == ONE_DOLLAR
            continue
        record = account.records.get((holding.subaccount, ticker))
        held = net if record is holding else 0 if record is None else record.net
        nets.append(Count(held))
    if decided:
        # The market that resolves to yes is known: no other NO contract can lose.
        return (ONE_DOLLAR * Count(-sum(min(one.units, 0) for one in nets))).units
    certain: Money = guaranteed_payout(nets)
    return certain.units
