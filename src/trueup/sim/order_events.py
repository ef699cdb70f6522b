"""What happens to orders, as frozen values: what they ask, how they change, how they fill."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import (
    Shard,
    TradeId,
)
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus
from trueup.core.position import Change, Position
from trueup.core.units import Count, Money, Price
from trueup.sim.order_commands import Member, PlaceOrder

OrderTerms = PlaceOrder
"""What an order asks: the command that placed it, with what was amended since."""


class OrderChange(StrEnum):
    """What changed an order."""

    PLACED = "Placed"
    TRADE = "Trade"
    AMEND = "Amend"
    DECREASE = "Decrease"
    CANCELED = "Canceled"
    IMMEDIATE_OR_CANCEL = "ImmediateOrCancel"
    FILL_OR_KILL = "FillOrKill"
    SELF_TRADE_CANCEL = "SelfTradeCancel"
    POST_ONLY_CROSS_CANCEL = "PostOnlyCrossCancel"
    REDUCE_ONLY_CANCEL = "ReduceOnlyCancel"
    GROUP_CANCEL = "GroupCancel"
    EXPIRY_CANCEL = "ExpiryCancel"
    CLOSE_CANCEL = "CloseCancel"
    HALT_CANCEL = "HaltCancel"

    @property
    def last_update_reason(self) -> str | None:
        """The exchange's word for it on the WebSocket; it has none for a member's own wish."""
        return None if self in _UNTOLD else self.value


_UNTOLD: Final = frozenset(
    {
        OrderChange.PLACED,
        OrderChange.CANCELED,
        OrderChange.IMMEDIATE_OR_CANCEL,
        OrderChange.FILL_OR_KILL,
        OrderChange.GROUP_CANCEL,
    }
)


class OrderUpdated(Struct, frozen=True, kw_only=True, gc=False):
    """An order changed, and is like this from `at` on.

    The figures are in `Count` and `Money` units; `reduced_units` are the
    contracts that were taken back without a trade.
    """

    at: Instant
    terms: OrderTerms
    status: OrderStatus
    fill_units: int
    remaining_units: int
    taker_fee_units: int
    maker_fee_units: int
    taker_cost_units: int
    maker_cost_units: int
    why: OrderChange
    shard: Shard
    reduced_units: int = 0

    @property
    def member(self) -> Member:
        """Whose order it is."""
        return self.terms.member

    @property
    def reduced_by(self) -> Count:
        """The contracts that were taken back without a trade."""
        return Count(self.reduced_units)

    @property
    def order(self) -> OrderReported:
        """The order as the exchange shows it."""
        terms = self.terms
        return OrderReported(
            order_id=terms.order_id,
            client_order_id=terms.client_order_id,
            ticker=terms.ticker,
            side=terms.side,
            status=self.status,
            price=terms.price,
            initial_count=terms.count,
            fill_count=Count(self.fill_units),
            remaining_count=Count(self.remaining_units),
            taker_fees=Money(self.taker_fee_units),
            maker_fees=Money(self.maker_fee_units),
            taker_fill_cost=Money(self.taker_cost_units),
            maker_fill_cost=Money(self.maker_cost_units),
            created_at=terms.at,
            updated_at=self.at,
            subaccount=terms.subaccount,
            shard=self.shard,
        )


class FillMade(Struct, frozen=True, kw_only=True, gc=False):
    """An order traded.

    Figures in `Count` and `Money` units: `net_units` and `cost_units` are the
    position afterwards, `cash_units` what moved before the fee, `closed_units`,
    `cost_out_units` and `realized_units` concern the part that closed something.
    """

    at: Instant
    trade_id: TradeId
    terms: OrderTerms
    count_units: int
    price: Price
    fee_units: int
    is_taker: bool
    shard: Shard
    net_units: int
    cost_units: int
    cash_units: int
    closed_units: int
    cost_out_units: int
    realized_units: int

    @property
    def member(self) -> Member:
        """Whose order traded."""
        return self.terms.member

    @property
    def moved(self) -> Money:
        """What came in, fee and all; negative: what went out."""
        return Money(self.cash_units - self.fee_units)

    @property
    def filled(self) -> Filled:
        """The fill as the exchange shows it."""
        terms = self.terms
        return Filled(
            trade_id=self.trade_id,
            order_id=terms.order_id,
            ticker=terms.ticker,
            side=terms.side,
            count=Count(self.count_units),
            price=self.price,
            fee=Money(self.fee_units),
            is_taker=self.is_taker,
            at=self.at,
            subaccount=terms.subaccount,
            shard=self.shard,
        )

    @property
    def change(self) -> Change:
        """What the fill did to the position, before its fee."""
        return Change(
            after=Position(Count(self.net_units), Money(self.cost_units)),
            closed=Count(self.closed_units),
            opened=Count(self.count_units - self.closed_units),
            cash=Money(self.cash_units),
            cost_out=Money(self.cost_out_units),
            cost_in=Money(self.cost_out_units + self.realized_units - self.cash_units),
            realized=Money(self.realized_units),
        )
