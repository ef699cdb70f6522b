"""A bot's own table against the exchange's record: what a repair would change, row by row."""

from __future__ import annotations

from typing import Final

from trueup.ledger.foreign import Outcome
from trueup.run.books.patching import SettlementBackfill
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

_OUTCOMES: Final = {
    Outcome.PATCH: Shown("▲ patch", Tone.LOOK),
    Outcome.MATCHED: Shown("✓ agrees", Tone.GOOD),
    Outcome.SKIPPED: Shown("◌ skipped", Tone.MUTED),
    Outcome.NOT_VERIFIABLE: Shown("? not verifiable", Tone.LOOK),
}


def repair_words(found: SettlementBackfill) -> str:
    """What was found, or done, in one line."""
    counts = found.report.counts()
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    if found.patched is not None:
        return (
            f"Patched {found.patched.rows} rows of {found.place} in one transaction. "
            f"Undo file: {found.patched.undo_file}"
        )
    return f"{found.place}, table {found.table.name}: {said or 'no rows'}. Nothing was written."


def repair_rows(found: SettlementBackfill) -> list[TableRow]:
    """The rows that need attention, patches first."""
    lines = [each for each in found.report.lines if each.outcome is not Outcome.MATCHED]
    lines.sort(key=lambda each: each.outcome is not Outcome.PATCH)
    return [
        TableRow(
            key=str(line.trade.row_id),
            cells={
                "row": Shown(str(line.trade.row_id)),
                "outcome": _OUTCOMES[line.outcome],
                "ticker": Shown(str(line.trade.ticker)),
                "before": shown.words(
                    ", ".join(
                        f"{c.column} {'NULL' if c.old is None else c.old}" for c in line.changes
                    ),
                    tone=Tone.LOSS,
                ),
                "after": shown.words(
                    ", ".join(f"{c.column} {c.new}" for c in line.changes), tone=Tone.GAIN
                ),
                "why": shown.words("; ".join((line.why, *line.caveats))),
            },
        )
        for line in lines
    ]
