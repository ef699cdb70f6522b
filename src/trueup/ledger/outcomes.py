"""What a market paid, by its own word, and what becomes of a corrected word.

Where no settlement row is known, a finalized market's result serves.  A result
that is final may still be corrected: then the first one stays booked at its own
time, and the correction is booked when it became known, as with a revised row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from trueup.core.market import is_settled
from trueup.core.observations import Recorded
from trueup.core.payoff import gross_payout, yes_value
from trueup.core.statements import MarketStated
from trueup.core.units import Price
from trueup.ledger.breaks import Break, BreakKind, Severity, break_identity
from trueup.ledger.entries import MarketBook
from trueup.ledger.revisions import OutcomeRevision


def final_value(market: MarketStated | None) -> Price | None:
    """What one YES contract of a finalized market paid; `None` while not final or unknown."""
    if market is None or market.result is None or not is_settled(market.status):
        return None
    return yes_value(market.result, market.settlement_value)


def find_outcomes(told: Iterable[Recorded]) -> list[OutcomeRevision]:
    """The final outcomes of a market in the order in which they became known.

    Only those that say what was paid and when.  The same outcome with another
    time is no other outcome: the first time stands.
    """
    outcomes: list[OutcomeRevision] = []
    for recorded in sorted(told, key=lambda each: (each.observed_at, each.version)):
        market = recorded.value
        if not isinstance(market, MarketStated) or market.settled_at is None:
            continue
        value = final_value(market)
        if value is None:
            continue
        known_at = max(market.settled_at, recorded.observed_at)
        if not outcomes:
            outcomes.append(OutcomeRevision(known_at, market))
            continue
        first, newest = outcomes[0].market, outcomes[-1]
        if final_value(newest.market) != value or newest.market.result != market.result:
            known_at = max(known_at, newest.known_at)
            same_time = replace(market, settled_at=first.settled_at)
            outcomes.append(OutcomeRevision(known_at, same_time))
    return outcomes


def outcome_breaks(outcomes: Sequence[OutcomeRevision], book: MarketBook) -> tuple[Break, ...]:
    """One break for each correction of an outcome that moved money of this book."""
    net = book.net_at_settlement
    breaks: list[Break] = []
    for number in range(1, len(outcomes) if net else 0):
        old, new = outcomes[number - 1].market, outcomes[number].market
        before, after = final_value(old), final_value(new)
        if before is None or after is None or before == after:
            continue
        kind = BreakKind.REVISED_SETTLEMENT
        breaks.append(
            Break(
                identity=break_identity(kind, book.subaccount, book.ticker, "outcome", number),
                kind=kind,
                severity=Severity.AMBER,
                subaccount=book.subaccount,
                shard=book.shard,
                ticker=book.ticker,
                amount=gross_payout(net, after) - gross_payout(net, before),
                occurred_at=outcomes[number].known_at,
                summary="the exchange changed the final result of the market",
                evidence=(
                    f"before: {old.result}, {before} per YES contract",
                    f"now: {new.result}, {after} per YES contract",
                ),
            )
        )
    return tuple(breaks)
