"""Orders from the command line: what would be sent, whether it may be, and what came of it.

Everything is shown before it is sent.  On the production exchange nothing is
sent while one of the gates of `trueup.run.arming` is closed.  A lost answer is
followed up until the exchange says what became of the order, or cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import uuid4

import msgspec

from trueup.core.errors import NotFound
from trueup.core.facts import OrderReported
from trueup.core.ids import ClientOrderId, OrderId, Subaccount
from trueup.core.instant import SECOND, format_instant
from trueup.core.order_entry import (
    Amendment,
    Cancellation,
    Decrease,
    NewOrder,
    OrderAbsent,
    OrderFate,
    OrderFound,
    OrderOutcomeUnknown,
    OrderPlaced,
)
from trueup.core.orders import OrderStatus, Side, is_terminal
from trueup.core.units import Count, Price
from trueup.net.client import Client
from trueup.net.session import Event, ignore_event
from trueup.run.arming import Gate, gates
from trueup.run.clients import why_read_only
from trueup.run.desk import Desk, DeskSettings
from trueup.run.views import Row
from trueup.wire.rest import orders
from trueup.wire.rest.call import Call

T = TypeVar("T")

CALM: Final = 15 * SECOND
"""How long a mass cancellation may take to show in the listing of resting orders."""

_PAUSE: Final = SECOND // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a request about orders: words for a person, a row for a program."""

    words: str
    row: Row
    ok: bool = True


class TradingDesk:
    """One account, opened to trade.  Use it as a context."""

    def __init__(
        self,
        settings: DeskSettings,
        *,
        live: bool,
        on_event: Callable[[Event], None] = ignore_event,
    ) -> None:
        self.settings = settings
        self.gates: tuple[Gate, ...] = gates(settings, live=live)
        self._desk = Desk(
            settings,
            on_event=on_event,
            why_read_only=lambda: why_read_only(settings, live=live),
        )

    @property
    def may_send(self) -> bool:
        """Whether every gate is open."""
        return all(gate.is_open for gate in self.gates)

    @property
    def client(self) -> Client:
        """The client, opened at its first use."""
        return self._desk.client()

    def new_client_order_id(self) -> ClientOrderId:
        """A name that no order has had."""
        return ClientOrderId(str(uuid4()))

    def close(self) -> None:
        """Close what was opened."""
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- what is done ----------------------------------------------------------------------

    def order(self, order_id: OrderId) -> OrderReported:
        """The order as the exchange has it; raises `NotFound`."""
        return self.client.orders.get(order_id).reported

    def place(self, order: NewOrder) -> Done:
        """Place an order, and find out what became of it."""
        try:
            placed = self.client.orders.create(order)
        except OrderOutcomeUnknown as unknown:
            return self._follow_up(unknown)
        return Done(words=_placed_words(placed), row=_placed_row(placed))

    def amend(self, order: OrderReported, *, price: Price, resting: Count) -> Done:
        """Give a resting order another price and another resting count."""
        amendment = amendment_of(order, price=price, resting=resting)
        try:
            amended = self.client.orders.amend(amendment)
        except OrderOutcomeUnknown as unknown:
            return self._follow_up(unknown)
        row: Row = {
            "order_id": amended.order_id,
            "fill_count": amended.fill_count,
            "remaining_count": amended.remaining_count,
            "at": format_instant(amended.at),
        }
        return Done(words=f"Amended {amended.order_id}.", row=row)

    def decrease(self, decreased: Decrease) -> Done:
        """Take contracts off a resting order."""
        try:
            answer = self.client.orders.decrease(decreased)
        except OrderOutcomeUnknown as unknown:
            return self._follow_up(unknown)
        row: Row = {
            "order_id": answer.order_id,
            "remaining_count": answer.remaining_count,
            "at": format_instant(answer.at),
        }
        return Done(words=f"{answer.remaining_count} contracts still rest.", row=row)

    def cancel(self, order: OrderReported) -> Done:
        """Take a resting order back, and say what it is where that is refused."""
        try:
            canceled = self.client.orders.cancel(cancellation_of(order))
        except OrderOutcomeUnknown as unknown:
            return self._follow_up(unknown)
        except NotFound:
            # The same 404 stands for cancelled, filled and unknown: look at it again.
            found = self.order(order.order_id)
            words = f"It was not there to cancel: the exchange says it is {found.status.value}."
            return Done(words=words, row=order_row(found), ok=is_terminal(found.status))
        row: Row = {
            "order_id": canceled.order_id,
            "reduced_by": canceled.reduced_by,
            "at": format_instant(canceled.at),
        }
        return Done(words=f"Cancelled; {canceled.reduced_by} contracts had been resting.", row=row)

    def cancel_all(self, subaccount: Subaccount | None) -> Done:
        """Take everything back, and look until nothing rests any more."""
        self.client.orders.cancel_all(subaccount=subaccount)
        waited, left = 0, self._resting(subaccount)
        while left and waited < CALM:
            self.settings.clock.sleep(_PAUSE)
            waited += _PAUSE
            left = self._resting(subaccount)
        row: Row = {"resting": len(left), "orders": [order_row(order) for order in left]}
        if left:
            words = f"{len(left)} orders still show as resting: look again, and cancel them singly."
            return Done(words=words, row=row, ok=False)
        return Done(words="Nothing rests any more.", row=row)

    def _resting(self, subaccount: Subaccount | None) -> list[OrderReported]:
        listing = self.client.orders.list(status=OrderStatus.RESTING, subaccount=subaccount)
        return [order.reported for order in listing]

    def _follow_up(self, unknown: OrderOutcomeUnknown) -> Done:
        (fate,) = self.client.orders.resolve(unknown)
        return _fate(fate, str(unknown))


def amendment_of(order: OrderReported, *, price: Price, resting: Count) -> Amendment:
    """The amendment after which `resting` contracts rest at the YES price `price`."""
    return Amendment(
        order_id=order.order_id,
        ticker=order.ticker,
        side=order.side,
        price=price,
        count=order.fill_count + resting,
        subaccount=order.subaccount,
    )


def cancellation_of(order: OrderReported) -> Cancellation:
    """The cancellation of an order, with all that finds it."""
    return Cancellation(
        order_id=order.order_id,
        ticker=order.ticker,
        subaccount=order.subaccount,
        shard=order.shard,
    )


# -- what would be sent ------------------------------------------------------------------------


def preview_place(order: NewOrder) -> Row:
    """The request that placing an order would make."""
    return preview(orders.create(order))


def preview_amend(amendment: Amendment) -> Row:
    """The request that amending an order would make."""
    return preview(orders.amend(amendment))


def preview_decrease(decreased: Decrease) -> Row:
    """The request that decreasing an order would make."""
    return preview(orders.decrease(decreased))


def preview_cancel(cancellation: Cancellation) -> Row:
    """The request that cancelling an order would make."""
    return preview(orders.cancel(cancellation))


def preview_cancel_all(subaccount: Subaccount | None) -> Row:
    """The request that cancelling everything would make."""
    return preview(orders.cancel_all(subaccount=subaccount))


def preview(call: Call[T]) -> Row:
    """A request as a person looks at it before it is sent."""
    return {
        "operation": call.operation,
        "method": call.method,
        "path": call.path,
        "query": dict(call.query),
        "body": None if call.body is None else msgspec.json.decode(call.body),
    }


def order_row(order: OrderReported) -> Row:
    """An order as a row."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "ticker": order.ticker,
        "side": "bid" if order.side is Side.YES else "ask",
        "status": order.status.value,
        "yes_price": order.price,
        "fill_count": order.fill_count,
        "remaining_count": order.remaining_count,
        "at": format_instant(order.updated_at),
    }


def _placed_words(placed: OrderPlaced) -> str:
    words = (
        f"Order {placed.order_id}: {placed.fill_count} filled, {placed.remaining_count} resting."
    )
    if not placed.fill_count and not placed.remaining_count:
        return (
            f"{words} It was accepted and is dead: nothing to trade with, or only our own orders."
        )
    return words


def _placed_row(placed: OrderPlaced) -> Row:
    return {
        "order_id": placed.order_id,
        "client_order_id": placed.client_order_id,
        "fill_count": placed.fill_count,
        "remaining_count": placed.remaining_count,
        "average_fill_price": placed.average_fill_price,
        "average_fee": placed.average_fee,
        "at": format_instant(placed.at),
    }


def _fate(fate: OrderFate, lost: str) -> Done:
    if isinstance(fate, OrderFound):
        row = {**order_row(fate.order), "lost_answer": lost}
        words = (
            f"The answer was lost ({lost}), but the exchange has the order: {fate.order.order_id}, "
        )
        return Done(words=f"{words}{fate.order.status.value}.", row=row)
    row: Row = {"client_order_id": fate.question.client_order_id, "lost_answer": lost}
    if isinstance(fate, OrderAbsent):
        words = f"The answer was lost ({lost}), and the exchange did not take it."
        return Done(words=words, row={**row, "status": "absent"}, ok=False)
    words = f"The answer was lost ({lost}), and the exchange cannot say yet what became of it."
    return Done(words=words, row={**row, "status": "unknown"}, ok=False)
