"""The fees the exchange charged × the fees its published rules give.

The books always carry the exchange's own figure.  The prediction is a second
opinion, made per order (rebates depend on the order's earlier fills), and only
where the fee terms of that time are known: unknown is not zero and not wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from trueup.core.catalog import Catalog
from trueup.core.facts import Filled
from trueup.core.fees import FillForFee, Precision, match_order_fees, predict_order_fees
from trueup.core.ids import OrderId
from trueup.core.instant import format_instant
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.order_check import by_order


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeCheck:
    """The result for all orders: how many are exact, unknown, and the breaks of the others."""

    orders: int
    exact: int
    unknown: int
    breaks: tuple[Break, ...]


def check_fees(fills: Iterable[Filled], catalog: Catalog, precision: Precision) -> FeeCheck:
    """Predict the fees of each order and compare; `fills` sorted by order id.

    An order is exact when every fill's fee is reproduced, with fills of one
    instant in any sequence.  Orders whose fee terms are unknown, and orders with
    a fill whose fee nobody reported, are counted as unknown.
    """
    orders = exact = unknown = 0
    breaks: list[Break] = []
    for order_id, group in by_order(fills):
        orders += 1
        found = _check_order(order_id, group, catalog, precision=precision)
        if found is None:
            unknown += 1
        elif isinstance(found, Break):
            breaks.append(found)
        else:
            exact += 1
    return FeeCheck(orders=orders, exact=exact, unknown=unknown, breaks=tuple(breaks))


def _check_order(
    order_id: OrderId, fills: tuple[Filled, ...], catalog: Catalog, *, precision: Precision
) -> Break | bool | None:
    """`True` if exact, `None` if unknown, else the break."""
    charged = [filled.fee for filled in fills]
    if any(fee is None for fee in charged):
        return None
    parts = [FillForFee.of(filled) for filled in fills]
    terms_at = partial(catalog.fee_terms, fills[0].ticker)
    predicted = predict_order_fees(parts, terms_at, precision)
    if predicted is None:
        return None
    expected = sum((line.net_fee for line in predicted), ZERO_MONEY)
    exact = [line.net_fee for line in predicted] == charged
    if exact or match_order_fees(parts, charged, terms_at, precision) is not None:
        return True
    actual = sum((fee for fee in charged if fee is not None), ZERO_MONEY)
    return _break(order_id, fills, expected=expected, actual=actual)


def _break(
    order_id: OrderId, fills: tuple[Filled, ...], *, expected: Money, actual: Money
) -> Break:
    last = max(fills, key=lambda filled: filled.at)
    return Break(
        identity=break_identity(
            BreakKind.FEE_DIFFERS, last.subaccount, f"order {order_id}", "prediction"
        ),
        kind=BreakKind.FEE_DIFFERS,
        severity=Severity.AMBER,
        subaccount=last.subaccount,
        shard=last.shard,
        ticker=last.ticker,
        amount=expected - actual,
        occurred_at=last.at,
        summary=f"fees of order {order_id}: charged {actual}, the published rules give {expected}",
        evidence=tuple(
            f"{format_instant(filled.at)} {filled.side} {filled.count} at YES price "
            f"{filled.price}: {filled.fee}"
            for filled in fills
        ),
        remedy="Refresh fee terms and fee changes with `trueup sync`, then look again.",
    )
