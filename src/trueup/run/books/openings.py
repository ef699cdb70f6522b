"""What an opening balance stands for: the cash that was there before the first known fact.

Deposits are listed since the beginning even where the fills of that time are
gone.  So an opening is booked as cash only where it is the first fact of its pot.
Where earlier facts are booked, it moves nothing: it is compared with the books'
own cash at its time, and what differs is a break.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trueup.core.facts import Opened, Stream
from trueup.core.ids import Shard, Subaccount
from trueup.core.instant import Instant
from trueup.core.observations import Recorded
from trueup.core.units import ZERO_MONEY, Money
from trueup.ledger.cash import book_cash
from trueup.ledger.entries import Entry, EntryKind
from trueup.ledger.pot_check import StatedOpening
from trueup.ledger.proof import Level
from trueup.store.database import Books


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What the books hold of a pot before its opening."""

    count: int
    cash: Money


class Openings:
    """The operator's opening balances, beside what the books know of the time before."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stated: dict[tuple[Subaccount, Shard], StatedOpening] = {}
        for opened in books.openings():
            before = _before(books, opened)
            self._stated[opened.subaccount, opened.shard] = StatedOpening(
                opened=opened, earlier=before.count, booked=before.cash
            )

    def stated(self) -> Iterator[StatedOpening]:
        """Every opening with the books' own cash at its time."""
        return iter(self._stated.values())

    def opens(self, subaccount: Subaccount | None, shard: Shard | None) -> bool:
        """Whether any opening belongs to this pot: then it may not begin at nothing."""
        return any(
            subaccount in {None, owner} and shard in {None, on} for owner, on in self._stated
        )

    def level(
        self, subaccount: Subaccount | None, shard: Shard | None, *, whole: bool
    ) -> Level | None:
        """From when on it is stated how much of a pot's cash no movement explains.

        `whole`: what has no opening is known from the account's beginning on.
        `None`: a part of the pot is not, or has an opening that contradicts the books.
        """
        if not self.opens(subaccount, shard):
            return None
        movements = self._books.cash_movements(subaccount, shard)
        owners = {(each.subaccount, each.shard) for each in movements}
        stated = [self._stated[owner] for owner in owners if owner in self._stated]
        found = [each for each in stated if not each.difference]
        known = len(owners) == len(stated) or whole
        if not found or len(found) < len(stated) or not known:
            return None
        return Level(
            at=max(each.opened.at for each in found),
            cash=Money(sum(each.opened.cash.units for each in found if not each.earlier)),
        )

    def __bool__(self) -> bool:
        return bool(self._stated)


def book_openings(books: Books) -> None:
    """Book every opening as what it is now: cash where nothing earlier is booked, else nothing.

    Called when all facts are booked, as earlier ones may have come late.
    """
    for stream, latest in list(books.cash_facts()):
        if stream is not Stream.OPENING or not isinstance(latest.value, Opened):
            continue
        opened = latest.value
        before = _before(books, opened)
        wanted = ZERO_MONEY if before.count else opened.cash
        if _booked(books, opened) == wanted:
            continue
        versions = [each.recorded for each in books.evidence(stream, latest.key)]
        books.write_cash_entries([_entry(versions, before)], versions)


def _entry(versions: list[Recorded], before: _Earlier) -> Entry:
    (entry,) = book_cash(versions)
    if not before.count:
        return entry
    return replace(
        entry,
        postings=tuple(replace(leg, money=ZERO_MONEY) for leg in entry.postings),
        evidence=f"{entry.evidence}; moves nothing, earlier facts are booked",
    )


def _booked(books: Books, opened: Opened) -> Money | None:
    """The cash that the opening's entry moves now; `None` where it has none."""
    moments = books.cash_movements(
        opened.subaccount, opened.shard, since=opened.at, until=Instant(opened.at + 1)
    )
    return next((each.amount for each in moments if each.kind is EntryKind.OPENING), None)


def _before(books: Books, opened: Opened) -> _Earlier:
    count = units = 0
    for each in books.cash_movements(opened.subaccount, opened.shard, until=opened.at):
        if each.kind is not EntryKind.OPENING:
            count += 1
            units += each.amount.units
    return _Earlier(count, Money(units))
