"""One member's account as the exchange keeps it: the truth that books must equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trueup.core.collateral import resting_collateral
from trueup.core.facts import Banked, Filled, OrderReported, Settled, Transferred
from trueup.core.fees import OrderFees, Precision
from trueup.core.ids import ClientOrderId, EventTicker, OrderId, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.market import MarketResult
from trueup.core.orders import OrderStatus, Side
from trueup.core.payoff import paid_payout
from trueup.core.position import FLAT, Change, Position
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money, Price
from trueup.sim.commands import Member
from trueup.sim.history import CashBook, History


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a subaccount holds, and ever traded, in one market.

    The gross counts and costs are every contract traded on either side: a sale
    of YES at p is a purchase of NO at 1 − p (the exchange's settlement rows
    count this way).
    """

    subaccount: Subaccount
    shard: Shard
    ticker: Ticker
    event_ticker: EventTicker
    position: Position = FLAT
    realized: Money = ZERO_MONEY
    fees: Money = ZERO_MONEY
    yes_count: Count = ZERO_COUNT
    no_count: Count = ZERO_COUNT
    yes_cost: Money = ZERO_MONEY
    no_cost: Money = ZERO_MONEY
    payout: Money = ZERO_MONEY
    settled_at: Instant | None = None

    @property
    def total_traded(self) -> Money:
        """Everything ever paid for contracts of either side."""
        return self.yes_cost + self.no_cost

    def traded(self, filled: Filled, change: Change, fee: Money) -> Holding:
        """The holding after a fill."""
        own_price = filled.price if filled.side is Side.YES else filled.price.complement()
        cost = own_price * filled.count
        holding = replace(
            self,
            position=change.after,
            realized=self.realized + change.realized,
            fees=self.fees + fee,
        )
        if filled.side is Side.YES:
            return replace(
                holding, yes_count=self.yes_count + filled.count, yes_cost=self.yes_cost + cost
            )
        return replace(holding, no_count=self.no_count + filled.count, no_cost=self.no_cost + cost)

    def settled(self, value: Price, at: Instant, precision: Money) -> Holding:
        """The holding after its market paid `value` per YES contract."""
        payout = paid_payout(self.position.net, value, precision)
        return replace(
            self,
            position=FLAT,
            realized=self.realized + payout - self.position.cost,
            payout=payout,
            settled_at=at,
        )


def settlement_row(held: Holding, result: MarketResult, value: Price, at: Instant) -> Settled:
    """The row the exchange shows for a holding that it settled.

    Revenue and value are cut to whole cents, as on the wire.
    """
    cent = Money.of_cents(1)
    return Settled(
        ticker=held.ticker,
        event_ticker=held.event_ticker,
        result=result,
        yes_count=held.yes_count,
        no_count=held.no_count,
        yes_cost=held.yes_cost,
        no_cost=held.no_cost,
        revenue=paid_payout(held.position.net, value, cent),
        trade_fees=held.fees,
        value=Price.of_cents(value.units // 100),
        at=at,
        subaccount=held.subaccount,
        shard=held.shard,
    )


@dataclass(frozen=True, slots=True)
class ListedSettlement:
    """A settlement row and the moment from which it can be read."""

    listed_at: Instant
    settled: Settled


class Account:
    """Cash, orders, fills and holdings of one member, with their whole history."""

    def __init__(self, member: Member, precision: Precision, opened_at: Instant) -> None:
        self.member = member
        self.precision = precision
        self.opened_at = opened_at
        self.subaccounts: dict[Subaccount, Instant] = {}
        self.cash: dict[tuple[Subaccount, Shard], CashBook] = {}
        self.orders: dict[OrderId, History[OrderReported]] = {}
        self.orders_changed_at = opened_at
        self.client_order_ids: set[ClientOrderId] = set()
        self.resting: dict[Ticker, dict[OrderId, None]] = {}
        self.fills: list[Filled] = []
        self.fees_of: dict[OrderId, OrderFees] = {}
        self.holdings: dict[tuple[Subaccount, Ticker], History[Holding]] = {}
        self.bankings: dict[str, History[Banked]] = {}
        self.transfers: dict[str, History[Transferred]] = {}
        self.settlements: list[ListedSettlement] = []
        self._rows_of: dict[tuple[Subaccount, Ticker], list[ListedSettlement]] = {}

    def book(self, subaccount: Subaccount, shard: Shard) -> CashBook:
        """The cash book of one subaccount on one shard."""
        return self.cash.setdefault((subaccount, shard), CashBook())

    def cash_at(
        self, at: Instant, *, subaccount: Subaccount | None = None, shard: Shard | None = None
    ) -> Money:
        """Total cash at `at`, over all subaccounts or shards where none is named."""
        total = ZERO_MONEY
        for (owner, place), book in self.cash.items():
            if subaccount in {None, owner} and shard in {None, place}:
                total += book.at(at)
        return total

    def available_at(
        self, at: Instant, *, subaccount: Subaccount | None = None, shard: Shard | None = None
    ) -> Money:
        """Cash at `at` minus what resting orders tie up: what the balance shows."""
        cash = self.cash_at(at, subaccount=subaccount, shard=shard)
        return cash - self.tied_up_at(at, subaccount=subaccount, shard=shard)

    def tied_up_at(
        self, at: Instant, *, subaccount: Subaccount | None = None, shard: Shard | None = None
    ) -> Money:
        """What the orders resting at `at` tie up."""
        resting: dict[tuple[Subaccount, Ticker], list[OrderReported]] = {}
        for order in self.resting_at(at):
            if subaccount in {None, order.subaccount} and shard in {None, order.shard}:
                resting.setdefault((order.subaccount, order.ticker), []).append(order)
        total = ZERO_MONEY
        for (owner, ticker), orders in resting.items():
            total += resting_collateral(self.position_at(at, owner, ticker), orders)
        return total

    def resting_at(self, at: Instant) -> Iterator[OrderReported]:
        """The orders that rested at `at`, oldest first in each market."""
        if at >= self.orders_changed_at:
            for resting in self.resting.values():
                yield from (self.order(order_id) for order_id in resting)
            return
        for history in self.orders.values():
            order = history.at(at)
            if order is not None and order.status is OrderStatus.RESTING:
                yield order

    def resting_now(self, subaccount: Subaccount, ticker: Ticker) -> list[OrderReported]:
        """The orders that rest in one market after everything so far, oldest first."""
        found = (self.order(order_id) for order_id in self.resting.get(ticker, {}))
        return [order for order in found if order.subaccount == subaccount]

    def settlements_of(self, subaccount: Subaccount, ticker: Ticker) -> list[Settled]:
        """The settlement rows of one market, oldest first."""
        return [row.settled for row in self._rows_of.get((subaccount, ticker), ())]

    def add_settlement(self, row: ListedSettlement) -> None:
        """Remember a settlement row and when it can be read."""
        self.settlements.append(row)
        key = (row.settled.subaccount, row.settled.ticker)
        self._rows_of.setdefault(key, []).append(row)

    def order(self, order_id: OrderId) -> OrderReported:
        """An order as it is now.  `KeyError` for one that does not exist."""
        order = self.orders[order_id].latest()
        if order is None:
            raise KeyError(order_id)
        return order

    def record_order(self, at: Instant, order: OrderReported) -> None:
        """Remember a new state of an order."""
        self.orders.setdefault(order.order_id, History()).record(at, order)
        self.orders_changed_at = at
        resting = self.resting.setdefault(order.ticker, {})
        if order.status is OrderStatus.RESTING:
            resting[order.order_id] = None
            return
        resting.pop(order.order_id, None)
        if not resting:
            del self.resting[order.ticker]

    def position_at(self, at: Instant, subaccount: Subaccount, ticker: Ticker) -> Position:
        """The position in one market at `at`."""
        history = self.holdings.get((subaccount, ticker))
        holding = history.at(at) if history else None
        return holding.position if holding else FLAT
