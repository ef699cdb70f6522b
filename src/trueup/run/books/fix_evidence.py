"""What FIX has told, gathered for the reconciliation and the coverage certificate."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.core.facts import Stream
from trueup.core.instant import SECOND, Instant
from trueup.ledger.coverage import Coverage, Span
from trueup.ledger.report_check import FixEvidence
from trueup.run.views import number_of
from trueup.store.database import Books
from trueup.store.progress import as_coverage


def fix_evidence(books: Books, coverage: Coverage | None = None) -> FixEvidence | None:
    """Everything that FIX told; `None` where it was never listened to.

    `coverage` is what REST has proven complete.
    """
    heard, heard_fills = books.heard(Stream.SETTLEMENT_REPORTS), books.heard(Stream.FILLS)
    if not heard and not books.report_counts().pages:
        return None
    return FixEvidence(
        reports=books.reports(),
        pages=books.report_pages(),
        strangers=books.strangers(),
        heard=heard,
        heard_fills=heard_fills,
        coverage=as_coverage(books.coverage()) if coverage is None else coverage,
        fills_of=books.fills_of,
        only_by_fix=lambda: books.fills_of_one_side(told_by_fix=True),
        never_by_fix=lambda: books.fills_of_one_side(told_by_fix=False) if heard_fills else (),
    )


def fix_certificate(books: Books) -> tuple[str, ...]:
    """How settlement reports came: by FIX, by being sent again, by REST only, or not whole."""
    heard, counts = books.heard(Stream.SETTLEMENT_REPORTS), books.report_counts()
    if not heard and not counts.pages:
        return ()
    told = {report.subject for report in books.reports()}
    only_by_rest = sum(1 for row in books.settlements() if (row.subaccount, row.ticker) not in told)
    open_ = sum(1 for each in books.report_pages() if not each.is_complete)
    spans = _words(heard) or "no time"
    came = (
        f"{number_of(counts.pages - counts.resent, 'page')} as sent, {counts.resent} when sent "
        f"again; {number_of(only_by_rest, 'settlement')} by REST only; "
        f"{number_of(open_, 'report')} not whole"
    )
    lines = [f"settlement reports by FIX: {words}" for words in (f"listened to {spans}", came)]
    executions = books.heard(Stream.FILLS)
    if executions:
        lines.append(f"executions by FIX: listened to {_words(executions)}")
    return tuple(lines)


def _words(spans: Iterable[Span]) -> str:
    """Spans to the second, for a person."""
    return ", ".join(
        Span(Instant(span.since - span.since % SECOND), span.until).words() for span in spans
    )
