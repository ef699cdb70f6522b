"""What a position is paid when its market settles.

Settlement pays the *net* position: v for each YES contract, 1 − v for each NO
contract, where v is 1, 0 or, for a scalar result, the settlement value of the
YES side (a tie is 0.5000).  YES/NO pairs were already closed at $1 when the
second side was bought.
"""

from __future__ import annotations

from trueup.core.market import MarketResult
from trueup.core.units import ONE_DOLLAR, Count, Money, Price

_NOTHING = Price(0)
_YES, _NO = MarketResult.YES, MarketResult.NO


def yes_value(result: MarketResult, settlement_value: Price | None) -> Price | None:
    """What one YES contract pays; `None` for a scalar result of unknown value."""
    if result is _YES:
        return ONE_DOLLAR
    if result is _NO:
        return _NOTHING
    return settlement_value


def gross_payout(net: Count, value: Price) -> Money:
    """The exact payout of a net position (+ YES, − NO) at YES value `value`."""
    return Money(gross_units(net.units, value.units))


def gross_units(net: int, value: int) -> int:
    """The same in bare units."""
    return value * net if net >= 0 else (ONE_DOLLAR.units - value) * -net


def paid_payout(net: Count, value: Price, precision: Money) -> Money:
    """The payout as credited: cut down to the member's balance precision.

    The cut remainder is the exchange's settlement rounding fee.  A yes or no
    result is never cut, because counts are whole hundredths of $1.
    """
    return gross_payout(net, value).floor_to(precision)
