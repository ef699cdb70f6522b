"""Changes of cash, as the proof sees them."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.core.facts import Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Money
from trueup.ledger.entries import Entry, EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMovement:
    """A change of cash that a booked fact explains (zero for a flat settlement).

    `latest` is set where only bounds are known: it happened between `at` and then.
    """

    at: Instant
    amount: Money
    subaccount: Subaccount
    shard: Shard
    stream: Stream
    key: str
    version: int
    kind: EntryKind
    ticker: Ticker | None
    latest: Instant | None = None

    def may_follow(self, at: Instant) -> bool:
        """Whether it may have happened after an instant, although it is booked before."""
        return self.latest is not None and self.at <= at < self.latest


def movement_of(entry: Entry) -> CashMovement:
    """The cash side of an entry."""
    return CashMovement(
        at=entry.at,
        amount=entry.cash(),
        subaccount=entry.subaccount,
        shard=entry.shard,
        stream=entry.stream,
        key=entry.key,
        version=entry.version,
        kind=entry.kind,
        ticker=entry.ticker,
    )
