"""Making all projections again from the journal, in one transaction.

Until it commits, readers see the old ones; a crash in the middle changes
nothing.  (On PostgreSQL readers wait for the end.)  All markets are to be
booked again afterwards: that is the ledger's work.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from trueup.core.facts import Stream
from trueup.store import sql
from trueup.store.building import remake
from trueup.store.driver import AnyRow, Transaction
from trueup.store.records import KINDS, Version
from trueup.store.session import Session
from trueup.store.statement import Statement
from trueup.store.typed import project
from trueup.store.version import PROJECTION_VERSION

_CHUNK: Final = 2000


def rebuild(session: Session) -> int:
    """Drop all projections and make them again; returns how many versions were read."""
    session.numbers.clear()
    session.handed_out.clear()
    with session.writing() as transaction:
        for text in remake(session.driver.dialect):
            transaction.execute(Statement(text))
        session.tail.forget()
        session.tail.refresh(transaction)
        count, after = 0, 0
        while rows := transaction.rows(sql.REPLAY, (after, _CHUNK)):
            _replay(session, transaction, rows)
            count, after = count + len(rows), rows[-1][0]
        transaction.execute(sql.META_SET, (str(PROJECTION_VERSION), "projection_version"))
    return count


def _replay(session: Session, transaction: Transaction, rows: list[AnyRow]) -> None:
    """Project journal rows in their order, a run of one stream at a time."""
    earlier = _earlier(session, transaction, (row[2] for row in rows if row[3] > 1))
    for name, group in groupby(rows, key=lambda row: row[1]):
        stream = Stream(name)
        kind = KINDS[stream]
        versions: list[Version] = []
        for sequence, _, identity, version, source, observed_at, body in group:
            row = kind.row_from_body(body)
            first, replaced = sequence, None
            if version > 1:
                first, _ = earlier[identity, 1]
                replaced = kind.row_from_body(earlier[identity, version - 1][1])
            versions.append((first, sequence, version, source, observed_at, row, replaced))
        project(session, transaction, stream, versions)


def _earlier(
    session: Session, transaction: Transaction, identities: Iterable[int]
) -> dict[tuple[int, int], tuple[int, str]]:
    """All versions of some records: (identity, version) → (sequence, body)."""
    wanted = set(identities)
    if not wanted:
        return {}
    sequences = session.tail.find(transaction, wanted)
    return {
        (identity, version): (sequence, body)
        for identity, version, sequence, body in transaction.rows(
            sql.REPLAY_EARLIER, (transaction.among(sequences),)
        )
    }
