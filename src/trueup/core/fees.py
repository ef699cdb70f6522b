"""What the exchange charges for a fill, exactly.

A fee is made in four steps (the exchange's page *Fee rounding*):

1. The *model fee* is a fraction of what could be won: multiplier × coefficient ×
   C × P × (1 − P), an exact `Ratio`.
2. The *trade fee* is the model fee rounded up to the regime's step.
3. Cash minus trade fee, rounded down to the member's balance precision, is the
   *aligned change*; what that cuts off is the *rounding fee*.
4. Every order has one accumulator, for its taker and its maker fills together.
   Rounding fees flow in; whole steps flow back as a *rebate*, but never more
   than this fill was charged.

The net fee of a fill is trade fee + rounding fee − rebate, what the exchange
reports as ``fee_cost``.  Because of the accumulator it depends on the order's
earlier fills, so fees are predicted per order, and `OrderFees` is the state
between two fills.

Whether a fill opens or closes does not change its fee: the two ways of reading
its cash differ by $1 × count, which is always a whole number of cents.

Which rates and which rounding held when is in `core.fee_schedule`.  The books
always carry the exchange's own fee; this is the second opinion, and what the
sandbox charges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from trueup.core.catalog import FeeTerms
from trueup.core.facts import Filled
from trueup.core.fee_schedule import (
    RATES,
    Precision,
    Rates,
    RoundingRegime,
    other_regime_at,
    rates_at,
    regime_at,
)
from trueup.core.instant import Instant
from trueup.core.orders import Side
from trueup.core.units import ZERO_MONEY, Count, Money, Price, Ratio

__all__ = [
    "FeeLine",
    "FillForFee",
    "OrderFees",
    "Precision",
    "RoundingRegime",
    "TermsAt",
    "coefficients",
    "match_order_fees",
    "model_fee",
    "other_regime_at",
    "predict_order_fees",
    "regime_at",
]

TermsAt = Callable[[Instant], FeeTerms | None]
"""The fee terms of one market over time, e.g. a partial of `Catalog.fee_terms`."""

_FREE: Final = Ratio(0)
_ARRANGEMENTS_MAX: Final = 20_000
"""How many steps the search for the order of simultaneous fills may take."""


def model_fee(
    terms: FeeTerms, count: Count, price: Price, is_taker: bool, *, at: Instant | None = None
) -> Ratio | None:
    """The exact fee of a fill in dollars, before any rounding.

    `price` may be of either side, the formula is symmetric.  `at` picks the
    rates of that time; without it the present ones hold.  `None` means that
    this fee type is not known to trueup: unknown, not zero.
    """
    if terms.waived:
        return _FREE
    rates = RATES[-1] if at is None else rates_at(at)
    found = coefficients(terms.fee_type, rates, is_taker=is_taker)
    if found is None:
        return None
    quadratic, per_contract = found
    variance = Ratio(price.units * price.complement().units * count.units, 10_000 * 10_000 * 100)
    fee = quadratic * variance
    if per_contract:
        fee += per_contract * Ratio(count.units, 100)
    return terms.multiplier * fee


def coefficients(fee_type: str, rates: Rates, *, is_taker: bool) -> tuple[Ratio, Ratio] | None:
    """The coefficients of C × P × (1 − P) and of C; `None` for an unknown fee type."""
    match fee_type, is_taker:
        case (
            ("quadratic" | "quadratic_with_maker_fees" | "quadratic_with_combo_maker_fees"),
            True,
        ):
            return rates.taker, _FREE
        case "quadratic", False:
            return _FREE, _FREE
        case "quadratic_with_maker_fees", False:
            return rates.maker, rates.maker_per_contract
        case "quadratic_with_combo_maker_fees", False:
            return rates.combo_maker, _FREE
        case _:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillForFee:
    """What the fee of a fill depends on.

    `price` is the YES price whatever the side.  `cash` is the change of cash
    before fees (negative when paying); without it the fill is read as opening,
    which gives the same fee and another balance change.
    """

    side: Side
    count: Count
    price: Price
    is_taker: bool
    at: Instant
    cash: Money | None = None

    @classmethod
    def of(cls, filled: Filled, cash: Money | None = None) -> FillForFee:
        """The part of a fill that matters for its fee."""
        return cls(
            side=filled.side,
            count=filled.count,
            price=filled.price,
            is_taker=filled.is_taker,
            at=filled.at,
            cash=cash,
        )

    @property
    def revenue(self) -> Money:
        """The signed cash of the fill before fees."""
        if self.cash is not None:
            return self.cash
        own_price = self.price if self.side is Side.YES else self.price.complement()
        return -(own_price * self.count)


@dataclass(frozen=True, slots=True)
class FeeLine:
    """How the fee of one fill comes about.

    `aligned_change` is the balance change before the rebate, `accumulated` what
    the order's accumulator holds after it.
    """

    trade_fee: Money
    rounding_fee: Money
    rebate: Money
    aligned_change: Money
    accumulated: Money

    @property
    def net_fee(self) -> Money:
        """What the fill costs in the end, never negative: the exchange's ``fee_cost``."""
        return self.trade_fee + self.rounding_fee - self.rebate

    @property
    def balance_change(self) -> Money:
        """By how much the balance changes: cash minus the net fee."""
        return self.aligned_change + self.rebate


@dataclass(frozen=True, slots=True)
class OrderFees:
    """The fee accumulator of one order.  A new order starts with an empty one."""

    precision: Precision
    accumulated: Money = ZERO_MONEY

    def charge(
        self, model: Ratio, revenue: Money, regime: RoundingRegime
    ) -> tuple[OrderFees, FeeLine]:
        """Charge one fill: its model fee in dollars, its signed cash, its regime.

        Returns the state for the order's next fill, and the fee.
        """
        trade_fee = _ceil_dollars(model, regime.trade_fee_step)
        change = revenue - trade_fee
        aligned_change = change.floor_to(regime.balance_step(self.precision))
        rounding_fee = change - aligned_change
        accumulated = self.accumulated
        rebate = ZERO_MONEY
        if regime.accumulates:
            accumulated += rounding_fee
            charged = trade_fee + rounding_fee
            rebate = min(accumulated, charged).floor_to(regime.rebate_step_of(self.precision))
            accumulated -= rebate
        line = FeeLine(trade_fee, rounding_fee, rebate, aligned_change, accumulated)
        return replace(self, accumulated=accumulated), line

    def charge_fill(self, fill: FillForFee, terms: FeeTerms) -> tuple[OrderFees, FeeLine] | None:
        """Charge one fill by the rates and the regime of its time.

        `None` means unknown: trueup does not know this fee type.
        """
        model = model_fee(terms, fill.count, fill.price, fill.is_taker, at=fill.at)
        return None if model is None else self.charge(model, fill.revenue, regime_at(fill.at))


def predict_order_fees(
    fills: Sequence[FillForFee], terms_at: TermsAt, precision: Precision
) -> tuple[FeeLine, ...] | None:
    """The fees of all fills of one order, in the order in which `fills` come.

    Fills are charged by time, whatever their sequence; those of one instant in
    the given sequence.  `None` means unknown: for one of the fills no fee terms
    are known, and with the accumulator every later fee hangs on it.
    """
    fees = OrderFees(precision)
    lines: dict[int, FeeLine] = {}
    for index in sorted(range(len(fills)), key=lambda index: fills[index].at):
        terms = terms_at(fills[index].at)
        charged = None if terms is None else fees.charge_fill(fills[index], terms)
        if charged is None:
            return None
        fees, lines[index] = charged
    return tuple(lines[index] for index in range(len(fills)))


def match_order_fees(
    fills: Sequence[FillForFee],
    reported: Sequence[Money | None],
    terms_at: TermsAt,
    precision: Precision,
) -> tuple[FeeLine, ...] | None:
    """The prediction that agrees with the `reported` fees, or `None` if none does.

    The exchange stamps all fills of one matching step with the same time and
    lists them in no fixed sequence, but each rebate depends on it.  So fills of
    one instant may be charged in any sequence that reproduces what was
    reported, and near a change of the rounding rules either side may hold.  A
    reported `None` (the old wire form has no fee) agrees with everything.

    `None` also where the fee terms are unknown; ask `predict_order_fees` first.
    """
    models: list[Ratio] = []
    for fill in fills:
        terms = terms_at(fill.at)
        model = None
        if terms is not None:
            model = model_fee(terms, fill.count, fill.price, fill.is_taker, at=fill.at)
        if model is None:
            return None
        models.append(model)
    for choose in (regime_at, other_regime_at):
        charges = [
            _Charge(model, fill.revenue, choose(fill.at), net_fee)
            for model, fill, net_fee in zip(models, fills, reported, strict=True)
        ]
        lines = _arrange(charges, _simultaneous(fills), OrderFees(precision))
        if lines is not None:
            return lines
    return None


@dataclass(frozen=True, slots=True)
class _Charge:
    model: Ratio
    revenue: Money
    regime: RoundingRegime
    reported: Money | None


@dataclass(frozen=True, slots=True)
class _Path:
    """Fills charged so far, newest first; `waiting` are the others of the same instant."""

    fees: OrderFees
    group: int
    waiting: tuple[int, ...]
    index: int
    line: FeeLine | None
    earlier: _Path | None


def _simultaneous(fills: Sequence[FillForFee]) -> list[tuple[int, ...]]:
    """The indices of the fills by time, those of one instant together."""

    def time_of(index: int) -> Instant:
        return fills[index].at

    by_time = sorted(range(len(fills)), key=time_of)
    return [tuple(group) for _, group in groupby(by_time, key=time_of)]


def _arrange(
    charges: Sequence[_Charge], groups: Sequence[tuple[int, ...]], fees: OrderFees
) -> tuple[FeeLine, ...] | None:
    """Charge fills of one instant in a sequence that gives every reported fee, or `None`.

    A depth-first search: nearly always every instant has one fill, so it walks
    straight through; `_ARRANGEMENTS_MAX` bounds the others.
    """
    stack = [_Path(fees, -1, (), -1, None, None)]
    for _ in range(_ARRANGEMENTS_MAX + len(charges)):
        if not stack:
            return None
        path = stack.pop()
        group, waiting = path.group, path.waiting
        if not waiting:
            group += 1
            if group == len(groups):
                return _lines(path, len(charges))
            waiting = groups[group]
        tried: set[_Charge] = set()
        for index in reversed(waiting):
            charge = charges[index]
            if charge in tried:
                continue
            tried.add(charge)
            after, line = path.fees.charge(charge.model, charge.revenue, charge.regime)
            if charge.reported is None or charge.reported == line.net_fee:
                others = tuple(other for other in waiting if other != index)
                stack.append(_Path(after, group, others, index, line, path))
    return None


def _lines(path: _Path, number: int) -> tuple[FeeLine, ...]:
    lines: dict[int, FeeLine] = {}
    step: _Path | None = path
    while step is not None and step.line is not None:
        lines[step.index] = step.line
        step = step.earlier
    return tuple(lines[index] for index in range(number))


def _ceil_dollars(amount: Ratio, step: Money) -> Money:
    """Dollars rounded up to a multiple of `step`."""
    steps = -(-amount.numerator * 1_000_000 // (amount.denominator * step.units))
    return Money(steps * step.units)
