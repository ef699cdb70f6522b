"""An order inside the machine: what was asked, how far it got, and what it was before.

The machine changes an `Order` in place; everybody else sees frozen values: an
`OrderUpdated` for each change, and the exchange's own view of it, `OrderReported`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.facts import OrderReported
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.sim.holding import HoldingRecord
from trueup.sim.matching import Queued
from trueup.sim.order_events import OrderChange, OrderTerms, OrderUpdated

ONE: Final = 10_000
"""$1 in `Price` units."""

_RESTING: Final = OrderStatus.RESTING


class Order(Queued):
    """One order with its money and its history.

    `accumulated` is the order's fee accumulator (see `core.fees`), `own_price`
    the price of its own side; all in bare units.  `holding` is where its fills go.
    """

    __slots__ = (
        "_past",
        "accumulated",
        "fill_count",
        "holding",
        "last",
        "maker_cost",
        "maker_fees",
        "own_price",
        "sign",
        "status",
        "taker_cost",
        "taker_fees",
        "terms",
    )

    def __init__(self, terms: OrderTerms, holding: HoldingRecord, *, history: bool) -> None:
        self.is_bid = is_bid = terms.side is Side.YES
        self.price = price = terms.price.units
        self.remaining = terms.count.units
        self.level = self.ahead = self.behind = None
        self.terms = terms
        self.holding = holding
        self.sign = 1 if is_bid else -1
        self.own_price = price if is_bid else ONE - price
        self.status = _RESTING
        self.fill_count = 0
        self.accumulated = 0
        self.taker_fees = 0
        self.maker_fees = 0
        self.taker_cost = 0
        self.maker_cost = 0
        self.last: OrderUpdated | None = None
        self._past: list[OrderUpdated] | None = [] if history else None

    def reprice(self, terms: OrderTerms) -> None:
        """Take on new terms; the order must not be in the book."""
        self.terms = terms
        self.price = terms.price.units
        self.own_price = self.price if self.is_bid else ONE - self.price

    def note(self, at: Instant, why: OrderChange, reduced: int = 0) -> OrderUpdated:
        """Remember what the order is from `at` on, and return it."""
        self.last = updated = OrderUpdated(
            at=at,
            terms=self.terms,
            status=self.status,
            fill_units=self.fill_count,
            remaining_units=self.remaining,
            taker_fee_units=self.taker_fees,
            maker_fee_units=self.maker_fees,
            taker_cost_units=self.taker_cost,
            maker_cost_units=self.maker_cost,
            why=why,
            shard=self.holding.shard,
            reduced_units=reduced,
        )
        if self._past is not None:
            self._past.append(updated)
        return updated

    def forget(self, before: Instant) -> None:
        """Drop the states that had been replaced before `before`."""
        past = self._past
        if past is not None:
            del past[: max(0, bisect_right(past, before, key=_changed_at) - 1)]

    def state(self) -> OrderUpdated:
        """The order as it is now.  It must have been placed."""
        if self.last is None:
            raise InvariantBroken(f"{self.terms.order_id} was never placed")
        return self.last

    def state_at(self, at: Instant) -> OrderUpdated | None:
        """The order as it was at `at`; `None` before it was placed."""
        if self.last is not None and at >= self.last.at:
            return self.last
        if self._past is None:
            return None
        place = bisect_right(self._past, at, key=_changed_at)
        return self._past[place - 1] if place else None

    # -- as a history of what the exchange shows -------------------------------------------

    def latest(self) -> OrderReported:
        """The order as the exchange shows it now."""
        return self.state().order

    def at(self, instant: Instant, /) -> OrderReported | None:
        """The order as the exchange showed it at `instant`."""
        state = self.state_at(instant)
        return None if state is None else state.order

    def since(self, instant: Instant, /) -> Instant | None:
        """When the order became what it was at `instant`."""
        state = self.state_at(instant)
        return None if state is None else state.at


def _changed_at(updated: OrderUpdated) -> Instant:
    return updated.at
