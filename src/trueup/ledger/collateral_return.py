"""What mutually exclusive events release early, as movements of the available balance.

At most one market of such an event resolves to yes, so of all NO contracts only those
of one market can lose.  To members who switched *collateral return* on, the exchange
pays at once what their NO contracts pay for certain (`core.collateral.guaranteed_payout`)
and takes it back off the payouts.  Nothing is posted: in the cash proof it is a
movement like what resting orders tie up (`ledger.holds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from trueup.core.collateral import guaranteed_payout
from trueup.core.facts import Filled, Stream
from trueup.core.ids import EventTicker, Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.units import ZERO_COUNT, ZERO_MONEY, Count, Money
from trueup.ledger.entries import EntryKind
from trueup.ledger.movements import CashMovement

FillsOf = Callable[[Ticker], Iterable[Filled]]
"""All fills of a market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveEvent:
    """A mutually exclusive event of one subaccount: its markets, and when each paid."""

    subaccount: Subaccount
    shard: Shard
    ticker: EventTicker
    markets: Sequence[tuple[Ticker, Instant | None]]


def collateral_returns(
    events: Iterable[ExclusiveEvent], fills_of: FillsOf, *, since: Instant
) -> list[CashMovement]:
    """The movements of all events in time order.

    `since` is when collateral return was switched on: what was held then was released then.
    """
    found = [movement for event in events for movement in _of_event(event, fills_of, since)]
    return sorted(found, key=lambda each: each.at)


def _of_event(event: ExclusiveEvent, fills_of: FillsOf, since: Instant) -> Iterator[CashMovement]:
    changes: list[tuple[Instant, int, Ticker, int]] = []
    for ticker, paid_at in event.markets:
        changes.extend(
            (max(since, filled.at), _TRADES, ticker, filled.side.sign * filled.count.units)
            for filled in fills_of(ticker)
            if filled.subaccount == event.subaccount
        )
        if paid_at is not None:
            changes.append((max(since, paid_at), _IS_PAID, ticker, 0))
    changes.sort()
    nets: dict[Ticker, Count] = {}
    released = ZERO_MONEY
    for at, together in groupby(changes, key=lambda each: each[0]):
        for _, what, ticker, units in together:
            held = nets.get(ticker, ZERO_COUNT)
            nets[ticker] = ZERO_COUNT if what == _IS_PAID else held + Count(units)
        now = guaranteed_payout(nets.values())
        if now != released:
            yield _movement(event, at, now - released)
            released = now


_TRADES: Final = 0
_IS_PAID: Final = 1


def _movement(event: ExclusiveEvent, at: Instant, amount: Money) -> CashMovement:
    return CashMovement(
        at=at,
        amount=amount,
        subaccount=event.subaccount,
        shard=event.shard,
        stream=Stream.POSITIONS,
        key=event.ticker,
        version=0,
        kind=EntryKind.COLLATERAL_RETURN,
        ticker=None,
    )
