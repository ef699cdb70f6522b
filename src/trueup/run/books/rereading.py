"""Reading again what could not be read before.

A record that an older version could not read is kept raw in quarantine.  Once
this version can, it goes into the journal on the road of all others, and its
break closes.  Asked before every sync and after `trueup db rebuild` and
`trueup db upgrade`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trueup.core.facts import Source, Stream
from trueup.core.ids import PRIMARY
from trueup.core.observations import Observation, Quarantined
from trueup.run.books.recorded_rows import (
    JOURNAL_FILES,
    JournalFile,
    Remarks,
    Told,
    read_recorded_market,
    read_remarks,
)
from trueup.run.books.sync import UNATTRIBUTED
from trueup.store.database import Books
from trueup.store.proof_reading import pots
from trueup.store.records import Rule, kind_of
from trueup.wire.rest.reading import UNREADABLE

_UNNAMED: Final = frozenset({Stream.SETTLEMENTS, Stream.POSITIONS})
"""Streams whose rows do not name their subaccount."""

_AT_ONCE: Final = 1000


def reread_quarantined(books: Books) -> int:
    """Put what can be read now into the journal; returns how many records that were.

    A record that the exchange has told again meanwhile, so that it could be read,
    only leaves the quarantine.  The caller holds the writer lease, and books afterwards.
    """
    kept = books.quarantined()
    count = _reread(books, [each for each in kept if not _is_anybodys(each)])
    if all(subaccount == PRIMARY for subaccount, _ in pots(books.driver)):
        count += _reread(books, [each for each in kept if _is_anybodys(each)])
    return count + reread_kept_of_fix(books)


def reread_kept_of_fix(books: Books) -> int:
    """The same for messages of FIX alone, which REST may have explained meanwhile."""
    if not any(each.source is Source.FIX for each in books.quarantined()):
        return 0
    # Imported here: the dictionary takes time to load, and few need it.
    from trueup.run.books.fix_rereading import reread_fix  # noqa: PLC0415

    return reread_fix(books)


def _reread(books: Books, kept: Sequence[Quarantined]) -> int:
    read = ((record, read_again(record)) for record in kept)
    readable = [(record, told) for record, told in read if told is not None]
    for start in range(0, len(readable), _AT_ONCE):
        _journal(books, readable[start : start + _AT_ONCE])
    return len(readable)


def read_again(record: Quarantined) -> Told | None:
    """What a record says; `None` while it still cannot be read."""
    if record.reason == UNATTRIBUTED:
        return None
    try:
        remarks = _remarks(record)
    except UNREADABLE:
        return None
    if record.stream is Stream.MARKETS:
        return _read(_MARKET, record.raw, remarks)
    files = {file.read: file for file in JOURNAL_FILES.values() if file.stream is record.stream}
    found = (_read(file, record.raw, remarks) for file in files.values())
    return next((told for told in found if told is not None), None)


def _market(raw: bytes, remarks: Remarks) -> Told:
    return Told(values=(read_recorded_market(raw).stated,), seen_at=remarks.observed_at)


_MARKET: Final = JournalFile(Stream.MARKETS, _market, frozenset())


def _read(file: JournalFile, raw: bytes, remarks: Remarks) -> Told | None:
    try:
        return file.read(raw, remarks)
    except UNREADABLE:
        return None


def _remarks(record: Quarantined) -> Remarks:
    """What is known about a record beside its own words."""
    if record.source is Source.RECORDING:
        return read_remarks(record.raw)
    return Remarks(observed_at=None, subaccount=record.subaccount or PRIMARY, shard=None)


def _is_anybodys(record: Quarantined) -> bool:
    """Whether nothing tells whose it is, if there is more than one subaccount."""
    named = record.source is Source.RECORDING or record.stream not in _UNNAMED
    return record.subaccount is None and not named


def _journal(books: Books, readable: Sequence[tuple[Quarantined, Told]]) -> None:
    for stream in dict.fromkeys(record.stream for record, _ in readable):
        observations = [
            Observation(value, record.source, told.seen_at or record.observed_at, record.raw)
            for record, told in readable
            if record.stream is stream
            for value in told.values
        ]
        news = [each for each in observations if not _is_told_since(books, stream, each)]
        # Journalled first: stopped in between, the record is read again and changes nothing.
        books.append(news, stream=stream)
    books.forget_quarantined(record for record, _ in readable)


def _is_told_since(books: Books, stream: Stream, observation: Observation) -> bool:
    """Whether the record was told again, readable, after it was seen."""
    kind = kind_of(stream)
    if kind.rule not in {Rule.FACT, Rule.STATE}:
        return False
    versions = books.evidence(stream, kind.key_of(kind.row_of(observation.value)))
    return any(each.recorded.observed_at > observation.observed_at for each in versions)
