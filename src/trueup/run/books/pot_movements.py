"""The movements of a pot of cash for the proof, with the bounds of those whose time is not known.

The exchange gives a transfer one time, of its creation, and a deposit or withdrawal two,
of its creation and of its end: when the balance moved lies between.  A reading in
between may show it or not; after the later one it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from typing import Final

from trueup.core.facts import Banked, BankingStatus, Stream
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant
from trueup.core.observations import Recorded
from trueup.core.units import ZERO_MONEY
from trueup.ledger.cash import arrives_until
from trueup.ledger.entries import EntryKind
from trueup.ledger.movements import CashMovement
from trueup.store.database import Books

_BANKING: Final = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL})
_by_time: Final = attrgetter("at")


class PotMovements:
    """What moved the cash of each pot."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._transfers: dict[tuple[Stream, str], Recorded] = {}
        self._banked: dict[tuple[Stream, str], Banked] = {}
        for stream, latest in books.cash_facts():
            value = latest.value
            if stream is Stream.SHARD_TRANSFERS:
                self._transfers[stream, latest.key] = latest
            elif (
                isinstance(value, Banked)
                and value.status is BankingStatus.APPLIED
                and value.created_at < value.at
            ):
                self._banked[stream, latest.key] = value

    def of(self, subaccount: Subaccount | None, shard: Shard | None) -> Iterator[CashMovement]:
        """The movements of a pot in time order; `None` is "of any"."""
        rest = (
            self._bounded(each)
            for each in self._books.cash_movements(subaccount, shard)
            if not self._may_be_early(each)
        )
        early = sorted(self._early(subaccount, shard), key=_by_time)
        return merge(early, rest, key=_by_time)

    def _bounded(self, movement: CashMovement) -> CashMovement:
        report = self._transfers.get((movement.stream, movement.key))
        if report is None or movement.amount <= ZERO_MONEY:
            return movement
        return replace(movement, latest=arrives_until(report, movement.at))

    def _may_be_early(self, movement: CashMovement) -> bool:
        banked = self._banked.get((movement.stream, movement.key))
        return banked is not None and movement.kind in _BANKING and movement.at == banked.at

    def _early(self, subaccount: Subaccount | None, shard: Shard | None) -> Iterator[CashMovement]:
        """Deposits and withdrawals from their creation on."""
        for (stream, key), banked in self._banked.items():
            booked = self._books.cash_movements(
                subaccount, shard, since=banked.at, until=Instant(banked.at + 1)
            )
            for each in booked:
                if (each.stream, each.key) == (stream, key) and each.kind in _BANKING:
                    yield replace(each, at=banked.created_at, latest=each.at)
