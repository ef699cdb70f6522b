"""A bot's rows against the record of one market, for the tests of the adoption."""

from __future__ import annotations

from functools import partial

from trade_script import TICKER, book, facts

from trueup.core.facts import Filled, Settled
from trueup.core.statements import MarketStated
from trueup.ledger.adopt import adopt
from trueup.ledger.foreign import AdoptionLine, ForeignTrade, Outcome, Reason, TickerEvidence

row = partial(ForeignTrade, row_id="1", ticker=TICKER, status="open")


def known(
    script: str = "",
    *,
    stated: MarketStated | None = None,
    covered: bool = True,
    with_fills: bool = True,
) -> TickerEvidence:
    recorded = facts(script)
    rows = [each.value for each in recorded if isinstance(each.value, Settled)]
    return TickerEvidence(
        ticker=TICKER,
        books=(book(recorded, market=stated),) if with_fills and recorded else (),
        fills=tuple(each.value for each in recorded if isinstance(each.value, Filled))
        if with_fills
        else (),
        row=rows[0] if rows else None,
        market=stated,
        covered=covered,
    )


def adopted(*rows: ForeignTrade, evidence: TickerEvidence) -> tuple[AdoptionLine, ...]:
    return adopt(rows, {TICKER: [evidence]}).lines


def outcome(line: AdoptionLine) -> tuple[Outcome, Reason]:
    return line.outcome, line.reason


WON = known("12:00 buy yes 10 @ .60 fee .17\n13:00 row yes revenue 10 yes 10 yes_cost 6 fees .17")
