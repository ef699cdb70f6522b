"""What other processes saw, waiting for the one that holds the writer lease.

Each puts its observations here; the holder, or the next one, drains them into
the journal in their order.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from trueup.core.facts import Source, Stream
from trueup.core.observations import Observation, Quarantined
from trueup.store import sql
from trueup.store.driver import AnyRow, Transaction
from trueup.store.journal import Appended, append_in
from trueup.store.records import KINDS, checked_kind
from trueup.store.session import Session

_HANDOFF_COLUMNS: Final = (
    *("number", "stream", "body", "reason", "source", "observed_at", "raw", "handed_by"),
    "subaccount",
)


class Handoff:
    """The observations that wait for the holder of the lease (`Books.handoff`)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hand_over(
        self,
        observations: Sequence[Observation],
        *,
        stream: Stream,
        quarantined: Sequence[Quarantined] = (),
        role: str,
    ) -> int:
        """Give observations to whoever holds the lease; returns how many wait there now."""
        by = f"{role} (process {os.getpid()} on {socket.gethostname()})"
        with self._session.writing(any_process=True) as transaction:
            number = transaction.rows(sql.HANDOFF_LAST)[0][0]
            rows: list[AnyRow] = []
            for each in observations:
                kind = checked_kind(stream, each.value)
                body = kind.body(kind.row_of(each.value)).decode()
                seen = (each.source.value, each.observed_at, each.raw)
                rows.append((number + len(rows) + 1, stream.value, body, "", *seen, by, None))
            for record in quarantined:
                seen = (record.source.value, record.observed_at, record.raw)
                told = (stream.value, "", record.reason, *seen, by, record.subaccount)
                rows.append((number + len(rows) + 1, *told))
            transaction.insert("handoff", _HANDOFF_COLUMNS, rows)
            return transaction.rows(sql.HANDOFF_COUNT)[0][0]

    def drain(self, *, limit: int = 1000) -> Appended:
        """Take up to `limit` handed-over observations into the journal, in their order.

        One transaction: an observation is either still waiting or in the journal.
        """
        with self._session.writing() as transaction:
            rows = transaction.rows(sql.HANDOFF_NEXT, (limit,))
            appended = Appended()
            for stream, group in groupby(rows, key=lambda row: row[1]):
                appended += _drain_stream(self._session, transaction, Stream(stream), list(group))
            if rows:
                transaction.execute(sql.HANDOFF_DONE, (rows[-1][0],))
        return appended

    def waiting(self) -> int:
        """How many handed-over observations wait for the holder."""
        return self._session.driver.rows(sql.HANDOFF_COUNT)[0][0]


def _drain_stream(
    session: Session, transaction: Transaction, stream: Stream, rows: Sequence[AnyRow]
) -> Appended:
    kind = KINDS[stream]
    observations: list[Observation] = []
    unreadable: list[Quarantined] = []
    for _, _, body, reason, source, observed_at, raw, subaccount in rows:
        if reason:
            seen = (Source(source), observed_at, bytes(raw))
            unreadable.append(Quarantined(stream, reason, *seen, subaccount))
        else:
            value = kind.value_from_body(body)
            observations.append(Observation(value, Source(source), observed_at, bytes(raw)))
    return append_in(session, transaction, observations, stream=stream, quarantined=unreadable)
