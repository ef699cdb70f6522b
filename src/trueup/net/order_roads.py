"""The roads by which orders reach the exchange: REST here, FIX in `trueup.net.fix.order_entry`.

A bot is the same on both.  The road takes orders, changes and cancellations, and tells
what it hears about them by itself; what is asked and read is always asked by REST.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import Subaccount, Ticker
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    NewOrder,
    OrderAmended,
    OrderCanceled,
    OrderPlaced,
)
from trueup.net.client import AsyncClient


@dataclass(frozen=True, slots=True)
class OrderUnread:
    """A report about an order in this market came and could not be read."""

    ticker: Ticker
    words: str


@dataclass(frozen=True, slots=True)
class RoadChanged:
    """The road is open, or it is broken; the words say why."""

    is_open: bool
    words: str


@dataclass(frozen=True, slots=True)
class RoadMissed:
    """Messages of the road will not come; the words say which."""

    words: str


RoadNews = Filled | OrderReported | OrderUnread | RoadChanged | RoadMissed

Told = Callable[[RoadNews], None]
"""Hears what happens to orders, whoever asked for it."""


class OrderRoad(Protocol):
    """Takes orders to the exchange.  Errors are those of ``client.orders``."""

    def create(self, order: NewOrder) -> Awaitable[OrderPlaced]:
        """Place one order."""
        ...

    def amend(self, amendment: Amendment) -> Awaitable[OrderAmended]:
        """Change a resting order."""
        ...

    def cancel(self, cancellation: Cancellation) -> Awaitable[OrderCanceled]:
        """Take a resting order back."""
        ...

    def cancel_all(self, subaccounts: Collection[Subaccount]) -> Awaitable[None]:
        """Take back everything that rests on these subaccounts."""
        ...

    def running(self, told: Told) -> AbstractAsyncContextManager[Awaitable[None] | None]:
        """Open the road for a block.  What it gives, if anything, is awaited beside the work: it
        ends only when the road is lost for good, and raises why.
        """
        ...


class RestRoad:
    """Orders by REST.  It hears nothing by itself: the feeds do."""

    def __init__(self, client: AsyncClient) -> None:
        self._orders = client.orders

    async def create(self, order: NewOrder) -> OrderPlaced:
        """Place one order."""
        return await self._orders.create(order)

    async def amend(self, amendment: Amendment) -> OrderAmended:
        """Change a resting order."""
        return await self._orders.amend(amendment)

    async def cancel(self, cancellation: Cancellation) -> OrderCanceled:
        """Take a resting order back."""
        return await self._orders.cancel(cancellation)

    async def cancel_all(self, subaccounts: Collection[Subaccount]) -> None:
        """Take back everything that rests on these subaccounts."""
        for subaccount in subaccounts:
            await self._orders.cancel_all(subaccount=subaccount)

    @asynccontextmanager
    async def running(self, told: Told) -> AsyncGenerator[None]:
        """There is nothing to open."""
        del told
        yield
