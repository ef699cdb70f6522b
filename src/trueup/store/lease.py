"""Who writes the books now, and how the others hand over what they saw.

One process holds the *writer lease* and says from time to time that it lives.
A holder that died on this machine, or has been silent past its time, is
replaced.  Every other process may read at any time, wait for the lease, or put
its observations into the *handoff*, which the holder (or the next one) drains.

All times are the machine's own: a venue's shifted clock would make a living
holder look dead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from trueup.core.errors import BooksError
from trueup.core.facts import Source, Stream
from trueup.core.instant import SECOND, Instant, format_age
from trueup.core.observations import Observation, Quarantined
from trueup.store import sql
from trueup.store.driver import AnyRow, Reading, Transaction
from trueup.store.journal import Appended, append_in
from trueup.store.records import KINDS, checked_kind
from trueup.store.session import Session, process_lives

LEASE_SECONDS: Final = 60
"""How long a holder may be silent.  Beat at least three times as often."""

_LEASE_COLUMNS: Final = (
    *("name", "token", "host", "pid", "role", "acquired_at", "heartbeat_at", "expires_at"),
)
_HANDOFF_COLUMNS: Final = (
    *("number", "stream", "body", "reason", "source", "observed_at", "raw", "handed_by"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseHolder:
    """The process that writes the books."""

    role: str
    pid: int
    host: str
    since: Instant
    heartbeat_at: Instant
    expires_at: Instant

    def words(self) -> str:
        """Who it is, for a person."""
        return f"{self.role} (process {self.pid} on {self.host})"

    def words_at(self, now: Instant) -> str:
        """Who it is, for how long, and when it was last heard of."""
        held, heard = format_age(now - self.since), format_age(now - self.heartbeat_at)
        return f"{self.words()}, for {held}, last heard of {heard} ago"


def try_acquire(
    session: Session, *, role: str, now: Instant, seconds: int = LEASE_SECONDS
) -> LeaseHolder | None:
    """Take the writer lease; `None` when it is ours, else who holds it.

    Taking it again renews it.  The lease of a dead or silent holder is taken over.
    """
    if not session.token:
        session.token = os.urandom(8).hex()
    with session.writing(any_process=True) as transaction:
        rows = transaction.rows(sql.LEASE)
        holder = _holder(rows[0]) if rows else None
        if holder is not None and rows[0][0] != session.token and _lives(holder, now):
            return holder
        since = now
        if holder is not None and rows[0][0] == session.token:
            since = holder.since
        row = (
            *("writer", session.token, socket.gethostname(), os.getpid(), role),
            *(since, now, now + seconds * SECOND),
        )
        transaction.upsert("lease", _LEASE_COLUMNS, [row], identity=("name",))
    return None


def wait(
    session: Session,
    *,
    role: str,
    now: Callable[[], Instant],
    sleep: Callable[[float], None],
    patience_seconds: int,
    on_wait: Callable[[LeaseHolder], None] | None = None,
) -> None:
    """Take the writer lease, waiting for its holder if need be.

    `on_wait` hears once who is being waited for.  Raises `BooksError` when the
    patience ends.
    """
    deadline = now() + patience_seconds * SECOND
    told = False
    while holder := try_acquire(session, role=role, now=now()):
        if on_wait is not None and not told:
            on_wait(holder)
            told = True
        if now() >= deadline:
            raise BooksError(
                f"{session.driver.place} is being written by {holder.words_at(now())}.",
                remedy="Wait until it has finished, or end it; reading is possible meanwhile.",
            )
        sleep(min(1, patience_seconds))


def beat(session: Session, *, now: Instant, seconds: int = LEASE_SECONDS) -> None:
    """Say that the holder lives.  Raises `BooksError` when another took over."""
    with session.writing(any_process=True) as transaction:
        expires = now + seconds * SECOND
        if not transaction.execute(sql.LEASE_BEAT, (now, expires, session.token)):
            rows = transaction.rows(sql.LEASE)
            taken = f"was taken over by {_holder(rows[0]).words()}" if rows else "is gone"
            raise BooksError(
                f"the writer lease on {session.driver.place} {taken}.",
                remedy="This process was silent for too long: start it again.",
            )


def release(session: Session) -> None:
    """Give the lease back; does nothing when it is not ours."""
    if session.token and not session.read_only:
        with session.writing(any_process=True) as transaction:
            transaction.execute(sql.LEASE_RELEASE, (session.token,))
        session.token = ""


def current_holder(reading: Reading, now: Instant) -> LeaseHolder | None:
    """The living holder of the lease, this process included; `None` when it is free."""
    rows = reading.rows(sql.LEASE)
    holder = _holder(rows[0]) if rows else None
    return holder if holder is not None and _lives(holder, now) else None


def hand_over(
    session: Session,
    observations: Sequence[Observation],
    *,
    stream: Stream,
    quarantined: Sequence[Quarantined] = (),
    role: str,
) -> int:
    """Give observations to whoever holds the lease; returns how many wait there now."""
    by = f"{role} (process {os.getpid()} on {socket.gethostname()})"
    with session.writing(any_process=True) as transaction:
        number = transaction.rows(sql.HANDOFF_LAST)[0][0]
        rows: list[AnyRow] = []
        for each in observations:
            kind = checked_kind(stream, each.value)
            body = kind.body(kind.row_of(each.value)).decode()
            seen = (each.source.value, each.observed_at, each.raw)
            rows.append((number + len(rows) + 1, stream.value, body, "", *seen, by))
        for record in quarantined:
            seen = (record.source.value, record.observed_at, record.raw)
            rows.append((number + len(rows) + 1, stream.value, "", record.reason, *seen, by))
        transaction.insert("handoff", _HANDOFF_COLUMNS, rows)
        return transaction.rows(sql.HANDOFF_COUNT)[0][0]


def drain(session: Session, *, limit: int = 1000) -> Appended:
    """Take up to `limit` handed-over observations into the journal, in their order.

    One transaction: an observation is either still waiting or in the journal.
    """
    with session.writing() as transaction:
        rows = transaction.rows(sql.HANDOFF_NEXT, (limit,))
        appended = Appended()
        for stream, group in groupby(rows, key=lambda row: row[1]):
            appended += _drain_stream(session, transaction, Stream(stream), list(group))
        if rows:
            transaction.execute(sql.HANDOFF_DONE, (rows[-1][0],))
    return appended


def waiting(reading: Reading) -> int:
    """How many handed-over observations wait for the holder."""
    return reading.rows(sql.HANDOFF_COUNT)[0][0]


def _drain_stream(
    session: Session, transaction: Transaction, stream: Stream, rows: Sequence[AnyRow]
) -> Appended:
    kind = KINDS[stream]
    observations: list[Observation] = []
    unreadable: list[Quarantined] = []
    for _, _, body, reason, source, observed_at, raw in rows:
        if reason:
            record = Quarantined(stream, reason, Source(source), observed_at, bytes(raw))
            unreadable.append(record)
        else:
            value = kind.value_from_body(body)
            observations.append(Observation(value, Source(source), observed_at, bytes(raw)))
    return append_in(session, transaction, observations, stream=stream, quarantined=unreadable)


def _holder(row: AnyRow) -> LeaseHolder:
    _, host, pid, role, acquired_at, heartbeat_at, expires_at = row
    return LeaseHolder(
        role=role,
        pid=pid,
        host=host,
        since=acquired_at,
        heartbeat_at=heartbeat_at,
        expires_at=expires_at,
    )


def _lives(holder: LeaseHolder, now: Instant) -> bool:
    """Whether the holder may still be writing."""
    if now > holder.expires_at:
        return False
    return process_lives(holder.host, holder.pid)
