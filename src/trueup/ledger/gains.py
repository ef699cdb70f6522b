"""Capital gains: lots first in, first out.

Every purchase of contracts that opens or enlarges a position is a lot; every sale
and every settlement disposes of the oldest lots of its market and side.  Fees
belong to it: the fee of a purchase is part of the cost, the fee of a sale
reduces the proceeds.  A settlement is a disposal, also for nothing.

What this does not judge: wash sales, the kind of income, and whether your tax
authority sees event contracts this way.  It lists dates, quantities and amounts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from trueup.core.ids import Subaccount, Ticker
from trueup.core.instant import Instant, eastern_day
from trueup.core.orders import Side
from trueup.core.units import Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.entries import Entry, EntryKind
from trueup.ledger.revisions import as_they_stand


class Term(StrEnum):
    """Whether the lot was held for more than a year, by Eastern dates."""

    SHORT = "short"
    LONG = "long"


class Disposal(StrEnum):
    """How a lot ended."""

    SALE = "sale"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A lot, or a part of one, that was disposed of.

    `cost` includes the fees of the purchase, `proceeds` are after the fees of
    the sale.  `acquired` and `disposed` are Eastern dates (`YYYY-MM-DD`).
    """

    ticker: Ticker
    subaccount: Subaccount
    side: Side
    quantity: Count
    acquired: str
    disposed: str
    proceeds: Money
    cost: Money
    term: Term
    disposal: Disposal

    @property
    def gain(self) -> Money:
        """Proceeds minus cost."""
        return self.proceeds - self.cost


@dataclass(slots=True)
class _Lot:
    count: int
    cost: int
    at: Instant


def gains(entries: Iterable[Entry]) -> Iterator[Gain]:
    """The gains of one market in one subaccount, from its entries in time order.

    What the exchange revised later counts as it stands now, at its own time.  A
    payout without contracts (the exchange paid for what the books do not hold)
    is a gain of no contracts, so that no cash is lost from the list.
    """
    lots: deque[_Lot] = deque()
    side = Side.YES
    for entry in as_they_stand(entries):
        legs = _legs(entry, held=side.sign if lots else 0)
        if legs.closed:
            yield from _dispose(entry, lots, side=side, legs=legs)
        elif entry.kind is EntryKind.SETTLEMENT and legs.proceeds:
            yield _gain(entry, side, _Lot(0, 0, entry.at), proceeds=legs.proceeds)
        if legs.opened:
            side = Side.YES if legs.opened > 0 else Side.NO
            lots.append(_Lot(abs(legs.opened), legs.cost, entry.at))


@dataclass(frozen=True, slots=True)
class _Legs:
    """Signed contracts, what the closed ones brought, what the opened ones cost."""

    opened: int
    closed: int
    proceeds: int
    cost: int


def _legs(entry: Entry, *, held: int) -> _Legs:
    """What an entry closed and opened, with `held` the sign of the position before it.

    The fee is divided between the two by contracts.
    """
    opened = closed = cost_in = fee = cash = 0
    for posting in entry.postings:
        contracts = posting.contracts.units
        if posting.account is Account.CASH:
            cash += posting.money.units
        elif posting.account is Account.TRADING_FEES:
            fee += posting.money.units
        elif posting.account is Account.POSITIONS and contracts * held < 0 and not closed:
            closed = contracts
        elif posting.account is Account.POSITIONS:
            opened += contracts
            cost_in += posting.money.units
    total = abs(opened) + abs(closed)
    closing_fee = fee * abs(closed) // total if total else 0
    return _Legs(
        opened=opened,
        closed=closed,
        proceeds=cash + fee + cost_in - closing_fee,
        cost=cost_in + fee - closing_fee,
    )


def _dispose(entry: Entry, lots: deque[_Lot], *, side: Side, legs: _Legs) -> Iterator[Gain]:
    count, proceeds = abs(legs.closed), legs.proceeds
    while count and lots:
        lot = lots[0]
        taken = min(lot.count, count)
        part = proceeds * taken // count
        cost = lot.cost * taken // lot.count
        yield _gain(entry, side, _Lot(taken, cost, lot.at), proceeds=part)
        count, proceeds = count - taken, proceeds - part
        lot.count, lot.cost = lot.count - taken, lot.cost - cost
        if not lot.count:
            lots.popleft()


def _gain(entry: Entry, side: Side, lot: _Lot, *, proceeds: int) -> Gain:
    acquired, disposed = eastern_day(lot.at), eastern_day(entry.at)
    settled = entry.kind is EntryKind.SETTLEMENT
    assert entry.ticker is not None  # noqa: S101 - only a market's entries hold contracts
    return Gain(
        ticker=entry.ticker,
        subaccount=entry.subaccount,
        side=side,
        quantity=Count(lot.count),
        acquired=acquired,
        disposed=disposed,
        proceeds=Money(proceeds),
        cost=Money(lot.cost),
        term=_term(acquired, disposed),
        disposal=Disposal.SETTLEMENT if settled else Disposal.SALE,
    )


def _term(acquired: str, disposed: str) -> Term:
    """Long when disposed of later than the same date a year after the purchase."""
    first = date.fromisoformat(acquired)
    try:
        anniversary = first.replace(year=first.year + 1)
    except ValueError:  # 29 February
        anniversary = date(first.year + 1, 3, 1)
    return Term.LONG if date.fromisoformat(disposed) > anniversary else Term.SHORT
