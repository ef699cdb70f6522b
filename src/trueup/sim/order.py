"""An order inside the machine: what was asked, how far it got, and what it was before.

The machine changes an `Order` in place; everybody else sees frozen values: an
`OrderState` for each change, and the exchange's own view of it, `OrderReported`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from msgspec import Struct

from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, OrderGroupId, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, SelfTradePrevention, Side, TimeInForce
from trueup.core.units import Count, Money, Price
from trueup.sim.holding import HoldingRecord
from trueup.sim.matching import Queued
from trueup.sim.order_commands import Member

ONE: Final = 10_000
"""$1 in `Price` units."""

_RESTING: Final = OrderStatus.RESTING


class OrderTerms(Struct, frozen=True, kw_only=True, gc=False):
    """What an order asks.  An amendment makes new terms."""

    order_id: OrderId
    client_order_id: ClientOrderId
    member: Member
    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    side: Side
    price: Price
    initial_count: Count
    time_in_force: TimeInForce
    self_trade_prevention: SelfTradePrevention
    expires_at: Instant | None
    post_only: bool
    reduce_only: bool
    cancel_on_pause: bool
    group_id: OrderGroupId | None
    created_at: Instant


class OrderState(Struct, frozen=True, kw_only=True, gc=False):
    """How far an order got, from `updated_at` on.  Figures in `Count` and `Money` units."""

    terms: OrderTerms
    status: OrderStatus
    fill_count: int
    remaining_count: int
    taker_fees: int
    maker_fees: int
    taker_fill_cost: int
    maker_fill_cost: int
    updated_at: Instant

    def reported(self) -> OrderReported:
        """The order as the exchange shows it."""
        terms = self.terms
        return OrderReported(
            order_id=terms.order_id,
            client_order_id=terms.client_order_id,
            ticker=terms.ticker,
            side=terms.side,
            status=self.status,
            price=terms.price,
            initial_count=terms.initial_count,
            fill_count=Count(self.fill_count),
            remaining_count=Count(self.remaining_count),
            taker_fees=Money(self.taker_fees),
            maker_fees=Money(self.maker_fees),
            taker_fill_cost=Money(self.taker_fill_cost),
            maker_fill_cost=Money(self.maker_fill_cost),
            created_at=terms.created_at,
            updated_at=self.updated_at,
            subaccount=terms.subaccount,
            shard=terms.shard,
        )


class Order(Queued):
    """One order with its money and its history.

    `accumulated` is the order's fee accumulator (see `core.fees`), `own_price`
    the price of its own side; all in bare units.  `holding` is where its fills go.
    """

    __slots__ = (
        "_states",
        "accumulated",
        "fill_count",
        "holding",
        "maker_fees",
        "maker_fill_cost",
        "own_price",
        "sign",
        "status",
        "taker_fees",
        "taker_fill_cost",
        "terms",
        "updated_at",
    )

    def __init__(self, terms: OrderTerms, holding: HoldingRecord, *, history: bool) -> None:
        super().__init__(
            is_bid=terms.side is Side.YES,
            price=terms.price.units,
            remaining=terms.initial_count.units,
        )
        self.terms = terms
        self.holding = holding
        self.sign = 1 if self.is_bid else -1
        self.own_price = self.price if self.is_bid else ONE - self.price
        self.status = _RESTING
        self.fill_count = 0
        self.accumulated = 0
        self.taker_fees = 0
        self.maker_fees = 0
        self.taker_fill_cost = 0
        self.maker_fill_cost = 0
        self.updated_at = terms.created_at
        self._states: list[OrderState] | None = [] if history else None

    def reprice(self, terms: OrderTerms) -> None:
        """Take on new terms; the order must not be in the book."""
        self.terms = terms
        self.price = terms.price.units
        self.own_price = self.price if self.is_bid else ONE - self.price

    def note(self, at: Instant) -> OrderState:
        """Remember the state that the order has from `at` on, and return it."""
        self.updated_at = at
        state = self.state()
        if self._states is not None:
            self._states.append(state)
        return state

    def state(self) -> OrderState:
        """The order as it is now."""
        return OrderState(
            terms=self.terms,
            status=self.status,
            fill_count=self.fill_count,
            remaining_count=self.remaining,
            taker_fees=self.taker_fees,
            maker_fees=self.maker_fees,
            taker_fill_cost=self.taker_fill_cost,
            maker_fill_cost=self.maker_fill_cost,
            updated_at=self.updated_at,
        )

    def state_at(self, at: Instant) -> OrderState | None:
        """The order as it was at `at`; `None` before it was placed."""
        if at >= self.updated_at:
            return self.state()
        if self._states is None:
            return None
        place = bisect_right(self._states, at, key=_updated_at)
        return self._states[place - 1] if place else None

    # -- as a history of what the exchange shows -------------------------------------------

    def latest(self) -> OrderReported:
        """The order as the exchange shows it now."""
        return self.state().reported()

    def at(self, instant: Instant, /) -> OrderReported | None:
        """The order as the exchange showed it at `instant`."""
        state = self.state_at(instant)
        return None if state is None else state.reported()

    def since(self, instant: Instant, /) -> Instant | None:
        """When the order became what it was at `instant`."""
        state = self.state_at(instant)
        return None if state is None else state.updated_at


def _updated_at(state: OrderState) -> Instant:
    return state.updated_at
