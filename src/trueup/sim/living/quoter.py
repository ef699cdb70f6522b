"""Who answers requests for quotes: one maker that quotes everybody, with a last look.

It quotes both sides around the odds, some rungs wide, a moment after it heard of an RFQ,
and confirms what is accepted unless the odds have moved through its bid meanwhile; then it
lets the quote lapse, as a careful maker does.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from trueup.core.ids import PRIMARY, ClientOrderId, OrderId
from trueup.core.instant import SECOND
from trueup.core.orders import Side
from trueup.core.units import ONE_DOLLAR, Price
from trueup.sim import commands as c
from trueup.sim.chance import Chance, between, identifier
from trueup.sim.living.traders import View, rungs
from trueup.sim.rfq import QuoteStatus, Rfq, RfqQuote

QUOTER: Final = c.Member("quoter")

_NONE: Final = Price(0)


@dataclass(frozen=True, slots=True)
class Quoter:
    """Quotes `half_spread` rungs away from the odds on each side."""

    member: c.Member = QUOTER
    half_spread: int = 2

    def pause(self, chance: Chance) -> int:
        """How long it thinks, in microseconds."""
        return between(chance, SECOND, 3 * SECOND)

    def quote(self, view: View, rfq: Rfq, chance: Chance) -> c.CreateQuote:
        """Its quote; a side whose bid would lie off the grid is declined."""
        ladder = rungs(view.grid)
        middle = bisect_left(ladder, view.odds)
        below, above = middle - self.half_spread, middle + self.half_spread
        return c.CreateQuote(
            at=view.at,
            member=self.member,
            subaccount=PRIMARY,
            quote_id=identifier(chance),
            rfq_id=rfq.rfq_id,
            yes_bid=Price(ladder[below]) if below >= 0 else _NONE,
            no_bid=Price(ladder[above]).complement() if above < len(ladder) else _NONE,
        )

    def confirm(self, view: View, quote: RfqQuote, chance: Chance) -> c.ConfirmQuote | None:
        """Its confirmation; `None` where its bid is worth less than it pays by now."""
        side = quote.accepted_side
        if side is None or quote.status is not QuoteStatus.ACCEPTED:
            return None
        worth = view.odds if side is Side.YES else ONE_DOLLAR.units - view.odds
        if quote.bid(side).units > worth:
            return None
        return c.ConfirmQuote(
            at=view.at,
            member=self.member,
            quote_id=quote.quote_id,
            order_id=OrderId(identifier(chance)),
            client_order_id=ClientOrderId(identifier(chance)),
        )
