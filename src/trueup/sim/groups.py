"""Order groups: cancel everything once too much has filled within 15 seconds.

The exchange counts the contracts that a group's orders fill over a rolling 15
seconds.  When the limit is hit, all the group's orders are cancelled and it
takes no more until it is reset (the exchange's page *Order groups*).  A group
belongs to one subaccount on one shard.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from trueup.core.ids import OrderGroupId, OrderId, Shard, Subaccount
from trueup.core.instant import SECOND, Instant
from trueup.core.units import Count
from trueup.sim.order import Order

WINDOW: Final = 15 * SECOND


class OrderGroup:
    """One group and what filled of late."""

    __slots__ = (
        "_filled",
        "_fills",
        "contracts_max",
        "group_id",
        "is_triggered",
        "orders",
        "shard",
        "subaccount",
    )

    def __init__(
        self,
        group_id: OrderGroupId,
        *,
        subaccount: Subaccount,
        shard: Shard,
        contracts_max: Count,
    ) -> None:
        self.group_id = group_id
        self.subaccount = subaccount
        self.shard = shard
        self.contracts_max = contracts_max
        self.is_triggered = False
        self.orders: dict[OrderId, Order] = {}
        """The living orders of the group."""
        self._fills: deque[tuple[Instant, int]] = deque()
        self._filled = 0

    def count(self, at: Instant, count: int) -> None:
        """Take note of a fill."""
        self._fills.append((at, count))
        self._filled += count

    def is_exhausted(self, at: Instant) -> bool:
        """Whether the last 15 seconds filled as much as the limit, or more."""
        fills = self._fills
        while fills and fills[0][0] <= at - WINDOW:
            self._filled -= fills.popleft()[1]
        return self._filled >= self.contracts_max.units

    def reset(self) -> None:
        """Begin again with nothing filled."""
        self._fills.clear()
        self._filled = 0
        self.is_triggered = False
