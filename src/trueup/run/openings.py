"""What an opening balance stands for: all cash of its pot that moved before it.

Deposits are listed since the beginning even where the fills of that time are
gone.  Cash that was stated by the operator contains them already, so they must
not be counted again.
"""

from __future__ import annotations

from collections.abc import Iterator

from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant
from trueup.ledger.proof import CashMovement
from trueup.store.database import Books


class Openings:
    """The operator's opening balances: when each pot of cash begins."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._begins: dict[tuple[Subaccount, Shard], Instant] = {}
        for opened in sorted(books.openings(), key=lambda each: each.at):
            self._begins[opened.subaccount, opened.shard] = opened.at

    def movements(
        self,
        subaccount: Subaccount | None,
        shard: Shard | None,
        *,
        until: Instant | None = None,
    ) -> Iterator[CashMovement]:
        """The movements of a pot from its opening on; `None` is "of any"."""
        found = self._books.cash_movements(subaccount, shard, until=until)
        if not self._begins:
            return found
        return (each for each in found if each.at >= self._begin_of(each))

    def begin(self, subaccount: Subaccount | None, shard: Shard | None) -> bool:
        """Whether exactly this pot begins with an opening balance."""
        if shard is None:
            # Over all shards it does when no shard is without one.
            moved = {each.shard for each in self._books.cash_movements(subaccount)}
            return bool(moved) and all((subaccount, each) in self._begins for each in moved)
        return (subaccount, shard) in self._begins

    def _begin_of(self, movement: CashMovement) -> Instant:
        return self._begins.get((movement.subaccount, movement.shard), movement.at)

    def __bool__(self) -> bool:
        return bool(self._begins)
