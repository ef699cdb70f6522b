"""Breaks as rows, with what they mean and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trueup.core.instant import Instant, format_age
from trueup.ledger.breaks import EXPLANATIONS, BreakKind, Severity
from trueup.ledger.reconcile import Closing, Verdict
from trueup.store.break_register import AgedBreak, BreakStatus
from trueup.web.values import shown
from trueup.web.values.rows import TableRow
from trueup.web.values.shown import Shown, Tone

SEVERITIES: Final[Mapping[Severity, Shown]] = {
    Severity.RED: Shown("✕ red", Tone.BAD),
    Severity.AMBER: Shown("▲ amber", Tone.LOOK),
    Severity.GREEN: Shown("✓ green", Tone.GOOD),
}
_TONES: Final = {Severity.RED: "bad", Severity.AMBER: "look", Severity.GREEN: ""}

UNSEEN: Final = (
    (
        "Interest and incentives: the exchange credits them without any record that a program can "
        "read. They show up as unattributed cash, and stay a break until somebody says what they were."
    ),
    (
        "Records that had left the exchange's listings before they were first fetched. The coverage "
        "below names every such gap."
    ),
    "What happens between two balance readings and cancels out exactly, with no fact about it.",
)
"""What the cash proof cannot see."""


def verdict_shown(verdict: Verdict) -> Shown:
    """The verdict by a shape, a word and a colour."""
    match verdict.closing:
        case Closing.CLOSES:
            return Shown("✓ The books close", Tone.GOOD)
        case Closing.AMBER:
            return Shown("▲ Look at it", Tone.LOOK)
        case Closing.RED:
            return Shown("✕ The books do not close", Tone.BAD)


def verdict_facts(verdict: Verdict) -> dict[str, Shown]:
    """What the verdict rests on."""
    return {
        "Verdict": verdict_shown(verdict),
        "Intervals proven": Shown(f"{verdict.proven + verdict.timing} of {verdict.intervals}"),
        "Red breaks": _count(verdict.red, Tone.BAD),
        "Amber breaks": _count(verdict.amber, Tone.LOOK),
        "Not explained": shown.dollars(verdict.unexplained_gross),
        "Waiting for a next reading": shown.number(verdict.open),
    }


def _count(count: int, tone: Tone) -> Shown:
    return Shown(str(count), tone if count else Tone.PLAIN)


def break_rows(
    breaks: Iterable[AgedBreak], *, now: Instant, words: str, picked: str
) -> list[TableRow]:
    """The breaks, worst first; `picked` is ``open``, ``decided``, or empty for all."""
    rank = {Severity.RED: 0, Severity.AMBER: 1, Severity.GREEN: 2}
    ordered = sorted(breaks, key=lambda each: (rank[each.found.severity], each.first_seen))
    rows = [break_row(each, now=now) for each in ordered if _is_picked(each, picked)]
    return [
        row
        for row in rows
        if not words or any(words in cell.text.lower() for cell in row.cells.values())
    ]


def _is_picked(aged: AgedBreak, picked: str) -> bool:
    needs = aged.status is BreakStatus.OPEN and aged.found.severity is not Severity.GREEN
    return not picked or (needs if picked == "open" else aged.status is not BreakStatus.OPEN)


def break_row(aged: AgedBreak, *, now: Instant) -> TableRow:
    """One break."""
    found = aged.found
    return TableRow(
        key=found.identity,
        tone=_TONES[found.severity] if aged.status is BreakStatus.OPEN else "",
        cells={
            "severity": SEVERITIES[found.severity],
            "kind": shown.words(kind_words(found.kind)),
            "ticker": shown.words(found.ticker),
            "amount": shown.money(found.amount, signed=True) if found.amount else shown.note(""),
            "age": Shown(
                format_age(now - aged.first_seen), title=shown.moment(aged.first_seen).title
            ),
            "status": status_shown(aged),
            "summary": shown.words(found.summary),
        },
    )


def kind_words(kind: BreakKind) -> str:
    """A kind in words."""
    return kind.value.replace("_", " ")


def status_shown(aged: AgedBreak) -> Shown:
    """What was decided, by whom, and why."""
    if aged.status is BreakStatus.OPEN:
        return Shown("open", Tone.LOOK)
    who = f" by {aged.decided_by}" if aged.decided_by else " by itself"
    return Shown(aged.status.value, Tone.MUTED, f"{aged.reason}{who}")


def explanation(aged: AgedBreak) -> Sequence[tuple[str, Sequence[str]]]:
    """What a person should know about a break: headings with their lines."""
    found = aged.found
    decided: list[str] = []
    if aged.status is not BreakStatus.OPEN:
        who = aged.decided_by or "itself"
        decided.append(f"{aged.status.value} by {who}: {aged.reason}")
    parts = (
        ("What it means", (EXPLANATIONS[found.kind],)),
        ("Evidence", found.evidence),
        ("What to do", (found.remedy,) if found.remedy else ()),
        ("Decided", tuple(decided)),
    )
    return [(title, lines) for title, lines in parts if lines]
