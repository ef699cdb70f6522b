"""What a fill is charged, in whole numbers: `core.fees` made fast.

`core.fees` says what a fee is, with exact fractions.  Here the same steps are
taken with integers, and the terms of a market are looked up once for as long as
they hold.  The tests demand that both say the same for every fill.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from trueup.core.catalog import FeeTerms
from trueup.core.errors import InvariantBroken
from trueup.core.fee_schedule import RATES, ROUNDING_REGIMES, rates_at, regime_at
from trueup.core.fees import Precision, coefficients
from trueup.core.ids import Ticker
from trueup.core.instant import Instant

_ONE: Final = 10_000
_NEVER: Final = Instant(2**62)
_BOUNDARIES: Final = sorted(
    {row.since for row in RATES} | {regime.since for regime in ROUNDING_REGIMES}
)


Formula = tuple[int, int, int]
"""Quadratic, linear, divisor: contracts × (quadratic × p × (1 − p) + linear) / divisor, in steps."""


class FeeRule:
    """How fills in one market are charged before `until`; all in `Money` units."""

    __slots__ = ("_accumulates", "_maker", "_rebate_steps", "_step", "_steps", "_taker", "until")

    def __init__(self, terms: FeeTerms, at: Instant, until: Instant) -> None:
        regime = regime_at(at)
        self.until = min(until, _next_boundary(at))
        self._step = regime.trade_fee_step.units
        self._accumulates = regime.accumulates
        self._steps = {one: regime.balance_step(one).units for one in Precision}
        self._rebate_steps = {one: regime.rebate_step_of(one).units for one in Precision}
        self._taker = _formula(terms, at, self._step, is_taker=True)
        self._maker = _formula(terms, at, self._step, is_taker=False)

    def trade_fee(self, count: int, price: int, is_taker: bool) -> int:
        """The model fee rounded up to the regime's step."""
        quadratic, linear, divisor = self._taker if is_taker else self._maker
        return -(-count * (quadratic * price * (_ONE - price) + linear) // divisor) * self._step

    def charge(
        self, fill: tuple[int, int, bool], cash: int, accumulated: int, precision: Precision
    ) -> tuple[int, int]:
        """The net fee of a fill, and what its order's accumulator holds afterwards.

        `fill` is its count, its price and whether it took; `cash` what moved before the fee.
        """
        count, price, is_taker = fill
        quadratic, linear, divisor = self._taker if is_taker else self._maker
        steps = -(-count * (quadratic * price * (_ONE - price) + linear) // divisor)
        charged = steps * self._step
        rounding_fee = (cash - charged) % self._steps[precision]
        charged += rounding_fee
        if not self._accumulates:
            return charged, accumulated
        accumulated += rounding_fee
        rebate = min(charged, accumulated)
        rebate -= rebate % self._rebate_steps[precision]
        return charged - rebate, accumulated - rebate

    def balance_step(self, precision: Precision) -> int:
        """What a balance change of this member is a multiple of."""
        return self._steps[precision]


def unknown_fees(ticker: Ticker, at: Instant) -> InvariantBroken:
    """The error for a fill whose fee nobody can tell."""
    return InvariantBroken(f"nothing says what a fill on {ticker} costs at {at}")


def _formula(terms: FeeTerms, at: Instant, step: int, *, is_taker: bool) -> Formula:
    if terms.waived:
        return 0, 0, 1
    found = coefficients(terms.fee_type, rates_at(at), is_taker=is_taker)
    if found is None:
        raise InvariantBroken(f"nothing says what a fee of the type {terms.fee_type!r} is")
    # In Money units, per hundredth of a contract: coefficient × P × (1 − P) × 1/100 × 1,000,000,
    # with P in 1/10,000; and the linear part likewise.
    quadratic = terms.multiplier * found[0] / _ONE / step
    linear = terms.multiplier * found[1] * _ONE / step
    return (
        quadratic.numerator * linear.denominator,
        linear.numerator * quadratic.denominator,
        quadratic.denominator * linear.denominator,
    )


def _next_boundary(at: Instant) -> Instant:
    place = bisect_right(_BOUNDARIES, at)
    return _BOUNDARIES[place] if place < len(_BOUNDARIES) else _NEVER
