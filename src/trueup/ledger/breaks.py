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
    FEE_UNKNOWN = "fee_unknown"
    PRECISION = "precision"
    POSITION_DIFFERS = "position_differs"
    ORDER_DIFFERS = "order_differs"
    ONE_SIDED = "one_sided"
    INCOMPLETE_REPORT = "incomplete_report"
    UNKNOWN_PARTY = "unknown_party"
    FILL_AFTER_SETTLEMENT = "fill_after_settlement"
    PHANTOM_OPEN_TRADE = "phantom_open_trade"
    UNATTRIBUTED_CASH = "unattributed_cash"
    REVISED_SETTLEMENT = "revised_settlement"
    REVISED_FILL = "revised_fill"
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


def break_identity(kind: BreakKind, subaccount: Subaccount | None, *names: object) -> str:
    """The stable name of a break: its kind, its subaccount and what tells it from others."""
    owner = "all" if subaccount is None else str(subaccount)
    return ":".join((kind, owner, *(str(name) for name in names)))


EXPLANATIONS: Final[dict[BreakKind, str]] = {
    BreakKind.MISSING_FILL: (
        "The exchange shows traces of a trade (a position, an order's fill count, a settlement "
        "row, or a movement of the balance) for which the books hold no fill. Usual causes: the "
        "fill is older than the live listing and the historical listing was not fetched, or a "
        "fetch was cut off. Run `trueup backfill --full`; what has rolled off for good stays "
        "visible as a gap in the coverage certificate."
    ),
    BreakKind.MISSING_SETTLEMENT: (
        "A market in which the books hold a position has ended, but no payout is booked. Usual "
        "causes: the settlement row has not appeared yet, it has rolled off the exchange's "
        "listing, or the market is determined and its dispute period is still running. Run "
        "`trueup sync`; a finalized market's result serves where the row is gone."
    ),
    BreakKind.SIDE_UNKNOWN: (
        "A record does not say on which side the contracts were, and nothing else tells it. "
        "Guessing would invent a profit or a loss, so nothing is booked from it. Fetch the fills "
        "of this market; if they have rolled off, the side can only be entered by hand."
    ),
    BreakKind.PAYOUT_DIFFERS: (
        "The exchange paid another amount at settlement than net position × result. The books "
        "follow the exchange's cash, so the balance still closes, but the position must have been "
        "different from what the fills say, or the result was changed; where FIX and REST say "
        "different things, the row is booked and the likeliest cause is named. Look for missing fills in "
        "this market first, then compare the result with the market page, then ask the exchange's "
        "support (`trueup export audit` bundles the evidence)."
    ),
    BreakKind.FEE_DIFFERS: (
        "A fee is not what it should be: the fees of an order's fills differ from the order, "
        "position or settlement figure, or from the exchange's published fee rules. The books "
        "carry the fees of the fills. A difference from the published rules usually means a fee "
        "change or a waiver that is not known here: run `trueup sync`, then look at the series' "
        "fee terms."
    ),
    BreakKind.FEE_UNKNOWN: (
        "A fill came without a fee (the integer-cent form of before March 2026 has none), so it is "
        "booked as if it had cost nothing. Fetch it again: the present form of the same fill "
        "carries the fee and completes the book. Until then profit is overstated by the fee."
    ),
    BreakKind.PRECISION: (
        "Cash minus fee of a fill is finer than this member's balance can be. Either the account "
        "has another precision than configured (direct members have $0.0001, others $0.01), or "
        "the price, the count or the fee of the fill was read wrongly. Check `precision` in the "
        "config first."
    ),
    BreakKind.POSITION_DIFFERS: (
        "The exchange states another position, cost, realised profit or traded amount than the "
        "books. A different count means missing or duplicate fills, or a position that existed "
        "before the first known fill. An equal count with another cost is usually a difference in "
        "averaging. Run `trueup backfill --full` and reconcile again; if an early history is gone "
        "for good, only an opening balance can stand for it."
    ),
    BreakKind.ORDER_DIFFERS: (
        "An order says that it filled more or less than the fills that belong to it. More: fills "
        "are missing; less: the order's report is older than the fills and a new one will correct "
        "it. Run `trueup sync`; orders are never a source of money here, so the books stand on the "
        "fills."
    ),
    BreakKind.ONE_SIDED: (
        "Only one of the exchange's channels has told something that the other should have told "
        "too: FIX a settlement or a fill without a row of REST, or REST one that FIX did not tell "
        "although it was listened to. It is booked once, from the side that told it. In its first "
        "hour this is `timing`. Usual causes: a missed execution report, a page of a settlement "
        "report that was lost, a party that is mapped to the wrong subaccount. Run `trueup sync`, "
        "then look at `trueup fix report`."
    ),
    BreakKind.INCOMPLETE_REPORT: (
        "A settlement report of FIX came only in part: pages are missing, the last one was never "
        "seen, or pages contradict each other. The exchange sends again what was missed for up to "
        "72 hours while `trueup fix listen` runs; afterwards only REST has it. The books follow "
        "the row, or the result of the finalized market. The pages that came pay nothing alone: "
        "another party of the same subaccount may be on a missing one."
    ),
    BreakKind.UNKNOWN_PARTY: (
        "Settlement reports name a party that belongs to no subaccount in `fix_parties`, so what "
        'they say of it is kept and not booked. Name the party in `config.toml`; `"*" = 0` takes '
        "every party that is not named otherwise. The next command books what is already here."
    ),
    BreakKind.FILL_AFTER_SETTLEMENT: (
        "A fill carries a time after its market had paid out. Cash was booked as the exchange "
        "reports it, but a position is now open in a market that is over. Usual causes: the "
        "settlement's time was corrected, or a wrong time on the fill. Fetch market and settlement "
        "again; if both stand, ask the exchange's support."
    ),
    BreakKind.PHANTOM_OPEN_TRADE: (
        "A bot's own table calls a trade open although the exchange settled or closed it. This is "
        "what a missed settlement cycle leaves behind. `trueup settlements backfill --db …` shows "
        "the patch, and `--write` applies it."
    ),
    BreakKind.UNATTRIBUTED_CASH: (
        "The balance moved by an amount that no known fact explains. If cash came in, it may be an "
        "incentive, a fee reimbursement or interest, which the exchange lists nowhere; if cash "
        "went out, a fact is missing. The interval between two readings and everything known in it "
        "is listed. Acknowledge it with a reason once you know what it was; it is never absorbed."
    ),
    BreakKind.REVISED_SETTLEMENT: (
        "The exchange changed a settlement after it had shown it. Both versions are kept; the old "
        "one is taken back and the new one booked at the time when the change was seen. Check that "
        "the balance moved by the difference (`trueup proof`), then close the break."
    ),
    BreakKind.REVISED_FILL: (
        "The exchange told a fill in another way than before: another count, price, side or fee. "
        "Both versions are kept; what rested on the old one is taken back and booked again at the "
        "time when the change was seen. Check that the balance moved by the difference "
        "(`trueup proof`), then close the break."
    ),
    BreakKind.COVERAGE_GAP: (
        "Part of the history was never fetched, or had rolled off before it was fetched, so "
        "nothing can be said about it. Run `trueup backfill --full`. What the exchange no longer "
        "has cannot be recovered: give an opening balance for the time after the gap, or accept "
        "that the proof begins there."
    ),
    BreakKind.QUARANTINED: (
        "A record from the exchange could not be read in full: an unknown word, a number finer "
        "than its unit, or a field that is missing. It is kept as it came and not booked. Update "
        "trueup, then run `trueup db rebuild`; if it persists, report the record."
    ),
    BreakKind.TIMING: (
        "A balance reading and a movement of cash crossed within a minute: the reading did not yet "
        "show it, or showed it early. The next reading agrees again, so nothing is missing. Until "
        "that next reading is there the interval is open; run `trueup sync` once more. What only "
        "FIX or only REST has told so far is timing too, for an hour: one is behind the other."
    ),
}
"""For each kind: what it means, the usual causes, what to do."""
