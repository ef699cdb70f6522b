"""Our orders, from the intent to the last fill.

    PENDING ──accepted──▶ RESTING ──▶ EXECUTED
       │  ╲                  ╲──────▶ CANCELED
       │   ╲──refused──▶ REFUSED
       ╰──no answer──▶ UNKNOWN ──asked: there──▶ RESTING | EXECUTED | CANCELED
                          ╰────asked: proven absent──▶ ABSENT

An order exists for us from the moment its intent is durable.  `UNKNOWN` is a
state like any other: the market is held and the exchange is asked until it
knows; nothing is sent again.  What an order may still do to the position is
`open_count`: everything that was asked for, minus the fills that we have seen,
until the exchange has said a last word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Shard, Subaccount, Ticker, first_name
from trueup.core.instant import Instant
from trueup.core.orders import OrderStatus, Side
from trueup.core.units import ZERO_COUNT, Count, Price
from trueup.engine.wishes import Style


class OrderState(StrEnum):
    """Where one of our orders stands, as far as we know."""

    PENDING = "pending"
    UNKNOWN = "unknown"
    RESTING = "resting"
    EXECUTED = "executed"
    CANCELED = "canceled"
    REFUSED = "refused"
    ABSENT = "absent"


NEVER: Final = Instant(0)

_S = OrderState
ORDER_STEPS: Final[dict[OrderState, frozenset[OrderState]]] = {
    _S.PENDING: frozenset(
        {_S.UNKNOWN, _S.RESTING, _S.EXECUTED, _S.CANCELED, _S.REFUSED, _S.ABSENT}
    ),
    _S.UNKNOWN: frozenset({_S.RESTING, _S.EXECUTED, _S.CANCELED, _S.ABSENT}),
    _S.RESTING: frozenset({_S.EXECUTED, _S.CANCELED}),
    _S.EXECUTED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.REFUSED: frozenset(),
    _S.ABSENT: frozenset({_S.UNKNOWN, _S.RESTING, _S.EXECUTED, _S.CANCELED}),
}
"""Which state may follow which.  `ABSENT` may be overruled by a report, and doubted
again when a fill turns up that could be its own: the exchange knows better than a
conclusion that we drew."""

LIVING: Final = frozenset({_S.PENDING, _S.UNKNOWN, _S.RESTING})
"""States in which an order may still fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An order about to be sent.  Durable before the first byte leaves.

    `parameters` are the strategy's settings at the time, as text: a trade can be
    explained long after they were changed.
    """

    client_order_id: ClientOrderId
    strategy: str
    ticker: Ticker
    side: Side
    count: Count
    limit: Price
    style: Style
    slot: str
    only_reduce: bool
    subaccount: Subaccount
    shard: Shard
    reason: str
    reference: Price | None
    parameters: str
    expires_at: Instant | None
    order_group: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """One of our orders.  `filled` counts the fills we have seen, `reported` what the
    exchange says has filled: until both agree, a fill is still on its way to us.

    `price`, `total` and `renewed` are the limit, the whole count and the expiry
    that an amendment of `amended_at` asked for; `amending` is set while nobody knows
    whether it took effect, and until then the larger of both counts may come in.
    `doubted_at` is since when its outcome is not known, or doubted again; `called_absent`
    says that it was called absent once.
    `told_at` is the exchange's own time of the newest state that we know; `unamended`
    are `total` and `renewed` as they were, for when the amendment is refused.
    """

    intent: Intent
    state: OrderState
    order_id: OrderId | None = None
    filled: Count = ZERO_COUNT
    reported: Count = ZERO_COUNT
    remaining: Count = ZERO_COUNT
    price: Price | None = None
    total: Count | None = None
    renewed: Instant | None = None
    canceling: bool = False
    amending: Price | None = None
    amended_at: Instant = NEVER
    unamended: tuple[Count | None, Instant | None] = (None, None)
    asked: int = 0
    doubted_at: Instant = NEVER
    called_absent: bool = False
    told_at: Instant = NEVER
    updated_at: Instant

    @property
    def limit(self) -> Price:
        """The YES price it rests at now."""
        return self.intent.limit if self.price is None else self.price

    @property
    def dearest(self) -> Price:
        """The YES price at which its fills cost most: an amendment may have taken effect or not."""
        if self.amending is None:
            return self.limit
        dearer = max if self.intent.side is Side.YES else min
        return dearer(self.limit, self.amending)

    @property
    def own_dearest(self) -> Price:
        """The same as the price of a contract of its own side."""
        return self.dearest if self.intent.side is Side.YES else self.dearest.complement()

    @property
    def whole_count(self) -> Count:
        """Everything that was asked for: filled, resting and cancelled."""
        return self.intent.count if self.total is None else self.total

    @property
    def expires_at(self) -> Instant | None:
        """When it ends by itself."""
        return self.intent.expires_at if self.renewed is None else self.renewed

    @property
    def is_living(self) -> bool:
        """Whether it may still fill."""
        return self.state in LIVING

    @property
    def open_count(self) -> Count:
        """How many contracts may still come in from it, fills on their way included."""
        if self.state in {OrderState.PENDING, OrderState.UNKNOWN}:
            return Count(max(0, self.intent.count.units - self.filled.units))
        if self.state is OrderState.RESTING:
            return self.remaining + self.missing
        return self.missing

    @property
    def missing(self) -> Count:
        """What has filled by the exchange's word, but whose fills we have not seen."""
        return Count(max(0, self.reported.units - self.filled.units))

    def moved(self, state: OrderState, at: Instant, **changes: object) -> OwnOrder:
        """The order in its next state.  Raises `InvariantBroken` for a forbidden step."""
        if state is not self.state and state not in ORDER_STEPS[self.state]:
            message = f"order {self.intent.client_order_id}: {state} cannot follow {self.state}"
            raise InvariantBroken(message)
        changed: OwnOrder = replace(self, state=state, updated_at=at, **changes)  # type: ignore[arg-type]
        return changed


_REPORTED: Final[dict[OrderStatus, OrderState]] = {
    OrderStatus.RESTING: OrderState.RESTING,
    OrderStatus.EXECUTED: OrderState.EXECUTED,
    OrderStatus.CANCELED: OrderState.CANCELED,
}


class Inflight:
    """All orders of ours that matter now, by both of their names.

    Orders that ended and whose fills have all been seen are kept for `keep` more
    orders, so that a late report still finds its strategy, then dropped.
    """

    def __init__(self, keep: int = 10_000) -> None:
        self._orders: dict[ClientOrderId, OwnOrder] = {}
        self._client_ids: dict[OrderId, ClientOrderId] = {}
        self._living: dict[Ticker, dict[ClientOrderId, None]] = {}
        self._ended: dict[ClientOrderId, None] = {}
        self._absent: dict[Ticker, dict[ClientOrderId, None]] = {}
        self._expecting: dict[ClientOrderId, None] = {}
        self._keep = keep

    def add(self, intent: Intent, *, state: OrderState = OrderState.PENDING) -> OwnOrder:
        """Remember an intent.  Raises `InvariantBroken` if its id was used before."""
        if intent.client_order_id in self._orders:
            message = f"client order id {intent.client_order_id} was used twice"
            raise InvariantBroken(message)
        order = OwnOrder(intent=intent, state=state, updated_at=intent.at)
        self._put(order)
        return order

    def get(self, client_order_id: ClientOrderId) -> OwnOrder | None:
        """One of our orders by our name for it."""
        return self._orders.get(client_order_id)

    def find(self, order_id: OrderId) -> OwnOrder | None:
        """One of our orders by the exchange's name for it; `None` for a foreign one."""
        client_order_id = self._client_ids.get(order_id)
        return None if client_order_id is None else self._orders.get(client_order_id)

    def named(self, report: OrderReported) -> OwnOrder | None:
        """The order that a report is about; `None` when it is not ours."""
        name = report.client_order_id
        return self.get(name) or self.get(first_name(name)) or self.find(report.order_id)

    def living(self, ticker: Ticker | None = None) -> list[OwnOrder]:
        """Orders that may still fill, in one market or in all, oldest first."""
        if ticker is not None:
            return [self._orders[each] for each in self._living.get(ticker, ())]
        return [self._orders[each] for some in self._living.values() for each in some]

    def absent(self, ticker: Ticker) -> list[OwnOrder]:
        """Orders in a market that are believed never to have reached the exchange."""
        return [self._orders[each] for each in self._absent.get(ticker, ())]

    def unsettled(self, ticker: Ticker | None = None) -> list[OwnOrder]:
        """Orders from which contracts may still come in, of one market or of all."""
        if not self._expecting:
            return self.living(ticker)
        expecting = (self._orders[each] for each in self._expecting)
        ended = [each for each in expecting if ticker in {None, each.intent.ticker}]
        return self.living(ticker) + ended

    def put(self, order: OwnOrder) -> None:
        """Remember an order's new state."""
        if order.intent.client_order_id not in self._orders:
            message = f"nobody knows order {order.intent.client_order_id}"
            raise InvariantBroken(message)
        self._put(order)

    def reported(self, report: OrderReported, at: Instant) -> OwnOrder | None:
        """Merge a report of the exchange; `None` when the order is not ours.

        A terminal state wins and the fill count only grows: a read that lags
        behind changes nothing.
        """
        order = self.named(report)
        if order is None:
            return None
        if report.updated_at < order.told_at:
            # A stale read: only its fills can still be news.
            changed = order.moved(
                order.state,
                at,
                order_id=report.order_id,
                reported=max(order.reported, report.fill_count),
            )
        else:
            changed = self._newer(order, report, at)
        self._put(changed)
        return changed

    def _newer(self, order: OwnOrder, report: OrderReported, at: Instant) -> OwnOrder:
        state = _REPORTED[report.status]
        if state is not order.state and state not in ORDER_STEPS[order.state]:
            state = order.state
        reported = max(order.reported, report.fill_count)
        # Fills that we saw and the report did not are no longer resting.
        ahead = reported.units - report.fill_count.units
        remaining, total = ZERO_COUNT, order.total
        if state is OrderState.RESTING:
            remaining = Count(max(0, report.remaining_count.units - ahead))
            if order.amending is not None:
                remaining = max(remaining, order.remaining)
            elif report.status is OrderStatus.RESTING:
                # Somebody else may have changed its size, or we did before a restart.
                total = report.fill_count + report.remaining_count
        return order.moved(
            state,
            at,
            order_id=report.order_id,
            reported=reported,
            remaining=remaining,
            total=total,
            price=report.price,
            told_at=report.updated_at,
        )

    def filled(self, fill: Filled) -> OwnOrder | None:
        """Count a fill that was not seen before; `None` when the order is not ours (yet)."""
        order = self.find(fill.order_id)
        if order is None:
            return None
        seen = order.filled + fill.count
        known = max(order.reported, seen)
        fresh = Count(known.units - order.reported.units)
        remaining = Count(max(0, order.remaining.units - fresh.units))
        state = order.state
        if state is OrderState.RESTING and not remaining:
            state = OrderState.EXECUTED
        changed = order.moved(state, fill.at, filled=seen, reported=known, remaining=remaining)
        self._put(changed)
        return changed

    def _put(self, order: OwnOrder) -> None:
        name, ticker = order.intent.client_order_id, order.intent.ticker
        self._orders[name] = order
        if order.order_id is not None:
            self._client_ids[order.order_id] = name
        if order.state is OrderState.ABSENT:
            self._absent.setdefault(ticker, {})[name] = None
        elif ticker in self._absent:
            self._absent[ticker].pop(name, None)
        if order.is_living:
            self._living.setdefault(ticker, {})[name] = None
            self._ended.pop(name, None)
            self._expecting.pop(name, None)
            return
        living = self._living.get(ticker)
        if living is not None:
            living.pop(name, None)
            if not living:
                del self._living[ticker]
        if order.missing:
            self._expecting[name] = None
            return
        self._expecting.pop(name, None)
        self._ended[name] = None
        if len(self._ended) > self._keep:
            oldest = self._orders.pop(next(iter(self._ended)))
            del self._ended[oldest.intent.client_order_id]
            self._absent.get(oldest.intent.ticker, {}).pop(oldest.intent.client_order_id, None)
            if oldest.order_id is not None:
                self._client_ids.pop(oldest.order_id, None)
