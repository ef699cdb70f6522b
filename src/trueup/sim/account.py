"""One member's account as the exchange keeps it: the truth that books must equal."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from trueup.core.catalog import Market
from trueup.core.collateral import resting_collateral
from trueup.core.facts import Banked, Filled, OrderReported, Settled, Transferred
from trueup.core.fees import Precision
from trueup.core.ids import (
    ClientOrderId,
    EventTicker,
    OrderGroupId,
    OrderId,
    Shard,
    Subaccount,
    Ticker,
)
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus
from trueup.core.position import FLAT, Position
from trueup.core.units import ZERO_MONEY, Money
from trueup.sim.commands import TransferPosition
from trueup.sim.events import FillMade
from trueup.sim.groups import OrderGroup
from trueup.sim.history import CashBook, History
from trueup.sim.holding import Holding, HoldingRecord, Owner
from trueup.sim.order import Order
from trueup.sim.order_commands import Member

__all__ = ["Account", "Fills", "Holding", "ListedSettlement"]


@dataclass(frozen=True, slots=True)
class ListedSettlement:
    """A settlement row and the moments between which it can be read.

    A row that was revised is replaced at `replaced_at` by another one.
    """

    listed_at: Instant
    settled: Settled
    replaced_at: Instant | None = None

    def is_listed(self, at: Instant) -> bool:
        """Whether the row can be read at `at`."""
        return self.listed_at <= at and (self.replaced_at is None or at < self.replaced_at)


class Fills(Sequence[Filled]):
    """The fills of an account, oldest first, as the exchange shows them."""

    __slots__ = ("_made",)

    def __init__(self, made: list[FillMade]) -> None:
        self._made = made

    def __len__(self) -> int:
        return len(self._made)

    @overload
    def __getitem__(self, index: int) -> Filled: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Filled]: ...

    def __getitem__(self, index: int | slice) -> Filled | Sequence[Filled]:
        if isinstance(index, slice):
            return [made.filled for made in self._made[index]]
        return self._made[index].filled

    @property
    def made(self) -> Sequence[FillMade]:
        """The fills as events, with what each did to the position."""
        return self._made


class Account(Owner):
    """Cash, orders, fills and holdings of one member.

    With `history` the whole past can be asked for; without it ended orders and
    fills are forgotten, and only the present is known.
    """

    def __init__(
        self,
        member: Member,
        precision: Precision,
        opened_at: Instant,
        *,
        history: bool = True,
        collateral_return: bool = False,
    ) -> None:
        super().__init__(member, precision, history=history)
        self.opened_at = opened_at
        self.changed_at = opened_at
        self.collateral_return = collateral_return
        self.subaccounts: dict[Subaccount, Instant] = {}
        self.cash: dict[tuple[Subaccount, Shard], CashBook] = {}
        self.orders: dict[OrderId, Order] = {}
        self.client_order_ids: set[ClientOrderId] = set()
        self.resting: dict[OrderId, Order] = {}
        self.groups: dict[OrderGroupId, OrderGroup] = {}
        self.fills = Fills(self.fills_made)
        self.holdings: dict[tuple[Subaccount, Ticker], HoldingRecord] = {}
        self.bankings: dict[str, History[Banked]] = {}
        self.transfers: dict[str, History[Transferred]] = {}
        self.position_transfers: dict[str, TransferPosition] = {}
        self.settlements: list[ListedSettlement] = []
        self.returned: dict[tuple[Subaccount, EventTicker], int] = {}
        self._revised = False
        self._rows_of: dict[tuple[Subaccount, Ticker], list[int]] = {}
        self.records: dict[tuple[Subaccount, Ticker], HoldingRecord] = {}
        """`holdings`, and the places where an order was but nothing ever traded."""

    # -- cash ------------------------------------------------------------------------------

    def book(self, subaccount: Subaccount, shard: Shard) -> CashBook:
        """The cash book of one subaccount on one shard."""
        found = self.cash.get((subaccount, shard))
        if found is None:
            found = self.cash[subaccount, shard] = CashBook(history=self.history)
        return found

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
        if at >= self.changed_at:
            return Money(
                sum(
                    book.held
                    for (owner, place), book in self.cash.items()
                    if subaccount in {None, owner} and shard in {None, place}
                )
            )
        resting: dict[tuple[Subaccount, Ticker], list[OrderReported]] = {}
        for order in self.resting_at(at):
            if subaccount in {None, order.subaccount} and shard in {None, order.shard}:
                resting.setdefault((order.subaccount, order.ticker), []).append(order)
        total = ZERO_MONEY
        for (owner, ticker), orders in resting.items():
            total += resting_collateral(self.position_at(at, owner, ticker), orders)
        return total

    # -- orders ----------------------------------------------------------------------------

    def order(self, order_id: OrderId) -> OrderReported:
        """An order as it is now.  `KeyError` for one that does not exist."""
        return self.orders[order_id].latest()

    def resting_at(self, at: Instant) -> Iterator[OrderReported]:
        """The orders that rested at `at`, oldest first."""
        if at >= self.changed_at:
            yield from (order.latest() for order in self.resting.values())
            return
        for history in self.orders.values():
            order = history.at(at)
            if order is not None and order.status is OrderStatus.RESTING:
                yield order

    def forget(self, before: Instant) -> None:
        """Drop what ended, or had been replaced, before `before`.

        What rests, what is held and every used ``client_order_id`` stay.
        """
        for order_id, order in tuple(self.orders.items()):
            if order.level is None and order.state().at < before:
                del self.orders[order_id]
            else:
                order.forget(before)
        first = bisect_left(self.fills_made, before, key=_made_at)
        del self.fills_made[:first]
        for book in self.cash.values():
            book.forget(before)
        for record in self.holdings.values():
            record.forget(before)

    # -- holdings --------------------------------------------------------------------------

    def record(self, subaccount: Subaccount, market: Market, *, exclusive: bool) -> HoldingRecord:
        """Where the orders and fills of one subaccount in one market go.

        `exclusive` says that of the event's markets only one can resolve to yes.
        """
        found = self.records.get((subaccount, market.ticker))
        if found is None:
            found = self.records[subaccount, market.ticker] = HoldingRecord(
                owner=self,
                subaccount=subaccount,
                shard=market.shard,
                ticker=market.ticker,
                event_ticker=market.event_ticker,
                cash=self.book(subaccount, market.shard),
                returns=exclusive and self.collateral_return,
            )
        return found

    def position_at(self, at: Instant, subaccount: Subaccount, ticker: Ticker) -> Position:
        """The position in one market at `at`."""
        history = self.holdings.get((subaccount, ticker))
        holding = history.at(at) if history else None
        return holding.position if holding else FLAT

    # -- settlements -----------------------------------------------------------------------

    def settlements_of(self, subaccount: Subaccount, ticker: Ticker) -> list[Settled]:
        """The settlement rows of one market, oldest first; a revised one comes last."""
        return [
            self.settlements[row].settled for row in self._rows_of.get((subaccount, ticker), ())
        ]

    def add_settlement(self, row: ListedSettlement) -> None:
        """Remember a settlement row and when it can be read."""
        key = (row.settled.subaccount, row.settled.ticker)
        self._rows_of.setdefault(key, []).append(len(self.settlements))
        self.settlements.append(row)

    def settlements_at(self, at: Instant, *, since: Instant) -> Sequence[ListedSettlement]:
        """The rows that can be read at `at` of what settled from `since` on, oldest first."""
        rows = self.settlements
        if not self._revised:
            first = bisect_left(rows, since, key=_settled_at)
            return rows[first : bisect_right(rows, at, key=_listed_at)]
        found = [row for row in rows if row.is_listed(at) and row.settled.at >= since]
        return sorted(found, key=_settled_at)

    def replace_settlement(self, row: ListedSettlement) -> None:
        """Put a corrected row in the place of the last one of its market."""
        self._revised = True
        key = (row.settled.subaccount, row.settled.ticker)
        last = self._rows_of[key][-1]
        self.settlements[last] = replace(self.settlements[last], replaced_at=row.listed_at)
        self.add_settlement(row)


def _settled_at(row: ListedSettlement) -> Instant:
    return row.settled.at


def _listed_at(row: ListedSettlement) -> Instant:
    return row.listed_at


def _made_at(made: FillMade) -> Instant:
    return made.at
