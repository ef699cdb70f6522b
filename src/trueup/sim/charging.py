"""What a fill is charged, in whole numbers: `core.fees` made fast.

`core.fees` says what a fee is, with exact fractions.  Here the same steps are
taken with integers, and the terms of a market are looked up once for as long as
they hold.  The tests demand that both say the same for every fill.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from trueup.core.catalog import FeeTerms
from trueup.core.errors import InvariantBroken
from trueup.core.fee_schedule import RATES, ROUNDING_REGIMES, rates_at, regime_at
from trueup.core.fees import Precision, coefficients
from trueup.core.ids import Ticker
from trueup.core.instant import Instant
from trueup.core.units import Ratio

_ONE: Final = 10_000
_NEVER: Final = Instant(2**62)
_BOUNDARIES: Final = sorted(
    {row.since for row in RATES} | {regime.since for regime in ROUNDING_REGIMES}
)


@dataclass(frozen=True, slots=True)
class _Formula:
    """contracts × (quadratic × p × (1 − p) + linear) / divisor, in fee steps."""

    quadratic: int
    linear: int
    divisor: int


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

    def knows(self) -> bool:
        """Whether the fee type is one that trueup can charge."""
        return self._taker is not None and self._maker is not None

    def trade_fee(self, count: int, price: int, *, is_taker: bool) -> int:
        """The model fee rounded up to the regime's step."""
        formula = self._taker if is_taker else self._maker
        if formula is None:
            raise InvariantBroken("nothing says what a fill costs: the fee type is unknown")
        if not formula.quadratic and not formula.linear:
            return 0
        amount = count * (formula.quadratic * price * (_ONE - price) + formula.linear)
        return -(-amount // formula.divisor) * self._step

    def charge(
        self, trade_fee: int, cash: int, accumulated: int, precision: Precision
    ) -> tuple[int, int]:
        """The net fee of a fill, and what its order's accumulator holds afterwards."""
        change = cash - trade_fee
        rounding_fee = change % self._steps[precision]
        if not self._accumulates:
            return trade_fee + rounding_fee, accumulated
        accumulated += rounding_fee
        charged = trade_fee + rounding_fee
        rebate = min(charged, accumulated)
        rebate -= rebate % self._rebate_steps[precision]
        return charged - rebate, accumulated - rebate

    def balance_step(self, precision: Precision) -> int:
        """What a balance change of this member is a multiple of."""
        return self._steps[precision]


def unknown_fees(ticker: Ticker, at: Instant) -> InvariantBroken:
    """The error for a fill whose fee nobody can tell."""
    return InvariantBroken(f"nothing says what a fill on {ticker} costs at {at}")


def _formula(terms: FeeTerms, at: Instant, step: int, *, is_taker: bool) -> _Formula | None:
    if terms.waived:
        return _Formula(0, 0, 1)
    found = coefficients(terms.fee_type, rates_at(at), is_taker=is_taker)
    if found is None:
        return None
    # In Money units, per hundredth of a contract: coefficient × P × (1 − P) × 1/100 × 1,000,000,
    # with P in 1/10,000; and the linear part likewise.
    quadratic = terms.multiplier * found[0] / _ONE
    linear = terms.multiplier * found[1] * _ONE
    return _whole(quadratic / step, linear / step)


def _whole(quadratic: Ratio, linear: Ratio) -> _Formula:
    divisor = quadratic.denominator * linear.denominator
    return _Formula(
        quadratic.numerator * linear.denominator,
        linear.numerator * quadratic.denominator,
        divisor,
    )


def _next_boundary(at: Instant) -> Instant:
    place = bisect_right(_BOUNDARIES, at)
    return _BOUNDARIES[place] if place < len(_BOUNDARIES) else _NEVER
