"""Who writes the books now.

One process holds the *writer lease* and says from time to time that it lives.
A holder that died on this machine, or has been silent past its time, is
replaced.  Every other process may read at any time, wait for the lease, or hand
over what it saw (`trueup.store.handoff`).

All times are the machine's own: a venue's shifted clock would make a living
holder look dead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from trueup.core.errors import BooksError
from trueup.core.instant import SECOND, Instant, format_age
from trueup.store import sql
from trueup.store.driver import AnyRow
from trueup.store.session import Session, process_lives

LEASE_SECONDS: Final = 60
"""How long a holder may be silent.  Beat at least three times as often."""

_LEASE_COLUMNS: Final = (
    *("name", "token", "host", "pid", "role", "acquired_at", "heartbeat_at", "expires_at"),
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


class WriterLease:
    """The writer lease of these books (`Books.lease`)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def try_acquire(
        self, *, role: str, now: Instant, seconds: int = LEASE_SECONDS
    ) -> LeaseHolder | None:
        """Take the writer lease; `None` when it is ours, else who holds it.

        Taking it again renews it.  The lease of a dead or silent holder is taken over.
        """
        if not self._session.token:
            self._session.token = os.urandom(8).hex()
        with self._session.writing(any_process=True) as transaction:
            rows = transaction.rows(sql.LEASE)
            holder = _holder(rows[0]) if rows else None
            if holder is not None and rows[0][0] != self._session.token and _lives(holder, now):
                return holder
            since = now
            if holder is not None and rows[0][0] == self._session.token:
                since = holder.since
            row = (
                *("writer", self._session.token, socket.gethostname(), os.getpid(), role),
                *(since, now, now + seconds * SECOND),
            )
            transaction.upsert("lease", _LEASE_COLUMNS, [row], identity=("name",))
        return None

    def wait(
        self,
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
        while holder := self.try_acquire(role=role, now=now()):
            if on_wait is not None and not told:
                on_wait(holder)
                told = True
            if now() >= deadline:
                raise BooksError(
                    f"{self._session.driver.place} is being written by {holder.words_at(now())}.",
                    remedy="Wait until it has finished, or end it; self._session.driver is possible meanwhile.",
                )
            sleep(min(1, patience_seconds))

    def beat(self, *, now: Instant, seconds: int = LEASE_SECONDS) -> None:
        """Say that the holder lives.  Raises `BooksError` when another took over."""
        with self._session.writing(any_process=True) as transaction:
            expires = now + seconds * SECOND
            if not transaction.execute(sql.LEASE_BEAT, (now, expires, self._session.token)):
                rows = transaction.rows(sql.LEASE)
                taken = f"was taken over by {_holder(rows[0]).words()}" if rows else "is gone"
                raise BooksError(
                    f"the writer lease on {self._session.driver.place} {taken}.",
                    remedy="This process was silent for too long: start it again.",
                )

    def release(self) -> None:
        """Give the lease back; does nothing when it is not ours."""
        if self._session.token and not self._session.read_only:
            with self._session.writing(any_process=True) as transaction:
                transaction.execute(sql.LEASE_RELEASE, (self._session.token,))
            self._session.token = ""

    def holder(self, now: Instant) -> LeaseHolder | None:
        """The living holder of the lease, this process included; `None` when it is free."""
        rows = self._session.driver.rows(sql.LEASE)
        holder = _holder(rows[0]) if rows else None
        return holder if holder is not None and _lives(holder, now) else None


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
