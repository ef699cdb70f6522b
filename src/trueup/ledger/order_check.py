"""Orders × fills: did every contract an order filled arrive as a fill?

Both come sorted by order id and are walked side by side once, so nothing is
held in memory.  Orders are never a source of money; a difference only says
where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from trueup.core.errors import CallerError
from trueup.core.facts import Filled, OrderReported
from trueup.core.ids import OrderId
from trueup.core.instant import Instant, format_instant
from trueup.core.orders import Side, is_terminal
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.explain import Suspect


@dataclass(frozen=True, slots=True)
class OrderFills:
    """The fills of one order, added up; `fees` counts unknown fees as nothing."""

    count: Count = ZERO_COUNT
    cost: Money = ZERO_MONEY
    fees: Money = ZERO_MONEY
    fees_known: bool = True
    last_at: Instant | None = None


_NONE = OrderFills()


def by_order(fills: Iterable[Filled]) -> Iterator[tuple[OrderId, tuple[Filled, ...]]]:
    """The fills order by order.  Raises `CallerError` unless sorted by order id."""
    previous = ""
    for order_id, group in groupby(fills, key=lambda filled: filled.order_id):
        if order_id < previous:
            message = "fills must come sorted by order id"
            raise CallerError(message)
        previous = order_id
        yield order_id, tuple(group)


def check_orders(orders: Iterable[OrderReported], fills: Iterable[Filled]) -> Iterator[Break]:
    """Compare each order's fill count and fees with its fills; both sorted by order id.

    Fills without an order are no break: old orders roll off before their fills.
    """
    for order, known in _side_by_side(orders, fills):
        yield from _compared(order, known)


def unseen_fills(orders: Iterable[OrderReported], fills: Iterable[Filled]) -> Iterator[Suspect]:
    """Orders that filled more than is known, for the proof: what the rest may have cost.

    The order's own fill cost is used where it gives one; else its limit price.
    """
    for order, known in _side_by_side(orders, fills):
        missing = order.fill_count - known.count
        if missing <= ZERO_COUNT:
            continue
        own_price = order.price if order.side is Side.YES else order.price.complement()
        stated = order.taker_fill_cost + order.maker_fill_cost
        cost = stated - known.cost if stated else own_price * missing
        fees = order.taker_fees + order.maker_fees - known.fees
        yield Suspect(
            group=f"order {order.order_id}",
            kind=BreakKind.MISSING_FILL,
            amount=-cost - fees,
            since=order.created_at,
            until=order.updated_at,
            words=f"order {order.order_id} in {order.ticker} filled {missing} more than is known",
            likely=True,
            ticker=order.ticker,
            subaccount=order.subaccount,
            shard=order.shard,
        )


def _side_by_side(
    orders: Iterable[OrderReported], fills: Iterable[Filled]
) -> Iterator[tuple[OrderReported, OrderFills]]:
    groups = by_order(fills)
    group = next(groups, None)
    previous = ""
    for order in orders:
        if order.order_id < previous:
            message = "orders must come sorted by order id"
            raise CallerError(message)
        previous = order.order_id
        while group is not None and group[0] < order.order_id:
            group = next(groups, None)
        if group is not None and group[0] == order.order_id:
            yield order, _added_up(group[1])
        else:
            yield order, _NONE


def _added_up(fills: Iterable[Filled]) -> OrderFills:
    count = cost = fees = 0
    known = True
    last_at: Instant | None = None
    for filled in fills:
        own_price = filled.price if filled.side is Side.YES else filled.price.complement()
        count += filled.count.units
        cost += (own_price * filled.count).units
        fees += 0 if filled.fee is None else filled.fee.units
        known = known and filled.fee is not None
        last_at = filled.at if last_at is None else max(last_at, filled.at)
    return OrderFills(Count(count), Money(cost), Money(fees), known, last_at)


def _compared(order: OrderReported, known: OrderFills) -> Iterator[Break]:
    if order.fill_count > known.count:
        yield _break(
            BreakKind.MISSING_FILL,
            order,
            detail="count",
            severity=Severity.RED,
            amount=ZERO_MONEY,
            summary=f"the order filled {order.fill_count}, its fills add up to {known.count}",
        )
        return
    if order.fill_count < known.count:
        # A live order's report is older than its newest fill; a dead one's must not be.
        final = is_terminal(order.status)
        stale = known.last_at is not None and known.last_at > order.updated_at
        yield _break(
            BreakKind.ORDER_DIFFERS,
            order,
            detail="count",
            severity=Severity.RED if final and not stale else Severity.GREEN,
            amount=ZERO_MONEY,
            summary=f"the order filled {order.fill_count}, its fills add up to {known.count}",
        )
        return
    stated = order.taker_fees + order.maker_fees
    if known.count and known.fees_known and stated != known.fees:
        yield _break(
            BreakKind.FEE_DIFFERS,
            order,
            detail="fees",
            severity=Severity.AMBER,
            amount=known.fees - stated,
            summary=f"fees: the order says {stated}, its fills add up to {known.fees}",
        )


def _break(
    kind: BreakKind,
    order: OrderReported,
    *,
    detail: str,
    severity: Severity,
    amount: Money,
    summary: str,
) -> Break:
    return Break(
        identity=break_identity(kind, order.subaccount, f"order {order.order_id}", detail),
        kind=kind,
        severity=severity,
        subaccount=order.subaccount,
        shard=order.shard,
        ticker=order.ticker,
        amount=amount,
        occurred_at=order.updated_at,
        summary=summary,
        evidence=(
            f"order {order.order_id} ({order.status}), as of {format_instant(order.updated_at)}",
        ),
    )
