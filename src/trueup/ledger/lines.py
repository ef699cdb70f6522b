"""Entries in bare units, for whoever writes very many of them.

A `Line` says what an `Entry` says without a value object for every amount, and
balances like one.  Each can be made from the other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trueup.core.errors import InvariantBroken
from trueup.core.facts import Stream
from trueup.core.ids import Shard, Subaccount, Ticker
from trueup.core.instant import Instant
from trueup.core.units import Count, Money
from trueup.ledger.accounts import Account
from trueup.ledger.entries import Entry, EntryKind, Posting

Leg = tuple[Account, int, int]
"""A posting: its account, money and contracts in units."""


FEES: Final = frozenset({Account.TRADING_FEES, Account.SETTLEMENT_FEES, Account.BANKING_FEES})


class Line(NamedTuple):
    """One entry; see `trueup.ledger.entries.Entry` for the first fields.

    The last four are sums over its legs, in bare units.
    """

    stream: Stream
    key: str
    version: int
    kind: EntryKind
    at: Instant
    subaccount: Subaccount
    shard: Shard
    ticker: Ticker | None
    strategy: str
    evidence: str
    legs: tuple[Leg, ...]
    cash: int
    realized: int
    """The gain, before fees."""
    fees: int
    held: int
    """How many contracts it adds to the position."""


def line_of(entry: Entry) -> Line:
    """The same in bare units."""
    legs = tuple((p.account, p.money.units, p.contracts.units) for p in entry.postings)
    cash = realized = fees = held = 0
    for account, money, contracts in legs:
        if account is Account.CASH:
            cash += money
        elif account is Account.POSITIONS:
            held += contracts
        elif account is Account.REALIZED:
            realized -= money
        elif account in FEES:
            fees += money
    return Line(
        stream=entry.stream,
        key=entry.key,
        version=entry.version,
        kind=entry.kind,
        at=entry.at,
        subaccount=entry.subaccount,
        shard=entry.shard,
        ticker=entry.ticker,
        strategy=entry.strategy,
        evidence=entry.evidence,
        legs=legs,
        cash=cash,
        realized=realized,
        fees=fees,
        held=held,
    )


def entry_of(line: Line) -> Entry:
    """The same as a value of the ledger."""
    return Entry(
        stream=line.stream,
        key=line.key,
        version=line.version,
        kind=line.kind,
        at=line.at,
        subaccount=line.subaccount,
        shard=line.shard,
        ticker=line.ticker,
        strategy=line.strategy,
        postings=tuple(
            Posting(account, Money(money), Count(contracts))
            for account, money, contracts in line.legs
        ),
        evidence=line.evidence,
    )


def balanced(legs: list[Leg]) -> tuple[Leg, ...]:
    """The legs of a line; raises `InvariantBroken` unless they sum to zero."""
    money = contracts = 0
    for _, units, count in legs:
        money += units
        contracts += count
    if money or contracts:
        message = f"{Money(money)} dollars and {Count(contracts)} contracts left over: {legs}"
        raise InvariantBroken(message)
    return tuple(legs)
