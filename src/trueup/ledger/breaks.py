"""Breaks: every way in which books and exchange can disagree, as values.

Each kind has a paragraph that says what it means and what to do; the command
line, the documentation and the dashboard all read it from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Money


class BreakKind(StrEnum):
    """The kinds of break, from "we miss something" to "wait a minute"."""

    MISSING_FILL = "missing_fill"
    MISSING_SETTLEMENT = "missing_settlement"
    SIDE_UNKNOWN = "side_unknown"
    PAYOUT_DIFFERS = "payout_differs"
    FEE_DIFFERS = "fee_differs"
    POSITION_DIFFERS = "position_differs"
    ORDER_DIFFERS = "order_differs"
    PHANTOM_OPEN_TRADE = "phantom_open_trade"
    UNATTRIBUTED_CASH = "unattributed_cash"
    REVISED_SETTLEMENT = "revised_settlement"
    COVERAGE_GAP = "coverage_gap"
    QUARANTINED = "quarantined"
    TIMING = "timing"


class Severity(StrEnum):
    """RED: the books do not close.  AMBER: look at it.  GREEN: closes by itself."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One disagreement, with its evidence.

    `identity` is stable from run to run, so a break keeps its age, notes and
    acknowledgement.  `amount` is what the exchange has more than the books
    (negative: less); zero where the difference is not money.  `evidence` lists
    the facts that matter, most telling first, in words.
    """

    identity: str
    kind: BreakKind
    severity: Severity
    subaccount: Subaccount | None
    shard: Shard | None
    ticker: Ticker | None
    amount: Money
    occurred_at: Instant
    summary: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""


EXPLANATIONS: Final[dict[BreakKind, str]] = {}
"""For each kind: what it means, the usual causes, what to do."""
