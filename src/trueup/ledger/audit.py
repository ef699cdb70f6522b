"""An audit bundle: everything that supports a figure, as files that somebody else can read.

The contents are values; whoever calls writes them (as a folder or an archive).
Nothing in them is secret: keys never enter the books.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from trueup.core.instant import Instant, format_instant
from trueup.ledger import tables
from trueup.ledger.breaks import EXPLANATIONS, Break
from trueup.ledger.coverage import Certificate
from trueup.ledger.entries import Entry, MarketBook
from trueup.ledger.proof import Interval
from trueup.ledger.reconcile import Verdict


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload as the exchange sent it.  `name` says which record it was."""

    name: str
    observed_at: Instant
    raw: bytes


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of the bundle: its name, and its lines without line ends."""

    name: str
    lines: Iterable[str]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file of the bundle that is a table, to be written as CSV."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditInputs:
    """What goes into a bundle.  `title` names venue and account; iterables are read once."""

    title: str
    at: Instant
    verdict: Verdict
    breaks: tuple[Break, ...]
    intervals: Iterable[Interval]
    entries: Iterable[Entry]
    books: Callable[[], Iterable[MarketBook]]
    certificate: Certificate | None
    payloads: Iterable[Payload]


def audit_files(inputs: AuditInputs) -> tuple[TextFile | TableFile, ...]:
    """The files of the bundle, the one to read first at the front."""
    trips = (trip for book in inputs.books() for trip in book.round_trips)
    return (
        TextFile("README.txt", _read_me(inputs)),
        TableFile("breaks.csv", tables.BREAK_COLUMNS, tables.break_rows(inputs.breaks)),
        TableFile("proof.csv", tables.INTERVAL_COLUMNS, tables.interval_rows(inputs.intervals)),
        TableFile("positions.csv", tables.POSITION_COLUMNS, tables.position_rows(inputs.books())),
        TableFile("trades.csv", tables.TRIP_COLUMNS, tables.trip_rows(trips)),
        TableFile("entries.csv", tables.ENTRY_COLUMNS, tables.entry_rows(inputs.entries)),
        TextFile("payloads.jsonl", _payloads(inputs.payloads)),
    )


def _read_me(inputs: AuditInputs) -> Iterator[str]:
    yield inputs.title
    yield f"as of {format_instant(inputs.at)}"
    yield ""
    yield inputs.verdict.words()
    yield ""
    if inputs.certificate is not None:
        yield "Coverage:"
        yield from (f"  {words}" for words in inputs.certificate.words())
        yield ""
    for kind in sorted({each.kind for each in inputs.breaks}):
        yield f"{kind}: {EXPLANATIONS[kind]}"
        yield ""
    yield "breaks.csv     every disagreement, with its evidence"
    yield "proof.csv      every interval between two balance readings"
    yield "positions.csv  every market with its position, realised profit and fees"
    yield "trades.csv     every round trip"
    yield "entries.csv    every posting of the ledger"
    yield "payloads.jsonl what the exchange sent, as it came"


def _payloads(payloads: Iterable[Payload]) -> Iterator[str]:
    for each in payloads:
        yield json.dumps(
            {
                "record": each.name,
                "observed_at": format_instant(each.observed_at),
                "payload": each.raw.decode("utf-8", errors="replace"),
            },
            ensure_ascii=False,
        )
