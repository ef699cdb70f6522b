"""What could not be read: kept as it came until a version comes that can read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from trueup.core.facts import Source, Stream
from trueup.core.observations import Quarantined
from trueup.store import sql
from trueup.store.driver import Driver, Transaction
from trueup.store.session import Session


def keep(transaction: Transaction, record: Quarantined) -> None:
    """Put a record into quarantine; seen again, it only counts."""
    whose = "" if record.subaccount is None else f"{record.subaccount}\n"
    words = f"{record.stream.value}\n{record.reason}\n{whose}".encode()
    transaction.execute(
        sql.QUARANTINE,
        (
            blake2b(words + record.raw, digest_size=16).digest(),
            record.stream.value,
            record.reason,
            record.source.value,
            record.observed_at,
            record.observed_at,
            record.raw,
            record.subaccount,
        ),
    )


def quarantined(driver: Driver) -> Iterator[Quarantined]:
    """Everything that could not be read, the oldest first."""
    for stream, reason, source, last_at, raw, subaccount in driver.stream(sql.QUARANTINED):
        kept = (Stream(stream), reason, Source(source), last_at, bytes(raw))
        yield Quarantined(*kept, subaccount)


def forget(session: Session, records: Iterable[Quarantined]) -> None:
    """Drop records that could be read meanwhile."""
    with session.writing() as transaction:
        for record in records:
            transaction.execute(sql.QUARANTINE_FORGET, (record.stream.value, record.raw))
