"""What a position together with its resting orders ties up.

The exchange's balance is what is *available*: the cost of resting orders is
already taken off it, although nothing has been paid.  So the proof subtracts
from the books' cash what the resting orders tie up, computed here.

The exchange documents this nowhere in full.  What trueup takes to hold, in all
regimes so far:

- An order ties up its own price × count (own: the NO price for a NO order), for
  the part that would open or enlarge a position.  Every such order counts by
  itself, also when orders of both sides rest in one market.
- The part that would close a held position ties up nothing: its fill brings
  cash.  Held contracts cover the orders that would fill first, those with the
  highest own price; between orders of one price it makes no difference.
- No fee is held back.  A fee is known only at the fill, since it depends on who
  takes, and the published wording speaks of the cost of orders only.

It follows that a fill of the order that is first in the book changes the
available balance by its fee alone if it opens, and by its proceeds less the fee
if it closes.  Amounts are exact ($0.000001); how the exchange rounds a sum that
is finer than the member's precision is not known, so a comparison must allow
for one step of it.

All orders are of one market, one subaccount and one shard.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from trueup.core.orders import Side
from trueup.core.position import Position
from trueup.core.units import ONE_DOLLAR, ZERO_COUNT, ZERO_MONEY, Count, Money, Price


class RestingOrder(Protocol):
    """The part of an order that matters here; `price` is the YES price."""

    @property
    def side(self) -> Side:
        """The direction of the order."""
        ...

    @property
    def price(self) -> Price:
        """The limit, as a YES price."""
        ...

    @property
    def remaining_count(self) -> Count:
        """What may still fill."""
        ...


def resting_collateral(position: Position, orders: Iterable[RestingOrder]) -> Money:
    """The cash that the resting orders of one market tie up beside a held position."""
    resting = sorted(orders, key=_own_price, reverse=True)
    covered = abs(position.net)
    tied_up = ZERO_MONEY
    for order in resting:
        opening = order.remaining_count
        if position.side is order.side.opposite():
            closing = min(covered, opening)
            covered -= closing
            opening -= closing
        tied_up += _own_price(order) * opening
    return tied_up


def guaranteed_payout(nets: Iterable[Count]) -> Money:
    """What the NO contracts of a mutually exclusive event pay whatever happens.

    `nets` are the net positions in the event's markets (+ YES, − NO).  At most
    one market of such an event (``MECNET``) resolves to yes, so of all NO
    contracts only those of one market can lose: two NO positions of one contract
    each pay at least $1.  For members who switched *collateral return* on, the
    exchange pays this out early and marks the positions down (its help page
    *Collateral return*; FIX tag 21031 tells the amounts).

    Whether it is on cannot be read by REST: the member says so, and the cash proof
    then counts on it (`trueup.ledger.collateral_return`); `resting_collateral` does not.
    """
    against = [-net for net in nets if net < ZERO_COUNT]
    most = max(against, default=ZERO_COUNT)
    return ONE_DOLLAR * (sum(against, ZERO_COUNT) - most)


def _own_price(order: RestingOrder) -> Price:
    return order.price if order.side is Side.YES else order.price.complement()
