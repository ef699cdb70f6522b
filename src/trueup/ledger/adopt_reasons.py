"""How did a wrong profit come about?  Told only where one explanation gives it exactly.

A bot's profit that is another one than the exchange's record gives is held against
the usual mistakes, each worked out from the record: fees left out, the other side
booked, a sale not counted, a wrong settled price, and the first of these in any of
the others.  A single mistake goes before two.  Where none gives the row's figure to
the cent, or more than one does, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.orders import Side
from trueup.core.units import Money, Price, Ratio
from trueup.ledger.adopt_figures import own_value, same_price, same_profit
from trueup.ledger.allocation import Share
from trueup.ledger.foreign import ForeignTrade


def explain_profit(
    row: ForeignTrade, profit: Money, *, fees: Money, share: Share | None, value: Price | None
) -> str:
    """What is wrong with the row's profit, or ``""``.

    `profit` is the right one, net of `fees`.  `share` is what the record gives the
    row, `None` where it has no side or quantity; `value` is what one YES contract
    paid, `None` for contracts that were sold before the market ended.
    """
    if row.profit_loss is None or same_profit(row, profit):
        return ""
    mistakes = [("", profit, fees)]
    if share is not None and row.side is not None and value is not None:
        mistakes.extend(_mistakes(row, share, row.side, value=value))
    simple = {words for words, figure, _ in mistakes if words and same_profit(row, figure)}
    if fees and same_profit(row, profit + fees):
        simple.add(_without(fees))
    if not simple:
        simple = {
            f"{words}, and {_without(left_out)}"
            for words, figure, left_out in mistakes
            if words and left_out and same_profit(row, figure + left_out)
        }
    return simple.pop() if len(simple) == 1 else ""


def _without(fees: Money) -> str:
    return f"fees of {fees} were not taken off"


def _mistakes(
    row: ForeignTrade, share: Share, side: Side, *, value: Price
) -> Iterator[tuple[str, Money, Money]]:
    """Each mistake in words, the profit that it gives, and the fees that are off in it."""
    entry_fees = Money(share.fees - share.exit_fees)
    entered = Money(share.cost) + entry_fees
    other = side.opposite()
    if share.held:
        as_other = Money(own_value(other, value).units * share.entered) - entered
        yield f"booked as if {other.upper()} were held", as_other, entry_fees
    if share.sold:
        as_held = Money(own_value(side, value).units * share.entered) - entered
        yield "a sale before settlement was not counted", as_held, entry_fees
    if share.held and row.settled_price is not None and not same_price(row, value):
        price = Ratio(round(row.settled_price * 100))
        own = price if side is Side.YES else Ratio(10_000) - price
        paid = own * share.held + share.proceeds - share.cost - share.fees
        yield "booked by the wrong settled price", Money(round(paid)), Money(share.fees)
