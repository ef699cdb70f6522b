"""The register of breaks: each keeps its age, and what was decided about it.

A run of the reconciliation tells what it found (`record_found`):

- a new break is *open*; one that is found again only gets older;
- one that is not found any more closes by itself;
- an *acknowledged* break, or one *closed* by a person, stays so while it is the
  same; when its amount or its summary changes, or it had closed by itself and
  comes back, it is open again: nobody has decided about that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from trueup.core.errors import BooksError
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.ledger.breaks import Break, BreakKind, Severity
from trueup.store import sql
from trueup.store.driver import AnyRow, Reading
from trueup.store.session import Session

COLUMNS: Final = (
    *("identity", "kind", "severity", "status", "subaccount", "shard", "ticker", "amount"),
    *("occurred_at", "first_seen", "last_seen", "summary", "evidence", "remedy", "reason"),
    *("decided_by", "decided_at"),
)
_decode: Final = msgspec.json.Decoder(tuple[str, ...]).decode


class BreakStatus(StrEnum):
    """What was decided about a break."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedBreak:
    """A break with its age.  `decided_by` is empty for one that closed by itself."""

    found: Break
    status: BreakStatus
    first_seen: Instant
    last_seen: Instant
    reason: str = ""
    decided_by: str = ""
    decided_at: Instant | None = None


def record_found(session: Session, found: Iterable[Break], *, now: Instant) -> list[AgedBreak]:
    """Note what a complete run of the reconciliation found at `now`.

    Returns the whole register, with the closed ones, oldest first.
    """
    current = {each.identity: each for each in found}
    with session.writing() as transaction:
        known = {each.found.identity: each for each in register(transaction)}
        updated = [_seen(known.get(identity), each, now) for identity, each in current.items()]
        updated += [
            _gone(each, now)
            for identity, each in known.items()
            if identity not in current and each.status is not BreakStatus.CLOSED
        ]
        transaction.upsert(
            "breaks", COLUMNS, [_row(each) for each in updated], identity=("identity",)
        )
        return register(transaction)


def seen(known: Iterable[AgedBreak], found: Iterable[Break], *, now: Instant) -> list[AgedBreak]:
    """What the register would say of `found` at `now`: for readers, who note nothing."""
    by_name = {each.found.identity: each for each in known}
    return [_seen(by_name.get(each.identity), each, now) for each in found]


def decide(
    session: Session,
    identity: str,
    status: BreakStatus,
    *,
    reason: str,
    who: str,
    now: Instant,
) -> AgedBreak:
    """Acknowledge, close or open again one break; `identity` may be its beginning.

    Raises `BooksError` when there is no such break, or several.
    """
    if not reason.strip():
        raise BooksError("a decision about a break needs a reason", remedy="Say why.")
    with session.writing() as transaction:
        all_breaks = register(transaction)
        named = [each for each in all_breaks if each.found.identity == identity]
        named = named or [each for each in all_breaks if each.found.identity.startswith(identity)]
        if len(named) != 1 or not identity:
            raise BooksError(
                f"{len(named) or 'no'} breaks are called {identity!r}",
                remedy="Take the name from `trueup breaks list`.",
            )
        name = named[0].found.identity
        transaction.execute(sql.BREAK_DECIDE, (status.value, reason, who, now, name))
        return next(each for each in register(transaction) if each.found.identity == name)


def register(reading: Reading) -> list[AgedBreak]:
    """Every break ever found, oldest first."""
    return [_aged(row) for row in reading.rows(sql.BREAKS)]


def _seen(known: AgedBreak | None, found: Break, now: Instant) -> AgedBreak:
    if known is None:
        return AgedBreak(found=found, status=BreakStatus.OPEN, first_seen=now, last_seen=now)
    same = (known.found.amount, known.found.summary) == (found.amount, found.summary)
    closed_itself = known.status is BreakStatus.CLOSED and not known.decided_by
    if same and not closed_itself:
        return AgedBreak(
            found=found,
            status=known.status,
            first_seen=known.first_seen,
            last_seen=now,
            reason=known.reason,
            decided_by=known.decided_by,
            decided_at=known.decided_at,
        )
    first = now if closed_itself else known.first_seen
    return AgedBreak(found=found, status=BreakStatus.OPEN, first_seen=first, last_seen=now)


def _gone(known: AgedBreak, now: Instant) -> AgedBreak:
    return AgedBreak(
        found=known.found,
        status=BreakStatus.CLOSED,
        first_seen=known.first_seen,
        last_seen=known.last_seen,
        reason="not found any more",
        decided_at=now,
    )


def _row(each: AgedBreak) -> AnyRow:
    found = each.found
    return (
        found.identity,
        found.kind.value,
        found.severity.value,
        each.status.value,
        found.subaccount,
        found.shard,
        found.ticker,
        found.amount.units,
        found.occurred_at,
        each.first_seen,
        each.last_seen,
        found.summary,
        msgspec.json.encode(found.evidence).decode(),
        found.remedy,
        each.reason,
        each.decided_by,
        each.decided_at,
    )


def _aged(row: AnyRow) -> AgedBreak:
    identity, kind, severity, status, subaccount, shard, ticker, amount, occurred_at = row[:9]
    first_seen, last_seen, summary, evidence, remedy, reason, decided_by, decided_at = row[9:]
    return AgedBreak(
        found=Break(
            identity=identity,
            kind=BreakKind(kind),
            severity=Severity(severity),
            subaccount=subaccount,
            shard=shard,
            ticker=ticker,
            amount=Money(amount),
            occurred_at=occurred_at,
            summary=summary,
            evidence=_decode(evidence),
            remedy=remedy,
        ),
        status=BreakStatus(status),
        first_seen=first_seen,
        last_seen=last_seen,
        reason=reason,
        decided_by=decided_by,
        decided_at=decided_at,
    )
