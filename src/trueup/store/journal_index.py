"""Where each record's versions are in the journal: an index that is written in bulk.

A record is known by its *identity*, 64 bits made from its stream and key.
Identities are random, so a plain index would rewrite most of its pages for
every page of facts, and cost more than the facts.  Instead the newest part of
the journal, the *tail*, is not indexed: it is kept in memory, and read again by
whoever needs it.  When the tail has grown long it is added to the table
`journal_index` in one go, sorted, in the transaction of the page at hand.
`meta.indexed_to` says where the tail begins.

Nothing rests on the memory alone: it is checked against the journal's last
sequence in every transaction, and forgotten whenever one fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from trueup.core.facts import Source, Stream
from trueup.core.observations import Recorded
from trueup.store import sql
from trueup.store.driver import Reading, Transaction
from trueup.store.records import KINDS, identity_of

TAIL_MAX: Final = 20_000
"""How long the unindexed tail may grow: reading it takes some ten milliseconds."""


@dataclass(slots=True)
class Tail:
    """The part of the journal after `base` up to `end`, by identity."""

    base: int = -1
    end: int = -1
    sequences: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    def forget(self) -> None:
        """Have everything read again."""
        self.base = self.end = -1
        self.sequences = {}

    def refresh(self, transaction: Transaction) -> int:
        """Catch up with the journal; returns its last sequence."""
        base = indexed_to(transaction)
        last: int = transaction.rows(sql.LAST_SEQUENCE)[0][0]
        if base != self.base or last < self.end:
            self.base = self.end = base
            self.sequences = {}
        if last > self.end:
            self.add(transaction.rows(sql.TAIL, (self.end,)))
            self.end = last
        return last

    def add(self, rows: Iterable[tuple[int, int]]) -> None:
        """Note (sequence, identity) of rows at the end of the journal."""
        for sequence, identity in rows:
            self.sequences.setdefault(identity, []).append(sequence)
            self.end = sequence

    def find(self, transaction: Transaction, identities: Collection[int]) -> list[int]:
        """The sequences of all versions of these records; call `refresh` first."""
        indexed = transaction.rows(sql.INDEXED, (transaction.among(identities),))
        found = [row[0] for row in indexed]
        tail = self.sequences
        for identity in identities:
            if identity in tail:
                found.extend(tail[identity])
        return found

    def store(self, transaction: Transaction) -> None:
        """Add the tail to the index, once it is long enough."""
        if self.end - self.base < TAIL_MAX:
            return
        rows = transaction.rows(sql.TAIL_VERSIONS, (self.base,))
        transaction.insert("journal_index", ("identity", "version", "sequence"), rows)
        transaction.execute(sql.META_SET, (str(self.end), "indexed_to"))
        self.base = self.end
        self.sequences = {}


def indexed_to(reading: Reading) -> int:
    """The last sequence that the index knows."""
    return int(reading.rows(sql.INDEXED_TO)[0][0])


def find_sequences(reading: Reading, identities: Collection[int]) -> list[int]:
    """The sequences of all versions of some records, for readers."""
    among = reading.among(identities)
    found = [row[0] for row in reading.rows(sql.INDEXED, (among,))]
    tail = reading.rows(sql.TAIL_OF, (indexed_to(reading), among))
    return [*found, *(row[0] for row in tail)]


def versions_of(reading: Reading, stream: Stream, keys: Iterable[str]) -> list[Recorded]:
    """All versions of some records of one stream, by key and version."""
    kind = KINDS[stream]
    sequences = find_sequences(reading, [identity_of(stream, key) for key in keys])
    return [
        Recorded(
            sequence,
            key,
            version,
            kind.value_from_body(body),
            Source(source),
            observed_at,
            stream,
        )
        for _, sequence, key, version, source, observed_at, body in reading.rows(
            sql.VERSIONS, (reading.among(sequences),)
        )
    ]
