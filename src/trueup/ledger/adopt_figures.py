"""The figures that an adoption compares: what a market's record gives, what a row says.

`settled_price` is in cents per YES contract, `profit_loss` in dollars after fees.
"""

from __future__ import annotations

from typing import Final

from trueup.core.facts import Settled
from trueup.core.market import MarketResult
from trueup.core.orders import Side
from trueup.core.payoff import gross_payout
from trueup.core.units import ONE_DOLLAR, ZERO_MONEY, Money, Price, Ratio
from trueup.ledger.allocation import by_orders
from trueup.ledger.foreign import Column, ForeignTrade, TickerEvidence, ratio_text

_HALF_A_CENT: Final = Ratio(1, 200)
_HALF_A_CENTICENT: Final = Ratio(1, 200)
"""For settled prices, which are in cents: half of $0.0001."""

_FEE_MAX: Final = Ratio(2, 100)
"""More than any published fee per contract, in dollars."""


def whole_result(known: TickerEvidence) -> Money:
    """The result of everything the account ever did in a market that has ended.

    From the books, or by the settlement row's formula, which holds for the sums
    of the fills just as well.
    """
    if known.fills_complete and known.payout is not None:
        return sum((book.realized - book.fees for book in known.books), ZERO_MONEY)
    value = known.value
    assert value is not None  # noqa: S101 - only asked for markets that have ended
    row = known.row
    if known.fills_complete or row is None:
        orders = by_orders(known.fills)
        paid = sum(own_value(order.side, value).units * order.count for order in orders)
        return Money(paid - sum(order.cost + order.fees for order in orders))
    paid = value * row.yes_count + value.complement() * row.no_count
    cut = gross_payout(row.yes_count - row.no_count, value) - row_payout(row, value)
    return paid - cut - row.yes_cost - row.no_cost - row.trade_fees


def whole_fees(known: TickerEvidence) -> Money:
    """The trading fees in `whole_result`."""
    if not known.fills_complete and known.row is not None:
        return known.row.trade_fees
    return sum((each.fee for each in known.fills if each.fee is not None), ZERO_MONEY)


def row_payout(row: Settled, value: Price) -> Money:
    """What a row paid: its revenue, but a scalar payout is finer than the row can show."""
    expected = gross_payout(row.yes_count - row.no_count, value)
    if row.result is MarketResult.SCALAR and expected.floor_to(Money.of_cents(1)) == row.revenue:
        return expected
    return row.revenue


def own_value(side: Side, value: Price) -> Price:
    """What one contract of `side` pays where a YES contract pays `value`."""
    return value if side is Side.YES else value.complement()


def own_gross(row: ForeignTrade, value: Price | None, *, closed: bool) -> Ratio | None:
    """The row's profit before fees by its own figures; `None` if it lacks one of them."""
    if row.quantity is None or row.entry_price is None:
        return None
    if closed:
        return None if row.exit_price is None else row.quantity * (row.exit_price - row.entry_price)
    if row.side is None or value is None:
        return None
    end = Ratio(own_value(row.side, value).units, ONE_DOLLAR.units)
    return row.quantity * (end - row.entry_price)


def same_price(row: ForeignTrade, value: Price) -> bool:
    """Whether the row names this settled price; one that cannot name any does not name another."""
    if not row.names_price:
        return True
    cents = Ratio(value.units, 100)
    return row.settled_price is not None and abs(row.settled_price - cents) < _HALF_A_CENTICENT


def same_profit(row: ForeignTrade, profit: Money) -> bool:
    """Whether the row names this profit, to the cent."""
    dollars = Ratio(profit.units, 1_000_000)
    return row.profit_loss is not None and abs(row.profit_loss - dollars) < _HALF_A_CENT


def is_plausible(row: ForeignTrade, profit: Money) -> bool:
    """Whether the row's profit is its own figures' one, less fees where it names none."""
    if same_profit(row, profit):
        return True
    if row.fees is not None or row.profit_loss is None or row.quantity is None:
        return False
    fees = Ratio(profit.units, 1_000_000) - row.profit_loss
    return 0 <= fees <= row.quantity * _FEE_MAX + Ratio(1, 100)


def told_text(row: ForeignTrade, column: Column, value: Ratio | None) -> str | None:
    """What stands in a column now, as text."""
    return row.unreadable.get(column) if value is None else ratio_text(value)


def in_money(dollars: Ratio) -> Money:
    """Dollars as money, rounded half to even."""
    return Money(round(dollars * 1_000_000))
