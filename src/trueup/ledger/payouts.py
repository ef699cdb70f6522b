"""What a settlement pays: by its row, by the report of FIX, by both."""

from __future__ import annotations

from typing import Final

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Settled
from trueup.core.market import MarketResult
from trueup.core.payoff import gross_units
from trueup.core.statements import MarketStated
from trueup.core.units import ONE_DOLLAR, Money, Price
from trueup.ledger.bare import BareReport, BareSettlement
from trueup.ledger.witnesses import agrees, reported_value, settlement_cut

_CENT: Final = Money.of_cents(1).units
_DOLLAR: Final = ONE_DOLLAR.units
_SCALAR: Final = MarketResult.SCALAR.value
_YES: Final = MarketResult.YES.value
_NO: Final = MarketResult.NO.value


def row_value(row: Settled, market: MarketStated | None) -> Price | None:
    """What one YES contract paid by a settlement row; `None` if nobody says.

    A scalar value comes from the market where it has one: the row's own is in
    whole cents, and there are reports of it naming the held side's payout.
    """
    stated = None if row.value is None else row.value.units
    value = bare_row_value(row.result, stated, market)
    return None if value is None else Price(value)


def bare_row_value(result: str, stated: int | None, market: MarketStated | None) -> int | None:
    """The same in bare units; `stated` is the row's own value."""
    if result == _YES:
        return _DOLLAR
    if result == _NO:
        return 0
    if market is None or market.result != result or market.settlement_value is None:
        return stated
    return market.settlement_value.units


def row_payout(
    net: int, row: BareSettlement, value: int | None, *, step: int
) -> tuple[int, int, str]:
    """Payout, what was cut off it, and a remark, for a settlement row."""
    if value is None:
        return row.revenue, 0, "provisional: nobody gives the scalar value"
    gross = gross_units(net, value)
    payout = gross // step * step
    # The row shows whole cents; the balance of a direct member moves more finely.
    if payout // _CENT * _CENT != row.revenue:
        words = f"pays {Money(row.revenue)} where the books expect {Money(payout)}"
        return row.revenue, 0, words
    if row.result != _SCALAR:
        return payout, 0, ""
    words = f"scalar {Price(value)}: {Money(payout)} credited, the row shows {Money(row.revenue)}"
    return payout, gross - payout, words


def witnessed_payout(
    report: BareReport, row: BareSettlement, by_row: tuple[int, int, str], *, net: int
) -> tuple[int, int, str]:
    """Payout, cut and remark of a row once a report has confirmed or contradicted it.

    `by_row` is what the row alone would pay (`row_payout`).
    """
    payout, cut, remark = by_row
    if report.paid is None or not agrees(report, row.revenue, net=net):
        told = "does not say what was paid" if report.paid is None else f"says {Money(report.paid)}"
        part = "" if report.is_whole else " of which pages are missing"
        words = f"a settlement report{part} {told}"
        return payout, cut, f"{remark}; {words}" if remark else words
    words = "a settlement report confirms it"
    if report.paid != row.revenue:
        words = f"a settlement report says {Money(report.paid)}, the row shows cents"
    return report.paid, settlement_cut(report, net, reported_value(report)), words


def reported_payout(report: BareReport, net: int, *, step: int) -> tuple[int, int, str]:
    """Payout, cut and remark by a report alone.

    `step` is how finely the member's balance moves.  Raises `InvariantBroken` for a report
    that cannot pay (`witnesses.can_pay`).
    """
    value = reported_value(report)
    if report.paid is not None:
        return report.paid, settlement_cut(report, net, value), ""
    if value is None:
        raise InvariantBroken(f"settlement report {report.key} says neither payout nor value")
    gross = gross_units(net, value)
    payout = gross // step * step
    return payout, gross - payout, "it does not say what was paid"
